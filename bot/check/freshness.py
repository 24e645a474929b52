"""What is out of date, or soon will be: entries past their dates, entries to be reviewed, old figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.check.places import items
from bot.knowledge.schema import Entry
from bot.model import Problem, Severity

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from bot.knowledge.book import Book
    from bot.knowledge.nodes import Tree
    from bot.knowledge.schema import Faq

OLD_YEARS = 3
"""Figures older than this come with a caution."""


@dataclass(frozen=True, slots=True)
class Stale:
    """An entry to be reviewed: `days` since it was due (or since it was news), `asked` times lately."""

    file: str
    line: int
    id: str
    name: str
    why: str
    days: int
    asked: int = 0

    @property
    def urgency(self) -> int:
        """Old × often asked; what nobody asks comes last."""
        return self.days * self.asked

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.file}:{self.line}: {self.id} {self.name}：{self.why}，近来问过 {self.asked} 次"


def dated(book: Book, trees: Mapping[str, Tree], today: dt.date) -> Iterator[Problem]:
    """Entries that are not answered today for their dates (K601), and reviews that are overdue (K602)."""
    day = today.isoformat()
    for tree, index, item in items(book, trees):
        if item.valid_until and item.valid_until < day:
            message = f"“{item.valid_until}”已经过了，这一条不再回答；请改日期，或删掉这一条"
            yield Problem(tree.file, *tree.at((index, "valid_until")), "K601", message, Severity.WARNING)
        elif item.valid_from and item.valid_from > day:
            message = f"“{item.valid_from}”还没到，这一条到那天才回答"
            yield Problem(tree.file, *tree.at((index, "valid_from")), "K601", message, Severity.WARNING)
        if item.review_by and item.review_by < day:
            message = f"该在“{item.review_by}”前核对一遍；核对好了，请改成下一次的日期"
            yield Problem(tree.file, *tree.at((index, "review_by")), "K602", message, Severity.WARNING)


def stale(book: Book, trees: Mapping[str, Tree], today: dt.date, asked: Mapping[str, int]) -> list[Stale]:
    """What must be reviewed, most urgent first: old × often asked. `asked` counts questions by id."""
    found: list[Stale] = []
    for tree, index, item in items(book, trees):
        why, days = due(item, today)
        if why:
            name = item.name if isinstance(item, Entry) else item.question
            line, _ = tree.at((index, "id"))
            found.append(Stale(tree.file, line, item.id, name, why, days, asked.get(item.id, 0)))
    return sorted(found, key=lambda item: (-item.urgency, -item.days, item.id))


def due(item: Entry | Faq, today: dt.date) -> tuple[str, int]:
    """Why an item is to be reviewed, and since how many days; an empty reason when it is not."""
    if item.review_by:
        late = (today - today.fromisoformat(item.review_by)).days
        return (f"该在 {item.review_by} 前核对", late) if late > 0 else ("", 0)
    if not isinstance(item, Entry):
        return "", 0
    newest = max(fact.as_of for fact in item.facts)
    age = (today - today.fromisoformat((newest + "-01-01")[:10])).days
    if age <= OLD_YEARS * 365.25:
        return "", 0
    return f"最新的资料是 {newest} 的，也没写 review_by", age
