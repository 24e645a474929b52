"""Pieces of a handled message: fixed words, the answer as JSON, and the reply as it is to be sent."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from bot import render
from bot.model import Block, Reply, Turn
from bot.querylog import deliveries
from bot.querylog.deliveries import Delivery, NewDelivery

if TYPE_CHECKING:
    import datetime as dt

    from bot.channels.service import Draft
    from bot.desk import Desk
    from bot.model import Message, Status

_SHOWN = 400
"""Characters of a question that its answer repeats."""


def fixed(status: Status, text: str, desk: Desk) -> Reply:
    """A reply in words of the knowledge's own."""
    return Reply(status, (Block("summary", desk.book.texts[text]),), turn=Turn(""))


def payload(message: Message, reply: Reply, took_ms: float) -> dict[str, Any]:
    """The answer as JSON, with its paragraphs; its `id` in the log is not known yet."""
    found = render.payload(message.text[:_SHOWN], reply, took_ms)
    found["id"] = None
    found["blocks"] = [{"kind": block.kind, "text": block.text} for block in reply.blocks]
    return found


def posted(reply: Reply, draft: Draft) -> NewDelivery:
    """A reply in a channel's words, with a token of its own."""
    token = secrets.token_urlsafe(12)
    post = draft(reply, token)
    return NewDelivery(token, post.target, post.parts, post.passive)


def unstored(message: Message, post: NewDelivery | None, now: dt.datetime) -> Delivery | None:
    """The reply as if it were stored: the citizen gets it, though a crash would lose it."""
    if post is None:
        return None
    state = deliveries.WAITING if post.passive < len(post.parts) else deliveries.DONE
    receipts = ("",) * post.passive
    return Delivery(0, None, message.channel, post.token, post.target, post.parts, receipts, state, now)
