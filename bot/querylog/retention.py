"""What goes when its time is over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.querylog.tables import delivery, feedback, gap_member, query_log, seen

if TYPE_CHECKING:
    import datetime as dt

    from sqlalchemy.ext.asyncio import AsyncConnection


async def delete_before(connection: AsyncConnection, before: dt.datetime) -> int:
    """Delete the questions from before this moment and all that hangs on them; how many questions."""
    old = sa.select(query_log.c.id).where(query_log.c.asked_at < before)
    for table in (seen, delivery, feedback, gap_member):
        await connection.execute(sa.delete(table).where(table.c.query_id.in_(old)))
    alone = delivery.c.query_id.is_(None) & (delivery.c.created_at < before)
    await connection.execute(sa.delete(delivery).where(alone))
    return (await connection.execute(sa.delete(query_log).where(query_log.c.asked_at < before))).rowcount
