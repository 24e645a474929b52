"""Phrasings that no longer reach their own entry: small talk, a district or several questions in one got in between."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.answer import answer, by_heart
from bot.check.places import items
from bot.knowledge.schema import Entry
from bot.model import Problem, Severity
from bot.spread import spread
from bot.standing import is_open, target
from bot.text.expand import expand

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from bot.desk import Desk
    from bot.knowledge.nodes import Tree

    Template = tuple[str, tuple[int, int], str, str]
    """File, place, the template itself, and the entry that it is to reach."""


def unreached(desk: Desk, trees: Mapping[str, Tree], today: dt.date, workers: int = 1) -> list[Problem]:
    """One problem a template whose first wording, asked word for word, is not answered with its entry (K403)."""
    asked: list[Template] = [
        (tree.file, tree.at((index, "ask", at)), template, item.id)
        for tree, index, item in items(desk.book, trees)
        if isinstance(item, Entry) and not item.redirect and is_open(item.id, desk.book, today)
        for at, template in enumerate(item.ask)
    ]
    return [found for found in spread(_unreached, asked, (desk, today), workers) if found is not None]


def _unreached(template: Template, shared: tuple[Desk, dt.date]) -> Problem | None:
    file, where, text, entry = template
    desk, today = shared
    wording = expand(text)[0]
    if by_heart(wording, desk, today) == entry:
        return None
    reply = answer(wording, desk, (), today)
    if entry in (target(found, desk.book) for found in reply.ids):
        return None
    got = f"答成了“{desk.label(reply.ids[0])}”" if reply.ids else reply.reason
    message = f"“{wording}”照着问也问不到本条（{got}）；请换个说法"
    return Problem(file, *where, "K403", message, Severity.WARNING)
