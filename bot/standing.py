"""Which entries may be answered now: not those that are paused, disabled or out of date; some are sent on to others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.model import Decision, Status

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from bot.knowledge.book import Book
    from bot.knowledge.schema import Entry, Faq

NOBODY: frozenset[str] = frozenset()


def settled(decision: Decision, book: Book, today: dt.date, paused: Collection[str] = NOBODY) -> Decision:
    """The decision with redirects followed and closed entries taken out; a refusal that names the entry if none stays.

    Closed entries go on competing for questions, so that no neighbour answers in their place.
    """
    if not decision.ids and not decision.near:
        return decision
    ids = tuple(dict.fromkeys(target(identifier, book) for identifier in decision.ids))
    open_ids = tuple(identifier for identifier in ids if is_open(identifier, book, today, paused))
    near = tuple(identifier for identifier in decision.near if is_open(identifier, book, today, paused))
    if ids and find(ids[0], book) is None:  # offered before the knowledge was changed
        return Decision(Status.NONE, reason="点选的条目已经没有了", note="gone")
    if ids and not open_ids:
        note = "paused" if ids[0] in paused else "closed"
        reason = "这一条暂停回答" if note == "paused" else "这一条停用了或不在有效期"
        return Decision(Status.NONE, score=decision.score, reason=reason, near=ids[:1], note=note)
    if decision.note == "neighbour" and not near:
        return replace(decision, near=(), note="")
    if (open_ids, near) == (decision.ids, decision.near):
        return decision
    status = Status.ANSWER if len(open_ids) == 1 and decision.status is Status.CHOICES else decision.status
    return replace(decision, status=status, ids=open_ids, near=near)


def target(identifier: str, book: Book) -> str:
    """The entry that answers for another one: itself, or the end of its redirects."""
    passed: set[str] = set()
    while identifier not in passed:
        passed.add(identifier)
        item = find(identifier, book)
        if item is None or item.redirect is None or find(item.redirect, book) is None:
            break
        identifier = item.redirect
    return identifier


def is_open(identifier: str, book: Book, today: dt.date, paused: Collection[str] = NOBODY) -> bool:
    """Whether an entry, or a question and answer, may be answered on this day."""
    item = find(identifier, book)
    if item is None or identifier in paused or item.disabled:
        return False
    begins, ends = item.valid_from, item.valid_until
    day = today.isoformat() if begins or ends else ""
    return (begins is None or begins <= day) and (ends is None or day <= ends)


def find(identifier: str, book: Book) -> Entry | Faq | None:
    """An entry, or a question and answer, by its id."""
    return book.entries.get(identifier) or book.faqs.get(identifier)
