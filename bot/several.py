"""A message that asks several things: each of them, decided. A message that may as well ask one is left as it is."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from bot import decide
from bot.follow import follow
from bot.model import Decision, Query, Status
from bot.text.normalise import normalise
from bot.understand.query import understand
from bot.understand.split import segments, split

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.desk import Desk
    from bot.model import Turn

PART_AT = 0.5
"""Confidence that each question of a message needs, lest one long question fall apart."""
_UNNAMED_AT = 0.8
"""The same for one that asks for nothing by name."""
_SAYS = 2.0
"""What such a piece weighs at least, as a share of the rarest character's weight."""
_COMPARE = re.compile("区别|不同|差别|两样|一样吗|不一样|一回事|什么关系|啥关系|哪个好")
_EACH = re.compile("各|分别|(?<!首)都(?!市|会)|两(?:个区|个县|地|边)|区别|不同|差别|比起来|对比")
_AND = re.compile("[跟和、]|(?<!参)与|(?<![一共相合])同(?!时|一|意|样|步)|还有|以及")
_SAID_OF_BOTH = re.compile(f"(?:{_COMPARE.pattern}|分别|各自?|都|是不是|有没有|有?(?:什么|啥)(?=不|区|差|两|关))+")
_FORM = re.compile("怎么|咋|哪能|啥|什么|谁|哪|多少|几|(.)[不没]\\1|有没|[吗伐不没么]$")
"""What makes a piece of a message a question, whatever it asks for."""
_CLOSED = re.compile("(?:(?:怎么|咋|哪能)[^ ,，]{1,4}|(?:几|多少)[^ ,，]{0,4}|啥|什么|哪里?|吗|伐)的?$")
"""The end of a question: what a joint sets beside it is another one."""
_TOLD_BY_ONE = 0.65
"""Share of each piece, by weight, that one entry tells when the pieces belong together."""
_NAME = 3
_THING = 3
"""Characters, at least, of a thing that is set beside another."""

Settled = tuple[Decision, Query]


def parts(text: str, desk: Desk, turns: Sequence[Turn] = ()) -> list[Settled]:
    """Decisions for each question of a message that asks several different things; else empty.

    The first may lean on the turns before.
    """
    clean = "\n".join(line for line in map(normalise, text.splitlines()) if line)
    compared = _compared(clean, desk)
    if compared:
        return compared
    pieces = split(clean)
    if len(pieces) > 1:
        return _settle(_queries(pieces, desk), desk, turns)
    beside = _side_by_side(clean, desk) or _by_district(clean, desk) or _joined(clean, desk)
    if beside:
        return beside
    pieces = segments(clean)
    if not (pieces and _all_ask(pieces, desk)):
        return []
    settled = _apart(pieces, desk)
    least = PART_AT if len({query.regions for _, query in settled}) > 1 else decide.SURE_AT
    sure = all(decision.score >= (least if query.asked else _UNNAMED_AT) for decision, query in settled)
    return settled if sure else []


def _all_ask(pieces: Sequence[str], desk: Desk) -> bool:
    return all(_FORM.search(piece) or desk.asks(piece) for piece in pieces)


def may_be(text: str, desk: Desk) -> bool:
    """Whether a message could fall into several questions; surely not when this says no."""
    if _COMPARE.search(text) or _EACH.search(text) or len(split(text)) > 1 or any(_at_joints(text)):
        return True
    pieces = segments(text)
    return bool(pieces) and _all_ask(pieces, desk)


def _compared(text: str, desk: Desk) -> list[Settled]:
    """Two entries named in a question about their difference; else empty."""
    if not _COMPARE.search(text):
        return []
    owners = [owners for _, name, owners in desk.matcher.index.names.find(text) if len(name) >= _NAME]
    ids = list(dict.fromkeys(desk.matcher.index.ids[places[0]] for places in owners if len(places) == 1))
    query = understand(text, desk.lexicon)
    return (
        [(Decision(Status.ANSWER, (identifier,), 0.9, "比较两件事"), query) for identifier in ids]
        if len(ids) == 2
        else []
    )


