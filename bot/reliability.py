"""How far the confidence can be trusted: scores in bins against what was right, and a picture of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

BINS = 10
_Z = 1.96
"""Of the 95 % interval that the picture draws."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose score lies in [low, high); the last bin holds 1 as well."""

    low: float
    high: float
    count: int = 0
    right: int = 0
    mean: float = 0.0

    @property
    def share(self) -> float:
        """Share of right answers; 0 for an empty bin."""
        return self.right / self.count if self.count else 0.0

    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval of the share."""
        if not self.count:
            return 0.0, 1.0
        base = 1 + _Z**2 / self.count
        centre = (self.share + _Z**2 / (2 * self.count)) / base
        spread = _Z / base * math.sqrt(self.share * (1 - self.share) / self.count + (_Z / (2 * self.count)) ** 2)
        return max(0.0, centre - spread), min(1.0, centre + spread)

    def as_json(self) -> dict[str, Any]:
        """Bounds, counts and the mean score; the mean of an empty bin is null."""
        mean = round(self.mean, 4) if self.count else None
        return {
            "from": self.low,
            "to": self.high,
            "questions": self.count,
            "right": self.right,
            "mean_score": mean,
        }


def binned(scored: Iterable[tuple[float, bool]]) -> list[Bin]:
    """`BINS` bins of equal width over (score, right)."""
    held: list[list[tuple[float, bool]]] = [[] for _ in range(BINS)]
    for score, right in scored:
        held[min(BINS - 1, max(0, int(score * BINS)))].append((score, right))
    return [
        Bin(
            at / BINS,
            (at + 1) / BINS,
            len(items),
            sum(right for _, right in items),
            sum(score for score, _ in items) / len(items) if items else 0.0,
        )
        for at, items in enumerate(held)
    ]


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error: mean distance of score and share, weighted by count; None without answers."""
    total = sum(item.count for item in bins)
    return sum(item.count * abs(item.share - item.mean) for item in bins) / total if total else None


_WIDTH, _HEIGHT = 480, 620
_LEFT, _RIGHT = 58, 462
_TOP, _BOTTOM = 116, 396
_COUNT_TOP, _COUNT_BOTTOM = 486, 556
_FONT = "'Noto Sans CJK SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif"
_INK, _SOFT, _GRID, _RIGHT_COLOUR, _WRONG_COLOUR = "#1f2937", "#4b5563", "#e5e7eb", "#1d5fa8", "#c2410c"


def svg(bins: Sequence[Bin], source: str) -> str:
    """A reliability diagram with counts below it, for a page 480 px wide. `source` names the question set."""
    total, right = sum(item.count for item in bins), sum(item.right for item in bins)
    error = calibration_error(bins)
    title = "把握可靠吗？各档得分的实际答对率"
    told = f"{_printable(source)}：答了 {total} 题，答对 {right} 题"
    printed = "没有给出回答的题，画不出来" if error is None else f"期望校准误差（ECE）：{error * 100:.1f} 个百分点"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" '
        f'height="{_HEIGHT}" role="img" aria-labelledby="t d" font-family={quoteattr(_FONT)} font-size="13">',
        f'<title id="t">{escape(title)}</title>',
        f'<desc id="d">{escape(f"{told}；{printed}")}</desc>',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#ffffff"/>',
        _text(16, 28, title, size=17, weight="bold"),
        _text(16, 50, told, fill=_SOFT),
        _text(16, 70, printed, weight="bold"),
        *_axes(),
        *_curve([item for item in bins if item.count]),
        *_counts(bins),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _printable(text: str) -> str:
    """Without what XML cannot hold, and short enough for one line."""
    kept = "".join(char for char in text if char.isprintable())
    return kept if len(kept) <= 24 else kept[:23] + "…"


def _x(value: float) -> float:
    return round(_LEFT + value * (_RIGHT - _LEFT), 1)


def _y(share: float) -> float:
    return round(_BOTTOM - share * (_BOTTOM - _TOP), 1)


def _text(x: float, y: float, text: str, **how: Any) -> str:
    """`how`: size, weight, anchor, fill."""
    return (
        f'<text x="{x}" y="{y}" font-size="{how.get("size", 13)}" font-weight="{how.get("weight", "normal")}" '
        f'text-anchor="{how.get("anchor", "start")}" fill="{how.get("fill", _INK)}">{escape(text)}</text>'
    )


