"""Inline mode: `@bot 微法院` in any chat offers entries to send there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from telegram import InlineQueryResultArticle, InputTextMessageContent, LinkPreviewOptions
from telegram.constants import ParseMode

from bot import decide
from bot.answer import give
from bot.channels.telegram.buttons import short
from bot.channels.telegram.render import messages
from bot.text.normalise import spaced
from bot.understand.query import understand

if TYPE_CHECKING:
    import datetime as dt

    from bot.desk import Desk

MOST = 10
_AT_LEAST = 0.02
"""Confidence below which an entry is not offered."""


def ranked(text: str, desk: Desk, home: str = "") -> list[str]:
    """Up to ten entries for what has been typed so far, best first."""
    query = replace(understand(text, desk.lexicon), home=home)
    if not any(char.isalnum() for char in query.text):
        return []
    found = decide.rank(query, desk)
    candidates = (*found.own, *found.foreign)[: 2 * MOST]
    ids = (desk.public(one.id) for one in candidates if desk.hit(one, candidates).score >= _AT_LEAST)
    return [identifier for identifier in dict.fromkeys(ids) if identifier in desk.book.entries][:MOST]


def articles(text: str, desk: Desk, today: dt.date, home: str = "") -> list[InlineQueryResultArticle]:
    """The entries as articles; an empty text offers none."""
    return [_article(identifier, desk, today) for identifier in ranked(text, desk, home)]


def _article(identifier: str, desk: Desk, today: dt.date) -> InlineQueryResultArticle:
    entry = desk.book.entries[identifier]
    reply = give(identifier, entry.name, desk, today)
    content = InputTextMessageContent(
        messages(reply, [])[0]["html"],
        parse_mode=ParseMode.HTML,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
    )
    return InlineQueryResultArticle(
        short(identifier),
        spaced(f"{entry.name}（{entry.region}）"),
        content,
        description=spaced(entry.summary),
    )
