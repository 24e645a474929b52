"""A small storm; `python -m tests.wecom.chaos` has the big one."""

from __future__ import annotations

from pathlib import Path

from tests.wecom import chaos


async def test_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    assert "2 kills" in await chaos.run(tmp_path, kills=2, messages=25, seed=2)
