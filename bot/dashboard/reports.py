"""What the pages count, mostly from the counts by day; every function reads on the connection it is given."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.dashboard.search import reach
from bot.model import Status
from bot.querylog.tables import audit, daily, daily_channel, query_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.dashboard.search import Wanted

ANSWERED = frozenset({Status.ANSWER, Status.CHOICES, Status.LIST})
MISSED = frozenset({Status.NONE, Status.ERROR})
NEWEST = 30_000
"""Of so many questions the most frequent wordings are counted."""


@dataclass(slots=True)
class Tally:
    """Counts of some questions. People and milliseconds are known of single days only."""

    statuses: Counter[str] = field(default_factory=Counter)
    up: Counter[str] = field(default_factory=Counter)
    down: Counter[str] = field(default_factory=Counter)
    people: int = 0
    p50_ms: float = 0.0
    p95_ms: float = 0.0

    def add(self, status: str, questions: int, up: int, down: int) -> None:
        """Count some more questions of one status."""
        self.statuses[status] += questions
        self.up[status] += up
        self.down[status] += down

    def merge(self, other: Tally) -> None:
        """Count the questions and the people of another one, too."""
        self.statuses += other.statuses
        self.up += other.up
        self.down += other.down
        self.people += other.people

    @property
    def questions(self) -> int:
        """All but those that were sent away for coming too fast."""
        return self.statuses.total() - self.statuses[Status.LIMITED]

    @property
    def answered(self) -> int:
        """Answers, choices and lists."""
        return sum(self.statuses[status] for status in ANSWERED)

    @property
    def missed(self) -> int:
        """Not known, or an error."""
        return sum(self.statuses[status] for status in MISSED)

    @property
    def share(self) -> float | None:
        """Share of the answered among the answered and the missed: small talk does not count."""
        asked = self.answered + self.missed
        return self.answered / asked if asked else None

    @property
    def judged(self) -> int:
        """Answers that somebody judged."""
        return sum(self.up[status] + self.down[status] for status in ANSWERED)

    @property
    def wrong(self) -> int:
        """Answers that somebody called of no use: hints at false answers."""
        return sum(self.down[status] for status in ANSWERED)

    @property
    def wrong_share(self) -> float | None:
        """Share of those among the judged answers."""
        return self.wrong / self.judged if self.judged else None


def total(tallies: Iterable[Tally]) -> Tally:
    """All together."""
    result = Tally()
    for tally in tallies:
        result.merge(tally)
    return result


async def by_day(connection: AsyncConnection, first: dt.date, last: dt.date) -> dict[dt.date, Tally]:
    """Every day from `first` to `last`, oldest first, also those without a question."""
    days = {first + dt.timedelta(days=number): Tally() for number in range((last - first).days + 1)}
    for day, status, *counts in await connection.execute(_counts(first, last, daily.c.day, daily.c.status)):
        days[dt.date.fromisoformat(day)].add(status, *counts)
    for row in await connection.execute(_channels(first, last).where(daily_channel.c.channel == "")):
        day = days[dt.date.fromisoformat(row.day)]
        day.people, day.p50_ms, day.p95_ms = row.people, row.p50_ms, row.p95_ms
    return days


async def by_channel(connection: AsyncConnection, first: dt.date, last: dt.date) -> dict[str, Tally]:
    """Most questions first. `people` is the sum over the days, the milliseconds are those of the slowest day."""
    channels: dict[str, Tally] = {}
    for channel, status, *counts in await connection.execute(_counts(first, last, daily.c.channel, daily.c.status)):
        channels.setdefault(channel, Tally()).add(status, *counts)
    for row in await connection.execute(_channels(first, last)):
        if row.channel in channels:
            one = channels[row.channel]
            one.people += row.people
            one.p50_ms, one.p95_ms = max(one.p50_ms, row.p50_ms), max(one.p95_ms, row.p95_ms)
    return _ranked(channels)


async def by_entry(connection: AsyncConnection, first: dt.date, last: dt.date) -> dict[str, Tally]:
    """Entries that came first in a reply, most questions first."""
    entries: dict[str, Tally] = {}
    counts = _counts(first, last, daily.c.entry, daily.c.status).where(daily.c.entry != "")
    for entry, status, *numbers in await connection.execute(counts):
        entries.setdefault(entry, Tally()).add(status, *numbers)
    return _ranked(entries)


def grouped(entries: Mapping[str, Tally], names: Mapping[str, str]) -> dict[str, Tally]:
    """Tallies of entries by what they have in common; an entry without a name here is left out."""
    groups: dict[str, Tally] = {}
    for entry, tally in entries.items():
        if entry in names:
            groups.setdefault(names[entry], Tally()).merge(tally)
    return _ranked(groups)


@dataclass(frozen=True, slots=True)
class Wording:
    """A sentence that came more than once: how often, from how many, and what it got last."""

    text: str
    questions: int
    people: int
    down: int
    status: str
    entry: str | None


async def wordings(connection: AsyncConnection, wanted: Wanted, limit: int) -> list[Wording]:
    """The most frequent sentences among the newest `NEWEST` questions of the wanted days, most frequent first."""
    log = query_log.c
    low, high = await reach(connection, wanted)
    newest = sa.select(log.id, log.text, log.user_key, log.verdict)
    newest = newest.where(log.id.between(max(low, high - NEWEST + 1), high), wanted.condition(), log.text != "")
    part = newest.subquery()
    count = sa.func.count().label("questions")
    often = sa.select(
        part.c.text,
        count,
        sa.func.count(part.c.user_key.distinct()).label("people"),
        sa.func.count().filter(part.c.verdict == "down").label("down"),
        sa.func.max(part.c.id).label("newest"),
    )
    top = often.group_by(part.c.text).order_by(count.desc(), sa.desc("newest")).limit(limit).subquery()
    last_one = sa.select(top, log.status, log.entry).join(query_log, log.id == top.c.newest)
    found = await connection.execute(last_one.order_by(top.c.questions.desc(), top.c.newest.desc()))
    return [Wording(row.text, row.questions, row.people, row.down, row.status, row.entry) for row in found]


async def actions(connection: AsyncConnection, before: int, limit: int) -> list[sa.Row[Any]]:
    """Lines of the audit, newest first, with an id below `before`."""
    lines = sa.select(audit).where(audit.c.id < before).order_by(audit.c.id.desc()).limit(limit)
    return list(await connection.execute(lines))


async def last_action(connection: AsyncConnection, action: str) -> sa.Row[Any] | None:
    """The newest line of the audit about this action."""
    lines = sa.select(audit).where(audit.c.action == action).order_by(audit.c.id.desc()).limit(1)
    return (await connection.execute(lines)).one_or_none()


def _counts(first: dt.date, last: dt.date, *by: sa.Column[Any]) -> sa.Select[Any]:
    sums = [sa.func.sum(column) for column in (daily.c.questions, daily.c.up, daily.c.down)]
    return sa.select(*by, *sums).where(daily.c.day.between(str(first), str(last))).group_by(*by)


def _channels(first: dt.date, last: dt.date) -> sa.Select[Any]:
    return sa.select(daily_channel).where(daily_channel.c.day.between(str(first), str(last)))


def _ranked(tallies: dict[str, Tally]) -> dict[str, Tally]:
    return dict(sorted(tallies.items(), key=lambda item: (-item[1].questions, item[0])))
