"""The geometry of charts: everything inside, everything told."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from bot.dashboard.charts import HEIGHT, STEPS, Series, columns, lines, nice_top
from bot.dashboard.words import change, milliseconds, number, percent

COUNTS = st.lists(st.integers(0, 10**7), min_size=1, max_size=400)


def share(text: str) -> float:
    return float(text.removesuffix("%"))


@given(st.floats(0, 1e9), st.booleans())
def test_an_axis_ends_at_a_round_number_above_all(highest: float, whole: bool) -> None:
    top = nice_top(highest, whole)
    assert top >= highest * 0.999999
    assert top > 0
    if highest > STEPS:
        assert top <= highest * 2.5
    if whole:
        assert (top / STEPS).is_integer()


@given(COUNTS)
def test_columns_stand_on_each_other_inside_the_picture(values: list[int]) -> None:
    labels = [str(place) for place in range(len(values))]
    chart = columns("名", "个", labels, [Series("甲", "c1", values), Series("乙", "c2", values[::-1])])
    assert len(chart.rects) == 2 * sum(map(bool, values))
    for rect in chart.rects:
        assert rect.y >= -0.1
        assert rect.y + rect.height <= HEIGHT + 0.1
        assert share(rect.x) >= 0
        assert share(rect.x) + share(rect.width) <= 100.01
    assert len(chart.table) == len(values) + 1
    assert chart.table[1][1:] == [f"{values[0]:,}", f"{values[-1]:,}"]
    assert 1 <= len(chart.labels) <= 5


@given(st.lists(st.none() | st.floats(0, 1e6), min_size=1, max_size=100))
def test_lines_have_gaps_where_there_is_nothing(values: list[float | None]) -> None:
    chart = lines("名", "毫秒", [str(place) for place in range(len(values))], [Series("甲", "c1", values)])
    pairs = list(itertools.pairwise(values))
    assert len(chart.segments) == sum(left is not None and right is not None for left, right in pairs)
    assert all(-0.1 <= y <= HEIGHT + 0.1 for part in chart.segments for y in (part.y1, part.y2))
    alone = [
        place
        for place, value in enumerate(values)
        if value is not None
        and (not place or values[place - 1] is None)
        and values[place + 1 : place + 2] in ([], [None])
    ]
    assert len(chart.dots) == len(alone)
    assert [row[1] == "—" for row in chart.table[1:]] == [value is None for value in values]


def test_numbers_are_readable() -> None:
    assert [number(1234567.0), percent(0.934), percent(None)] == ["1,234,567", "93%", "—"]
    assert [milliseconds(value) for value in (0.421, 5.14, 99.94, 1234.5)] == ["0.42", "5.1", "99.9", "1,234"]
    assert [change(3, 3), change(5, 3), change(1, 1001)] == ["持平", "多 2", "少 1,000"]
