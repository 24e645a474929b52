"""What citizens think of a reply: each word is kept, the last one stands with the question."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.querylog.tables import feedback, query_log

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection


async def judge(
    connection: AsyncConnection,
    rows: sa.ColumnElement[bool],
    row_id: int,
    verdict: str | None,
    reasons: tuple[str, ...] = (),
    text: str = "",
) -> bool:
    """Store `up`, `down` or, with None, that it was taken back; False when `rows` is not exactly one row."""
    now = dt.datetime.now(dt.UTC)
    change = sa.update(query_log).where(rows).values(verdict=verdict, verdict_at=now)
    if (await connection.execute(change)).rowcount != 1:
        return False
    said = {"query_id": row_id, "at": now, "verdict": verdict, "reasons": json.dumps(reasons, ensure_ascii=False)}
    await connection.execute(sa.insert(feedback).values(**said, text=text))
    return True
