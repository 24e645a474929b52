"""What users chose to have remembered: where home is, and what they want to hear of.

Every function works on a connection that the caller opened. People are known by a key that does not change.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.querylog.tables import person, setting, subscription

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

ENTRY, QUESTION = "entry", "question"
MOST = 20
"""Subscriptions of one person."""

_KEY = "person-key"


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one person wants to hear of. `target` is the channel's own address of that person."""

    id: int
    person: str
    channel: str
    target: str
    kind: str
    subject: str
    digest: str

    @classmethod
    def of(cls, found: sa.Row[Any]) -> Subscription:
        """From a row of `select(subscription)`."""
        return cls(found.id, found.person, found.channel, found.target, found.kind, found.subject, found.digest)


async def secret(connection: AsyncConnection) -> str:
    """The random key (hex) that people are hashed with, made when it is first asked for; needs a writing connection."""
    found = await connection.scalar(sa.select(setting.c.value).where(setting.c.key == _KEY))
    if found is None:
        found = secrets.token_hex(32)
        await connection.execute(sa.insert(setting).values(key=_KEY, value=found))
    return str(found)


def key_of(secret_hex: str, channel: str, user: str) -> str:
    """Thirty-two hex characters that stand for a user of a channel."""
    who = f"{channel}:{user}".encode("utf-8", "surrogatepass")
    return hmac.new(bytes.fromhex(secret_hex), who, hashlib.sha256).hexdigest()[:32]


async def home(connection: AsyncConnection, key: str) -> str:
    """The home region; empty when none is set."""
    return await connection.scalar(sa.select(person.c.home).where(person.c.key == key)) or ""


async def settle(connection: AsyncConnection, key: str, region: str) -> None:
    """Set the home region; an empty one forgets it."""
    await connection.execute(sa.delete(person).where(person.c.key == key))
    if region:
        await connection.execute(sa.insert(person).values(key=key, home=region))


async def follow(connection: AsyncConnection, wanted: Subscription, now: dt.datetime) -> bool:
    """Store a subscription (its id is given here); False when the person has it already."""
    same = (subscription.c.person == wanted.person) & (subscription.c.kind == wanted.kind)
    known = await connection.scalar(
        sa.select(subscription.c.id).where(same & (subscription.c.subject == wanted.subject))
    )
    if known is not None:
        return False
    values = {name: getattr(wanted, name) for name in Subscription.__slots__ if name != "id"}
    await connection.execute(sa.insert(subscription).values(**values, created_at=now))
    return True


async def unfollow(connection: AsyncConnection, key: str, number: int | None = None) -> int:
    """End one subscription of a person, or all; how many there were."""
    mine = subscription.c.person == key
    if number is not None:
        mine &= subscription.c.id == number
    return (await connection.execute(sa.delete(subscription).where(mine))).rowcount


async def of_person(connection: AsyncConnection, key: str) -> list[Subscription]:
    """What a person follows, oldest first."""
    mine = sa.select(subscription).where(subscription.c.person == key).order_by(subscription.c.id)
    return [Subscription.of(found) for found in await connection.execute(mine)]


async def everybody(connection: AsyncConnection) -> list[Subscription]:
    """All subscriptions, those of one person together."""
    ordered = sa.select(subscription).order_by(subscription.c.person, subscription.c.id)
    return [Subscription.of(found) for found in await connection.execute(ordered)]


async def told(connection: AsyncConnection, done: Sequence[int], digests: dict[int, str]) -> None:
    """After a notice: subscriptions that are fulfilled end, the others know what was told."""
    if done:
        await connection.execute(sa.delete(subscription).where(subscription.c.id.in_(done)))
    for number, digest in digests.items():
        await connection.execute(sa.update(subscription).where(subscription.c.id == number).values(digest=digest))
