"""Follow-ups: questions that only make sense with the turn before them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from bot import decide, ellipsis
from bot.browse import browse_on
from bot.model import Decision, Query, Status
from bot.standing import find
from bot.text.normalise import key, normalise
from bot.understand.query import understand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.decide import Ranked
    from bot.desk import Desk
    from bot.model import Turn

_ALONE_AT = 0.75
"""A question that is this sure on its own needs no turn before it."""
_PLACED_AT = 0.3
"""Confidence that a place needs which nobody said: it makes every entry of that place likelier."""
_NUMBERS = {"1": 0, "2": 1, "3": 2, "4": 3, "5": 4, "一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "两": 1}
_POINTS = re.compile("[那这]一?[个条]")
_NTH = re.compile(
    "(?:选|就|要|我要|看看?|那|算了|还有|再?说说|[ ,])*第 ?([1-5一二三四五]) ?(?:个|条|项)(?:的|吧|呢)*(.*)"
)
"""One of what was offered, perhaps a few turns ago, and what is asked of it: 「第一个在哪」."""
_BACK = re.compile(
    "(?:换个问题|还是|回到|再说说?|说回|刚才|前面|说的?|问|那个|[的,， ])*"
    "(.{2,8}?)(?:那个|那条|那件|那事)(?:呢|嘞|吧)*[?？]?"
)
"""Something that was answered some turns ago, named by a word: 「换个问题，绿道那个呢」."""
_THAT_ONE = re.compile("(?:的|那个|这个|那一?个|那条|这条|吧|呢)+$|^(?:选|就|要|我要|看看?|说的是|是)+")
_ALL_OVER = re.compile("全市|整个市|市里")
_SAME = 0.6
"""Share of the earlier words, by weight, that a related entry must tell to be a district's word on the same thing."""

Settled = tuple[Query, "Ranked", Decision]


def picked(text: str, turns: Sequence[Turn], desk: Desk) -> str | None:
    """The entry chosen from the options of the turn before: by number (「选2」) or by a word (「医院那个」)."""
    if not turns:
        return None
    clean = normalise(text)
    nth = _NTH.match(clean)
    if nth is not None:
        offered = next((turn.offered for turn in reversed(turns[-ellipsis.MEMORY :]) if turn.offered), ())
        at = _NUMBERS[nth[1]]
        asks = not nth[2] or not understand(nth[2], desk.lexicon).has_content
        return offered[at] if at < len(offered) and asks else None
    named = key(_THAT_ONE.sub("", clean))
    offered = turns[-1].offered
    known = [found for found in offered if find(found, desk.book) is not None]
    holding = [found for found in known if len(named) > 1 and named in key(normalise(desk.label(found)))]
    if len(holding) == 1:
        narrows = named in desk.headings and not _POINTS.search(clean)
        return None if narrows and browse_on(understand(text, desk.lexicon), desk, turns[-1]) else holding[0]
    at = _NUMBERS.get(named, len(offered))
    return offered[at] if at < len(offered) else _answered_before(clean, turns, desk)


def _answered_before(text: str, turns: Sequence[Turn], desk: Desk) -> str | None:
    """The only entry of the turns before that a word points back to."""
    back = _BACK.fullmatch(text)
    if back is None:
        return None
    known = dict.fromkeys(found for turn in turns[-ellipsis.MEMORY :] for found in turn.ids if find(found, desk.book))
    holding = [found for found in known if key(back[1]) in key(normalise(desk.label(found)))]
    return holding[0] if len(holding) == 1 else None


def declined(text: str, turns: Sequence[Turn], label: str) -> bool:
    """Whether the text turns down the options of the turn before."""
    return bool(turns and turns[-1].offered) and key(normalise(text)) == key(normalise(label))


def follow(query: Query, ranked: Ranked, decision: Decision, desk: Desk, turns: Sequence[Turn]) -> Settled:
    """Settle a question that may lean on earlier turns; the newest that was answered is leant on."""
    alone = (query, ranked, decision)
    listed = browse_on(query, desk, turns[-1]) if decision.score < 1.0 or not query.has_content else None
    if listed is not None:
        return listed
    if ellipsis.no_small_talk(query, decision):
        if turns[-1].ids:
            return query, ranked, Decision(Status.ANSWER, turns[-1].ids[:1], 0.9, "接着上一句问的")
        if ellipsis.refused(turns[-1], desk):
            return query, ranked, Decision(Status.NONE, reason="接着没答上的那句问的")
    if ellipsis.hangs_on_refused(query, decision, turns[-1], desk):
        return query, ranked, Decision(Status.NONE, reason="接着没答上的那句问的")
    if decision.status is Status.SMALLTALK or decision.note in {"empty", "elsewhere"} or decision.score >= 1.0:
        return alone
    subject = ellipsis.subject_of(turns, desk)
    if subject is None or (subject.ids and subject.ids[0] not in desk.book.entries):
        return alone
    if not subject.ids and query.regions and not query.has_content:
        return _asked_again(query, desk, subject) or alone
    if subject.ids and ellipsis.asks_whom(query, decision, desk):
        query = replace(query, asked=query.asked or ("对象",))
        return query, ranked, Decision(Status.ANSWER, subject.ids[:1], 0.8, "接着上一句问的")
    if subject.ids and (not query.has_content or ellipsis.asks_on(query, ranked, decision, desk, subject)):
        return _elliptic(query, desk, ellipsis.first_words(subject, turns, desk))
    if decision.status is Status.ANSWER and decision.score >= _ALONE_AT and not query.follow_up:
        return alone
    if subject.ids and decision.status is not Status.ANSWER and _elsewhere(query, desk, subject):
        return _same_elsewhere(query, desk, subject)
    settled = _leaning(query, alone, desk, subject)
    turned = subject is not turns[-1] or ellipsis.TURNED.search(query.text) or query.regions
    return settled if turned else _either(settled, subject)


