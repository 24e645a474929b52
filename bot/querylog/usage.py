"""How often each entry was asked for lately, for deciding what to review first."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.querylog.engine import file_of
from bot.querylog.store import QueryLog
from bot.querylog.tables import query_log

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

_LATELY = dt.timedelta(days=90)


async def asked_lately(url: str, now: dt.datetime) -> dict[str, int]:
    """Questions by the entry that answered them in the last 90 days; empty when there is no log yet.

    Raises StoreError.
    """
    file = file_of(sa.make_url(url))
    if file is not None and not file.exists():
        return {}
    querylog = await QueryLog.open(url)
    try:
        return await querylog.read(lambda connection: by_entry(connection, now - _LATELY))
    finally:
        await querylog.close()


async def by_entry(connection: AsyncConnection, since: dt.datetime) -> dict[str, int]:
    """Questions since a moment by the entry that answered them."""
    entry, count = query_log.c.entry, sa.func.count()
    wanted = sa.select(entry, count).where(query_log.c.asked_at >= since, entry.is_not(None)).group_by(entry)
    return {str(name): int(number) for name, number in await connection.execute(wanted)}
