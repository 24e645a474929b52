"""Decision → Reply: which facts, in which order, with which period, caution and source."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from bot.browse import MAX_LINES
from bot.model import Block, Decision, Option, Query, Reply, Source, Status
from bot.notes import beside, unknown
from bot.text.normalise import tight
from bot.understand import filler, talk

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence

    from bot.desk import Desk
    from bot.knowledge.schema import Entry, Fact, SourceItem

T = TypeVar("T")

MAX_FACTS = 4
_OLD_YEARS = 3
_SHARED = frozenset({"title", "summary", "fact", "period", "source", "caution"})
"""Kinds of blocks that never repeat a citizen's words."""
_HAS = re.compile("[的都还]*有?[ ?]*$")
"""What is left of 「养老有哪些政策」 beside its subject."""


def compose(decision: Decision, query: Query, desk: Desk, today: dt.date) -> Reply:
    """Word one decision. `today` only decides whether facts are called old."""
    makers = {
        Status.ANSWER: _answer,
        Status.CHOICES: _choices,
        Status.LIST: _list,
        Status.SMALLTALK: _smalltalk,
    }
    return makers.get(decision.status, _none)(decision, query, desk, today)


def compose_parts(parts: Sequence[tuple[Decision, Query]], desk: Desk, today: dt.date) -> Reply:
    """Word the answers to several questions of one message, in order."""
    replies = [compose(decision, query, desk, today) for decision, query in parts]
    ids = _distinct(identifier for reply in replies for identifier in reply.ids)
    options = _distinct(option for reply in replies for option in reply.options if option.id not in ids)
    return Reply(
        status=Status.ANSWER if ids else Status.NONE,
        blocks=tuple(block for reply in replies for block in reply.blocks),
        ids=ids,
        score=min(reply.score for reply in replies),
        sources=_distinct(source for reply in replies for source in reply.sources),
        options=tuple(options[:MAX_FACTS]),
    )


def _distinct(items: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(items))


def _answer(decision: Decision, query: Query, desk: Desk, today: dt.date) -> Reply:
    if decision.ids[0] in desk.book.faqs:
        return _faq(decision, desk)
    entry = desk.book.entries[decision.ids[0]]
    facts = pick_facts(entry, query, desk)
    blocks = [("title", title(entry))]
    blocks += [("note", line) for line in (*unknown(entry, query, desk), *beside(entry, query, desk, today))]
    blocks.append(("summary", entry.summary))
    period = _usual_period(facts)
    for fact in facts:
        apart = "" if fact.period == period else f"（{_inline(fact.period)}）"
        blocks.append(("fact", fact.text + apart))
    blocks.append(("period", f"资料期间：{period}"))
    sources = cite(facts, desk)
    blocks.append(("source", "来源：" + "；".join(f"{source.title}（{_inline(source.date)}）" for source in sources)))
    caution = entry.caution or (desk.book.texts["old_fact_caution"] if _old(facts, today) else "")
    if caution:
        blocks.append(("caution", caution))
    related = (desk.book.entries[other] for other in entry.related)
    options = tuple(Option(other.id, other.name) for other in related)[:3]
    return Reply(Status.ANSWER, _tight(blocks), decision.ids, decision.score, sources, options)


def _faq(decision: Decision, desk: Desk) -> Reply:
    """The curated answer as it stands, with what is known of its period and source."""
    faq = desk.book.faqs[decision.ids[0]]
    blocks = [
        ("title", faq.question),
        *(("summary", line) for line in faq.answer.splitlines() if line.strip()),
    ]
    sources: tuple[Source, ...] = ()
    if faq.period:
        blocks.append(("period", f"资料期间：{faq.period}"))
    if faq.source:
        sources = (_source(desk.book.sources[faq.source]),)
        blocks.append(("source", f"来源：{sources[0].title}（{_inline(sources[0].date)}）"))
    options = (Option(faq.entry, desk.label(faq.entry)),) if faq.entry else ()
    return Reply(Status.ANSWER, _tight(blocks), (desk.public(faq.id),), decision.score, sources, options)


