"""A small run of the chaos; `python -m tests.chaos.telegram` is the full one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.chaos.telegram import run

FULL = "REFORMBOT_CHAOS" in os.environ


@pytest.mark.parametrize(("mode", "kills"), [("polling", 2), ("webhook", 1)])
async def test_killed_and_started_again_it_loses_and_doubles_nothing(tmp_path: Path, mode: str, kills: int) -> None:
    count, users, kills = (300, 20, 15) if FULL else (30, 5, kills)
    found = await run(count, users, kills, tmp_path, mode)
    assert (found.logged, found.answered) == (count, count), str(found)
    assert found.unexplained == [], str(found)
    assert found.out_of_order == 0, str(found)
    assert found.failed > 0
    assert (found.exit_code, found.exit_seconds < 10) == (0, True), str(found)
