"""Browsing questions (「江北有哪些地方可以逛」) → the list of entries that match, best first."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot.model import Decision, Query, Status
from bot.text.normalise import key, normalise
from bot.understand import filler

if TYPE_CHECKING:
    from bot.decide import Ranked
    from bot.desk import Desk
    from bot.knowledge.schema import Entry
    from bot.match.postings import Weighed

_LISTED = re.compile(r"[ 、,，/]+")
_CONTENT_AT = 0.6
_SPECIFIC_NAME = 4
_ANYBODY = ("市民", "企业", "村民", "老年人")
"""Whom 「我能申请什么」 is taken to concern."""
_STORY = 32
"""A need told at greater length than this wants its one answer, whatever 「有哪些」 stands in it."""
_SURE_AT = 0.8
_AHEAD_BY = 3.5
"""One entry stands out when it is sure and its blend is this far ahead: its contents are asked for."""


def browse(query: Query, ranked: Ranked, desk: Desk) -> Decision | None:
    """A list when the question browses and at least two entries match; None otherwise."""
    bare = _only_a_heading(query, desk)
    if not bare and not _wants_several(query, ranked, desk):
        return None
    if not bare and not (
        query.themes
        or query.audiences
        or query.honour
        or query.years
        or query.regions
        or filler.APPLY.search(query.text)
        or topics_of(query, desk)
    ):
        return None
    if not bare and ranked.decoy is not None and (not ranked.own or ranked.decoy.blend > ranked.own[0].blend):
        return None
    apply = bool(filler.APPLY.search(query.text))
    if apply and not (query.audiences or query.themes):
        query = replace(query, audiences=_ANYBODY)
    shares = [desk.shares_told(words) for words in topics_of(query, desk)]
    near = {item.id for item in ranked.own[:5]}
    allowed = desk.allowed_regions(query.regions)
    own = frozenset(query.regions) - {desk.lexicon.city}
    scores = {
        entry.id: _fit(entry, query, shares, near)
        for entry in desk.book.entries.values()
        if entry.region in allowed and _passes(entry, query) and (not apply or _gives(entry))
    }
    note = ""
    if own:
        inside = {identifier: score for identifier, score in scores.items() if desk.region_of(identifier) in own}
        note = "" if any(inside.values()) else "city"
        scores = scores if note else inside
    found = sorted(
        (identifier for identifier, score in scores.items() if score > 0),
        key=lambda identifier: (-scores[identifier], desk.region_of(identifier) != query.home, identifier),
    )
    best = scores[found[0]] if found else 0.0
    found = [identifier for identifier in found if scores[identifier] >= 0.45 * best]
    if len(found) < 2:
        return None
    score = min(0.99, 0.5 + 0.1 * best)
    return Decision(Status.LIST, tuple(found), score, f"浏览类问题，共 {len(found)} 条", note=note)


def _wants_several(query: Query, ranked: Ranked, desk: Desk) -> bool:
    if len(query.text) > _STORY or _about_one(query, ranked):
        return False
    if query.browse:
        return not _stands_out(ranked)
    return query.browse_lightly and ranked.confidence < desk.calibration.answer_at


def _stands_out(ranked: Ranked) -> bool:
    if len(ranked.own) < 2:
        return bool(ranked.own) and ranked.confidence >= _SURE_AT
    return ranked.confidence >= _SURE_AT and ranked.own[0].blend - ranked.own[1].blend >= _AHEAD_BY


def _about_one(query: Query, ranked: Ranked) -> bool:
    """A named entry takes the question: 「锋领红帮有哪些内容」 browses nothing."""
    if not ranked.own:
        return False
    first = ranked.own[0]
    return len(first.name) >= _SPECIFIC_NAME and len(first.name) * 3 >= len(key(query.text))


def _only_a_heading(query: Query, desk: Desk) -> bool:
    """The whole text is a region, a theme, an audience or 「全国首创」."""
    rest = key(_uncued(desk.lexicon.without_regions(filler.bare(query.text))))
    if not rest:
        return bool(query.regions)
    if rest in desk.headings:
        return True
    return query.honour and not key(filler.HONOUR.sub("", rest))


def _passes(entry: Entry, query: Query) -> bool:
    if query.honour and not any("荣誉" in fact.about for fact in entry.facts):
        return False
    return not query.years or any(int(fact.as_of[:4]) in query.years for fact in entry.facts)


def _gives(entry: Entry) -> bool:
    """Whether an entry tells of money or of whom something is for: a thing that can be applied for."""
    return any({"费用", "对象"} & set(fact.about) for fact in entry.facts)


def _fit(entry: Entry, query: Query, shares: list[dict[str, float]], near: set[str]) -> float:
    """How well one entry fits: theme, audience and the words of the question, added up."""
    score = 0.0
    if entry.theme in query.themes:
        score += 1.0
    if set(entry.audience) & set(query.audiences):
        score += 1.0
    if shares:
        share = max(told[entry.id] for told in shares)
        score += 2.0 * share if share >= _CONTENT_AT else 0.0
    elif not query.themes and not query.audiences:
        score += 1.0
    if score and entry.id in near:
        score += 0.2
    return score


def _uncued(text: str) -> str:
    return filler.BROWSE_LIGHTLY.sub(" ", filler.BROWSE.sub(" ", text))


def topics_of(query: Query, desk: Desk) -> list[Weighed]:
    """Words of each thing that is browsed for (「打官司、调解、信访」 are three), without cues and places."""
    pieces = [part for part in _LISTED.split(normalise(query.raw)) if part] or [query.text]
    found = (_topic(part, desk) for part in pieces)
    return [desk.weigh(core) for core in found if core]


def _topic(text: str, desk: Desk) -> str:
    text = filler.HONOUR.sub(" ", _uncued(desk.lexicon.without_regions(filler.bare(text))))
    text = filler.GENERIC.sub(" ", text)
    text = desk.lexicon.facets.blank(text)
    return desk.lexicon.core(filler.PRONOUN.sub(" ", text))
