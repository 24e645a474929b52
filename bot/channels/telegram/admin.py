"""What admins may ask: today's figures, what went unanswered, and to read the knowledge again."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.channels.telegram import words
from bot.exchange.cells import one_line
from bot.gaps import store
from bot.gaps.model import KINDS, PROPOSALS
from bot.model import Status
from bot.querylog.tables import query_log

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.channels.service import Service
    from bot.gaps.model import Gap

_HERE = dt.timezone(dt.timedelta(hours=8))
_GAP_DAYS, _GAPS = 30, 10
_TITLE = 60
_STATUSES = {
    Status.ANSWER: "答了",
    Status.CHOICES: "请他选",
    Status.LIST: "列了清单",
    Status.NONE: "没答上",
    Status.SMALLTALK: "寒暄和命令",
    Status.LIMITED: "太快",
    Status.ERROR: "出错",
}


async def stats(service: Service) -> str:
    """Today's questions by outcome, in the local day."""
    midnight = dt.datetime.now(_HERE).replace(hour=0, minute=0, second=0, microsecond=0)
    recent = query_log.c.asked_at >= midnight
    by_status = sa.select(query_log.c.status, sa.func.count()).where(recent).group_by(query_log.c.status)
    by_verdict = sa.select(query_log.c.verdict, sa.func.count()).where(recent).group_by(query_log.c.verdict)

    async def fetch(connection: AsyncConnection) -> list[dict[Any, int]]:
        return [{found[0]: found[1] for found in await connection.execute(one)} for one in (by_status, by_verdict)]

    counts, verdicts = await service.querylog.read(fetch)
    told = [f"{label} {counts[status]}" for status, label in _STATUSES.items() if status in counts]
    return words.STATS.format(
        total=sum(counts.values()),
        statuses="，".join(told) or "还没有",
        up=verdicts.get("up", 0),
        down=verdicts.get("down", 0),
        version=service.desk.book.version,
        entries=len(service.desk.book.entries),
    )


async def gaps(service: Service) -> str:
    """The open gaps that most people asked; while there are none, the questions that most often got no answer."""
    listed = await service.querylog.read(partial(store.gaps, states=("open",), limit=_GAPS))
    if listed:
        return "\n".join([words.OPEN_GAPS, *map(_gap, listed)])
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=_GAP_DAYS)
    count = sa.func.count()
    unanswered = (query_log.c.status == Status.NONE.value) & (query_log.c.asked_at >= since) & (query_log.c.text != "")
    top = (
        sa.select(query_log.c.text, count)
        .where(unanswered)
        .group_by(query_log.c.text)
        .order_by(count.desc(), query_log.c.text)
        .limit(_GAPS)
    )

    async def fetch(connection: AsyncConnection) -> list[tuple[str, int]]:
        return [(text, times) for text, times in await connection.execute(top)]

    found = await service.querylog.read(fetch)
    if not found:
        return words.NO_GAPS
    return "\n".join([words.GAPS, *(f"{at}. {text}（{times} 次）" for at, (text, times) in enumerate(found, 1))])


def _gap(gap: Gap) -> str:
    told = f"{gap.people} 人 {gap.count} 次，{KINDS[gap.kind]}，建议{PROPOSALS[gap.proposal]}"
    return f"{gap.id}. {one_line(gap.title)[:_TITLE]}（{told}）"


async def reload(service: Service) -> str:
    """Read the knowledge again; what became of it."""
    return (await service.reload()).text