def _usual_period(facts: Sequence[Fact]) -> str:
    """The period of most of the facts; of the first of them when none is more common."""
    periods = [fact.period for fact in facts]
    return max(periods, key=periods.count)


def _inline(period: str) -> str:
    """A period for use within brackets."""
    return period.replace("（", "，").replace("）", "")


def title(entry: Entry) -> str:
    """Name and place in one line."""
    return f"{entry.name}｜{entry.region}"


def pick_facts(entry: Entry, query: Query, desk: Desk) -> tuple[Fact, ...]:
    """At most four facts: the one that was asked for first, the others in the order of the file."""
    words = desk.matcher.index.tokens(query.core)
    scored: list[tuple[float, int, Fact]] = []
    for at, (fact, weights) in enumerate(zip(entry.facts, desk.fact_weights(entry.id), strict=True)):
        score = sum(weights[token] for token in words & weights.keys()) / 8
        score += sum(2.0 - 0.5 * fact.about.index(asked) for asked in query.asked if asked in fact.about)
        scored.append((score, at, fact))
    best = sorted(scored, key=lambda item: (-item[0], item[1]))[:MAX_FACTS]
    lead, rest = best[0], sorted(best[1:], key=lambda item: item[1])
    return tuple(item[2] for item in (lead, *rest))


def cite(facts: Sequence[Fact], desk: Desk) -> tuple[Source, ...]:
    """The distinct sources of some facts."""
    return tuple(_source(desk.book.sources[name]) for name in _distinct(fact.source for fact in facts))


def _source(item: SourceItem) -> Source:
    return Source(item.id, f"《{item.title}》" if item.title else str(item.description), item.date_text, item.url or "")


def _old(facts: Sequence[Fact], today: dt.date) -> bool:
    return min(int(fact.as_of[:4]) for fact in facts) < today.year - _OLD_YEARS


def _choices(decision: Decision, query: Query, desk: Desk, today: dt.date) -> Reply:  # noqa: ARG001
    blocks = [("heading", desk.book.texts["choices_lead"])]
    facts: list[Fact] = []
    for number, identifier in enumerate(decision.ids, 1):
        entry = desk.book.entries.get(identifier)
        facts += entry.facts[:1] if entry else ()
        said = f"{entry.name}（{entry.region}）：{entry.summary}" if entry else desk.label(identifier)
        blocks.append(("item", f"{number}. {said}"))
    options = (
        *(Option(identifier, desk.label(identifier)) for identifier in decision.ids),
        Option("", desk.book.texts["not_these"]),
    )
    ids = _distinct(desk.public(identifier) for identifier in decision.ids)
    return Reply(Status.CHOICES, _tight(blocks), ids, decision.score, cite(facts, desk), options)


def _list(decision: Decision, query: Query, desk: Desk, today: dt.date) -> Reply:  # noqa: ARG001
    entries = [desk.book.entries[identifier] for identifier in decision.ids]
    several = len({entry.region for entry in entries}) > 1
    groups: dict[str, list[Entry]] = {}
    for entry in entries[:MAX_LINES]:
        groups.setdefault(entry.region if several else entry.theme, []).append(entry)
    label = _label(query)
    lead = "list_lead_city" if decision.note == "city" else "list_lead"
    said = desk.book.text(lead, count=str(len(entries)), label=label)
    blocks = [("heading", f"“{label}”方面还有这 {len(entries)} 条：" if decision.note == "more" else said)]
    for heading, members in groups.items():
        blocks.append(("heading", heading))
        blocks += [("item", f"· {entry.name}") for entry in members]
    if len(entries) > MAX_LINES:
        left = len(entries) - MAX_LINES
        blocks.append(("note", f"还有 {left} 条没有列出，说“还有吗”接着列；也可以加上地区或主题再问。"))
    sources = cite([fact for entry in entries[:MAX_LINES] for fact in entry.facts[:1]], desk)
    options = tuple(Option(entry.id, entry.name) for entry in entries[:5])
    return Reply(Status.LIST, _tight(blocks), decision.ids, decision.score, sources, options)