def _side_by_side(text: str, desk: Desk) -> list[Settled]:
    """Two things of which the same is asked (「健康驿站和场所码分别几天弄好的」), each sure by itself; else empty."""
    if not (_EACH.search(text) or _COMPARE.search(text)):
        return []
    bare = _SAID_OF_BOTH.sub(" ", text)
    for found in _AND.finditer(bare):
        pieces = bare[: found.start()].strip(), bare[found.end() :].strip()
        queries = list(_queries(pieces, desk)) if min(map(len, pieces)) >= _THING else []
        settled = _settle(queries, desk) if queries and not _belong_together(queries, desk) else []
        if settled and all(decision.score >= decide.SURE_AT for decision, _ in settled):
            asked = settled[-1][1].asked
            return [(decision, replace(query, asked=query.asked or asked)) for decision, query in settled]
    return []


def _joined(text: str, desk: Desk) -> list[Settled]:
    """A whole question joined to another one (「36 条是啥和三权分置是啥」), each sure by itself; else empty."""
    for pieces in _at_joints(text):
        settled = _apart(pieces, desk)
        if settled and all(decision.score >= decide.SURE_AT for decision, _ in settled):
            return settled
    return []


def _at_joints(text: str) -> Iterator[tuple[str, str]]:
    """What stands before and after each joint that follows the end of a question."""
    for found in _AND.finditer(text):
        before, after = text[: found.start()].strip(), text[found.end() :].strip()
        if _CLOSED.search(before) and min(len(before), len(after)) > _THING:
            yield before, after


def _by_district(text: str, desk: Desk) -> list[Settled]:
    """One question about two districts (「宁海和鄞州的清单各几条」), when each has its own answer; else empty."""
    named = (name for _, _, name in desk.lexicon.regions.find(text)) if _EACH.search(text) else ()
    regions = [name for name in dict.fromkeys(named) if name != desk.lexicon.city]
    if len(regions) <= 1:
        return []
    need = understand(desk.lexicon.without_regions(text), desk.lexicon)
    found: list[Settled] = []
    for region in regions:
        query = replace(need, regions=(region,))
        decision = decide.decide(query, decide.rank(query, desk), desk)
        own = bool(decision.ids) and desk.region_of(decision.ids[0]) == region
        if decision.status is Status.ANSWER and own and decision.score >= decide.SURE_AT:
            found.append((decision, query))
    return found if len(found) == len(regions) else []


def _apart(pieces: Sequence[str], desk: Desk) -> list[Settled]:
    """Different answers to pieces that may be questions of their own; most that may not are seen without ranking."""
    queries = list(_queries(pieces, desk))
    alone = all(query.asked or _stands_alone(query, desk) for query in queries)
    return _settle(queries, desk) if alone and not _belong_together(queries, desk) else []


def _stands_alone(query: Query, desk: Desk) -> bool:
    """Whether a piece that asks for nothing by name says so much that it need not lean on the piece beside it."""
    return desk.weigh(query.core).mass >= _SAYS * desk.matcher.index.vocabulary.unknown


def _belong_together(queries: Sequence[Query], desk: Desk) -> bool:
    """Whether one entry tells of all the pieces: they are of one question, and need not be ranked to see it."""
    shares = [desk.shares_told(desk.weigh(query.core)) for query in queries]
    return bool(np.min(shares, axis=0).max(initial=0.0) >= _TOLD_BY_ONE)


def _settle(queries: Iterable[Query], desk: Desk, turns: Sequence[Turn] = ()) -> list[Settled]:
    """Different answers to some of the pieces; empty as soon as one is not sure enough, or only one can be left."""
    asked = [query for query in queries if turns or not decide.is_hopeless(query, desk)]
    settled: list[Settled] = []
    for ahead, query in zip(reversed(range(len(asked))), asked, strict=True):
        if len(settled) + ahead < 1:
            return []
        ranked = decide.rank(query, desk)
        decision = decide.decide(query, ranked, desk)
        if turns and not settled:
            query, _, decision = follow(query, ranked, decision, desk, turns)
        if decision.status is Status.ANSWER and decision.ids not in [done[0].ids for done in settled]:
            if decision.score < PART_AT:
                return []
            settled.append((decision, query))
    return settled if len(settled) > 1 else []


def _queries(pieces: Sequence[str], desk: Desk) -> Iterator[Query]:
    """The pieces of a message, understood; what names no place is about the place of the piece before."""
    regions: tuple[str, ...] = ()
    for piece in pieces:
        query = understand(piece, desk.lexicon)
        if regions and not query.regions:
            query = replace(query, regions=regions)
        regions = query.regions
        yield query
