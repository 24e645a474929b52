"""A week of the log in a few lines, for the maintainers' group."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.exchange.cells import one_line
from bot.gaps import store
from bot.gaps.model import PROPOSALS
from bot.querylog.tables import gap, query_log
from bot.text.markdown import escape

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.gaps.model import Gap
    from bot.querylog.store import QueryLog

WEEK = dt.timedelta(days=7)
_LISTED = 5
_ASKERS = 2
"""What one person alone asked is not quoted."""
_HERE = dt.timezone(dt.timedelta(hours=8))
_TITLE = 30


@dataclass(frozen=True, slots=True)
class Week:
    """Sums of seven days: questions, people, questions that were answered, verdicts 👎."""

    questions: int
    people: int
    answered: int
    down: int

    @property
    def share(self) -> str:
        """Of the questions, how many were answered."""
        return f"{self.answered / self.questions:.0%}" if self.questions else "—"


async def digest(querylog: QueryLog, now: dt.datetime) -> str:
    """The last seven days beside the seven before, new gaps, and gaps that were closed; markdown, under 3,000 bytes.

    The gaps are as of the last refresh. Raises StoreError.
    """
    return await querylog.read(partial(_digest, now=now))


async def _digest(connection: AsyncConnection, now: dt.datetime) -> str:
    this = await week(connection, now - WEEK, now)
    last = await week(connection, now - 2 * WEEK, now - WEEK)
    waiting = await store.gaps(connection, store.UNTREATED, 200, now)
    told = [item for item in waiting if item.people >= _ASKERS]
    fresh = [item for item in waiting if item.first_at is not None and item.first_at >= now - WEEK]
    news = [item for item in fresh if item in told]
    older = [item for item in told if item not in fresh]
    closed = (gap.c.state == "done") & (gap.c.treated_at >= now - WEEK)
    done = await connection.scalar(sa.select(sa.func.count()).select_from(gap).where(closed)) or 0
    lines = [
        f"**甬改问答一周小结** {(now - WEEK).astimezone(_HERE):%m-%d} 至 {now.astimezone(_HERE):%m-%d}",
        f"> 提问 {this.questions} 次（上周 {last.questions}），{this.people} 人，"
        f"答上 {this.share}（上周 {last.share}），被踩 {this.down} 次",
        f"> 缺口：新增 {len(fresh)} 个，还有 {len(waiting)} 个没处理，解决了 {done} 个",
        *(["**这周新问的**"] if news else []),
        *(_line(item) for item in news[:_LISTED]),
        *(["**问得最多、还没处理的**"] if older else []),
        *(_line(item) for item in older[:_LISTED]),
    ]
    return "\n".join(lines)


async def week(connection: AsyncConnection, start: dt.datetime, end: dt.datetime) -> Week:
    """What was asked from `start` until before `end`."""
    row = query_log.c
    given = sa.case((row.status.in_(["answer", "list"]), 1), else_=0)
    sums = sa.select(
        sa.func.count(),
        sa.func.count(sa.distinct(row.user_key)),
        sa.func.coalesce(sa.func.sum(given), 0),
        sa.func.coalesce(sa.func.sum(sa.case((row.verdict == "down", 1), else_=0)), 0),
    ).where((row.asked_at >= start) & (row.asked_at < end) & row.status.in_(["answer", "list", "none", "choices"]))
    return Week(*(await connection.execute(sums)).one())


def _line(item: Gap) -> str:
    title = one_line(item.title)
    short = title if len(title) <= _TITLE else title[:_TITLE] + "…"
    return f"· {escape(short)}（{item.people} 人 {item.count} 次，{PROPOSALS[item.proposal]}，缺口 {item.id}）"
