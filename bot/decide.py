"""Hits → what to reply with: answer, choices, list, none or small talk. Pure rules over calibrated scores."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.match.build import TALK
from bot.match.matcher import Candidate
from bot.match.polarity import negated, opposed
from bot.model import Decision, Hit, Query, Status
from bot.text.normalise import key, normalise
from bot.understand import filler, talk

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.desk import Desk

CHOICES_SHARE = 0.7
"""Of the answering confidence: from here on near entries are offered to choose from."""
NEAR_SHARE = 0.4
"""Of the answering confidence: from here on a refusal names the nearest entries."""
TIE_WITHIN = 1.0
"""Blends closer than this are near each other."""
EQUAL_WITHIN = TIE_WITHIN / 4
"""Blends closer than this are as good as equal."""
SURE_AT = 0.6
STRANGE_AT = 0.85
"""Confidence in an entry that never says the words that name a topic outside."""
SOUND_SCORE = 0.95
CLEAR_AT = 0.85
"""Confidence with which one entry takes words that others have in their names, too."""
MAX_CHOICES = 4
_ASIDE, _ASIDE_ENGLISH = 24, 60
"""Characters from which a topic may be named in passing only; English takes more of them."""
_TALK_AT = 0.45
_ENGLISH_WORDS = 2
"""English words that an entry must know: one alone (table, user) proves nothing."""
_DOUBTFUL = 0.05
_DOUBTED_AT = 0.4
"""Confidence below which even the asked district's own entry gives way to one that is surely elsewhere."""
_WORD = 2
_TOLD = 0.3
"""Share of the rest of a question, by weight, that an entry must tell when a place outside the city led to it."""
_INSIDE = re.compile("[?？].")
"""The end of a question that is not the last one."""
_NAMED = 3
"""Characters of a contained name that settle what is talked of."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """Candidates that may be answered, the ones of other districts, and the confidence in the first of each."""

    own: tuple[Candidate, ...]
    foreign: tuple[Candidate, ...]
    confidence: float
    foreign_confidence: float
    decoy: Candidate | None = None


def rank(query: Query, desk: Desk) -> Ranked:
    """Match a query and set apart the entries of districts that it does not ask about.

    Of the entries that fit as well as the first, those of the region that is asked about, or else of the home region,
    come first; the confidence stays.
    """
    allowed = desk.allowed_regions(query.regions)
    own, foreign, decoys = list[Candidate](), list[Candidate](), list[Candidate]()
    for item in desk.match(query):
        (decoys if item.decoy else own if desk.region_of(item.id) in allowed else foreign).append(item)
    confidences = desk.confidence((*own, *decoys)), desk.confidence((*foreign, *decoys))
    if query.english and own and desk.words_told(query, own[0].id) < _ENGLISH_WORDS:
        confidences = (min(confidences[0], _DOUBTFUL), min(confidences[1], _DOUBTFUL))
    _near_first(own, query, desk)
    return Ranked(tuple(own), tuple(foreign), *confidences, decoys[0] if decoys else None)


def _near_first(own: list[Candidate], query: Query, desk: Desk) -> None:
    """Sort anew those that no score tells apart."""
    near = query.regions or ((query.home,) if query.home else ())
    if near and own:
        level = own[0].blend - EQUAL_WITHIN
        own.sort(key=lambda item: item.blend <= level or desk.region_of(item.id) not in near)


def decide(query: Query, ranked: Ranked, desk: Desk) -> Decision:
    """The whole decision for one question that stands alone."""
    if not query.text or not any(char.isalnum() for char in query.text):
        return Decision(Status.NONE, reason="没有文字", note="empty")
    return (
        by_heart(query, desk)
        or _chatting(query, ranked, desk)
        or _empty_handed(query)
        or _not_ours(query, ranked, desk)
        or _by_sound(query, ranked, desk)
        or _by_score(query, ranked, desk)
    )


def is_hopeless(query: Query, desk: Desk) -> bool:
    """Whether a part of a message says too little beside its district to be a question of its own."""
    names_a_place = desk.lexicon.places.blank(query.text) != query.text
    return not query.has_content and not names_a_place and by_heart(query, desk) is None


def by_heart(query: Query, desk: Desk) -> Decision | None:
    """What is settled without matching: listed small talk, and questions that stand in the bank letter for letter."""
    found = talk.recognise(normalise(query.raw), desk.lexicon)
    return _smalltalk(found) if found is not None else _exact(query, desk)


def _smalltalk(identifier: str) -> Decision:
    return Decision(Status.SMALLTALK, reason="寒暄", talk=identifier, score=1.0)


def _chatting(query: Query, ranked: Ranked, desk: Desk) -> Decision | None:
    """Small talk in other words than the listed ones, when no entry is anywhere near."""
    first = ranked.decoy
    if query.regions or ranked.confidence >= NEAR_SHARE * desk.calibration.answer_at or desk.by_initials(query):
        return None
    if first is not None and first.id.startswith(TALK) and first.feature("told") >= _TALK_AT:
        return _smalltalk(first.id.removeprefix(TALK))
    found = None if query.outside else talk.partly(normalise(query.raw), desk.lexicon)
    return None if found is None else _smalltalk(found)


def _exact(query: Query, desk: Desk) -> Decision | None:
    ids = desk.exact(query)
    if query.regions:
        allowed = desk.allowed_regions(query.regions)
        ids = tuple(identifier for identifier in ids if desk.region_of(identifier) in allowed)
    ids = tuple(sorted(ids, key=lambda identifier: desk.region_of(identifier) != query.home))
    if len(ids) == 1:
        return Decision(Status.ANSWER, ids, 1.0, "和库里的问法一字不差")
    if ids:
        return Decision(Status.CHOICES, ids[:MAX_CHOICES], 1.0, "几条都用这个叫法")
    return None


def _empty_handed(query: Query) -> Decision | None:
    """Question words and pronouns alone (「什么时候开始」, 「那个呢」) mean nothing without a turn before."""
    if query.has_content or query.regions or query.browse or query.years or query.honour:
        return None
    return Decision(Status.NONE, reason="没说是哪件事", note="which")


def _not_ours(query: Query, ranked: Ranked, desk: Desk) -> Decision | None:
    """Another city, or a topic of this city that the material does not cover."""
    first = ranked.own[0] if ranked.own else None
    if query.elsewhere and not query.regions and not _tells_of(query.elsewhere, first, query, desk):
        return Decision(Status.NONE, score=ranked.confidence, reason=f"问的是{query.elsewhere}", note="elsewhere")
    if query.outside and (query.refuse or _open_to_doubt(query, first, ranked.confidence, desk)):
        return Decision(Status.NONE, score=ranked.confidence, reason=f"资料以外的话题：{query.outside}", note="outside")
    return None


def _open_to_doubt(query: Query, first: Candidate | None, confidence: float, desk: Desk) -> bool:
    """Whether words that name a topic outside outweigh the first entry; not where they stand in a long story.

    Of several questions the entry may answer the other one.
    """
    if len(query.text) > (_ASIDE_ENGLISH if query.english else _ASIDE) or (first and len(first.name) >= _NAMED):
        return False
    told = first is not None and any(word in desk.body_text(first.id) for word in query.outside_words)
    return confidence < (SURE_AT if told or _INSIDE.search(query.text) else STRANGE_AT)


def _tells_of(place: str, first: Candidate | None, query: Query, desk: Desk) -> bool:
    """Whether an entry tells of a place outside the city, and of what is asked beside it."""
    if first is None or place not in desk.body_text(first.id):
        return False
    if len(_content(query).replace(place, "")) < _WORD:
        return desk.name_contains(first.id, place)
    return desk.share_told(first.id, desk.weigh(query.core.replace(place, " "))) >= _TOLD


def _by_sound(query: Query, ranked: Ranked, desk: Desk) -> Decision | None:
    """Homophones, typed pinyin and initials: 微发院, weifayuan, wfy."""
    allowed = desk.allowed_regions(query.regions)
    for known, reason in (
        (desk.by_sound(query), "读音和库里的问法一样"),
        (desk.by_initials(query), "拼音首字母和名称一样"),
    ):
        ids = tuple(identifier for identifier in known if desk.region_of(identifier) in allowed)
        if len(ids) == 1:
            return Decision(Status.ANSWER, ids, max(SOUND_SCORE, ranked.confidence), reason)
    return None


def _by_score(query: Query, ranked: Ranked, desk: Desk) -> Decision:
    own, confidence, answer_at = ranked.own, ranked.confidence, desk.calibration.answer_at
    shared = ambiguous(query, own, desk)
    of_here = [identifier for identifier in shared if desk.region_of(identifier) in query.regions]
    if len(of_here) == 1 and confidence >= answer_at:
        return Decision(Status.ANSWER, (of_here[0],), confidence, "几条用这个叫法，问的地区只有这一条")
    if shared and (confidence < CLEAR_AT or (own[0].id in shared and not _leads(own, shared))):
        return Decision(Status.CHOICES, shared, confidence, "说法太短，几条都对得上")
    if ranked.foreign and ranked.foreign_confidence >= answer_at and _points_abroad(query, ranked, desk):
        reason = "这个地区没有，别的地区有"
        return Decision(Status.NONE, score=confidence, reason=reason, note="neighbour", near=(ranked.foreign[0].id,))
    if not own:
        return Decision(Status.NONE, reason="没有相近的条目")
    if contradicts(query, own[0], desk):
        reason = "意思正好相反"
        return Decision(Status.NONE, score=min(confidence, _DOUBTFUL), reason=reason, near=(own[0].id,))
    tied = _tied(own)
    if len(tied) > 1 and answer_at <= confidence < SURE_AT and abs(own[0].blend - own[1].blend) < EQUAL_WITHIN:
        return Decision(Status.CHOICES, tied, confidence, "几条分不出高下")
    if confidence >= answer_at:
        return Decision(Status.ANSWER, (own[0].id,), confidence, "得分够高")
    if confidence >= CHOICES_SHARE * answer_at and len(tied) > 1:
        return Decision(Status.CHOICES, tied, confidence, "有点像，请市民自己挑")
    near = tied[:3] if confidence >= NEAR_SHARE * answer_at else ()
    return Decision(Status.NONE, score=confidence, reason="得分不够", near=near)


def _leads(own: Sequence[Candidate], shared: Sequence[str]) -> bool:
    """Whether the first fits clearly better than the others that bear the words in their names."""
    others = [item.blend for item in own[1:10] if item.id in shared]
    return not others or own[0].blend - max(others) >= TIE_WITHIN


def contradicts(query: Query, first: Candidate, desk: Desk) -> bool:
    """Whether the question asks the opposite of what the entry is about; one that names the entry does not."""
    if len(first.name) >= _NAMED:
        return False
    known = desk.body_text(first.id)
    if opposed(query.text, known):
        return True
    wording = desk.matcher.index.wordings[first.wording].text
    return desk.matcher.lean and negated(query.text, wording)


def _points_abroad(query: Query, ranked: Ranked, desk: Desk) -> bool:
    """The question fits another district's entry, and what fits here is nothing or far behind."""
    if ranked.confidence < desk.calibration.answer_at:
        return True
    of_here = desk.region_of(ranked.own[0].id) in query.regions
    return ranked.foreign_confidence >= SURE_AT and ranked.confidence < (_DOUBTED_AT if of_here else SURE_AT)


