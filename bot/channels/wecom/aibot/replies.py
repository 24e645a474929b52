"""A reply in the AI bot's words: markdown for the chat, a card with buttons where something can be picked. Pure."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

from bot.channels.service import Post
from bot.channels.wecom.aibot.frames import MAX_CONTENT
from bot.model import Status
from bot.text.markdown import escape
from bot.text.normalise import spaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bot.channels.service import Draft
    from bot.model import Block, Option, Reply

NOT_THESE = "-"
"""Key of the button 「都不是」: a key cannot be empty."""

_MAX_BUTTONS = 6
_MAX_LABEL = 10
_PICKED = "✓ "
_JUDGED = frozenset({Status.ANSWER, Status.CHOICES, Status.LIST, Status.NONE})
_LEADS = {Status.CHOICES: "您想问的是哪一个？", Status.LIST: "想先看哪一条？", Status.NONE: "也许您想问"}
_DOT = re.compile(r"^· ", re.MULTILINE)
_MARKS = {"fact": "- ", "caution": "注意：", "period": "> ", "source": "> "}
_LISTED = frozenset({"fact", "item"})
_QUOTED = frozenset({"period", "source"})


def markdown(reply: Reply) -> str:
    """The whole reply: titles bold, facts as a list, period and source as a quotation."""
    runs = groupby(reply.blocks, key=lambda block: (block.kind in _LISTED, block.kind in _QUOTED))
    paragraphs = []
    for (listed, quoted), blocks in runs:
        lines = [_line(block) for block in blocks]
        paragraphs.append("\n".join(lines) if listed or quoted else "\n\n".join(lines))
    if reply.status is Status.ANSWER and reply.options:
        paragraphs.append("相关：" + "、".join(escape(spaced(option.label)) for option in reply.options if option.id))
    return "\n\n".join(paragraphs)


def _line(block: Block) -> str:
    text = _DOT.sub("- ", escape(spaced(block.text)))
    if block.kind in {"title", "heading"}:
        return f"**{text}**"
    return _MARKS.get(block.kind, "") + text


def pieces(text: str, limit: int = MAX_CONTENT) -> Iterator[str]:
    """The text in pieces of at most `limit` UTF-8 bytes, cut at paragraphs or lines wherever there are any."""
    while len(text.encode()) > limit:
        head = text.encode()[:limit].decode(errors="ignore")
        cut = max(head.rfind("\n\n"), 0) or max(head.rfind("\n"), 0) or len(head)
        yield text[:cut]
        text = text[cut:].lstrip("\n")
    yield text


def card(options: Sequence[Option], status: Status, task: str) -> dict[str, Any] | None:
    """Buttons for what can be picked next; None when there is nothing to pick, or only to read on."""
    if status not in _LEADS or not any(option.id for option in options):
        return None
    chosen = options[:_MAX_BUTTONS]
    buttons = [
        {"text": _clipped(option.label), "style": 1 if option.id else 2, "key": option.id or NOT_THESE}
        for option in chosen
    ]
    return {
        "card_type": "button_interaction",
        "main_title": {"title": _LEADS[status]},
        "button_list": buttons,
        "task_id": task,
    }


def picked(shown: Mapping[str, Any], key: str, label: str) -> dict[str, Any]:
    """The same card after a button was pressed: it says which, and can still be used."""
    buttons = [
        {**button, "text": _clipped(_PICKED + button["text"])} if button["key"] == key else button
        for button in shown["button_list"]
    ]
    title = {**shown["main_title"], "desc": f"已选：{label}"[:30]}
    return {**shown, "main_title": title, "button_list": buttons}


def lone(key: str, label: str, task: str) -> dict[str, Any]:
    """The card to update an old one with whose buttons are forgotten."""
    button = {"text": _clipped(label), "style": 1, "key": key}
    return {
        "card_type": "button_interaction",
        "main_title": {"title": "您选了"},
        "button_list": [button],
        "task_id": task,
    }


def _clipped(text: str) -> str:
    return text if len(text) <= _MAX_LABEL else text[: _MAX_LABEL - 1] + "…"


def draft(chat: str, link: str = "", req_id: str = "") -> Draft:
    """How a reply goes to a chat: `link` and `req_id` name the connection and the callback that it answers, if any.

    Parts are `{"content", "stream", "feedback", "link", "req_id"}` and `{"card"}`.
    """

    def made(reply: Reply, token: str) -> Post:
        back = {"feedback": token if reply.status in _JUDGED else "", "link": link, "req_id": req_id}
        parts: list[dict[str, Any]] = [
            {"content": piece, "stream": f"{token}-{number}", **back}
            for number, piece in enumerate(pieces(markdown(reply)))
        ]
        buttons = card(reply.options, reply.status, token)
        return Post(chat, (*parts, {"card": buttons}) if buttons else tuple(parts))

    return made


def welcome(greeting: str, examples: Sequence[str]) -> dict[str, Any]:
    """The body of the first words of the day."""
    listed = "\n".join(f"· {example}" for example in examples)
    return {"msgtype": "text", "text": {"content": f"{greeting}\n\n可以这样问：\n{listed}"}}
