"""Gaps against today's knowledge: what is answered now is closed, what was treated and keeps coming is opened again."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.gaps.assess import ANSWERED_SHARE, ASKED, Case, assess
from bot.gaps.store import set_state
from bot.querylog.tables import gap, gap_member, query_log

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.desk import Desk
    from bot.gaps.assess import Assessment
    from bot.querylog.store import QueryLog

ACTOR = "reformbot"
"""Who closes and opens gaps by itself, in the audit."""
_BUDGET = 2_000
"""Questions that one refresh asks again, the most wanted gaps first; the rest waits for the next."""
_GAPS = 500
_AT_ONCE = 50


async def review(querylog: QueryLog, desk: Desk, now: dt.datetime) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Ask the gaps' questions of this knowledge and store what comes out; (closed, opened again)."""
    version = desk.book.version
    rows = await querylog.read(partial(_due, version=version))
    closed: list[int] = []
    reopened: list[int] = []
    budget = _BUDGET
    for at in range(0, len(rows), _AT_ONCE):
        part = rows[at : at + _AT_ONCE]
        cases = await querylog.read(partial(_cases, gaps=[row.id for row in part]))
        judged: list[tuple[Any, Assessment]] = []
        for row in part:
            asked = cases.get(row.id, [])
            if budget >= len(asked):
                budget -= len(asked)
                judged.append((row, await asyncio.to_thread(assess, asked, desk, now.date())))
        if judged:
            changes = await querylog.run(partial(_store, judged=judged, version=version, now=now))
            closed += changes[0]
            reopened += changes[1]
        if budget <= 0:
            break
    return tuple(closed), tuple(reopened)


async def _due(connection: AsyncConnection, version: str) -> Sequence[Any]:
    """Gaps that this knowledge has not been asked, or that have grown since."""
    columns = gap.c.id, gap.c.state, gap.c.count, gap.c.treated_count
    wanted = sa.select(*columns).where(gap.c.checked != version).order_by(gap.c.people.desc(), gap.c.id).limit(_GAPS)
    return (await connection.execute(wanted)).all()


async def _cases(connection: AsyncConnection, gaps: Sequence[int]) -> dict[int, list[Case]]:
    """The most frequent wordings of each gap, with what became of them."""
    counted = (
        sa.select(
            gap_member.c.gap_id,
            gap_member.c.reason,
            query_log.c.entry,
            sa.func.min(query_log.c.text).label("text"),
            sa.func.count().label("count"),
        )
        .join(query_log, query_log.c.id == gap_member.c.query_id)
        .where(gap_member.c.gap_id.in_(gaps))
        .group_by(gap_member.c.gap_id, gap_member.c.name, gap_member.c.reason, query_log.c.entry)
        .order_by(sa.desc("count"), "text")
    )
    found: dict[int, list[Case]] = {}
    for row in await connection.execute(counted):
        cases = found.setdefault(row.gap_id, [])
        if len(cases) < ASKED:
            cases.append(Case(row.text, row._mapping["count"], row.reason, row.entry))
    return found


async def _store(
    connection: AsyncConnection, judged: Sequence[tuple[Any, Assessment]], version: str, now: dt.datetime
) -> tuple[list[int], list[int]]:
    closed: list[int] = []
    reopened: list[int] = []
    for row, found in judged:
        values = {
            "kind": found.kind,
            "proposal": found.proposal,
            "target": found.target,
            "nearest": json.dumps([asdict(item) for item in found.nearest], ensure_ascii=False),
            "checked": version,
        }
        await connection.execute(sa.update(gap).where(gap.c.id == row.id).values(**values))
        answered = found.answered >= ANSWERED_SHARE
        doubled = row._mapping["count"] >= 2 * row.treated_count
        if row.state in {"open", "drafted"} and answered:
            closed.append(row.id)
            await set_state(connection, row.id, "done", ACTOR, f"{found.answered:.0%} 的问题现在答得上", now)
        elif row.state in {"done", "outside"} and doubled and not answered:
            reopened.append(row.id)
            await set_state(connection, row.id, "open", ACTOR, "处理以后又问了这么多，翻了一番", now)
    return closed, reopened