def _either(settled: Settled, subject: Turn) -> Settled:
    """A few words that lead away from what was just answered, and that without being sure: either may be meant."""
    query, ranked, found = settled
    unsure = found.status in {Status.ANSWER, Status.CHOICES} and found.score < decide.SURE_AT
    if not subject.ids or not unsure or found.ids[:1] == subject.ids[:1] or len(query.text) > ellipsis.FEW:
        return settled
    either = dict.fromkeys((*subject.ids[:1], *found.ids[:2]))
    return query, ranked, Decision(Status.CHOICES, tuple(either), found.score, "没说是不是接着上一句问的")


def _asked_again(query: Query, desk: Desk, subject: Turn) -> Settled | None:
    """What was asked of one district in vain, asked of another (「那镇海呢」); None when that finds nothing either."""
    asked = understand(desk.lexicon.without_regions(subject.text), desk.lexicon)
    if not asked.has_content:
        return None
    asked = replace(asked, regions=query.regions, asked=query.asked or asked.asked)
    ranked = decide.rank(asked, desk)
    decision = decide.decide(asked, ranked, desk)
    found = decision.status in {Status.ANSWER, Status.CHOICES} or decision.note == "neighbour"
    return (asked, ranked, decision) if found else None


def _elsewhere(query: Query, desk: Desk, subject: Turn) -> bool:
    """Whether a few words about what was just answered name another district (「鄞州的清单呢」)."""
    if not query.regions or query.outside or desk.region_of(subject.ids[0]) in desk.allowed_regions(query.regions):
        return False
    return desk.share_told(subject.ids[0], desk.weigh(query.core)) >= _SAME


def _elliptic(query: Query, desk: Desk, subject: Turn) -> Settled:
    """Only a facet (「要多少钱」) or a place (「那镇海呢」) is new."""
    entry = desk.book.entries[subject.ids[0]]
    if not query.regions and _ALL_OVER.search(query.text):
        query = replace(query, regions=(desk.lexicon.city,))
    here = desk.allowed_regions(query.regions) - {desk.lexicon.city} | frozenset(query.regions)
    wider = query.regions == (desk.lexicon.city,) and entry.region != desk.lexicon.city
    if query.regions and (wider or entry.region not in here):
        return _same_elsewhere(query, desk, subject)
    query = query if query.regions else replace(query, regions=subject.regions)
    ranked = decide.rank(query, desk)
    return query, ranked, Decision(Status.ANSWER, subject.ids[:1], 0.9, "接着上一句问的")


def _same_elsewhere(query: Query, desk: Desk, subject: Turn) -> Settled:
    """The same need in another district: the earlier words asked again, what holds for the city, a related entry."""
    entry = desk.book.entries[subject.ids[0]]
    linked = [other for other in desk.register.linked(entry) if desk.region_of(other) in query.regions]
    asked = understand(desk.lexicon.without_regions(subject.text) or entry.name, desk.lexicon)
    asked = replace(asked, regions=query.regions, asked=query.asked or asked.asked)
    ranked = decide.rank(asked, desk)
    decision = decide.decide(replace(asked, raw=""), ranked, desk)
    first = ranked.own[0].id if ranked.own else None
    own = bool(decision.ids) and desk.region_of(decision.ids[0]) in query.regions
    sure = own and (decision.score >= decide.SURE_AT or decision.ids[0] in linked)
    if entry.region == desk.lexicon.city and not sure:
        words = desk.weigh(asked.core)
        own_word = next((other for other in linked if desk.share_told(other, words) >= _SAME), entry.id)
        return asked, ranked, Decision(Status.ANSWER, (own_word,), 0.9, "接着上一句问的，换了地区")
    if linked and (decision.status is not Status.ANSWER or first not in linked):
        return asked, ranked, Decision(Status.ANSWER, (linked[0],), max(0.6, decision.score), "这个地区相关的一条")
    if decision.status is Status.NONE:
        decision = replace(decision, reason="上一句的那个地区才有", note="neighbour", near=(entry.id,))
    return asked, ranked, decision


def _leaning(query: Query, alone: Settled, desk: Desk, subject: Turn) -> Settled:
    """Try the question with the region, then with the words, of the turn before; keep the surest reading."""
    readings = [alone]
    if subject.regions and not query.regions:
        placed = replace(query, regions=subject.regions)
        ranked = decide.rank(placed, desk)
        found = decide.decide(placed, ranked, desk)
        if found.score >= _PLACED_AT:
            readings.append((placed, ranked, found))
    if subject.ids:
        readings += _with_subject(query, desk, subject)
    answered = [item for item in readings if item[2].status is Status.ANSWER]
    return max(answered, key=lambda item: item[2].score, default=alone)


def _with_subject(query: Query, desk: Desk, subject: Turn) -> list[Settled]:
    entry = desk.book.entries[subject.ids[0]]
    if query.regions and entry.region not in desk.allowed_regions(query.regions):
        return []
    share = desk.share_told(entry.id, desk.weigh(query.core))
    if share < 0.5 or query.outside or query.elsewhere:
        return []
    joined = understand(f"{entry.name} {query.text}", desk.lexicon)
    joined = replace(joined, asked=query.asked, regions=query.regions or subject.regions)
    ranked = decide.rank(joined, desk)
    return [
        (
            replace(query, regions=joined.regions),
            ranked,
            Decision(Status.ANSWER, (entry.id,), 0.4 + 0.4 * share, "接着上一句问的"),
        )
    ]
