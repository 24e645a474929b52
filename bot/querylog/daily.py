"""Counts by day, kept up to date from the log and kept when its rows are purged.

A day is one of the city's, in UTC+8. A day that changed is counted afresh as a whole, so counting twice does no harm.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.querylog.tables import daily, daily_channel, feedback, query_log, setting

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

CITY_TIME = dt.timezone(dt.timedelta(hours=8), "UTC+8")

_MARK, _PURGED = "daily/mark", "daily/purged"
_HOUR = 13
"""Characters of a stored moment up to its hour."""


@dataclass(frozen=True, slots=True)
class Outstanding:
    """Days to count again, and the last row and verdict that were there when they were found."""

    days: tuple[dt.date, ...]
    row: int = 0
    verdict: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """One day as it shall be stored: values for `daily` and `daily_channel`."""

    day: dt.date
    counts: list[dict[str, Any]]
    channels: list[dict[str, Any]]


def city_day(moment: dt.datetime) -> dt.date:
    """The city's day of an aware moment."""
    return moment.astimezone(CITY_TIME).date()


def begin(day: dt.date) -> dt.datetime:
    """The moment at which a day of the city begins."""
    return dt.datetime.combine(day, dt.time(), CITY_TIME)


async def outstanding(connection: AsyncConnection) -> Outstanding:
    """Days with rows or verdicts that came since the mark."""
    mark = json.loads(await _value(connection, _MARK) or "{}")
    row, verdict = mark.get("row", 0), mark.get("verdict", 0)
    last_row = await connection.scalar(sa.select(sa.func.max(query_log.c.id))) or row
    last_verdict = await connection.scalar(sa.select(sa.func.max(feedback.c.id))) or verdict
    hour = sa.func.substr(sa.type_coerce(query_log.c.asked_at, sa.Text), 1, _HOUR)
    new = sa.select(hour).where(query_log.c.id > row)
    judged = sa.select(hour).join(feedback, feedback.c.query_id == query_log.c.id).where(feedback.c.id > verdict)
    hours = [*await connection.scalars(new.distinct()), *await connection.scalars(judged.distinct())]
    days = {city_day(dt.datetime.fromisoformat(f"{hour}:00:00+00:00")) for hour in hours}
    return Outstanding(tuple(sorted(days)), last_row, last_verdict)


async def count(connection: AsyncConnection, day: dt.date) -> Counted:
    """Count one day from the rows of the log."""
    inside = (query_log.c.asked_at >= begin(day)) & (query_log.c.asked_at < begin(day + dt.timedelta(days=1)))
    log = query_log.c
    entry = sa.func.coalesce(log.entry, "").label("entry")
    judged = [sa.func.count().filter(log.verdict == verdict).label(verdict) for verdict in ("up", "down")]
    counts = sa.select(log.channel, log.status, entry, sa.func.count().label("questions"), *judged)
    counts = counts.where(inside).group_by(log.channel, log.status, entry)
    number = sa.func.count(log.user_key.distinct()).label("people")
    people = sa.select(log.channel, number).where(inside).group_by(log.channel)
    by_channel: dict[str, int] = {row.channel: row.people for row in await connection.execute(people)}
    by_channel[""] = sum(by_channel.values())  # a user's key tells channels apart
    speeds = await _speeds(connection, inside)
    return Counted(
        day,
        [{"day": str(day), **found} for found in (await connection.execute(counts)).mappings()],
        [{"day": str(day), "channel": name, "people": number, **speeds[name]} for name, number in by_channel.items()],
    )


async def _speeds(connection: AsyncConnection, inside: sa.ColumnElement[bool]) -> dict[str, dict[str, float]]:
    """Median and 95th percentile of milliseconds, by channel and of all ('')."""
    log, found = query_log.c, {}
    for channel in (log.channel, sa.literal("").label("channel")):
        place = sa.func.row_number().over(partition_by=channel, order_by=log.took_ms).label("place")
        total = sa.func.count().over(partition_by=channel).label("total")
        part = sa.select(channel, log.took_ms, place, total).where(inside).subquery()
        marks = [sa.func.min(part.c.took_ms).filter(part.c.place * 100 >= part.c.total * share) for share in (50, 95)]
        for name, middle, slow in await connection.execute(sa.select(part.c.channel, *marks).group_by(part.c.channel)):
            found[name] = {"p50_ms": middle, "p95_ms": slow}
    return found or {"": {"p50_ms": 0.0, "p95_ms": 0.0}}


async def store(connection: AsyncConnection, counted: Counted) -> None:
    """Put a day in the place of what was counted before, unless rows of it are purged already."""
    purged = await _value(connection, _PURGED)
    if purged and begin(counted.day) < dt.datetime.fromisoformat(purged):
        return
    for table, rows in ((daily, counted.counts), (daily_channel, counted.channels)):
        await connection.execute(sa.delete(table).where(table.c.day == str(counted.day)))
        if rows:
            await connection.execute(sa.insert(table), rows)


async def remember(connection: AsyncConnection, found: Outstanding) -> None:
    """Set the mark: all that came before is counted."""
    await _put(connection, _MARK, json.dumps({"row": found.row, "verdict": found.verdict}))


async def settle(connection: AsyncConnection, before: dt.datetime) -> None:
    """Count what is outstanding in this transaction, and never again a day that begins before `before`."""
    found = await outstanding(connection)
    for day in found.days:
        await store(connection, await count(connection, day))
    await remember(connection, found)
    earlier = await _value(connection, _PURGED)
    if earlier is None or dt.datetime.fromisoformat(earlier) < before:
        await _put(connection, _PURGED, before.isoformat())


async def _value(connection: AsyncConnection, key: str) -> str | None:
    found: str | None = await connection.scalar(sa.select(setting.c.value).where(setting.c.key == key))
    return found


async def _put(connection: AsyncConnection, key: str, value: str) -> None:
    await connection.execute(sa.delete(setting).where(setting.c.key == key))
    await connection.execute(sa.insert(setting).values(key=key, value=value))
