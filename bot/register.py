"""The entries of a book by what they stand under, so that no question looks through all of them one by one."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from bot import honours

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from numpy.typing import NDArray

    from bot.knowledge.schema import Entry

Heading = tuple[str, object]
"""A kind ("region", "theme", "audience", "about", "year", "honour") and its value."""


class Register:
    """Arrays over entries, in the order of the book."""

    def __init__(self, entries: Collection[Entry]) -> None:
        self.ids = [entry.id for entry in entries]
        under: dict[Heading, list[int]] = defaultdict(list)
        self._naming: dict[str, list[str]] = {}
        for at, entry in enumerate(entries):
            for heading in _headings(entry):
                under[heading].append(at)
            for other in entry.related:
                self._naming.setdefault(other, []).append(entry.id)
        self._under = {heading: np.array(places) for heading, places in under.items()}
        self._by_id = np.empty(len(self.ids), dtype=np.int64)
        self._by_id[sorted(range(len(self.ids)), key=self.ids.__getitem__)] = np.arange(len(self.ids))
        self.years = sorted({fact.as_of[:4] for entry in entries for fact in entry.facts})

    def under(self, kind: str, values: Iterable[object]) -> NDArray[np.bool_]:
        """Which entries stand under one of some headings of a kind; shape (entries,)."""
        found = np.zeros(len(self.ids), dtype=bool)
        for value in values:
            places = self._under.get((kind, value))
            if places is not None:
                found[places] = True
        return found

    def best_first(self, scores: NDArray[np.float64], home: str) -> NDArray[np.int64]:
        """Places of the entries with a score above 0; of equal ones those of the region `home`, then by id."""
        places = np.flatnonzero(scores > 0)
        away = ~self.under("region", (home,))
        return places[np.lexsort((self._by_id[places], away[places], -scores[places]))]

    def linked(self, entry: Entry) -> list[str]:
        """Ids of the entries that an entry names as related, then of those that name it."""
        return list(dict.fromkeys((*entry.related, *self._naming.get(entry.id, ()))))


def _headings(entry: Entry) -> Iterator[Heading]:
    yield "region", entry.region
    yield "theme", entry.theme
    for audience in entry.audience:
        yield "audience", audience
    for about in {about for fact in entry.facts for about in fact.about}:
        yield "about", about
    for honour in {honour for fact in entry.facts if "荣誉" in fact.about for honour in honours.told(fact.text)}:
        yield "honour", honour
    for year in {int(fact.as_of[:4]) for fact in entry.facts}:
        yield "year", year
