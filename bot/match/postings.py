"""Inverted lists in numpy: for each token the units that hold it, and how much the token weighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.match.tokens import PAIR

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Ints = NDArray[np.integer[Any]]

PAIR_WEIGHT = 0.35
"""Of a single item's: pairs often straddle two words, and then their rarity means nothing."""


def unique(values: Ints) -> tuple[Ints, Ints]:
    """Distinct values, sorted, and how often each occurs. Sorting beats numpy's hashing on millions of tokens."""
    ordered = np.sort(values)
    first = np.flatnonzero(is_first(ordered))
    return ordered[first], np.diff(np.append(first, len(ordered)))


def is_first(ordered: Ints) -> NDArray[np.bool_]:
    """Which values of a sorted array are not the one before again."""
    first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


BACKGROUND_SHARE = 0.7
"""Of a token's weight, where there is a background."""


@dataclass(frozen=True, slots=True)
class Background:
    """Tokens of everyday phrases, one for every phrase that holds it, and the number of phrases.

    In a bank about one thing its name is as common as 怎么; the background tells them apart.
    """

    tokens: Ints
    phrases: int


class Vocabulary:
    """Tokens of a bank, sorted, each with its weight: IDF over entries, less for pairs.

    With a background its tokens belong to the vocabulary, and IDF over the phrases is blended in.
    A token that neither has weighs as much as the rarest.
    """

    def __init__(self, tokens: Ints, entries: int, background: Background | None = None) -> None:
        """`tokens`: one for every entry that holds it, in any order."""
        every = tokens if background is None else np.concatenate([tokens, unique(background.tokens)[0]])
        self.tokens, count = unique(every)
        if background is not None:
            count -= np.isin(self.tokens, background.tokens)
        idf, self.unknown = _idf(count, entries)
        if background is not None:
            common, rarest = _idf(_counted(self.tokens, background.tokens), background.phrases)
            idf = (1 - BACKGROUND_SHARE) * idf + BACKGROUND_SHARE * common
            self.unknown = (1 - BACKGROUND_SHARE) * self.unknown + BACKGROUND_SHARE * rarest
        self.weights: Floats = (idf * np.where(self.tokens >= PAIR, PAIR_WEIGHT, 1.0)).astype(np.float32)

    def find(self, tokens: Ints) -> Ints:
        """Place of each token in the vocabulary; all of them must be in it."""
        return np.searchsorted(self.tokens, tokens)


def _idf(count: Ints, units: int) -> tuple[Floats, float]:
    """IDF of tokens that stand in `count` of so many units; and of the rarest, which none weighs more than."""
    return np.log((units + 1.0) / (np.maximum(count, 1) - 0.3)), float(np.log((units + 1.0) / 0.7))


def _counted(wanted: Ints, tokens: Ints) -> Ints:
    """How often each of some sorted tokens occurs."""
    ordered = np.sort(tokens)
    return np.searchsorted(ordered, wanted, "right") - np.searchsorted(ordered, wanted, "left")


_FEW = 1_500
"""Tokens that are faster looked up in the query than the query in them."""


