"""Browsing questions (「江北有哪些地方可以逛」) → the list of entries that match, best first."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bot import decide, honours
from bot.model import Decision, Query, Status
from bot.text.normalise import key, normalise
from bot.understand import filler, talk
from bot.understand.query import understand

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bot.decide import Ranked
    from bot.desk import Desk
    from bot.match.postings import Weighed
    from bot.model import Turn

_LISTED = re.compile(r"[ 、,，/]+")
_CONTENT_AT = 0.6
_WORD, _WORD_AT = 3, 0.8
"""A topic of so few characters and pairs is told of only where more stands than its characters, one here, one there."""
_SPECIFIC_NAME, _SHORT_NAME = 4, 3
"""Characters of a name that takes a question three times, or twice, as long."""
_NOT_FAR_BEHIND = 0.45
"""Of the best score: from here on an entry is listed, too."""
_NEAR = 5
"""Candidates that count as near the question."""
_GIVEN = ("费用", "对象")
"""Of these an entry tells that can be applied for: of money, or of whom it is for."""
_ANYBODY = ("市民", "企业", "村民", "老年人")
"""Whom 「我能申请什么」 is taken to concern."""
_TELLS_NOTHING = (
    filler.YEAR,
    filler.RECENT,
    filler.HONOUR,
    filler.KIND,
    filler.WHICH,
    filler.GENERIC,
    filler.PRONOUN,
)
MAX_LINES = 12
"""Entries that a reply lists."""
_MORE = re.compile(
    "(?:那|嗯|哦|好的?)*[, ，]*(?:还有|别的|其[他它]的?|另外的?|剩下的?|后面的?|继续|接着|下一页|再)"
    "(?:还?有|哪些|哪几[个条]|几[个条]|什么|啥|别的|其[他它]的?|更多|[说看列讲]|[一几]下)*(?:的|[了呢嘞吗伐么不没吧])*[?？]?"
)
"""「还有哪些」 after a list: the next entries of it."""
GENERAL = "general"
"""Note of a decision about a question that names nothing at all."""
_STORY = 32
"""A need told at greater length than this wants its one answer, whatever 「有哪些」 stands in it."""
_POINTS = re.compile("[那这]一?[个条件](?:事情?)?(?:呢|嘞|吧)?$")
"""「镇海网格那个」 means one thing."""
_CLAUSES = re.compile(".{6}[，,。]")
_FIELD = re.compile(
    "方面|领域|清单$|(?:的|都)有哪|(?:有关|相关|一类)的?有(?:哪|几)|哪些(?:跟|和|与|同|路子|门路|渠道|去处)"
)
"""Words that ask for everything of a field, even where one entry stands out."""
_SURE_AT = 0.8
_AHEAD_BY = 3.5
"""One entry stands out when it is sure and its blend is this far ahead: its contents are asked for."""


def browse(query: Query, ranked: Ranked, desk: Desk) -> Decision | None:
    """A list when the question browses and at least two entries match; None otherwise.

    A heading alone is never matched like a question: it has one entry, or none, when it has no list.
    """
    if not desk.book.entries:
        return None
    said = _said(query, desk)
    rest = _rest(said)
    one = (_POINTS.search(query.text) and not query.browse) or _names_one(query, ranked, desk)
    if _is_heading(query, said, rest, desk) and not one:
        return _under(query, ranked, desk) or _nothing(query)
    applies = bool(filler.APPLY.search(query.text))
    if not applies and not rest:
        return _in_general(query)
    if not _wants_several(query, ranked, desk):
        return None
    slots = query.themes or query.audiences or query.honour or query.years or query.regions
    if not (slots or applies or topics_of(query, desk)):
        return None
    outside = ranked.decoy is not None and (not ranked.own or ranked.decoy.blend > ranked.own[0].blend)
    if query.outside or (outside and not _of_a_field(query)):
        return None
    found = _under(query, ranked, desk)
    return found if found is not None and found.status is Status.LIST else None


def browse_on(query: Query, desk: Desk, earlier: Turn) -> tuple[Query, Ranked, Decision] | None:
    """The list of the turn before, under one more heading (「企业的呢」, 「那江北呢」), or what is left of it.

    None when it was none.
    """
    more = _MORE.fullmatch(query.text) is not None
    if not earlier.offered or not (more or only_a_heading(query, desk)):
        return None
    text = " ".join(part for part in earlier.text.split() if not _MORE.fullmatch(part))
    text = desk.lexicon.without_regions(text) if query.regions else text
    text = filler.YEAR.sub(" ", text) if query.years else text
    before = understand(text, desk.lexicon)
    listed = before.browse or before.browse_lightly or only_a_heading(replace(before, regions=earlier.regions), desk)
    if not listed or desk.exact(before):  # what stands in the bank as it is was offered to choose from
        return None
    if more:
        return _more(replace(before, regions=earlier.regions), desk, 1 + _pages(earlier.text))
    joined = replace(
        query,
        raw=f"{text} {query.text}",
        text=f"{text} {query.text}",
        rest=f"{before.rest} {query.rest}",
        regions=query.regions or earlier.regions,
        years=query.years or before.years,
        themes=query.themes or before.themes,
        audiences=query.audiences or before.audiences,
        honour=query.honour or before.honour,
    )
    ranked = decide.rank(joined, desk)
    found = _under(joined, ranked, desk)
    return None if found is None else (joined, ranked, found)


def _more(query: Query, desk: Desk, pages: int) -> tuple[Query, Ranked, Decision] | None:
    """A list again, without the entries that stood on so many pages of it."""
    ranked = decide.rank(query, desk)
    found = _under(query, ranked, desk)
    if found is None:
        return None
    rest = found.ids[pages * MAX_LINES :]
    status = Status.LIST if len(rest) > 1 else Status.ANSWER if rest else Status.NONE
    note = {Status.LIST: "more", Status.NONE: "no_more"}.get(status, "")
    found = replace(found, status=status, ids=rest, reason=f"接着列，还有 {len(rest)} 条", note=note)
    return replace(query, text=" ".join((query.text, *["还有吗"] * pages))), ranked, found


def _pages(text: str) -> int:
    """How often the text of a turn goes on with its list."""
    return sum(_MORE.fullmatch(part) is not None for part in text.split())


def _under(query: Query, ranked: Ranked, desk: Desk) -> Decision | None:
    """What stands under the headings of a query: a list, or the only entry; None when nothing does."""
    apply = bool(filler.APPLY.search(query.text))
    if apply and not (query.audiences or query.themes):
        query = replace(query, audiences=_ANYBODY)
    register = desk.register
    scores, told = _fits(query, ranked, desk)
    scores *= register.under("region", desk.allowed_regions(query.regions)) & _passing(query, desk, apply)
    own, note = frozenset(query.regions) - {desk.lexicon.city}, ""
    if own:
        inside = register.under("region", own)
        asked_for = inside & told if told.any() and not query.audiences else inside
        note = "" if scores[asked_for].any() else "city"
        scores *= ~inside if note else inside
    places = register.best_first(scores, query.home)
    best = float(scores[places[0]]) if len(places) else 0.0
    found = tuple(register.ids[at] for at in places[scores[places] >= _NOT_FAR_BEHIND * best].tolist())
    score = min(0.99, 0.5 + 0.1 * best)
    if len(found) < 2:
        return Decision(Status.ANSWER, found, score, "这一类只有这一条") if found else None
    return Decision(Status.LIST, found, score, f"浏览类问题，共 {len(found)} 条", note=note)


def _wants_several(query: Query, ranked: Ranked, desk: Desk) -> bool:
    if len(query.text) > _STORY:
        return False
    if _of_a_field(query):
        return True
    if _about_one(query, ranked):
        return False
    if query.browse:
        return not _stands_out(ranked)
    return query.browse_lightly and ranked.confidence < desk.calibration.answer_at


def _of_a_field(query: Query) -> bool:
    """Whether everything of a theme, or for somebody, is asked for."""
    told = bool(_FIELD.search(query.text)) and not _CLAUSES.search(query.text)  # a story wants its one answer
    return told and query.browse and bool(query.themes or query.audiences)


def _stands_out(ranked: Ranked) -> bool:
    if len(ranked.own) < 2:
        return bool(ranked.own) and ranked.confidence >= _SURE_AT
    return ranked.confidence >= _SURE_AT and ranked.own[0].blend - ranked.own[1].blend >= _AHEAD_BY


def _about_one(query: Query, ranked: Ranked) -> bool:
    """A named entry takes the question: 「锋领红帮有哪些内容」 browses nothing."""
    if not ranked.own:
        return False
    first = ranked.own[0]
    length, asked = len(first.name), len(key(query.text))
    return length * 3 >= asked if length >= _SPECIFIC_NAME else length >= _SHORT_NAME and length * 2 >= asked


def _names_one(query: Query, ranked: Ranked, desk: Desk) -> bool:
    """The place or the year belongs to the name of an entry: 「鄞州的前洋E商小镇」, 「科技 2025 是什么」."""
    if not _about_one(query, ranked):
        return False
    name = ranked.own[0].name
    return desk.lexicon.places.blank(name) != name or any(str(year) in name for year in query.years)


def only_a_heading(query: Query, desk: Desk) -> bool:
    """The whole text is a region, a year, a theme, an audience or 「全国首创」, whatever it calls that (改革, 政策)."""
    said = _said(query, desk)
    return _is_heading(query, said, _rest(said), desk)


def _is_heading(query: Query, said: str, rest: str, desk: Desk) -> bool:
    if key(said) in desk.headings or rest in desk.headings:
        return True
    return not rest and bool(query.regions or query.years or query.honour)


def _said(query: Query, desk: Desk) -> str:
    """What a question says beside its place and that it browses."""
    return _uncued(desk.lexicon.without_regions(filler.bare(query.text)))


def _rest(said: str) -> str:
    """What of that is no time and no word for whatever is browsed for; its spelling for comparing."""
    for pattern in _TELLS_NOTHING:
        said = pattern.sub(" ", said)
    return key(said)


def _nothing(query: Query) -> Decision:
    if not query.years:
        return Decision(Status.NONE, reason="没有这一类的条目")
    return Decision(Status.NONE, reason=f"没有 {'、'.join(map(str, query.years))} 年的条目", note="period")


def _in_general(query: Query) -> Decision | None:
    """「有哪些改革」 asks what there is to ask; 「最近有什么政策」 for what only newer material could tell."""
    if filler.RECENT.search(query.text):
        return Decision(Status.NONE, reason="问的是眼下的", note="period")
    if filler.KIND.search(query.text):
        return Decision(Status.SMALLTALK, reason="问的是能问什么", talk=talk.HELP, score=1.0, note=GENERAL)
    return None


def _passing(query: Query, desk: Desk, apply: bool) -> NDArray[np.bool_]:
    """Which entries are of the honours and years that are browsed for, and where it applies, can be applied for."""
    found = np.ones(len(desk.register.ids), dtype=bool)
    if query.honour:
        found &= desk.register.under("honour", (honours.asked(query.text),))
    if query.years:
        found &= desk.register.under("year", query.years)
    if apply:
        found &= desk.register.under("about", _GIVEN)
    return found


def _fits(query: Query, ranked: Ranked, desk: Desk) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """How well each entry fits, and which tell of the words of the question: theme, audience and words, added up."""
    register, topics = desk.register, topics_of(query, desk)
    scores = register.under("theme", query.themes).astype(np.float64)
    scores += register.under("audience", query.audiences)
    told = np.zeros(len(scores), dtype=bool)
    if topics:
        enough = max(_WORD_AT if len(words.places) <= _WORD else _CONTENT_AT for words in topics)
        share = np.max([desk.shares_told(words) for words in topics], axis=0)
        told = share >= enough
        scores += 2.0 * share * told
    elif not query.themes and not query.audiences:
        scores += 1.0
    near = [item.place for item in ranked.own[:_NEAR] if item.place < len(scores)]
    scores[near] += 0.2 * (scores[near] > 0)
    return scores, told


def _uncued(text: str) -> str:
    return filler.BROWSE_LIGHTLY.sub(" ", filler.BROWSE.sub(" ", text))


def topics_of(query: Query, desk: Desk) -> list[Weighed]:
    """Words of each thing that is browsed for (「打官司、调解、信访」 are three), without cues and places."""
    pieces = [part for part in _LISTED.split(normalise(query.raw)) if part] or [query.text]
    found = (_topic(named, desk) for part in pieces for named in _each_named(part, desk))
    return [desk.weigh(core) for core in found if core]


def _each_named(text: str, desk: Desk) -> list[str]:
    """The words of a text that themes go by where it has several (「菜场食品安全」), else the text."""
    words = [word for _, word, _ in desk.lexicon.themes.find(text)]
    return words if len(words) > 1 else [text]


def _topic(text: str, desk: Desk) -> str:
    text = filler.HONOUR.sub(" ", _uncued(desk.lexicon.without_regions(filler.bare(text))))
    text = filler.GENERIC.sub(" ", filler.WHICH.sub(" ", filler.YEAR.sub(" ", text)))
    text = desk.lexicon.facets.blank(text)
    return desk.lexicon.core(filler.PRONOUN.sub(" ", text))
