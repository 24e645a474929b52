"""The whole way of one message: understand → match → decide → compose. Read this first.

Pure and synchronous: knowledge, earlier turns and the date are arguments.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot import compose, decide, several
from bot.browse import browse
from bot.follow import declined, follow, picked
from bot.model import Decision, Query, Reply, Status, Turn
from bot.standing import NOBODY, is_open, settled
from bot.text.normalise import normalise
from bot.understand import filler
from bot.understand.correction import corrected
from bot.understand.query import understand
from bot.understand.split import WINDOW, windows

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Sequence

    from bot.decide import Ranked
    from bot.desk import Desk

_NEAR_TOP = 3
_TOLD = 0.4
"""Share of the rest of a question, by weight, that an entry must hold when a place in it led there."""


def answer(
    text: str,
    desk: Desk,
    turns: Sequence[Turn],
    today: dt.date,
    explain: bool = False,
    home: str = "",
    paused: Collection[str] = NOBODY,
) -> Reply:
    """Reply to one text. `turns` are the earlier turns of this conversation, oldest first; `paused` are ids.

    Among entries that fit equally well, those of the region `home` come first.
    """
    chosen = picked(text, turns, desk)
    if chosen is not None:
        decision = Decision(Status.ANSWER, (chosen,), 1.0, "按序号选的")
        return _finish(decision, understand(text, desk.lexicon), None, desk, today, explain, paused)
    if declined(text, turns, desk.book.texts["not_these"]):
        decision = Decision(Status.NONE, reason="给的选项都不是", note="not_these")
        return _finish(decision, understand(text, desk.lexicon), None, desk, today, explain, paused)
    parts = several.parts(text, desk, turns)
    if len(parts) > 1:
        parts = [(settled(decision, desk.book, today, paused), query) for decision, query in parts]
        reply = _offering_open(compose.compose_parts(parts, desk, today), desk, today, paused)
        return replace(reply, reason="一次问了几件事", turn=Turn(text, reply.ids))
    said = replace(understand(text, desk.lexicon), home=home)
    meant = _put_otherwise(said, desk, turns)
    query, ranked, decision = settle(meant or said, desk, turns)
    if meant is not None and decision.status is not Status.ANSWER and not meant.browse:
        literally = settle(said, desk, turns)
        if decision.status is Status.NONE or literally[2].status is Status.ANSWER:
            query, ranked, decision = literally
    return _finish(decision, query, ranked, desk, today, explain, paused)


def by_heart(text: str, desk: Desk, today: dt.date) -> str | None:
    """The entry that `answer` gives for a text which stands in the bank letter for letter, found without matching.

    None when only the whole way can tell.
    """
    clean = normalise(text)
    if not desk.matcher.exact(clean, filler.strip(clean)) or several.may_be(clean, desk):
        return None
    query = understand(text, desk.lexicon)
    decision = decide.by_heart(query, desk) if any(char.isalnum() for char in query.text) else None
    if decision is None or decision.status is not Status.ANSWER:
        return None
    decision = settled(decision, desk.book, today)
    return desk.public(decision.ids[0]) if decision.status is Status.ANSWER else None


def give(identifier: str, label: str, desk: Desk, today: dt.date, paused: Collection[str] = NOBODY) -> Reply:
    """Reply with one entry that was picked by a button or a link; says so when it is there no more.

    Nothing picked (an empty id) is 「都不是」.
    """
    if not identifier:
        decision = Decision(Status.NONE, reason="给的选项都不是", note="not_these")
    else:
        decision = Decision(Status.ANSWER, (identifier,), 1.0, "点选的")
    return _finish(decision, understand(label, desk.lexicon), None, desk, today, explain=False, paused=paused)


def settle(query: Query, desk: Desk, turns: Sequence[Turn] = ()) -> tuple[Query, Ranked, Decision]:
    """Decide on one question, with the turns before it where it needs them."""
    ranked = decide.rank(query, desk)
    decision = decide.decide(query, ranked, desk)
    if decision.score < 1.0 and decision.ids:
        query, ranked, decision = _beyond_the_place(query, ranked, decision, desk)
    if decision.score < 1.0 and decision.status is not Status.SMALLTALK:
        decision = browse(query, ranked, desk) or decision
    if decision.score < decide.SURE_AT and decision.status is not Status.LIST:
        query, ranked, decision = _from_pinyin(query, ranked, decision, desk)
    if decision.status is Status.NONE and decision.note not in {"empty", "which"}:
        query, ranked, decision = _put_right(query, ranked, decision, desk)
    if decision.status is Status.NONE and not decision.note and query.years:
        query, ranked, decision = _whatever_the_year(query, ranked, decision, desk)
    if decision.status in {Status.NONE, Status.CHOICES} and not decision.note and len(query.text) > WINDOW:
        query, ranked, decision = _in_a_story(query, ranked, decision, desk)
    if turns:
        return follow(query, ranked, decision, desk, turns)
    return query, ranked, decision


def _put_otherwise(query: Query, desk: Desk, turns: Sequence[Turn]) -> Query | None:
    """What somebody means who corrects the turn before, or leaves it; None when the text says just what it says."""
    clean = normalise(query.raw)
    text = corrected(clean) if turns and not desk.exact(query) else clean
    return None if text == clean else replace(understand(text, desk.lexicon), home=query.home)


def _beyond_the_place(query: Query, ranked: Ranked, decision: Decision, desk: Desk) -> tuple[Query, Ranked, Decision]:
    """A town or village alone leads to whatever entry mentions it: that must tell of the rest of the question, too."""
    rest = desk.lexicon.places.blank(query.text)
    if rest == query.text:
        return query, ranked, decision
    meant = replace(understand(rest, desk.lexicon), regions=query.regions)
    if not meant.has_content or desk.share_told(decision.ids[0], desk.weigh(meant.core)) >= _TOLD:
        return query, ranked, decision
    again = decide.rank(meant, desk)
    found = decide.decide(meant, again, desk)
    name = ranked.own[0].name if ranked.own else ""
    named = desk.lexicon.places.blank(name) != name
    if named and not found.note and not (found.status is Status.ANSWER and found.score >= decide.SURE_AT):
        return query, ranked, decision
    return meant, again, found


def _whatever_the_year(query: Query, ranked: Ranked, decision: Decision, desk: Desk) -> tuple[Query, Ranked, Decision]:
    """The question without its year, of which the entry need not tell: the reply says so."""
    meant = understand(filler.YEAR.sub(" ", query.text), desk.lexicon)
    if not meant.has_content:
        return query, ranked, decision
    meant = replace(meant, years=query.years, regions=query.regions)
    again = decide.rank(meant, desk)
    found = decide.decide(meant, again, desk)
    if found.status is not Status.ANSWER:
        return query, ranked, decision
    return meant, again, replace(found, score=min(found.score, decide.SOUND_SCORE))


def _from_pinyin(query: Query, ranked: Ranked, decision: Decision, desk: Desk) -> tuple[Query, Ranked, Decision]:
    """A question that was typed in pinyin, read in characters, when that is surer."""
    text = desk.spelled_out(query)
    if text is None:
        return query, ranked, decision
    meant = understand(text, desk.lexicon)
    again = decide.rank(meant, desk)
    found = decide.decide(meant, again, desk)
    found = browse(meant, again, desk) or found if found.score < 1.0 else found
    if found.note not in {"outside", "elsewhere", "which"} and (not found.ids or found.score <= decision.score):
        return query, ranked, decision
    return meant, again, replace(found, score=min(found.score, decide.SOUND_SCORE), reason=f"拼音读作“{text}”")


def _put_right(query: Query, ranked: Ranked, decision: Decision, desk: Desk) -> tuple[Query, Ranked, Decision]:
    """The question with a misspelt name put right, when that gives an answer."""
    corrected = desk.near_names.correct(query.text)
    if corrected is None:
        return query, ranked, decision
    text, typed, name = corrected
    meant = replace(understand(text, desk.lexicon), raw=query.raw)
    again = decide.rank(meant, desk)
    found = decide.decide(meant, again, desk)
    if found.status not in {Status.ANSWER, Status.CHOICES}:
        return query, ranked, decision
    return meant, again, replace(found, score=min(found.score, 0.95), reason=f"把“{typed}”当作“{name}”")


def _in_a_story(query: Query, ranked: Ranked, decision: Decision, desk: Desk) -> tuple[Query, Ranked, Decision]:
    """A need that is one stretch of a long story: sure by itself, and near the top for the story as a whole."""
    first = [item.id for item in ranked.own[:_NEAR_TOP]]
    if not first or query.english:  # a word or two of English prove nothing
        return query, ranked, decision
    rivals = [*ranked.own, *([ranked.decoy] if ranked.decoy else [])]
    best = decision
    for window in windows(normalise(query.raw)):
        part = replace(understand(window, desk.lexicon), regions=query.regions)
        least = max(several.PART_AT, best.score)
        if part.english or not desk.could_be(part, first, rivals, least):
            continue
        found = decide.decide(part, decide.rank(part, desk), desk)
        if found.status is Status.ANSWER and found.ids[0] in first and found.score >= least:
            best = replace(found, reason=f"其中一句：{window}")
    return query, ranked, best


def _offering_open(reply: Reply, desk: Desk, today: dt.date, paused: Collection[str]) -> Reply:
    """The reply without related entries that may not be answered now."""
    options = tuple(item for item in reply.options if not item.id or is_open(item.id, desk.book, today, paused))
    return reply if options == reply.options else replace(reply, options=options)


def _finish(
    decision: Decision,
    query: Query,
    ranked: Ranked | None,
    desk: Desk,
    today: dt.date,
    explain: bool,
    paused: Collection[str],
) -> Reply:
    decision = settled(decision, desk.book, today, paused)
    reply = _offering_open(compose.compose(decision, query, desk, today), desk, today, paused)
    hits = decide.hits(ranked, desk) if explain and ranked is not None else ()
    offered = (
        tuple(option.id for option in reply.options if option.id) if not decision.ids or len(decision.ids) > 1 else ()
    )
    others = (item.id for item in (ranked.own if ranked else ()) if item.id not in decision.ids[:1])
    return replace(
        reply,
        hits=hits,
        reason=decision.reason,
        runner_up=next(others, None),
        turn=Turn(query.text, reply.ids if decision.status is Status.ANSWER else (), offered, query.regions),
    )
