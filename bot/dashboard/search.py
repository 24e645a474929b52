"""Questions one by one: looked for from the newest back, a stretch at a time, so that no page takes long."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.querylog.daily import begin
from bot.querylog.rows import Logged
from bot.querylog.tables import feedback, query_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.querylog.store import QueryLog

MAX_ID = 2**31 - 1
STRETCH = 25_000
"""Rows that one query looks at."""
BATCH = 2_000
"""Rows that an export holds at once."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which questions: an empty field does not matter. `before` is an id; days are the city's, both included."""

    text: str = ""
    statuses: tuple[str, ...] = ()
    channel: str = ""
    entry: str = ""
    verdict: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    before: int = MAX_ID

    def condition(self) -> sa.ColumnElement[bool]:
        """The same for a database."""
        log = query_log.c
        parts: list[sa.ColumnElement[bool]] = [sa.true()]
        if self.text:
            parts.append(log.text.icontains(self.text, autoescape=True))
        if self.statuses:
            parts.append(log.status.in_(self.statuses))
        for column, value in ((log.channel, self.channel), (log.entry, self.entry), (log.verdict, self.verdict)):
            if value:
                parts.append(column == value)
        if self.first:
            parts.append(log.asked_at >= begin(self.first))
        if self.last:
            parts.append(log.asked_at < begin(self.last + dt.timedelta(days=1)))
        return sa.and_(*parts)


@dataclass(slots=True)
class Found:
    """Rows, newest first. `reached` is the id that was looked at last: None when there is nothing before it."""

    rows: list[Logged] = field(default_factory=list)
    reached: int | None = None


async def search(querylog: QueryLog, wanted: Wanted, limit: int, seconds: float) -> Found:
    """Look back from `wanted.before` until `limit` rows are found, the log ends, or the time is over."""
    started, found = time.monotonic(), Found()
    low, high = await querylog.read(partial(reach, wanted=wanted))
    while high >= low:
        bottom = max(low, high - STRETCH + 1)
        rows = await querylog.read(
            partial(_stretch, wanted=wanted, low=bottom, high=high, limit=limit - len(found.rows))
        )
        found.rows += rows
        full = len(found.rows) >= limit
        high = rows[-1].id - 1 if full else bottom - 1
        if full or time.monotonic() - started > seconds:
            break
    found.reached = high + 1 if high >= low else None
    return found


async def every(querylog: QueryLog, wanted: Wanted, limit: int) -> AsyncIterator[Logged]:
    """All of them, newest first, at most `limit`; the log is free for others in between."""
    low, high = await querylog.read(partial(reach, wanted=wanted))
    while high >= low and limit > 0:
        bottom = max(low, high - STRETCH + 1)
        rows = await querylog.read(partial(_stretch, wanted=wanted, low=bottom, high=high, limit=min(limit, BATCH)))
        for row in rows:
            yield row
        limit -= len(rows)
        high = rows[-1].id - 1 if len(rows) == BATCH else bottom - 1


async def bounds(connection: AsyncConnection) -> tuple[int, int]:
    """The lowest and the highest id; zeros for an empty log. Asked for one by one, each is a look at the index."""
    ids = query_log.c.id
    low = await connection.scalar(sa.select(sa.func.min(ids)))
    high = await connection.scalar(sa.select(sa.func.max(ids)))
    return low or 0, high or 0


async def reach(connection: AsyncConnection, wanted: Wanted) -> tuple[int, int]:
    """The lowest and the highest id that the wanted rows can have; the lowest is higher when there are none."""
    ids = query_log.c.id
    low, high = await bounds(connection)
    if not high:
        return 1, 0
    if wanted.first:  # ids grow with time, but for rows that were late: a day's slack
        since = query_log.c.asked_at >= begin(wanted.first - dt.timedelta(days=1))
        low = await connection.scalar(sa.select(ids).where(since).order_by(query_log.c.asked_at).limit(1)) or high + 1
    if wanted.last:
        until = query_log.c.asked_at < begin(wanted.last + dt.timedelta(days=2))
        newest = sa.select(ids).where(until).order_by(query_log.c.asked_at.desc()).limit(1)
        high = await connection.scalar(newest) or low - 1
    return low, min(high, wanted.before - 1)


async def _stretch(connection: AsyncConnection, wanted: Wanted, low: int, high: int, limit: int) -> list[Logged]:
    rows = sa.select(query_log).where(query_log.c.id.between(low, high), wanted.condition())
    return [Logged.of(row) for row in await connection.execute(rows.order_by(query_log.c.id.desc()).limit(limit))]


@dataclass(frozen=True, slots=True)
class Seen:
    """One question with what was said around it by the same person, oldest first, and every verdict on it."""

    question: Logged
    earlier: list[Logged]
    later: list[Logged]
    verdicts: list[sa.Row[Any]]


async def look(connection: AsyncConnection, row_id: int, before: int = 6, after: int = 3) -> Seen | None:
    """One question; None when there is none of this id."""
    if not 0 < row_id <= MAX_ID:
        return None
    log = query_log.c
    row = (await connection.execute(sa.select(query_log).where(log.id == row_id))).one_or_none()
    if row is None:
        return None
    mine = sa.select(query_log).where(log.user_key == row.user_key, log.channel == row.channel)
    back, on = log.id.between(row_id - STRETCH, row_id - 1), log.id.between(row_id + 1, row_id + STRETCH)
    earlier = await connection.execute(mine.where(back).order_by(log.id.desc()).limit(before))
    later = await connection.execute(mine.where(on).order_by(log.id).limit(after))
    said = sa.select(feedback).where(feedback.c.query_id == row_id).order_by(feedback.c.id)
    return Seen(
        Logged.of(row),
        [Logged.of(one) for one in earlier][::-1],
        [Logged.of(one) for one in later],
        list(await connection.execute(said)),
    )
