"""Pieces of a handled message: fixed words, the answer as JSON, and the reply as it is to be sent."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from bot import render
from bot.model import Block, Reply, Turn
from bot.querylog.deliveries import NewDelivery

if TYPE_CHECKING:
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