class Weighed:
    """Tokens of one query. `places` and `weights` are of the known ones, heaviest first."""

    def __init__(self, tokens: Sequence[int], vocabulary: Vocabulary) -> None:
        wanted = np.array(tokens, dtype=np.int64)
        places = np.minimum(np.searchsorted(vocabulary.tokens, wanted), max(len(vocabulary.tokens) - 1, 0))
        known = vocabulary.tokens[places] == wanted if len(vocabulary.tokens) else np.zeros(len(wanted), dtype=bool)
        strangers = wanted[~known]
        places = places[known]
        weights = vocabulary.weights[places]
        order = np.argsort(-weights, kind="stable")
        self.places: Ints = places[order]
        self.weights: Floats = weights[order].astype(np.float64)
        by_place = np.argsort(places)
        self.sorted_places: Ints = places[by_place]
        self._sorted_weights: Floats = weights[by_place].astype(np.float64)
        pairs = int((strangers >= PAIR).sum())
        singles = len(strangers) - pairs
        self.heaviest_stranger = vocabulary.unknown * (1.0 if singles else PAIR_WEIGHT if pairs else 0.0)
        strange = vocabulary.unknown * (singles + PAIR_WEIGHT * pairs)
        self.mass = max(float(self.weights.sum()) + strange, 1e-6)

    def held(self, known: Ints) -> NDArray[np.bool_]:
        """Which of the places are among `known`, a sorted array."""
        if not len(known):
            return np.zeros(len(self.places), dtype=bool)
        at = np.minimum(np.searchsorted(known, self.places), len(known) - 1)
        found: NDArray[np.bool_] = known[at] == self.places
        return found

    def heaviest_missing(self, known: Sequence[Ints]) -> Floats:
        """For each of several sorted arrays, the weight of the heaviest token that is not in it; 0 when all are."""
        if not len(self.places):
            return np.full(len(known), self.heaviest_stranger)
        if sum(map(len, known)) > _FEW:  # many wordings an entry: look the query up in each
            return np.array([self._heaviest_missing(part) for part in known])
        own = np.concatenate(known)
        whose = np.repeat(np.arange(len(known)), [len(part) for part in known])
        held = np.zeros((len(known), len(self.places)), dtype=bool)
        at, found = self._at(own)
        held[whose[found], at[found]] = True
        missing = np.where(held, 0.0, self._sorted_weights)
        heaviest: Floats = np.maximum(missing.max(axis=1), self.heaviest_stranger)
        return heaviest

    def _heaviest_missing(self, known: Ints) -> float:
        missing = ~self.held(known)
        at = int(missing.argmax())  # the places are heaviest first
        return max(float(self.weights[at]) if missing[at] else 0.0, self.heaviest_stranger)

    def _at(self, places: Ints) -> tuple[Ints, NDArray[np.bool_]]:
        """Where in `sorted_places` each place would stand, and whether it does."""
        at = np.minimum(np.searchsorted(self.sorted_places, places), len(self.sorted_places) - 1)
        found: NDArray[np.bool_] = self.sorted_places[at] == places
        return at, found

    def lacks(self, places: Ints) -> NDArray[np.bool_]:
        """Which of some places the query does not have."""
        return ~self._at(places)[1] if len(self.sorted_places) else np.ones(len(places), dtype=bool)

    def share(self, known: Ints) -> float:
        """Share of the weight that tokens among `known` hold, in [0, 1]."""
        return float(self.weights[self.held(known)].sum()) / self.mass


class Postings:
    """Units (wordings or entries) by token. Overlap of a query with every unit in one pass."""

    def __init__(
        self, vocabulary: Vocabulary, tokens: Ints, units: Ints, size: int, scales: Sequence[Floats] = ()
    ) -> None:
        """`tokens[i]`, sorted, stands in `units[i]`, each pair once; each of `scales` scales it there."""
        self.size = size
        places = vocabulary.find(tokens)
        self._ends: Ints = np.cumsum(np.bincount(places, minlength=len(vocabulary.tokens)))
        self._units = units.astype(np.int32)
        self._scales = [scale.astype(np.float32) for scale in scales]
        weights = vocabulary.weights[places]
        self.masses: Floats = np.bincount(units, weights=weights, minlength=size).astype(np.float32)

    def overlaps(self, query: Weighed) -> list[Floats]:
        """For every unit the weight of the query's tokens that it holds; then the same by each scale.

        Arrays of shape (size,), one more than there are scales.
        """
        if not len(query.places):
            return [np.zeros(self.size, dtype=np.float32) for _ in range(1 + len(self._scales))]
        ends = self._ends[query.places]
        starts = np.where(query.places > 0, self._ends[query.places - 1], 0)
        slices = [slice(start, end) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
        units = np.concatenate([self._units[part] for part in slices])
        spread = np.repeat(query.weights, ends - starts)
        sums = [np.bincount(units, weights=spread, minlength=self.size)]
        for scale in self._scales:
            scaled = spread * np.concatenate([scale[part] for part in slices])
            sums.append(np.bincount(units, weights=scaled, minlength=self.size))
        return [total.astype(np.float32) for total in sums]


class Forward:
    """The places of each unit's tokens in the vocabulary, sorted."""

    def __init__(self, vocabulary: Vocabulary, tokens: Ints, units: Ints, size: int) -> None:
        """`tokens`, sorted, each in its one of `units`."""
        order = np.argsort(units, kind="stable")  # the tokens are sorted, and stay so within a unit
        self._places: NDArray[np.int32] = vocabulary.find(tokens).astype(np.int32)[order]
        self._ends: Ints = np.cumsum(np.bincount(units, minlength=size))

    def of(self, unit: int) -> NDArray[np.int32]:
        """Places of the tokens of one unit."""
        return self._places[int(self._ends[unit - 1]) if unit else 0 : int(self._ends[unit])]
