"""Telling people that something they follow has changed, or that their question has an answer now."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import secrets
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING

from bot.answer import answer
from bot.model import Block, Option, Reply, Status
from bot.querylog import deliveries, people
from bot.querylog.deliveries import NewDelivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.channels.service import Mailbox, Service
    from bot.desk import Desk
    from bot.querylog.deliveries import Delivery
    from bot.querylog.people import Subscription

_LEAD = "您关注的事有消息了："
_TOLD = ("name", "region", "department", "summary", "facts", "caution", "question", "answer")
"""What an entry tells a citizen: a changed wording of the question is no news."""


@dataclass(frozen=True, slots=True)
class News:
    """What there is to tell about one subscription; `digest` is None when the subscription is fulfilled."""

    subscription: Subscription
    line: str
    option: Option | None
    digest: str | None


def digest(identifier: str, desk: Desk) -> str:
    """What an entry, or a question and answer, says, in short; empty when there is no such thing."""
    found = desk.book.entries.get(identifier) or desk.book.faqs.get(identifier)
    if found is None:
        return ""
    told = found.model_dump(mode="json", include=set(_TOLD))
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:16]


def news_of(item: Subscription, desk: Desk, today: dt.date) -> News | None:
    """What has changed for one subscription since it was last told of."""
    if item.kind == people.QUESTION:
        reply = answer(item.subject, desk, (), today)
        if reply.status is not Status.ANSWER:
            return None
        label = desk.label(reply.ids[0])
        return News(item, f"· 您问过“{item.subject}”，现在有答案了：{label}", Option(reply.ids[0], label), None)
    now = digest(item.subject, desk)
    if now == item.digest:
        return None
    if not now:
        return News(item, "· 您关注的一条撤下了。", None, None)
    label = desk.label(item.subject)
    return News(item, f"· {label}：内容有变化", Option(item.subject, label), now)


async def after_reload(service: Service) -> int:
    """One notice to everybody whom the new knowledge concerns; how many notices. Raises StoreError.

    A notice and the note that it was told are stored together: a crash repeats and loses nothing.
    """
    told = 0
    subscriptions = await service.querylog.read(people.everybody)
    for _, items in groupby(subscriptions, key=lambda item: item.person):
        own = list(items)
        mailbox = service.mailboxes.get(own[0].channel)
        today = dt.datetime.now(dt.UTC).date()
        news = [found for item in own if (found := news_of(item, service.desk, today))]
        if news and mailbox is not None:
            stored = await service.querylog.run(partial(_store, service=service, mailbox=mailbox, news=news))
            told += len(stored)
            for delivery in stored:
                mailbox.add(delivery)
    return told


async def _store(
    connection: AsyncConnection, service: Service, mailbox: Mailbox, news: Sequence[News]
) -> list[Delivery]:
    """The notice, stored; none when everything was told by somebody else or ended meanwhile."""
    first = news[0].subscription
    still = await people.of_person(connection, first.person)
    news = [item for item in news if item.subscription in still]
    if not news:
        return []
    done = [item.subscription.id for item in news if item.digest is None]
    await people.told(connection, done, {item.subscription.id: item.digest for item in news if item.digest})
    post = mailbox.notice(first.target, _worded(news))
    new = NewDelivery(secrets.token_urlsafe(12), post.target, post.parts, post.passive)
    now = dt.datetime.now(dt.UTC)
    return await deliveries.insert(connection, [(first.channel, None, new)], service.querylog.owner, now)


def _worded(news: Sequence[News]) -> Reply:
    lines = (Block("item", item.line) for item in news)
    options = dict.fromkeys(item.option for item in news if item.option)
    return Reply(Status.LIST, (Block("heading", _LEAD), *lines), options=tuple(options))
