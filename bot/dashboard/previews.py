"""How an answer reads in each channel, by the code that words it there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.channels.telegram.render import messages
from bot.channels.web.pages import paragraphs
from bot.channels.wecom.render import app_parts
from bot.text.normalise import spaced

if TYPE_CHECKING:
    from bot.model import Reply


@dataclass(frozen=True, slots=True)
class Previews:
    """`web` are runs of blocks of one kind, `telegram` messages in its HTML, `wecom` texts."""

    web: list[tuple[str, list[str]]]
    telegram: list[str]
    wecom: list[str]


def by_channel(reply: Reply) -> Previews:
    """One reply in the three channels, without buttons."""
    blocks = [{"kind": block.kind, "text": spaced(block.text)} for block in reply.blocks]
    texts = [part["body"] for part in app_parts(reply, "preview", "", cards=True)]
    return Previews(
        paragraphs({"blocks": blocks}),
        [message["html"] for message in messages(reply, [])],
        [body["text"]["content"] for body in texts if body["msgtype"] == "text"],
    )
