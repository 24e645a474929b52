"""A small storm; `python -m tests.chaos.wecom` has the big one."""

from __future__ import annotations

from pathlib import Path

from tests.chaos import wecom


async def test_nothing_is_lost_and_nothing_comes_twice(tmp_path: Path) -> None:
    assert "2 kills" in await wecom.run(tmp_path, kills=2, messages=25, seed=2)
