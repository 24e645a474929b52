"""Deleting everything that is stored of one user."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.querylog import people
from bot.querylog.engine import forget_deleted
from bot.querylog.tables import conversation, delivery, feedback, person, query_log, seen, subscription

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from bot.querylog.store import QueryLog

AT_ONCE = 10_000
"""Rows a statement: no database takes any number of values."""


async def forget(querylog: QueryLog, channel: str, user: str) -> int:
    """Delete questions, replies, verdicts, home and subscriptions of a user; how many questions. Raises StoreError.

    Covers every month whose key still exists; what is older cannot be told apart from other people's.
    """
    keys = await querylog.user_keys(channel, user)

    async def work(engine: AsyncEngine) -> int:
        async with engine.begin() as connection:
            key = people.key_of(await people.secret(connection), channel, user)
            count = await _delete(connection, channel, keys, key)
        await forget_deleted(engine)
        return count

    return await querylog.run_outside(work)


async def _delete(connection: AsyncConnection, channel: str, keys: Collection[str], key: str) -> int:
    own = (query_log.c.channel == channel) & query_log.c.user_key.in_(keys)
    mine = list(await connection.scalars(sa.select(query_log.c.id).where(own)))
    for start in range(0, len(mine), AT_ONCE):
        some = mine[start : start + AT_ONCE]
        for table in (seen, delivery, feedback):
            await connection.execute(sa.delete(table).where(table.c.query_id.in_(some)))
        await connection.execute(sa.delete(query_log).where(query_log.c.id.in_(some)))
    addresses = sa.select(subscription.c.target).where(subscription.c.person == key)
    notices = delivery.c.query_id.is_(None) & (delivery.c.channel == channel) & delivery.c.target.in_(addresses)
    await connection.execute(sa.delete(delivery).where(notices))
    await connection.execute(sa.delete(person).where(person.c.key == key))
    await connection.execute(sa.delete(subscription).where(subscription.c.person == key))
    await connection.execute(sa.delete(conversation).where(conversation.c.key.in_(keys)))
    return len(mine)
