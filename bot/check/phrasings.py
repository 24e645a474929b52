"""Phrasings that no longer reach their own entry: small talk, a district or several questions in one got in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.answer import answer
from bot.check.places import items
from bot.check.regression import plainly_reaches
from bot.knowledge.schema import Entry
from bot.model import Problem, Severity
from bot.standing import is_open, target
from bot.text.expand import expand

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from bot.desk import Desk
    from bot.knowledge.nodes import Tree


def unreached(desk: Desk, trees: Mapping[str, Tree], today: dt.date) -> Iterator[Problem]:
    """One problem a template whose first wording, asked word for word, is not answered with its entry (K403)."""
    for tree, index, item in items(desk.book, trees):
        if not isinstance(item, Entry) or item.redirect or not is_open(item.id, desk.book, today):
            continue
        for at, template in enumerate(item.ask):
            wording = expand(template)[0]
            if plainly_reaches(wording, item.id, desk):
                continue
            reply = answer(wording, desk, (), today)
            if item.id not in (target(found, desk.book) for found in reply.ids):
                got = f"答成了“{desk.label(reply.ids[0])}”" if reply.ids else reply.reason
                message = f"“{wording}”照着问也问不到本条（{got}）；请换个说法"
                yield Problem(tree.file, *tree.at((index, "ask", at)), "K403", message, Severity.WARNING)
