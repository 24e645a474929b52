"""Reply → messages of Telegram: HTML built by escaping, under the limit, with its buttons under the last one."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from bot.channels.telegram.buttons import DOWN, ENTRY, FOLLOW, MORE, NONE_OF_THESE, UP, Row, pack, page_row
from bot.model import Status
from bot.render import line, parts
from bot.text.normalise import spaced, tight

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.model import Block, Option, Reply

MAX_UNITS = 4000
"""UTF-16 units of a message; Telegram takes 4,096."""
PAGE = 5
"""Entries on one page of a keyboard."""

_LABEL = 40
_STRONG = frozenset({"title", "heading"})
_SLIGHT = frozenset({"period", "source", "note"})
_JUDGED = frozenset({Status.ANSWER, Status.CHOICES, Status.LIST, Status.NONE})


def units(text: str) -> int:
    """Length as Telegram counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def messages(reply: Reply, rows: list[Row]) -> list[dict[str, Any]]:
    """The reply as `{"html", "keyboard"}`, split on the borders of blocks; the buttons stand under the last."""
    split = parts(reply.blocks, MAX_UNITS, units)
    found: list[dict[str, Any]] = [{"html": _html(blocks, reply)} for blocks in split]
    if rows:
        found[-1]["keyboard"] = rows
    return found


def _html(blocks: Sequence[Block], reply: Reply) -> str:
    lines: list[str] = []
    for at, block in enumerate(blocks):
        if block.kind == "title" and at:
            lines.append("")
        lines.append(_line(block, reply))
    return "\n".join(lines)


def _line(block: Block, reply: Reply) -> str:
    text = escape(spaced(line(block)))
    if block.kind == "source":
        for source in reply.sources:
            if source.url:
                title = escape(spaced(tight(source.title)))
                text = text.replace(title, f'<a href="{escape(source.url)}">{title}</a>')
    if block.kind in _STRONG:
        return f"<b>{text}</b>"
    return f"<i>{text}</i>" if block.kind in _SLIGHT else text


def keyboard(reply: Reply, token: str) -> list[Row]:
    """What can be chosen next, then 👍, 👎 and 🔔; nothing under small talk."""
    if reply.status not in _JUDGED:
        return []
    rows = [_option(option, token) for option in reply.options]
    if reply.status is Status.LIST and len(reply.ids) > PAGE:
        rows = [*rows[:PAGE], *page_row(MORE, (token,), 0, pages(len(reply.ids)))]
    return [*rows, verdict_row(reply.status, token)]


def _option(option: Option, token: str) -> Row:
    if not option.id:
        return [(option.label, pack(NONE_OF_THESE, token))]
    return [entry_button(option.id, option.label)]


def entry_button(identifier: str, label: str) -> tuple[str, str]:
    """A button that asks for an entry."""
    label = spaced(label)
    return label if len(label) <= _LABEL else label[: _LABEL - 1] + "…", pack(ENTRY, identifier)


def pages(count: int) -> int:
    """Pages of a keyboard with so many entries."""
    return max(1, -(-count // PAGE))


def verdict_row(status: Status, token: str) -> Row:
    """👍 and 👎, and 🔔 for hearing when something changes."""
    row = [("👍 有用", pack(UP, token)), ("👎 没帮上", pack(DOWN, token))]
    if status in {Status.ANSWER, Status.NONE}:
        row.append(("🔔 有变化告诉我" if status == Status.ANSWER else "🔔 有答案告诉我", pack(FOLLOW, token)))
    return row
