"""Inverted lists in numpy: for each token the units that hold it, and how much the token weighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bot.match.tokens import PAIR

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Ints = NDArray[np.integer[Any]]

PAIR_WEIGHT = 0.35
"""Of a single item's: pairs often straddle two words, and then their rarity means nothing."""


def unique(ordered: Ints) -> tuple[Ints, Ints]:
    """Distinct values of a sorted array, and how often each occurs."""
    first = np.flatnonzero(is_first(ordered))
    return ordered[first], np.diff(np.append(first, len(ordered)))


def merged(runs: Sequence[Ints]) -> Ints:
    """Several sorted arrays as one."""
    both = np.concatenate(runs)
    both.sort(kind="stable")  # finds the runs by itself
    return both


def is_first(ordered: Ints) -> NDArray[np.bool_]:
    """Which values of a sorted array are not the one before again."""
    first = np.ones(len(ordered), dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return first


BACKGROUND_SHARE = 0.7
"""Of a token's weight, where there is a background."""


@dataclass(frozen=True, slots=True)
class Background:
    """Tokens of everyday phrases, sorted, one for every phrase that holds it, and the number of phrases.

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
        """`tokens`: one for every entry that holds it, sorted."""
        every = tokens if background is None else merged([tokens, unique(background.tokens)[0]])
        self.tokens, count = unique(every)
        self.singles = int(np.searchsorted(self.tokens, PAIR))
        if background is not None:
            count -= np.isin(self.tokens, background.tokens)
        idf, self.unknown = _idf(count, entries)
        if background is not None:
            common, rarest = _idf(_counted(self.tokens, background.tokens), background.phrases)
            idf = (1 - BACKGROUND_SHARE) * idf + BACKGROUND_SHARE * common
            self.unknown = (1 - BACKGROUND_SHARE) * self.unknown + BACKGROUND_SHARE * rarest
        self.weights: Floats = (idf * np.where(self.tokens >= PAIR, PAIR_WEIGHT, 1.0)).astype(np.float32)

    def find(self, tokens: Ints) -> Ints:
        """Place of each of some sorted tokens in the vocabulary; all of them must be in it."""
        met, count = unique(tokens)
        return self.tokens.searchsorted(met).repeat(count)

    def masses(self, tokens: Ints, units: Ints, size: int) -> Floats:
        """For each of `size` units the weight of its tokens: `tokens[i]`, sorted, stands in `units[i]`."""
        return _masses(self.weights[self.find(tokens)], units, size)


def _masses(weights: Floats, units: Ints, size: int) -> Floats:
    return np.bincount(units, weights=weights, minlength=size).astype(np.float32)


def _idf(count: Ints, units: int) -> tuple[Floats, float]:
    """IDF of tokens that stand in `count` of so many units; and of the rarest, which none weighs more than."""
    return np.log((units + 1.0) / (np.maximum(count, 1) - 0.3)), float(np.log((units + 1.0) / 0.7))


def _counted(wanted: Ints, tokens: Ints) -> Ints:
    """How often each of some tokens occurs in a sorted array."""
    return tokens.searchsorted(wanted, "right") - tokens.searchsorted(wanted, "left")


class Weighed:
    """Tokens of one query. `places` and `weights` are of the known ones, in the order of the vocabulary; of these the
    first are `singles`."""

    def __init__(self, tokens: Iterable[int], vocabulary: Vocabulary) -> None:
        wanted = np.array(sorted(tokens), dtype=np.int64)
        size = len(vocabulary.tokens)
        places = vocabulary.tokens.searchsorted(wanted)
        known = vocabulary.tokens.take(places, mode="clip") == wanted if size else np.zeros(len(wanted), dtype=bool)
        self.places: Ints = places[known]
        self.weights: Floats = vocabulary.weights.take(self.places).astype(np.float64)
        self.singles = int(self.places.searchsorted(vocabulary.singles))
        singles = int(wanted.searchsorted(PAIR)) - self.singles
        pairs = len(wanted) - len(self.places) - singles
        self.strange_singles = singles
        self.heaviest_stranger = vocabulary.unknown * (1.0 if singles else PAIR_WEIGHT if pairs else 0.0)
        mass = sum(self.weights.tolist()) + vocabulary.unknown * (singles + PAIR_WEIGHT * pairs)
        self.mass: float = max(mass, 1e-6)

    def numbers(self, places: Ints) -> Ints:
        """Where in the query's own `places` each of some places stands, from 1; 0 when the query lacks it."""
        if not len(self.places):
            return np.zeros(len(places), dtype=np.int64)
        at = self.places.searchsorted(places)
        found: Ints = self.places.take(at, mode="clip") == places
        return found * (at + 1)


class Postings:
    """Units (wordings or entries) by token. Overlap of a query with every unit in one pass."""

    def __init__(
        self, vocabulary: Vocabulary, tokens: Ints, units: Ints, size: int, scale: Floats | None = None
    ) -> None:
        """`tokens[i]`, sorted, stands in `units[i]`, each pair once; `scale[i]` is what its weight is worth there."""
        self.size = size
        places = vocabulary.find(tokens)
        weights = vocabulary.weights[places]
        ends = np.cumsum(np.bincount(places, minlength=len(vocabulary.tokens)))
        self._counts: Ints = np.diff(ends, prepend=0)
        self._spans: Ints = np.column_stack([ends - self._counts, ends])
        self._units = units.astype(np.int32)
        self._scaled = None if scale is None else (weights * scale).astype(np.float32)
        self.masses = _masses(weights, units, size)

    def overlaps(self, query: Weighed, scaled: bool = False) -> Floats:
        """For every unit the weight of the query's tokens that it holds, by their scale or plainly; shape (size,)."""
        if not len(query.places):
            return np.zeros(self.size, dtype=np.float32)
        stretches = self._spans.take(query.places, axis=0).tolist()
        units = np.concatenate([self._units[start:end] for start, end in stretches], dtype=np.intp)
        if scaled and self._scaled is not None:
            worth = np.concatenate([self._scaled[start:end] for start, end in stretches])
        else:
            worth = query.weights.repeat(self._counts.take(query.places))
        return np.bincount(units, weights=worth, minlength=self.size).astype(np.float32)


def spans(lows: Ints, highs: Ints) -> Ints:
    """The numbers of several runs, from `lows` to before `highs`, one run after another."""
    counts = highs - lows
    ends = counts.cumsum()
    found: Ints = np.arange(ends[-1] if len(ends) else 0) + (lows - ends + counts).repeat(counts)
    return found


_PLACE_SHIFT, _UNIT_SHIFT = 16, 40
"""A mark, a place and a unit in one number: bits from the right."""
_PLACES = (1 << _UNIT_SHIFT - _PLACE_SHIFT) - 1
_ALL = 3


class Forward:
    """The places of each unit's tokens in the vocabulary, sorted, each with a mark; 3 for all unless marks are told."""

    def __init__(self, vocabulary: Vocabulary, tokens: Ints, units: Ints, size: int, marks: Ints | None = None) -> None:
        """`tokens[i]`, sorted, stands in `units[i]`, with `marks[i]`, from 1 to below 2^15, there."""
        packed = units.astype(np.int64)
        packed <<= _UNIT_SHIFT
        packed |= vocabulary.find(tokens) << _PLACE_SHIFT
        packed |= _ALL if marks is None else marks
        packed.sort()
        self._packed = packed
        self._bounds: Ints = np.append(0, np.cumsum(np.bincount(units, minlength=size)))

    def several(self, units: Ints) -> Known:
        """Tokens of several units."""
        lows = self._bounds.take(units)
        counts = self._bounds.take(units + 1) - lows
        packed = self._packed.take(spans(lows, lows + counts))
        return Known(packed >> _PLACE_SHIFT & _PLACES, counts)

    def marks(self, units: Ints, places: Ints) -> Ints:
        """The mark of each of some places in each of some units, 0 where it is lacking; shape (units, places)."""
        if not len(self._packed):
            return np.zeros((len(units), len(places)), dtype=np.int64)
        wanted = (units[:, None] << _UNIT_SHIFT) + (places << _PLACE_SHIFT)
        found: Ints = self._packed.take(self._packed.searchsorted(wanted), mode="clip")
        found -= wanted
        found *= found >> _PLACE_SHIFT == 0
        return found

    def overlaps(self, query: Weighed, units: Ints) -> Floats:
        """For each of several units the weight of the query's tokens that it holds."""
        known, weights = self.several(units), np.append(0.0, query.weights)
        held = np.bincount(numbered(known.counts), weights.take(query.numbers(known.places)), len(units))
        return held.astype(np.float64)


class Known(NamedTuple):
    """Tokens of a few units: places in the vocabulary, unit by unit, and how many tokens each unit has."""

    places: Ints
    counts: Ints

    def beside(self, query: Weighed, vocabulary: Vocabulary) -> Beside:
        """The same tokens, each compared with a query's."""
        numbers = query.numbers(self.places)
        return Beside(self.places, self.counts, numbers, vocabulary.weights.take(self.places) * (numbers == 0))


class Beside(NamedTuple):
    """What `Known` tells; of each token where in a query's `places` it stands, from 1, or 0; and what it weighs when
    the query lacks it, else 0."""

    places: Ints
    counts: Ints
    numbers: Ints
    extra: Floats

    @property
    def units(self) -> Ints:
        """The number of each token's unit among the few."""
        return numbered(self.counts)

    def heaviest(self) -> Floats:
        """For each unit the weight of the heaviest token that the query lacks."""
        extra = np.concatenate([self.extra, _NOTHING])  # lest the last unit start beyond the end
        return np.maximum.reduceat(extra, self.counts.cumsum() - self.counts) * (self.counts > 0)


_NOTHING = np.zeros(1, dtype=np.float32)


def numbered(counts: Ints) -> Ints:
    """The number of each of some runs, as often as the run is long."""
    return np.arange(len(counts)).repeat(counts)
