"""Finding a reply and its question again. Every function works on a connection that the caller opened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.querylog.rows import Logged
from bot.querylog.tables import delivery, query_log

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.ext.asyncio import AsyncConnection

_BY_THE_BOT = ("smalltalk", "limited", "error")


@dataclass(frozen=True, slots=True)
class LastReply:
    """The newest reply that somebody can judge: its token, and the verdict so far."""

    token: str
    verdict: str | None


async def by_token(connection: AsyncConnection, token: str) -> Logged | None:
    """The question whose reply this token stands for."""
    wanted = sa.select(query_log).join(delivery, delivery.c.query_id == query_log.c.id).where(delivery.c.token == token)
    found = (await connection.execute(wanted)).first()
    return None if found is None else Logged.of(found)


async def last(connection: AsyncConnection, channel: str, keys: Collection[str]) -> LastReply | None:
    """The newest answer to a user, who is known by one key a month; small talk does not count."""
    mine = (query_log.c.channel == channel) & query_log.c.user_key.in_(keys)
    newest = (
        sa.select(delivery.c.token, query_log.c.verdict)
        .join(query_log, delivery.c.query_id == query_log.c.id)
        .where(mine, query_log.c.status.not_in(_BY_THE_BOT))
        .order_by(query_log.c.id.desc())
        .limit(1)
    )
    found = (await connection.execute(newest)).first()
    return None if found is None else LastReply(found.token, found.verdict)
