"""A draft before it goes live: how its answers read in each channel, and what it changes for real questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot import render
from bot.answer import answer, give
from bot.check import regression
from bot.model import Status

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Mapping, Sequence

    from bot.desk import Desk
    from bot.knowledge.nodes import Tree
    from bot.model import Problem, Reply


@dataclass(frozen=True, slots=True)
class Change:
    """One question that a draft answers otherwise than the live knowledge."""

    question: str
    before: Reply
    after: Reply


@dataclass(frozen=True, slots=True)
class Impact:
    """What a draft does to some questions: it wins unanswered ones, steals answered ones, loses some."""

    won: tuple[Change, ...]
    stolen: tuple[Change, ...]
    lost: tuple[Change, ...]
    same: int


def preview(desk: Desk, identifier: str, today: dt.date) -> dict[str, str]:
    """The answer of one entry as plain text of a push channel ("plain") and spaced as in the terminal ("terminal")."""
    reply = give(identifier, desk.label(identifier), desk, today)
    return {"plain": render.plain(reply), "terminal": render.terminal(reply)}


def compare(question: str, live: Desk, draft: Desk, today: dt.date) -> Change:
    """One question to both, with their candidates and scores."""
    replies = (answer(question, desk, (), today, explain=True) for desk in (live, draft))
    return Change(question, *replies)


def impact(questions: Iterable[str], live: Desk, draft: Desk, today: dt.date) -> Impact:
    """What becomes of questions, such as the logged ones, when the draft goes live."""
    won: list[Change] = []
    stolen: list[Change] = []
    lost: list[Change] = []
    same = 0
    for question in questions:
        change = Change(question, answer(question, live, (), today), answer(question, draft, (), today))
        before, after = (reply.ids[:1] for reply in (change.before, change.after))
        answered = (change.before.status is Status.ANSWER, change.after.status is Status.ANSWER)
        if before == after and answered[0] == answered[1]:
            same += 1
        elif answered == (False, True):
            won.append(change)
        elif answered[0] and not answered[1]:
            lost.append(change)
        else:
            stolen.append(change)
    return Impact(tuple(won), tuple(stolen), tuple(lost), same)


def failing(draft: Desk, trees: Mapping[str, Tree], today: dt.date) -> Sequence[Problem]:
    """The knowledge's own questions that a draft answers wrongly."""
    return regression.run(draft, trees, today).problems