def _label(query: Query) -> str:
    """What was browsed for, in the words of the registries where there are any."""
    years = (f"{year} 年" for year in query.years)
    parts = [*query.regions, *years, *query.themes, *query.audiences, *(["首创和荣誉"] if query.honour else [])]
    if not parts and filler.APPLY.search(query.text):
        return "市民和企业能申请、享受的"
    return "、".join(parts[:3]) or _HAS.sub("", filler.BROWSE.sub("", query.text)).strip() or query.text


def _smalltalk(decision: Decision, query: Query, desk: Desk, today: dt.date) -> Reply:  # noqa: ARG001
    if decision.talk == talk.HELP:
        return Reply(Status.SMALLTALK, (Block("summary", desk.book.texts["help"]),), (), decision.score)
    item = next(item for item in desk.book.talk if item.id == decision.talk)
    at = len(query.text) % len(item.answers)  # varies, yet the same question gets the same reply
    return Reply(Status.SMALLTALK, (Block("summary", item.answers[at]),), (), decision.score)


def _none(decision: Decision, query: Query, desk: Desk, today: dt.date) -> Reply:  # noqa: ARG001
    book = desk.book
    if decision.note in {"closed", "paused"}:
        said = book.text(decision.note, name=desk.label(decision.near[0]))
        return Reply(Status.NONE, _tight([("summary", said)]), (), decision.score)
    near = [(desk.label(identifier), desk.region_of(identifier)) for identifier in decision.near]
    if decision.note == "empty":
        blocks = [("summary", book.texts["empty"])]
    elif decision.note == "which":
        blocks = [("summary", book.texts["which"])]
    elif decision.note == "period":
        years = desk.register.years
        blocks = [("summary", book.text("no_period", first=years[0], last=years[-1]))]
    elif decision.note == "no_more":
        blocks = [("summary", "这一类就是这些，没有别的了。")]
    elif decision.note == "gone":
        blocks = [("summary", book.texts["gone"])]
    elif decision.note == "not_these":
        blocks = [("summary", book.texts["not_these_reply"])]
    elif decision.note == "elsewhere":
        blocks = [("summary", book.text("none_elsewhere", place=query.elsewhere or ""))]
    elif decision.note == "outside":
        blocks = _outside(query, desk)
    elif decision.note == "neighbour":
        asked = "、".join(query.regions)
        blocks = [("summary", book.text("neighbour_offer", asked=asked, owner=near[0][1]))]
        blocks.append(("item", f"· {near[0][0]}（{near[0][1]}）"))
    else:
        blocks = [("summary", book.texts["none"])]
        if near:
            blocks.append(("note", "也许您想问：" + "、".join(f"{name}（{region}）" for name, region in near)))
    options = tuple(Option(identifier, desk.label(identifier)) for identifier in decision.near)
    return Reply(Status.NONE, _tight(blocks), (), decision.score, (), options)


def _outside(query: Query, desk: Desk) -> list[tuple[str, str]]:
    """A topic that the material does not cover, with its own word of advice if it has one."""
    hint = query.outside_hint or ""
    if query.refuse:
        return [("summary", hint or desk.book.texts["none"])]
    said = desk.book.text("none_outside", topic=query.outside or "")
    return [("summary", said), *([("note", hint)] if hint and hint not in said else [])]


def _tight(lines: Iterable[tuple[str, str]]) -> tuple[Block, ...]:
    """Lines of a kind each, as blocks."""
    return tuple([(_shared if kind in _SHARED else _block)(kind, text) for kind, text in lines])


def _block(kind: str, text: str) -> Block:
    return Block(kind, tight(text))


_shared = lru_cache(maxsize=8192)(_block)
"""For words of the knowledge alone, which come again and again: replies share the result."""
