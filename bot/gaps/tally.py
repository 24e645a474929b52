"""What the rows of a gap add up to: counts, people, weeks, channels."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.gaps.collect import TIE
from bot.querylog.tables import gap, gap_member, query_log

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.ext.asyncio import AsyncConnection

WEEKS = 8
_MANY = 500


@dataclass(slots=True)
class Tally:
    """The sums of one gap; moments as ISO 8601 text of fixed length, which sorts."""

    count: int = 0
    faults: int = 0
    people: set[str] = field(default_factory=set)
    first_at: str = "9"
    last_at: str = ""
    days: Counter[str] = field(default_factory=Counter)
    channels: Counter[str] = field(default_factory=Counter)

    def add(self, reason: str, asked_at: str, channel: str, user: str) -> None:
        """One row."""
        self.count += 1
        self.faults += reason != TIE
        self.people.add(user)
        self.first_at = min(self.first_at, asked_at)
        self.last_at = max(self.last_at, asked_at)
        self.days[asked_at[:10]] += 1
        self.channels[channel] += 1

    def values(self) -> dict[str, Any]:
        """For an UPDATE of `gap`."""
        weeks: Counter[str] = Counter()
        for day, count in self.days.items():
            weeks[monday(dt.date.fromisoformat(day)).isoformat()] += count
        return {
            "count": self.count,
            "faults": self.faults,
            "people": len(self.people),
            "first_at": dt.datetime.fromisoformat(self.first_at),
            "last_at": dt.datetime.fromisoformat(self.last_at),
            "weeks": json.dumps(dict(sorted(weeks.items()))),
            "channels": json.dumps(dict(self.channels.most_common()), ensure_ascii=False),
        }


def monday(day: dt.date) -> dt.date:
    """The first day of a day's week."""
    return day - dt.timedelta(days=day.weekday())


def trend(weeks: str, until: dt.datetime) -> tuple[int, ...]:
    """Questions of each of the last eight weeks, oldest first."""
    told = json.loads(weeks)
    last = monday(until.astimezone(dt.UTC).date())
    return tuple(told.get((last - dt.timedelta(weeks=ago)).isoformat(), 0) for ago in range(WEEKS - 1, -1, -1))


async def stale(connection: AsyncConnection) -> set[int]:
    """Gaps that no longer have as many rows as they say: some came, or were purged."""
    counted = sa.select(gap_member.c.gap_id, sa.func.count().label("count")).group_by(gap_member.c.gap_id).subquery()
    now = sa.func.coalesce(counted.c.count, 0)
    joined = gap.outerjoin(counted, counted.c.gap_id == gap.c.id)
    return set((await connection.scalars(sa.select(gap.c.id).select_from(joined).where(now != gap.c.count))).all())


async def tally(connection: AsyncConnection, gaps: Collection[int]) -> dict[int, Tally]:
    """The sums of these gaps; one without rows has none."""
    found: dict[int, Tally] = {}
    chosen = sorted(gaps)
    for at in range(0, len(chosen), _MANY):
        part = gap_member.c.gap_id.in_(chosen[at : at + _MANY])
        at_text = sa.type_coerce(query_log.c.asked_at, sa.Text)
        wanted = sa.select(
            gap_member.c.gap_id, gap_member.c.reason, at_text, query_log.c.channel, query_log.c.user_key
        ).join(query_log, query_log.c.id == gap_member.c.query_id)
        for name, reason, asked_at, channel, user in await connection.execute(wanted.where(part)):
            found.setdefault(name, Tally()).add(reason, asked_at, channel, user)
    return found
