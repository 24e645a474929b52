"""Gaps as they are stored: lists for those who read, states for those who treat them.

The functions work on a connection that the caller opened: `querylog.run` for `set_state`, `querylog.read` for the
others.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.errors import StoreError
from bot.gaps.model import STATES, Gap, Member, Nearest
from bot.gaps.tally import trend
from bot.querylog.rows import Logged
from bot.querylog.tables import audit, gap_member, query_log
from bot.querylog.tables import gap as gap_table

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

UNTREATED = ("open", "drafted")
SUGGESTED_FROM = 5
"""Near ties that were answered make a gap from here on."""
_WORDINGS = 12
_LISTED = (gap_table.c.faults > 0) | (gap_table.c["count"] >= SUGGESTED_FROM)


async def gaps(
    connection: AsyncConnection, states: Collection[str] = UNTREATED, limit: int = 50, now: dt.datetime | None = None
) -> list[Gap]:
    """The gaps in these states, those that most people asked first.

    `now` ends the trend; default: the last question.
    """
    table = gap_table.c
    listed = table.state.in_(list(states)) & _LISTED
    order = table.people.desc(), table["count"].desc(), table.id
    rows = (await connection.execute(sa.select(gap_table).where(listed).order_by(*order).limit(limit))).all()
    return await _read(connection, rows, now)


async def counts(connection: AsyncConnection) -> dict[str, int]:
    """How many gaps there are of each state."""
    counted = sa.select(gap_table.c.state, sa.func.count()).where(_LISTED).group_by(gap_table.c.state)
    found = {row[0]: row[1] for row in await connection.execute(counted)}
    return {state: found.get(state, 0) for state in STATES}


async def gap(connection: AsyncConnection, identifier: int, now: dt.datetime | None = None) -> Gap | None:
    """One gap, in whatever state."""
    rows = (await connection.execute(sa.select(gap_table).where(gap_table.c.id == identifier))).all()
    found = await _read(connection, rows, now)
    return found[0] if found else None


async def members(connection: AsyncConnection, identifier: int, limit: int = 200) -> list[Member]:
    """The newest questions of a gap, newest first."""
    joined = sa.join(gap_member, query_log, gap_member.c.query_id == query_log.c.id)
    wanted = sa.select(query_log, gap_member.c.reason.label("fault")).select_from(joined)
    newest = wanted.where(gap_member.c.gap_id == identifier).order_by(query_log.c.id.desc()).limit(limit)
    return [Member(Logged.of(row), row.fault) for row in await connection.execute(newest)]


async def set_state(
    connection: AsyncConnection, identifier: int, state: str, actor: str, note: str, now: dt.datetime
) -> None:
    """Put a gap into a state, and write down who did it and why. StoreError when there is no such gap or state."""
    if state not in STATES:
        raise StoreError(f"没有这种状态：{state}")
    before = await connection.scalar(sa.select(gap_table.c.state).where(gap_table.c.id == identifier))
    if before is None:
        raise StoreError(f"没有缺口 {identifier}")
    change = sa.update(gap_table).where(gap_table.c.id == identifier)
    await connection.execute(change.values(state=state, treated_at=now, treated_count=gap_table.c["count"]))
    detail = f"{STATES[before]} → {STATES[state]}" + (f"：{note}" if note else "")
    told = {"at": now, "actor": actor, "action": "gap.state", "subject": f"gap/{identifier}", "detail": detail}
    await connection.execute(sa.insert(audit).values(**told))


async def _read(connection: AsyncConnection, rows: Sequence[sa.Row[Any]], now: dt.datetime | None) -> list[Gap]:
    wordings = await _wordings(connection, [row.id for row in rows])
    until = now or await connection.scalar(sa.select(sa.func.max(gap_table.c.last_at)))
    return [_gap(row, wordings.get(row.id, []), until) for row in rows]


async def _wordings(connection: AsyncConnection, gaps: Sequence[int]) -> dict[int, list[tuple[str, int]]]:
    """The most frequent wordings of each gap; of equally frequent ones the one asked first."""
    joined = sa.join(gap_member, query_log, gap_member.c.query_id == query_log.c.id)
    wanted = (
        sa.select(gap_member.c.gap_id, sa.func.min(query_log.c.text).label("text"), sa.func.count().label("times"))
        .select_from(joined)
        .where(gap_member.c.gap_id.in_(gaps))
        .group_by(gap_member.c.gap_id, gap_member.c.name)
        .order_by(sa.desc("times"), sa.func.min(gap_member.c.query_id))
    )
    found: dict[int, list[tuple[str, int]]] = {}
    for row in await connection.execute(wanted):
        told = found.setdefault(row.gap_id, [])
        if len(told) < _WORDINGS:
            told.append((row.text, row.times))
    return found


def _gap(row: sa.Row[Any], wordings: list[tuple[str, int]], until: dt.datetime | None) -> Gap:
    return Gap(
        id=row.id,
        title=wordings[0][0] if wordings else f"缺口 {row.id}",
        count=row._mapping["count"],
        people=row.people,
        first_at=row.first_at,
        last_at=row.last_at,
        trend=trend(row.weeks, until) if until else (),
        channels=json.loads(row.channels),
        wordings=tuple(wordings),
        nearest=tuple(Nearest(**item) for item in json.loads(row.nearest)),
        kind=row.kind,
        proposal=row.proposal,
        state=row.state,
        target=row.target,
    )