def _line(x1: float, y1: float, x2: float, y2: float, stroke: str, **how: Any) -> str:
    dash = f' stroke-dasharray="{how["dash"]}"' if "dash" in how else ""
    width = how.get("width", 1)
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="{width}"{dash}/>'


def _axes() -> Iterator[str]:
    """Grid, ticks, labels, and the line on which a perfect score would lie."""
    yield _text(16, _TOP - 14, "答对率（%）", fill=_SOFT)
    for tenth in range(0, 11, 2):
        value = tenth / 10
        yield _line(_LEFT, _y(value), _RIGHT, _y(value), _GRID)
        yield _text(_LEFT - 8, _y(value) + 4.5, f"{tenth * 10}", anchor="end", fill=_SOFT)
        yield _line(_x(value), _BOTTOM, _x(value), _BOTTOM + 4, _SOFT)
        for bottom in (_BOTTOM, _COUNT_BOTTOM):
            yield _text(_x(value), bottom + 19, f"{value:.1f}", anchor="middle", fill=_SOFT)
    yield _line(_LEFT, _BOTTOM, _RIGHT, _BOTTOM, _SOFT)
    yield _line(_x(0), _y(0), _x(1), _y(1), _SOFT, dash="5 4")
    yield _text(_RIGHT, _COUNT_BOTTOM + 44, "把握（回答的得分，0 到 1）", anchor="end", fill=_SOFT)
    legend = _TOP - 18
    yield _line(190, legend, 214, legend, _SOFT, dash="5 4")
    yield _text(219, legend + 4, "理想", fill=_SOFT)
    yield _line(262, legend, 286, legend, _RIGHT_COLOUR, width=2)
    yield f'<circle cx="274" cy="{legend}" r="4.5" fill="{_RIGHT_COLOUR}"/>'
    yield _text(291, legend + 4, "实际，竖线为 95% 区间", fill=_SOFT)


def _curve(bins: Sequence[Bin]) -> Iterator[str]:
    """A dot a bin at its mean score, with the interval that its count allows."""
    for item in bins:
        low, high = item.interval()
        yield _line(_x(item.mean), _y(low), _x(item.mean), _y(high), _RIGHT_COLOUR, width=1.5)
    points = " ".join(f"{_x(item.mean)},{_y(item.share)}" for item in bins)
    yield f'<polyline points="{points}" fill="none" stroke="{_RIGHT_COLOUR}" stroke-width="2"/>'
    for item in bins:
        told = f"把握 {item.low:.1f} 到 {item.high:.1f}：{item.count} 题，答对 {item.share:.1%}"
        dot = f'<circle cx="{_x(item.mean)}" cy="{_y(item.share)}" r="4.5" fill="{_RIGHT_COLOUR}">'
        yield f"{dot}<title>{escape(told)}</title></circle>"


def _counts(bins: Sequence[Bin]) -> Iterator[str]:
    """Bars of right and wrong answers a bin, with their numbers; no part of a bar is thinner than can be seen."""
    legend = _COUNT_TOP - 40
    yield _text(16, legend, "题数（道）", fill=_SOFT)
    for x, colour, label in ((190, _RIGHT_COLOUR, "答对"), (262, _WRONG_COLOUR, "答错")):
        yield f'<rect x="{x}" y="{legend - 11}" width="12" height="12" fill="{colour}"/>'
        yield _text(x + 18, legend, label, fill=_SOFT)
    most = max((item.count for item in bins), default=0) or 1
    scale = (_COUNT_BOTTOM - _COUNT_TOP) / most
    for item in bins:
        if not item.count:
            continue
        left, width = _x(item.low) + 3, round(_x(item.high) - _x(item.low) - 6, 1)
        wrong, top = item.count - item.right, float(_COUNT_BOTTOM)
        for count, colour in ((item.right, _RIGHT_COLOUR), (wrong, _WRONG_COLOUR)):
            height = round(max(2.0, count * scale), 1) if count else 0.0
            top = round(top - height, 1)
            yield f'<rect x="{left}" y="{top}" width="{width}" height="{height}" fill="{colour}"/>'
        middle = round(left + width / 2, 1)
        yield _text(middle, round(top - 4, 1), str(item.count), anchor="middle")
        if wrong:
            yield _text(middle, round(top - 19, 1), f"错 {wrong}", anchor="middle", fill=_WRONG_COLOUR)
    yield _line(_LEFT, _COUNT_BOTTOM, _RIGHT, _COUNT_BOTTOM, _SOFT)
