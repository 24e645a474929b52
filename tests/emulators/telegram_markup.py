"""What Telegram accepts as HTML and as buttons; everything else is its 400."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

TAGS = frozenset({"b", "i", "u", "s", "a", "code", "pre", "blockquote", "tg-spoiler"})
ENTITIES = frozenset({"lt", "gt", "amp", "quot"})
MAX_TEXT = 4096
MAX_DATA_BYTES = 64
_LINK = re.compile(r"^(?:https?|tg)://[^\s]+$")


class BadRequestError(Exception):
    """The description of a 400."""


def units(text: str) -> int:
    """Length in UTF-16 units, which is how Telegram counts."""
    return len(text.encode("utf-16-le")) // 2


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.stack: list[str] = []
        self.text: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            raise BadRequestError(f'can\'t parse entities: Unsupported start tag "{tag}"')
        if tag == "a":
            address = dict(attrs).get("href") or ""
            if not _LINK.match(address):
                raise BadRequestError("can't parse entities: a link without an address")
            self.links.append(address)
        self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            raise BadRequestError(f'can\'t parse entities: Unmatched end tag "{tag}"')

    def handle_data(self, data: str) -> None:
        if "<" in data or "&" in data:
            raise BadRequestError("can't parse entities: a bare < or &")
        self.text.append(data)

    def handle_entityref(self, name: str) -> None:
        if name not in ENTITIES:
            raise BadRequestError(f"can't parse entities: unknown entity &{name};")
        self.text.append(unescape(f"&{name};"))

    def handle_charref(self, name: str) -> None:
        self.text.append(unescape(f"&#{name};"))


def parse_html(source: str) -> tuple[str, list[str]]:
    """The text without its markup, and the addresses of its links."""
    parser = _Parser()
    parser.feed(source)
    parser.close()
    if parser.stack:
        raise BadRequestError(f"can't parse entities: Can't find end tag for \"{parser.stack[-1]}\"")
    return "".join(parser.text), parser.links


def check_text(source: str, mode: str | None) -> tuple[str, list[str]]:
    """Text and links of a message, or the 400 that Telegram would give."""
    if mode not in {None, "HTML"}:
        raise BadRequestError("unsupported parse_mode")
    text, links = parse_html(source) if mode else (source, [])
    if not text.strip():
        raise BadRequestError("message text is empty")
    if units(text) > MAX_TEXT:
        raise BadRequestError("message is too long")
    return text, links


def check_markup(markup: dict[str, Any] | None) -> None:
    """Every inline button has a label and exactly one action; its data fits."""
    for row in (markup or {}).get("inline_keyboard", ()):
        if not 1 <= len(row) <= 8:
            raise BadRequestError("BUTTON_ROW_INVALID")
        for button in row:
            if not button.get("text"):
                raise BadRequestError("Text buttons are required")
            actions = button.keys() & {"callback_data", "url", "switch_inline_query_current_chat"}
            if len(actions) != 1:
                raise BadRequestError("BUTTON_TYPE_INVALID")
            data = button.get("callback_data")
            if data is not None and not 1 <= len(data.encode()) <= MAX_DATA_BYTES:
                raise BadRequestError("BUTTON_DATA_INVALID")
