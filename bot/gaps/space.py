"""Wordings as weighted sets of tokens: who shares what with whom, for many pairs in one pass of numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.match import tokens
from bot.match.index import distinct
from bot.match.postings import PAIR_WEIGHT, is_first, unique

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.integer[Any]]
    Floats = NDArray[np.floating[Any]]

_BACKGROUND = 1_000
"""Questions that are taken to be in the log besides: in a small log the one topic asked about is no common word."""
_RARELY = 0.1
"""Of the most frequent strange pair in a wording."""
_BLOCK = 50_000
"""Pairs that are compared at once."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the two of each pair share, all in [0, 1]: likeness by single items, and by these and pairs of them; the
    weight of the rarest pair of items that both have."""

    single: Floats
    both: Floats
    rarest: Floats


class Space:
    """Spelled wordings, each token weighted by how rare it is among them and in the knowledge."""

    def __init__(self, wordings: str, size: int, book: str, owners: Ints) -> None:
        """Both are spelled, one a line: `size` wordings, and those of the `book`, of entries `owners`."""
        self.size = size
        token, unit = distinct(*tokens.explode(wordings), self.size)
        self._tokens, self._count = unique(token)
        self._width = max(len(self._tokens), 1)
        place = np.searchsorted(self._tokens, token)
        keyed = np.sort(unit * self._width + place)
        self._keyed: Ints = keyed
        self._units: Ints = keyed // self._width
        self._places: Ints = keyed % self._width
        self._ends: Ints = np.cumsum(np.bincount(self._units, minlength=self.size))
        self._starts: Ints = self._ends - np.bincount(self._units, minlength=self.size)
        told, entries = self._told(book, owners)
        self._known = told > 0
        rarity = _rarity(self._count, self.size + _BACKGROUND) + _rarity(np.maximum(told, 1), entries)
        is_pair = self._tokens >= tokens.PAIR
        self._single: Floats = np.where(is_pair, 0.0, rarity / 2)
        self._pair: Floats = np.where(is_pair, rarity / 2, 0.0)
        self._single_mass = np.bincount(self._units, self._single[self._places], self.size)
        self._pair_mass = np.bincount(self._units, self._pair[self._places], self.size)

    def _told(self, book: str, owners: Ints) -> tuple[Ints, int]:
        """How many entries hold each token, and how many entries there are."""
        entries = int(owners.max()) + 1 if len(owners) else 1
        if not len(owners):
            return np.zeros(len(self._tokens), dtype=np.int64), entries
        token, wording = tokens.explode(book)
        told, count = unique(distinct(token, owners[wording], entries)[0])
        place = np.minimum(np.searchsorted(told, self._tokens), max(len(told) - 1, 0))
        return np.where(told[place] == self._tokens, count[place], 0), entries

    def subjects(self, least: int, share: float) -> Ints:
        """For each wording the one thing in it that the book has no word for, as a token of a pair; else 0.

        A thing is a run of pairs of items that the book lacks and at least so many wordings have; next to one that many
        have, what few have is no thing. A wording with several has no subject, nor one of which the thing makes up less
        than that share.
        """
        strange = (self._tokens >= tokens.PAIR) & ~self._known & (self._count >= least)
        usable = strange[self._places]
        unit, place = self._units[usable], self._places[usable]
        most = np.zeros(self.size, dtype=np.int64)
        np.maximum.at(most, unit, self._count[place])
        common = self._count[place] >= most[unit] * _RARELY
        unit, place = unit[common], place[common]
        left, right = self._tokens[place] >> tokens.SHIFT, self._tokens[place] & (tokens.PAIR - 1)
        ends = ~np.isin(unit * tokens.PAIR + right, unit * tokens.PAIR + left)
        runs = np.bincount(unit, ends, self.size)
        weight = np.bincount(unit, self._weight_of(left) + np.where(ends, self._weight_of(right), 0.0), self.size)
        order = np.lexsort((place, -self._count[place], unit))
        unit, place = unit[order], place[order]
        chosen = is_first(unit) & (runs[unit] == 1) & (weight[unit] >= share * self._single_mass[unit])
        result = np.zeros(self.size, dtype=np.int64)
        result[unit[chosen]] = self._tokens[place[chosen]]
        return result

    def _weight_of(self, items: Ints) -> Floats:
        """Of single items that the wordings have."""
        found: Floats = self._single[np.searchsorted(self._tokens, items)]
        return found

    def neighbours(self, keys: int, longest: int, window: int) -> Ints:
        """Pairs (as `left * size + right`, left < right, sorted) that share one of each other's rarest `keys` tokens.

        The wordings that share a token are all paired up to `longest` of them; of more, each with the next `window`.
        """
        usable = self._count[self._places] > 1
        unit, place = self._units[usable], self._places[usable]
        weight = (self._single + self._pair)[place]
        order = np.lexsort((place, -weight, unit))
        unit, place = unit[order], place[order]
        first = np.flatnonzero(is_first(unit))
        rank = np.arange(len(unit)) - np.repeat(first, np.diff(np.append(first, len(unit))))
        unit, place = unit[rank < keys], place[rank < keys]
        order = np.lexsort((unit, place))
        return self._pairs(unit[order], place[order], longest, window)

    def _pairs(self, unit: Ints, place: Ints, longest: int, window: int) -> Ints:
        first = np.flatnonzero(is_first(place))
        lengths = np.diff(np.append(first, len(place)))
        after = np.repeat(first + lengths, lengths) - np.arange(len(place)) - 1
        reach = np.where(np.repeat(lengths, lengths) > longest, np.minimum(after, window), after)
        left = np.repeat(np.arange(len(place)), reach)
        right = left + 1 + np.arange(len(left)) - np.repeat(np.cumsum(reach) - reach, reach)
        both = unit[left].astype(np.int64) * self.size + unit[right]
        return unique(np.sort(both))[0]

    def compare(self, left: Ints, right: Ints) -> Shared:
        """What each pair shares; arrays of the length of `left`."""
        blocks = [
            self._compare(left[at : at + _BLOCK], right[at : at + _BLOCK]) for at in range(0, len(left), _BLOCK)
        ] or [np.zeros((3, 0))]
        single, pair, rarest = np.concatenate(blocks, axis=1)
        masses = self._single_mass[left] + self._single_mass[right], self._pair_mass[left] + self._pair_mass[right]
        return Shared(
            single=2 * single / np.maximum(masses[0], 1e-6),
            both=2 * (single + PAIR_WEIGHT * pair) / np.maximum(masses[0] + PAIR_WEIGHT * masses[1], 1e-6),
            rarest=rarest,
        )

    def _compare(self, left: Ints, right: Ints) -> Floats:
        """Weights that are shared: sum of the single items, sum of the pairs, the greatest pair; shape (3, pairs)."""
        lengths = self._ends - self._starts
        fewer = lengths[left] <= lengths[right]
        few, many = np.where(fewer, left, right), np.where(fewer, right, left)
        count = lengths[few]
        pair = np.repeat(np.arange(len(few)), count)
        at = np.arange(len(pair)) - np.repeat(np.cumsum(count) - count, count) + np.repeat(self._starts[few], count)
        place = self._places[at]
        wanted = many[pair] * self._width + place
        found = self._keyed[np.minimum(np.searchsorted(self._keyed, wanted), len(self._keyed) - 1)] == wanted
        pair, place = pair[found], place[found]
        result = np.zeros((3, len(few)))
        result[0] = np.bincount(pair, self._single[place], len(few))
        result[1] = np.bincount(pair, self._pair[place], len(few))
        if len(pair):
            first = np.flatnonzero(is_first(pair))
            result[2, pair[first]] = np.maximum.reduceat(self._pair[place], first)
        return result


def _rarity(count: Ints, documents: int) -> Floats:
    """IDF, as a share of the most that it can be."""
    scaled: Floats = np.log((documents + 1.0) / (count - 0.3)) / np.log((documents + 1.0) / 0.7)
    return scaled
