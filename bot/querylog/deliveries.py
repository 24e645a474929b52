"""Replies on their way: stored with the question, sent by a channel, ticked off part by part.

Every function works on a connection that the caller opened.
"""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.querylog.tables import delivery, seen

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

LEASE = dt.timedelta(seconds=30)
"""So long a reply belongs to the process that took it, unless it says that it is still there."""

WAITING, DONE, FAILED = "waiting", "done", "failed"


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A reply to be stored: `parts` are JSON objects, the first `passive` of them need no sending."""

    token: str
    target: str
    parts: tuple[dict[str, Any], ...]
    passive: int = 0


@dataclass(frozen=True, slots=True)
class Note:
    """What became of a reply so far: its receipts and its state; `reason` (nothing personal) tells why it failed."""

    token: str
    receipts: tuple[str, ...]
    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A stored reply. `receipts` holds what the platform said to each part that it took."""

    id: int
    query_id: int | None
    channel: str
    token: str
    target: str
    parts: tuple[dict[str, Any], ...]
    receipts: tuple[str, ...]
    state: str
    created_at: dt.datetime

    @classmethod
    def of(cls, found: sa.Row[Any]) -> Delivery:
        """From a row of `select(delivery)`."""
        return cls(
            id=found.id,
            query_id=found.query_id,
            channel=found.channel,
            token=found.token,
            target=found.target,
            parts=tuple(json.loads(found.parts)),
            receipts=tuple(json.loads(found.receipts)),
            state=found.state,
            created_at=found.created_at,
        )


def unstored(channel: str, post: NewDelivery | None, now: dt.datetime) -> Delivery | None:
    """A reply that the log has not got, as if it had: the citizen gets it, though a crash may lose it."""
    if post is None:
        return None
    receipts = ("",) * min(post.passive, len(post.parts))
    state = DONE if len(receipts) == len(post.parts) else WAITING
    return Delivery(0, None, channel, post.token, post.target, post.parts, receipts, state, now)


async def insert(
    connection: AsyncConnection,
    channel_posts: Sequence[tuple[str, int | None, NewDelivery]],
    owner: str,
    now: dt.datetime,
) -> list[Delivery]:
    """Store replies, given as (channel, row of the log, reply), and return them in order; they belong to `owner`."""
    values = [_values(channel, query_id, post, owner, now) for channel, query_id, post in channel_posts]
    if not values:
        return []
    statement = sa.insert(delivery).returning(delivery, sort_by_parameter_order=True)
    return [Delivery.of(found) for found in await connection.execute(statement, values)]


def _values(channel: str, query_id: int | None, post: NewDelivery, owner: str, now: dt.datetime) -> dict[str, Any]:
    done = post.passive >= len(post.parts)
    return {
        "query_id": query_id,
        "channel": channel,
        "token": post.token,
        "target": "" if done else post.target,
        "parts": json.dumps(post.parts, ensure_ascii=False),
        "receipts": json.dumps([""] * min(post.passive, len(post.parts))),
        "state": DONE if done else WAITING,
        "reason": "",
        "owner": owner,
        "owned_until": now + LEASE,
        "created_at": now,
        "done_at": now if done else None,
    }


async def of_queries(connection: AsyncConnection, query_ids: Collection[int]) -> dict[int, Delivery]:
    """The reply stored with each of these rows of the log, where there is one."""
    found = await connection.execute(sa.select(delivery).where(delivery.c.query_id.in_(query_ids)))
    return {row.query_id: Delivery.of(row) for row in found}


async def by_token(connection: AsyncConnection, token: str) -> Delivery | None:
    """The reply that a button or a verdict speaks of."""
    found = (await connection.execute(sa.select(delivery).where(delivery.c.token == token))).first()
    return Delivery.of(found) if found else None


async def receipts_of(connection: AsyncConnection, channel: str, message_id: str) -> tuple[str, ...]:
    """What the platform said to the parts of the reply to a message; empty when nothing was sent."""
    same = (seen.c.channel == channel) & (seen.c.message_id == message_id)
    wanted = sa.select(delivery.c.receipts).join(seen, seen.c.query_id == delivery.c.query_id).where(same)
    found = await connection.scalar(wanted.order_by(delivery.c.id.desc()).limit(1))
    return tuple(json.loads(found)) if found else ()


async def claim(connection: AsyncConnection, channel: str, owner: str, now: dt.datetime) -> list[Delivery]:
    """Take over the waiting replies of a channel that belong to nobody who is still there, oldest first."""
    free = delivery.c.owned_until.is_(None) | (delivery.c.owned_until < now)
    mine = (
        sa.update(delivery)
        .where((delivery.c.state == WAITING) & (delivery.c.channel == channel) & free)
        .values(owner=owner, owned_until=now + LEASE)
        .returning(delivery)
    )
    return sorted((Delivery.of(found) for found in await connection.execute(mine)), key=lambda item: item.id)


async def keep(connection: AsyncConnection, ids: Collection[int], owner: str, now: dt.datetime) -> None:
    """Say that `owner` is still at work on these."""
    held = delivery.c.id.in_(ids) & (delivery.c.owner == owner)
    await connection.execute(sa.update(delivery).where(held).values(owned_until=now + LEASE))


async def release(connection: AsyncConnection) -> None:
    """Free every waiting reply: the process that held them is gone."""
    held = delivery.c.state == WAITING
    await connection.execute(sa.update(delivery).where(held).values(owner=None, owned_until=None))


async def progress(connection: AsyncConnection, note: Note, now: dt.datetime) -> None:
    """Write down what became of a reply, unless it is done already; one that is over forgets whom it went to."""
    change: dict[str, Any] = {"state": note.state, "reason": note.reason[:200]}
    if note.receipts:
        change["receipts"] = json.dumps(note.receipts)
    if note.state != WAITING:
        change |= {"target": "", "done_at": now}
    mine = delivery.c.token == note.token
    if note.state != FAILED:
        mine &= delivery.c.state == WAITING
    await connection.execute(sa.update(delivery).where(mine).values(**change))


async def reopen(connection: AsyncConnection, delivery_id: int, target: str, owner: str, now: dt.datetime) -> Delivery:
    """Have a reply sent as a whole after all: its passive parts came too late."""
    again = {"target": target, "receipts": "[]", "state": WAITING, "owner": owner, "owned_until": now + LEASE}
    change = sa.update(delivery).where(delivery.c.id == delivery_id).values(**again, done_at=None)
    return Delivery.of((await connection.execute(change.returning(delivery))).one())


async def empty(connection: AsyncConnection, before: dt.datetime) -> None:
    """Drop the texts of replies that were done before this moment: no retry will ask for them."""
    old = (delivery.c.state != WAITING) & (delivery.c.done_at < before) & (delivery.c.parts != "[]")
    await connection.execute(sa.update(delivery).where(old).values(parts="[]"))
