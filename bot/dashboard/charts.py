"""Columns and lines as numbers that a template draws: x in percent of the width, y in pixels from the top.

So a chart is as wide as its page while its letters keep their size. Every chart brings the table of its numbers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.dashboard.words import NOTHING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

HEIGHT = 176
STEPS = 4

_X_LABELS = 5
_NOTHING = 1e-9
_COLUMN = 0.72
"""Share of its place that a column fills."""


@dataclass(frozen=True, slots=True)
class Series:
    """One kind of numbers: its name, its colour as a class of the style sheet, a value for each place or None."""

    name: str
    colour: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Rect:
    """Part of a column."""

    x: str
    width: str
    y: float
    height: float
    colour: str


@dataclass(frozen=True, slots=True)
class Segment:
    """Part of a line."""

    x1: str
    y1: float
    x2: str
    y2: float
    colour: str


@dataclass(frozen=True, slots=True)
class Place:
    """One place along the x axis: all of its height shows `title` to a pointer."""

    x: str
    width: str
    title: str


@dataclass(slots=True)
class Chart:
    """All that a template needs. `table` has a heading row first."""

    name: str
    unit: str
    series: Sequence[Series]
    ticks: list[str]
    places: list[Place]
    labels: list[tuple[str, str, str]]
    table: list[list[str]]
    rects: list[Rect] = field(default_factory=list)
    segments: list[Segment] = field(default_factory=list)
    dots: list[tuple[str, float, str]] = field(default_factory=list)
    height: int = HEIGHT

    @property
    def grid(self) -> list[float]:
        """Where the horizontal lines are."""
        return [HEIGHT * step / STEPS for step in range(STEPS + 1)]


def columns(name: str, unit: str, labels: Sequence[str], series: Sequence[Series]) -> Chart:
    """Columns that stand on each other, the first series at the bottom; whole numbers."""
    sums = [sum(one.values[place] or 0 for one in series) for place in range(len(labels))]
    top = nice_top(max(sums, default=0), whole=True)
    chart = _chart(name, unit, labels, series, top, _plain, _plain)
    for place in range(len(labels)):
        floor = float(HEIGHT)
        for one in series:
            height = HEIGHT * (one.values[place] or 0) / top
            if height:
                floor -= height
                x, width = _slot(place, len(labels), _COLUMN)
                chart.rects.append(Rect(x, width, round(floor, 2), round(height, 2), one.colour))
    return chart


def lines(
    name: str,
    unit: str,
    labels: Sequence[str],
    series: Sequence[Series],
    top: float | None = None,
    say: Callable[[float], str] | None = None,
    scale: Callable[[float], str] | None = None,
) -> Chart:
    """Lines with a gap where there is no value.

    `top` is the end of the y axis; `say` words the values, `scale` the numbers at the axis.
    """
    values = [value for one in series for value in one.values if value is not None]
    top = top or nice_top(max(values, default=0))
    chart = _chart(name, unit, labels, series, top, say or _plain, scale or _plain)
    count = len(labels)
    for one in series:
        ys = [None if value is None else round(HEIGHT * (1 - value / top), 2) for value in one.values]
        for place, y in enumerate(ys):
            before, after = ys[place - 1] if place else None, ys[place + 1] if place + 1 < count else None
            if y is not None and after is not None:
                chart.segments.append(Segment(_centre(place, count), y, _centre(place + 1, count), after, one.colour))
            elif y is not None and before is None:
                chart.dots.append((_centre(place, count), y, one.colour))
    return chart


def nice_top(highest: float, whole: bool = False) -> float:
    """A round number, not below `highest`, that `STEPS` divides into round steps."""
    if highest < _NOTHING:
        return float(STEPS) if whole else 1.0
    step = highest / STEPS
    unit = 10.0 ** math.floor(math.log10(step))
    choices = [factor * unit for factor in (1, 2, 2.5, 3, 4, 5, 6, 8, 10)]
    step = next(choice for choice in choices if choice * STEPS >= highest * 0.999999)
    return (math.ceil(step) if whole else step) * float(STEPS)


def _chart(
    name: str,
    unit: str,
    labels: Sequence[str],
    series: Sequence[Series],
    top: float,
    say: Callable[[float], str],
    scale: Callable[[float], str],
) -> Chart:
    count = len(labels)
    told = [[_told(one.values[place], say) for one in series] for place in range(count)]
    places = []
    for place, (label, texts) in enumerate(zip(labels, told, strict=True)):
        lines = [f"{one.name} {text}" for one, text in zip(series, texts, strict=True)]
        places.append(Place(*_slot(place, count, 1), "\n".join([label, *lines])))
    heading = ["日期", *(one.name for one in series)]
    return Chart(
        name=name,
        unit=unit,
        series=series,
        ticks=[scale(top * step / STEPS) for step in range(STEPS, -1, -1)],
        places=places,
        labels=_x_labels(labels),
        table=[heading, *([label, *texts] for label, texts in zip(labels, told, strict=True))],
    )


def _x_labels(labels: Sequence[str]) -> list[tuple[str, str, str]]:
    """(x, anchor, text) of a few labels, the first and the last among them."""
    last = len(labels) - 1
    if last < 1:
        return [("50%", "middle", label) for label in labels]
    chosen = sorted({round(last * step / (_X_LABELS - 1)) for step in range(_X_LABELS)})
    anchors = {0: ("0%", "start"), last: ("100%", "end")}
    return [(*anchors.get(place, (_centre(place, last + 1), "middle")), labels[place]) for place in chosen]


def _slot(place: int, count: int, share: float) -> tuple[str, str]:
    """Left edge and width of a place, or of the middle of it."""
    return _percent((place + (1 - share) / 2) / count), _percent(share / count)


def _centre(place: int, count: int) -> str:
    return _percent((place + 0.5) / count)


def _percent(share: float) -> str:
    return f"{share * 100:.3f}%"


def _told(value: float | None, say: Callable[[float], str]) -> str:
    return NOTHING if value is None else say(value)


def _plain(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4g}"
