"""Counts over the log: per day, status and channel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.querylog.rows import Logged
from bot.querylog.tables import query_log

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.ext.asyncio import AsyncConnection

QUESTIONS = ("answer", "list", "none", "choices")
"""Statuses of what was really asked; small talk, limited and failed messages are none of these."""


@dataclass(frozen=True, slots=True)
class Stats:
    """`days` maps a day (UTC) to (questions, answered, people); the others count rows. `people` counts each person
    once a month."""

    rows: int
    questions: int
    answered: int
    people: int
    statuses: dict[str, int]
    channels: dict[str, int]
    verdicts: dict[str, int]
    days: dict[str, tuple[int, int, int]]

    @property
    def share(self) -> float | None:
        """Of the questions, how many were answered; None without questions."""
        return self.answered / self.questions if self.questions else None


async def stats(connection: AsyncConnection, since: dt.datetime | None) -> Stats:
    """What was logged since then; None: ever."""
    row = query_log.c
    wanted = row.asked_at >= since if since is not None else sa.true()
    asked = wanted & row.status.in_(QUESTIONS)
    statuses = await _counts(connection, row.status, wanted)
    day = sa.func.substr(sa.type_coerce(row.asked_at, sa.Text), 1, 10)
    given = sa.func.sum(sa.case((row.status.in_(["answer", "list"]), 1), else_=0))
    people = sa.func.count(sa.distinct(row.user_key))
    daily = sa.select(day, sa.func.count(), given, people).where(asked).group_by(day).order_by(day)
    days = {found[0]: (found[1], found[2], found[3]) for found in await connection.execute(daily)}
    return Stats(
        rows=sum(statuses.values()),
        questions=sum(statuses.get(name, 0) for name in QUESTIONS),
        answered=statuses.get("answer", 0) + statuses.get("list", 0),
        people=await connection.scalar(sa.select(people).where(asked)) or 0,
        statuses=statuses,
        channels=await _counts(connection, row.channel, wanted),
        verdicts=await _counts(connection, row.verdict, wanted & row.verdict.is_not(None)),
        days=days,
    )


async def newest(
    connection: AsyncConnection,
    limit: int,
    since: dt.datetime | None = None,
    status: str | None = None,
    channel: str | None = None,
    entry: str | None = None,
    contains: str | None = None,
) -> list[Logged]:
    """The newest rows that meet every condition given, newest first."""
    row = query_log.c
    conditions: list[sa.ColumnElement[bool]] = []
    conditions += [row.asked_at >= since] if since is not None else []
    conditions += [row.status == status] if status else []
    conditions += [row.channel == channel] if channel else []
    conditions += [row.entry == entry] if entry else []
    conditions += [row.text.contains(contains, autoescape=True)] if contains else []
    wanted = sa.select(query_log).where(*conditions).order_by(row.id.desc()).limit(limit)
    return [Logged.of(found) for found in await connection.execute(wanted)]


async def _counts(connection: AsyncConnection, column: Any, wanted: sa.ColumnElement[bool]) -> dict[str, int]:
    often = sa.func.count()
    grouped = sa.select(column, often).where(wanted).group_by(column).order_by(often.desc(), column)
    return {found[0]: found[1] for found in await connection.execute(grouped)}
