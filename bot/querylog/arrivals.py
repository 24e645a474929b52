"""Questions into the log, each once: the row, the messages it came in, and the reply that is to be sent."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.querylog import deliveries, fleet
from bot.querylog.tables import delivery, feedback, query_log, seen

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.model import Turn
    from bot.querylog.deliveries import Delivery, NewDelivery
    from bot.querylog.rows import LogRow

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row to be stored; `also` are the ids of further messages that it answers.

    The row of such a message makes room when nothing of its reply has been sent. `turns` are those of the
    conversation, where replicas share them.
    """

    row: LogRow
    also: tuple[str, ...] = ()
    post: NewDelivery | None = None
    turns: tuple[Turn, ...] = ()

    def messages(self) -> list[Key]:
        """(channel, message id) of every message."""
        return [(self.row.channel, name) for name in (self.row.message_id, *self.also) if name]

    def goes_on(self, known: Mapping[Key, int]) -> bool:
        """Whether it is a new message that goes on with others."""
        return bool(self.row.message_id) and (self.row.channel, self.row.message_id) not in known


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an arrival; one that is not `fresh` was there before, with the reply stored then."""

    id: int
    fresh: bool
    delivery: Delivery | None = None


async def take(connection: AsyncConnection, arrivals: Sequence[Arrival], owner: str) -> list[Taken]:
    """Store what is new; the result of every arrival, in order."""
    known = await _make_room(connection, arrivals, await _known(connection, arrivals))
    first: dict[Key, int] = {}
    places: list[int] = []
    """Of each arrival that is not known, the place of the one that is inserted for it."""
    fresh: list[int] = []
    for place, arrival in enumerate(arrivals):
        keys = arrival.messages()
        twin = next((first[key] for key in keys if key in first), place)
        places.append(twin)
        if twin == place and (arrival.goes_on(known) or not any(key in known for key in keys)):
            fresh.append(place)
            first.update(dict.fromkeys(keys, place))
    inserted = await _insert(connection, [arrivals[place] for place in fresh], known)
    ids = dict(zip(fresh, inserted, strict=True))
    sent = await _deliveries(connection, arrivals, fresh, ids, owner)
    rows = (arrivals[place] for place in fresh)
    await fleet.remember(connection, [(one.row.user_key, one.turns, one.row.asked_at) for one in rows if one.turns])
    old = await _stored(connection, arrivals, known)
    return [
        Taken(ids[twin], place in ids, sent.get(twin))
        if twin in ids
        else _earlier(next(known[key] for key in arrivals[place].messages() if key in known), old)
        for place, twin in enumerate(places)
    ]


async def earlier(connection: AsyncConnection, arrival: Arrival) -> Taken | None:
    """What became of an arrival's message when it came before; None for a new one."""
    found = await _known(connection, [arrival])
    if not found or arrival.goes_on(found):
        return None
    return _earlier(found[arrival.messages()[0]], await _stored(connection, [arrival], found))


async def known(connection: AsyncConnection, channel: str, message_id: str) -> bool:
    """Whether a message was taken already."""
    same = (seen.c.channel == channel) & (seen.c.message_id == message_id)
    return bool(await connection.scalar(sa.select(sa.exists().where(same))))


def _earlier(query_id: int, old: dict[int, Delivery]) -> Taken:
    return Taken(query_id, False, old.get(query_id))


async def _known(connection: AsyncConnection, arrivals: Sequence[Arrival]) -> dict[Key, int]:
    keys = {key for arrival in arrivals for key in arrival.messages()}
    if not keys:
        return {}
    channels = seen.c.channel.in_({channel for channel, _ in keys})
    names = seen.c.message_id.in_({name for _, name in keys})
    found = await connection.execute(sa.select(seen).where(channels, names))
    return {(row.channel, row.message_id): row.query_id for row in found}


async def _make_room(connection: AsyncConnection, arrivals: Sequence[Arrival], known: dict[Key, int]) -> dict[Key, int]:
    """Delete the rows of earlier pieces whose reply is stored and not sent; returns what is still known."""
    new = (arrival for arrival in arrivals if arrival.also and arrival.goes_on(known))
    pieces = {known[key] for arrival in new for key in arrival.messages() if key in known}
    if not pieces:
        return known
    unsent = delivery.c.query_id.in_(pieces) & (delivery.c.state == deliveries.WAITING) & (delivery.c.receipts == "[]")
    gone = set(await connection.scalars(sa.select(delivery.c.query_id).where(unsent)))
    for column in (seen.c.query_id, delivery.c.query_id, feedback.c.query_id, query_log.c.id):
        await connection.execute(sa.delete(column.table).where(column.in_(gone)))
    return {key: query_id for key, query_id in known.items() if query_id not in gone}


async def _insert(connection: AsyncConnection, arrivals: Sequence[Arrival], known: Mapping[Key, int]) -> Sequence[int]:
    if not arrivals:
        return []
    insert = sa.insert(query_log).returning(query_log.c.id, sort_by_parameter_order=True)
    ids = (await connection.scalars(insert, [arrival.row.values() for arrival in arrivals])).all()
    messages: list[dict[str, Any]] = [
        {"channel": channel, "message_id": name, "query_id": query_id}
        for arrival, query_id in zip(arrivals, ids, strict=True)
        for channel, name in dict.fromkeys(arrival.messages())
        if (channel, name) not in known
    ]
    if messages:
        await connection.execute(sa.insert(seen), messages)
    return ids


async def _deliveries(
    connection: AsyncConnection, arrivals: Sequence[Arrival], fresh: Sequence[int], ids: dict[int, int], owner: str
) -> dict[int, Delivery]:
    posts = [(place, post) for place in fresh if (post := arrivals[place].post)]
    new = [(arrivals[place].row.channel, ids[place], post) for place, post in posts]
    stored = await deliveries.insert(connection, new, owner, dt.datetime.now(dt.UTC))
    return {place: item for (place, _), item in zip(posts, stored, strict=True)}


async def _stored(
    connection: AsyncConnection, arrivals: Sequence[Arrival], known: dict[Key, int]
) -> dict[int, Delivery]:
    """The replies stored earlier, for arrivals that bring one."""
    asked = {known[key] for arrival in arrivals if arrival.post for key in arrival.messages() if key in known}
    return await deliveries.of_queries(connection, asked) if asked else {}
