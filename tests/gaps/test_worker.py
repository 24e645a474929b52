"""A process of its own refreshes the gaps, as the program itself does."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bot.desk import Desk
from bot.errors import StoreError
from bot.gaps import store, worker
from bot.gaps.worker import Worker
from bot.querylog.store import QueryLog
from tests.conftest import KNOWLEDGE
from tests.gaps.conftest import NOW, ask


async def test_it_finds_what_the_program_finds(querylog: QueryLog, desk: Desk) -> None:
    await ask(querylog, desk, ["独角兽养殖证怎么办", "火星移民落户要什么材料"])
    done = await Worker(KNOWLEDGE).refresh(querylog, desk, NOW)
    assert (done.questions, len(done.new), done.closed, done.reopened) == (2, 2, (), ())
    found = await querylog.read(lambda connection: store.gaps(connection, ("open",)))
    assert sorted(gap.title for gap in found) == ["火星移民落户要什么材料", "独角兽养殖证怎么办"]


async def test_knowledge_that_is_not_in_use_is_not_asked(querylog: QueryLog, answering: Desk) -> None:
    with pytest.raises(StoreError, match="不是正在用的那一版"):
        await Worker(KNOWLEDGE).refresh(querylog, answering, NOW)


async def test_a_worker_that_breaks_is_told_of(
    querylog: QueryLog, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "_PROGRAM", "raise SystemExit(3)")
    with pytest.raises(StoreError, match="没有做完"):
        await Worker(tmp_path).refresh(querylog, desk, NOW)
    monkeypatch.setattr(worker, "_PROGRAM", "import time; time.sleep(600)")
    monkeypatch.setattr(worker, "_SECONDS", 0.2)
    with pytest.raises(StoreError, match="没有做完"):
        await Worker(tmp_path).refresh(querylog, desk, NOW)


async def test_the_end_of_the_program_ends_it(
    querylog: QueryLog, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = tmp_path / "there"
    monkeypatch.setattr(worker, "_PROGRAM", f"import time; open({str(there)!r}, 'w'); time.sleep(600)")
    refreshing = asyncio.create_task(Worker(tmp_path).refresh(querylog, desk, NOW))
    async with asyncio.timeout(30):
        while not there.exists():  # noqa: ASYNC110 - a file tells nobody
            await asyncio.sleep(0.02)
        refreshing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await refreshing
