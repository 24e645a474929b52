"""Which id each row of a file gets: its own, its own respelt, or one made from its running number."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.exchange.cells import ID_LENGTH, is_identifier, one_line, slug

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from bot.exchange.rows import Row
    from bot.knowledge.book import Book

_MADE = re.compile("faq-[0-9]{4,}")


@dataclass(frozen=True, slots=True)
class Named:
    """Ids in the order of the rows; `respelt` are (as typed, id), `made` the ids of rows that had none."""

    ids: tuple[str, ...]
    respelt: tuple[tuple[str, str], ...]
    made: tuple[str, ...]


def name_rows(rows: Sequence[Row], book: Book, owned: Callable[[str], bool]) -> Named:
    """Name every row. `owned` tells whether a known id came from this same file earlier.

    A row without an id keeps the one that its question had then, so that rows may be moved and added between.
    """
    ids: dict[int, str] = {at: row.id for at, row in enumerate(rows) if row.id and is_identifier(row.id)}
    used = set(ids.values())
    respelt: list[tuple[str, str]] = []
    for at, row in enumerate(rows):
        spelt = slug(row.id) if row.id and at not in ids else ""
        if spelt:
            ids[at] = _numbered(spelt, used)
            used.add(ids[at])
            respelt.append((str(row.id), ids[at]))
    made = _make(rows, ids, used, book, owned)
    ids |= made
    return Named(tuple(ids[at] for at in range(len(rows))), tuple(respelt), tuple(made.values()))


def _numbered(wanted: str, used: set[str]) -> str:
    """`wanted`, or with a number behind it when it is taken."""
    numbers = (f"-{number}" for number in itertools.count(2))
    spellings = (wanted[: ID_LENGTH - len(number)].rstrip("-") + number for number in itertools.chain([""], numbers))
    return next(spelling for spelling in spellings if spelling not in used)


def _make(
    rows: Sequence[Row], ids: Mapping[int, str], used: set[str], book: Book, owned: Callable[[str], bool]
) -> dict[int, str]:
    """Place → id of the rows without one. Ids that stand elsewhere in the knowledge are passed by."""
    earlier = {one_line(faq.question): key for key, faq in book.faqs.items() if _MADE.fullmatch(key) and owned(key)}
    foreign = {key for key in (*book.faqs, *book.entries) if not owned(key)}
    made: dict[int, str] = {}
    for at, row in enumerate(rows):
        known = earlier.get(row.question)
        if at not in ids and known is not None and known not in used:
            made[at] = known
            used.add(known)
    later = itertools.count(len(rows) + 1)
    for at in range(len(rows)):
        if at in ids or at in made:
            continue
        number = f"faq-{at + 1:04}"
        while number in used or number in foreign:
            number = f"faq-{next(later):04}"
        made[at] = number
        used.add(number)
    return dict(sorted(made.items()))
