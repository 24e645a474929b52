"""A draft before it goes live: questions to it beside the live knowledge, and its own questions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answer import answer
from bot.check import regression
from bot.model import Severity

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from bot.desk import Desk
    from bot.knowledge.nodes import Tree
    from bot.model import Problem, Reply


@dataclass(frozen=True, slots=True)
class Change:
    """One question to the live knowledge and to a draft."""

    question: str
    before: Reply
    after: Reply


def compare(question: str, live: Desk, draft: Desk, today: dt.date) -> Change:
    """One question to both, with their candidates and scores."""
    replies = (answer(question, desk, (), today, explain=True) for desk in (live, draft))
    return Change(question, *replies)


def failing(draft: Desk, trees: Mapping[str, Tree], name: str, today: dt.date) -> tuple[Problem, ...]:
    """Errors of one file's own questions and of the golden ones, asked of a draft."""
    asked = {known: trees[known] for known in (name, "golden.yaml")}
    found = regression.run(draft, asked, today).problems
    return tuple(sorted(problem for problem in found if problem.severity is Severity.ERROR))
