"""States that stay: through regrouping, refreshes, restarts and purges."""

from __future__ import annotations

import datetime as dt
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.desk import Desk
from bot.errors import StoreError
from bot.gaps import store
from bot.gaps.model import Gap
from bot.gaps.refresh import refresh
from bot.querylog.store import QueryLog
from bot.querylog.tables import audit, gap_member
from tests.gaps.conftest import NOW, ask

ZOO = ["宁波动物园几点开门", "宁波动物园几点钟开门啊", "请问宁波动物园什么时候开门", "动物园几点开门"]


async def listed(querylog: QueryLog, *states: str) -> list[Gap]:
    return await querylog.read(partial(store.gaps, states=states or store.UNTREATED))


async def treat(querylog: QueryLog, number: int, state: str) -> None:
    await querylog.run(lambda connection: store.set_state(connection, number, state, "tester", "因为", NOW))


async def test_dismissed_until_it_doubles(querylog: QueryLog, desk: Desk) -> None:
    await ask(querylog, desk, ZOO[:3])
    await refresh(querylog, desk, NOW)
    (one,) = await listed(querylog)
    await treat(querylog, one.id, "outside")
    await ask(querylog, desk, ZOO[:2], NOW + dt.timedelta(hours=1))
    await refresh(querylog, desk, NOW)
    assert await listed(querylog) == []
    await ask(querylog, desk, ZOO[3:], NOW + dt.timedelta(hours=2))
    changed = await refresh(querylog, desk, NOW)
    assert changed.reopened == (one.id,)
    (again,) = await listed(querylog)
    assert (again.id, again.count) == (one.id, 6)


async def test_what_was_treated_does_not_come_back_as_new(querylog: QueryLog, desk: Desk) -> None:
    await ask(querylog, desk, ZOO)
    await refresh(querylog, desk, NOW)
    (one,) = await listed(querylog)
    await treat(querylog, one.id, "done")
    await ask(querylog, desk, ["宁波动物园，几点开门？", "宁波动物园几点开门呀"], NOW + dt.timedelta(hours=3))
    assert (await refresh(querylog, desk, NOW)).new == ()
    assert await listed(querylog) == []
    (done,) = await listed(querylog, "done")
    assert (done.id, done.count) == (one.id, 6)


async def test_a_second_refresh_changes_nothing(querylog: QueryLog, desk: Desk) -> None:
    await ask(querylog, desk, [*ZOO, "小孩打疫苗要带什么"])
    first = await refresh(querylog, desk, NOW)
    assert len(first.new) == 2
    before = await listed(querylog)
    for _ in range(2):
        assert (await refresh(querylog, desk, NOW)).new == ()
    assert await listed(querylog) == before


async def test_every_change_is_written_down(querylog: QueryLog, desk: Desk) -> None:
    await ask(querylog, desk, ZOO)
    await refresh(querylog, desk, NOW)
    (one,) = await listed(querylog)
    for state in ("drafted", "outside", "open"):
        await treat(querylog, one.id, state)

    async def told(connection: sa.ext.asyncio.AsyncConnection) -> list[tuple[str, str, str]]:
        rows = await connection.execute(sa.select(audit.c.actor, audit.c.subject, audit.c.detail).order_by(audit.c.id))
        return [(row[0], row[1], row[2]) for row in rows]

    assert await querylog.read(told) == [
        ("tester", f"gap/{one.id}", "待处理 → 已起草：因为"),
        ("tester", f"gap/{one.id}", "已起草 → 不归这里：因为"),
        ("tester", f"gap/{one.id}", "不归这里 → 待处理：因为"),
    ]
    with pytest.raises(StoreError, match="没有缺口 99"):
        await treat(querylog, 99, "open")
    with pytest.raises(StoreError, match="没有这种状态"):
        await treat(querylog, one.id, "gone")


async def test_a_purge_takes_the_words_along(querylog: QueryLog, desk: Desk) -> None:
    await ask(querylog, desk, ZOO[:2], NOW - dt.timedelta(days=100))
    await ask(querylog, desk, [*ZOO[2:], "小孩打疫苗要带什么"])
    await refresh(querylog, desk, NOW)
    assert sorted(item.count for item in await listed(querylog)) == [1, 4]
    await querylog.purge(NOW - dt.timedelta(days=50))
    await refresh(querylog, desk, NOW)
    first, _ = await listed(querylog)
    assert [text for text, _ in first.wordings] == ZOO[2:]
    await querylog.purge(NOW + dt.timedelta(days=1))
    await refresh(querylog, desk, NOW)
    assert await listed(querylog) == []

    async def left(connection: sa.ext.asyncio.AsyncConnection) -> int:
        return await connection.scalar(sa.select(sa.func.count()).select_from(gap_member)) or 0

    assert await querylog.read(left) == 0


async def test_a_visitor_beside_a_server(querylog: QueryLog, desk: Desk, tmp_path: Path) -> None:
    await ask(querylog, desk, ZOO)
    visitor = await QueryLog.visit(f"sqlite+aiosqlite:///{tmp_path}/log.db")
    try:
        await refresh(visitor, desk, NOW)
        await ask(querylog, desk, ["小孩打疫苗要带什么"])
        (one,) = await listed(visitor)
        await treat(visitor, one.id, "outside")
    finally:
        await visitor.close()
    assert [item.id for item in await listed(querylog, "outside")] == [one.id]
    assert await querylog.count() == 5
