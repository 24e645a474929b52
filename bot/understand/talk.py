"""Small talk: greetings, thanks and questions about the bot itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rapidfuzz import process
from rapidfuzz.fuzz import ratio

from bot.text.normalise import key

if TYPE_CHECKING:
    from bot.understand.lexicon import Lexicon

HELP = "help"
"""Id of the small talk about what can be asked."""
ABOUT_ITSELF = frozenset({"how-to-use", "cost", "maker"})
"""Ids of the small talk that asks of the bot what is asked of any service: how it is used, what it costs, by whom."""
YOU = re.compile(r"[你您侬]|\byou\b")
_SHORT = 14
"""Characters up to which small talk is recognised by likeness at once."""
_LONGEST = 20
_CLOSE_AT = 84
_NEAR_AT = 72
_PARTICLES = "呀啊哦呢吧嘛啦哈哇伐"
_CLAUSES = re.compile(r"[\s,，。.!！?？~～、;；]+")


def recognise(text: str, lexicon: Lexicon) -> str | None:
    """Id of the small talk that the whole text is, clause by clause; None for anything with a need in it."""
    whole = lexicon.talk.get(key(text))
    if whole is not None:
        return whole
    if len(text) > _SHORT:
        return None
    found = [_one(clause, lexicon) for clause in _CLAUSES.split(text) if clause]
    if len(found) == 1 or (found and None not in found):
        return found[0]
    return _one(key(text), lexicon)


def partly(text: str, lexicon: Lexicon) -> str | None:
    """Id of the small talk that one clause is, near enough; for texts in which nothing else was found."""
    if len(text) > _LONGEST:
        return None
    clauses = [clause for clause in _CLAUSES.split(text) if clause]
    return next((found for clause in clauses if (found := _one(clause, lexicon, _NEAR_AT))), None)


def _one(clause: str, lexicon: Lexicon, cutoff: float = _CLOSE_AT) -> str | None:
    spelled = key(clause)
    for spelling in (spelled, spelled.rstrip(_PARTICLES)):
        if spelling in lexicon.talk:
            return lexicon.talk[spelling]
    if len(spelled) < 3:
        return None
    close = process.extractOne(spelled, lexicon.talk_near(len(spelled), cutoff), scorer=ratio, score_cutoff=cutoff)
    return lexicon.talk[close[0]] if close else None
