"""The program keeps the gaps up to date by itself."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from bot.app import running
from bot.desk import Desk
from bot.errors import StoreError
from bot.gaps import store
from bot.gaps.keeper import Keeper
from bot.querylog.rows import LogRow
from bot.querylog.store import QueryLog
from bot.settings import load_settings
from tests.gaps.conftest import NOW
from tests.waiting import until


async def fails(querylog: QueryLog, text: str, moment: dt.datetime = NOW) -> None:
    await querylog.write(LogRow(moment, "web", text, None, text, "none"))


async def states(querylog: QueryLog) -> list[str]:
    return [gap.state for gap in await querylog.read(lambda connection: store.gaps(connection, ("open", "done")))]


async def test_gaps_come_at_the_start_and_when_asked(
    querylog: QueryLog, desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    keeper = Keeper(querylog, lambda: NOW, first=0.01)
    await fails(querylog, "独角兽养殖证怎么办")
    keeping = asyncio.create_task(keeper.keep(lambda: desk))

    async def are(count: int) -> bool:
        return len(await states(querylog)) == count

    await until(lambda: are(1))
    read = querylog.read

    async def broken(work: object) -> None:
        raise StoreError("磁盘坏了")

    monkeypatch.setattr(querylog, "read", broken)
    keeper.asked.set()

    await until(lambda: "could not be refreshed" in caplog.text)
    monkeypatch.setattr(querylog, "read", read)
    await fails(querylog, "火星移民落户要什么材料")
    keeper.asked.set()
    await until(lambda: are(2))
    assert await states(querylog) == ["open", "open"]
    keeping.cancel()
    await asyncio.gather(keeping, return_exceptions=True)


async def test_refreshes_at_once_make_no_gap_twice(querylog: QueryLog, desk: Desk) -> None:
    for text in ("独角兽养殖证怎么办", "火星移民落户要什么材料"):
        await fails(querylog, text)
    keeper = Keeper(querylog, lambda: NOW)
    done = await asyncio.gather(*(keeper.refresh(desk) for _ in range(4)))
    assert sum(len(item.new) for item in done) == 2
    assert await states(querylog) == ["open", "open"]


async def test_new_knowledge_closes_what_it_answers(tmp_path: Path, desk: Desk, answering: Desk) -> None:
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db")
    async with running(settings, desk) as app:
        await fails(app.querylog, "独角兽养殖证怎么办", dt.datetime.now(dt.UTC))
        await app.gaps.refresh(desk)
        assert await states(app.querylog) == ["open"]
        await app.swap(answering)

        async def closed() -> bool:
            return await states(app.querylog) == ["done"]

        await until(closed)