def _tied(own: Sequence[Candidate]) -> tuple[str, ...]:
    best = own[0].blend
    return tuple(item.id for item in own[:MAX_CHOICES] if item.blend > best - TIE_WITHIN)


def ambiguous(query: Query, own: Sequence[Candidate], desk: Desk) -> tuple[str, ...]:
    """Entries whose names all contain a question of a word or two; empty when it points to one."""
    words = key(filler.GENERIC.sub("", _content(query)))
    if not words or len(words) > 6 or (len(words) < _WORD < len(key(query.text))):
        return ()
    holding = [item for item in own[:10] if desk.name_contains(item.id, words)]
    if len(holding) < 2 or (own[0].name and len(own[0].name) >= len(words) and own[0] not in holding):
        return ()
    return tuple(item.id for item in holding[:MAX_CHOICES])


def _content(query: Query) -> str:
    """What is asked without places, politeness, question words and cues of browsing; its spelling for comparing."""
    return key(filler.PRONOUN.sub(" ", filler.BROWSE.sub(" ", query.rest)))


def hits(ranked: Ranked, desk: Desk) -> tuple[Hit, ...]:
    """Up to ten candidates with their scores, best first."""
    if not ranked.own and not ranked.foreign:
        return ()
    merged = sorted((*ranked.own, *ranked.foreign), key=lambda item: (item in ranked.foreign, -item.blend, item.id))
    return tuple(desk.hit(item, merged[:10]) for item in merged[:10])
