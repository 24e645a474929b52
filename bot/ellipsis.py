"""Whether a question hangs on the turns before it, and on which of them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.browse import GENERAL
from bot.decide import SURE_AT
from bot.model import Decision, Query, Status
from bot.text.normalise import key, normalise
from bot.understand import bare, filler, talk
from bot.understand.query import understand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.decide import Ranked
    from bot.desk import Desk
    from bot.model import Turn

MEMORY = 4
"""Turns that are looked back on."""
FEW = 10
"""Characters of what says little by itself."""
_MAY = re.compile("能不能|可不可以|要不要|需不需要|行不行|能|可以|需要|行|算")
_DEED = re.compile("参加|申请|享受|[买办用装领报弄做去查交来进]")
_WORD = 2
_CLEAR_AT = 0.85
"""A question that is this sure alone is no follow-up, whatever the entry before tells."""
_ALL, _NEARLY_ALL = 0.95, 0.85
_INCLUDED = re.compile(
    "算(?:不算)?(?:在里面|在内|进去|里面)|算不算$|算的?[吗伐]$|包括|包含|有份|也(?:有|算|行|能|可以)[吗伐不么]$"
)
"""「我们村算在里面伐」 asks whether what was answered holds for somebody, too."""
TURNED = re.compile("^那.+呢$")
"""「那菜场呢」 turns to another thing on purpose."""
_WISH = re.compile("(?:我|我家|我们|阿拉)(?:也|还|家)?(?:想|要)")
"""「我想装空调找谁」: somebody wants another thing."""
_TOLD = 0.3
"""Share of the weight of such words that the entry must tell; it tells nothing of another thing."""


def asks_whom(query: Query, decision: Decision, desk: Desk) -> bool:
    """「老人能买吗」: whether somebody may, and nothing of what."""
    may = _MAY.search(query.text) or _INCLUDED.search(query.text)
    if decision.status is not Status.NONE or decision.note or query.regions or not may:
        return False
    if _INCLUDED.search(query.text):
        return True
    rest = desk.lexicon.audiences.blank(filler.bare(query.text))
    for pattern in (_MAY, _DEED, filler.PRONOUN):
        rest = pattern.sub(" ", rest)
    return len(key(rest)) < _WORD


def no_small_talk(query: Query, decision: Decision) -> bool:
    """「怎么用」「要交钱吗」 ask about the bot; after another question they ask about that."""
    if decision.status is not Status.SMALLTALK or talk.YOU.search(query.text):
        return False
    of_it = decision.talk in talk.ABOUT_ITSELF or decision.note == GENERAL
    asks = query.asked or bare.WHAT.search(query.text)
    return of_it or bool(asks and not (query.has_content and bare.beyond(query.text)))


def refused(turn: Turn, desk: Desk) -> bool:
    """Whether a turn asked for something and got no answer."""
    asked = understand(turn.text, desk.lexicon)
    chatted = talk.recognise(normalise(turn.text), desk.lexicon) is not None
    return asked.has_content and not (chatted or turn.ids or turn.offered)


def hangs_on_refused(query: Query, decision: Decision, turn: Turn, desk: Desk) -> bool:
    """Whether a few words without much of their own follow a question that got no answer (「那二手的呢」)."""
    turned = bool(TURNED.search(query.text))
    unsure = decision.status in {Status.ANSWER, Status.CHOICES} and decision.score < SURE_AT
    if not (unsure or (turned and decision.status is Status.SMALLTALK)) or query.regions or len(query.text) > FEW:
        return False
    little = turned or len(key(bare.beyond(_unasked(query, decision, desk)))) <= _WORD
    return little and refused(turn, desk)


def subject_of(turns: Sequence[Turn], desk: Desk) -> Turn | None:
    """The newest turn that was answered, unless a topic outside the material came after it."""
    for turn in reversed(turns[-MEMORY:]):
        if turn.ids or turn.regions:
            return turn
        if understand(turn.text, desk.lexicon).outside:
            return None
    return None


def first_words(subject: Turn, turns: Sequence[Turn], desk: Desk) -> Turn:
    """The turn that first led to the entry of `subject`, among those in a row, with the place of `subject`."""
    first = subject
    for turn in reversed(turns[: turns.index(subject)]):
        if turn.ids and turn.ids != subject.ids:
            break
        first = turn if turn.ids and understand(turn.text, desk.lexicon).has_content else first
    return replace(first, regions=subject.regions)


def asks_on(query: Query, ranked: Ranked, decision: Decision, desk: Desk, subject: Turn) -> bool:
    """A few words that say nothing new, or nothing that the entry before does not tell (「装好了多少部」)."""
    elsewhere = any(len(key(_new_in(word, desk))) >= _WORD for word in query.outside_words)
    if elsewhere or query.browse or query.regions or len(query.text) > 2 * FEW or decision.score >= _CLEAR_AT:
        return False
    new, identifier = bare.beyond(_unasked(query, decision, desk)), subject.ids[0]
    if not new or len(query.text) > FEW:
        return not new
    told = desk.share_told(identifier, desk.weigh(query.core))
    if decision.status is Status.ANSWER:
        as_well = told >= max(_NEARLY_ALL, _ALL * desk.share_told(decision.ids[0], desk.weigh(query.core)))
        named = bool(ranked.own and ranked.own[0].name)
        return not named and (as_well or _share(new, identifier, desk) >= _ALL)
    near = ranked.own[0].blend if ranked.own else 0.0
    outside = ranked.decoy is not None and ranked.decoy.blend > near
    if ((outside or decision.note) and not query.outside_words) or not query.asked:
        return False
    return told >= _TOLD and not (_WISH.search(query.text) and not _share(new, identifier, desk))


def _new_in(text: str, desk: Desk) -> str:
    return bare.beyond(desk.lexicon.facets.blank(text))


def _share(new: str, identifier: str, desk: Desk) -> float:
    """Share of some words, by weight, that an entry tells."""
    return desk.share_told(identifier, desk.weigh(desk.lexicon.core(new.replace(" ", ""))))


def _unasked(query: Query, decision: Decision, desk: Desk) -> str:
    """The text without what is asked for, and without whom it concerns where that leads to no entry."""
    text = desk.lexicon.facets.blank(query.text)
    return text if decision.status is Status.ANSWER else desk.lexicon.audiences.blank(text)
