"""A small storm over every channel, on both engines; `python -m tests.chaos` is the full one."""

from __future__ import annotations

import tempfile
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.crowds import Tally
from tests.chaos.storm import Kill, Plan, compare, run

SMALL = Plan(kills=3, away=2, full=2, users=2, gap=2.0, bank=40, thorough=False)


@pytest.mark.parametrize(("engine", "mode"), [("sqlite", "polling"), ("postgresql", "webhook")])
async def test_whatever_is_acknowledged_is_kept_and_answered_once(engine: str, mode: str) -> None:
    with tempfile.TemporaryDirectory(prefix="chaos") as folder:
        report = await run(engine, replace(SMALL, mode=mode), Path(folder))
    assert report.violations == [], str(report)
    assert len(report.lines) == 5
    for name, line in report.lines.items():
        assert line.acknowledged >= 2, name
        assert line.rows >= line.acknowledged, name


def tally(acknowledged: int, shown: list[float], lost: int = 0) -> Tally:
    """One person's one question."""
    made = Tally()
    made.acknowledged[1, 7] = made.tried[1, 7] = acknowledged
    made.shown[1, 7] += shown
    made.lost[1, 7] = lost
    return made


@pytest.mark.parametrize(
    ("found", "rows", "wrong"),
    [
        (tally(1, [5.0]), 1, 0),
        (tally(1, [5.0]), 0, 1),
        (tally(1, [5.0]), 2, 1),
        (tally(1, []), 1, 1),
        (tally(1, [5.0, 40.0]), 1, 1),
        (tally(1, [9.5, 40.0]), 1, 1),
        (tally(1, [5.0, 40.0], lost=1), 1, 0),
        (tally(1, [5.0, 40.0, 50.0], lost=1), 1, 1),
    ],
)
def test_the_storm_sees_what_is_wrong(found: Tally, rows: int, wrong: int) -> None:
    assert len(compare("web", found, Counter({7: rows}), [Kill(10.0, frozenset())]).wrong) == wrong


@pytest.mark.parametrize(
    ("waiting", "shown", "wrong"),
    [
        ({("web", 7)}, 9.0, 0),
        ({("web", 8)}, 9.8, 1),
        ({("telegram", 7)}, 9.8, 1),
        (None, 9.8, 0),
        (None, 9.0, 1),
    ],
)
def test_a_kill_excuses_what_it_kept_from_being_noted(
    waiting: set[tuple[str, int]] | None, shown: float, wrong: int
) -> None:
    kill = Kill(10.0, None if waiting is None else frozenset(waiting))
    assert len(compare("web", tally(1, [shown, 40.0]), Counter({7: 1}), [kill]).wrong) == wrong
    assert len(compare("web", tally(1, [10.5, 40.0]), Counter({7: 1}), [kill]).wrong) == 1
