"""What several replicas share so that any of them may get the next message: conversations and rate limits.

Every function works on a connection that the caller opened.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from bot.conversation import FORGET_AFTER, MAX_TURNS
from bot.gate import Bucket, Verdict
from bot.model import Turn
from bot.querylog.tables import bucket, conversation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

_IDLE = dt.timedelta(hours=1)


async def recall(connection: AsyncConnection, key: str, now: dt.datetime) -> tuple[Turn, ...]:
    """The turns of a conversation that is not too old, oldest first."""
    since = now - dt.timedelta(seconds=FORGET_AFTER)
    wanted = sa.select(conversation.c.turns).where(conversation.c.key == key, conversation.c.heard_at >= since)
    found = await connection.scalar(wanted)
    return tuple(_turn(item) for item in json.loads(found)) if found else ()


async def remember(connection: AsyncConnection, talks: Sequence[tuple[str, tuple[Turn, ...], dt.datetime]]) -> None:
    """Store conversations, given as (key, turns, moment); of one key that comes twice the last counts."""
    latest = {key: {"key": key, "turns": _json(turns), "heard_at": now} for key, turns, now in talks}
    if latest:
        new = insert(conversation)
        change = {"turns": new.excluded.turns, "heard_at": new.excluded.heard_at}
        upsert = new.on_conflict_do_update(index_elements=["key"], set_=change)
        await connection.execute(upsert, [latest[key] for key in sorted(latest)])


async def admit(connection: AsyncConnection, limits: Sequence[tuple[str, int]], now: float) -> Verdict:
    """Take a token of every key, given as (key, questions a minute), or of none; `now` in seconds since 1970."""
    keys = sorted({key for key, _ in limits})
    fresh = [{"key": key, "tokens": -1.0, "at": now, "said": 0.0} for key in keys]
    await connection.execute(insert(bucket).on_conflict_do_nothing(), fresh)
    held = sa.select(bucket).where(bucket.c.key.in_(keys)).order_by(bucket.c.key).with_for_update()
    rows = {row.key: row for row in await connection.execute(held)}
    passed: list[tuple[str, Bucket]] = []
    for key, rate in limits:
        one = Bucket(rate, now)
        if rows[key].tokens >= 0:
            one.restore(rows[key].tokens, rows[key].at, rows[key].said)
        if not one.has_one(now):
            verdict = one.refuse(now)
            await _keep(connection, key, one)
            return verdict
        passed.append((key, one))
    for key, one in passed:
        one.take()
        await _keep(connection, key, one)
    return Verdict.OK


async def forget_idle(connection: AsyncConnection, now: dt.datetime) -> None:
    """Delete conversations that are over, and limits that nobody is near."""
    await connection.execute(sa.delete(conversation).where(conversation.c.heard_at < now - _IDLE))
    await connection.execute(sa.delete(bucket).where(bucket.c.at < (now - _IDLE).timestamp()))


async def _keep(connection: AsyncConnection, key: str, one: Bucket) -> None:
    tokens, at, said = one.state()
    change = sa.update(bucket).where(bucket.c.key == key).values(tokens=tokens, at=at, said=max(said, 0.0))
    await connection.execute(change)


def _json(turns: tuple[Turn, ...]) -> str:
    plain = [[turn.text, turn.ids, turn.offered, turn.regions] for turn in turns[-MAX_TURNS:]]
    return json.dumps(plain, ensure_ascii=False)


def _turn(item: list[Any]) -> Turn:
    text, ids, offered, regions = item
    return Turn(text, tuple(ids), tuple(offered), tuple(regions))
