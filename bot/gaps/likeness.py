"""How likely two wordings ask the same thing: five pieces of evidence, one logistic curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz.fuzz import ratio
from rapidfuzz.process import cpdist

from bot.gaps.space import Space
from bot.match.postings import unique
from bot.match.tokens import Alphabet

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.gaps.wording import Wording
    from bot.match.index import Index

    Ints = NDArray[np.integer[Any]]
    Floats = NDArray[np.floating[Any]]

WEIGHTS = (-0.9, 2.46, 5.23, 2.31, 9.21, 5.56, -19.3)
"""Of likeness by characters, by sound, of the rarest pair of characters that both have, of rapidfuzz's ratio, and of
how near the two are beside the nearest that each of them has (the better share, the worse share); then the bias. From
`tests/bench/grouping.py --fit`, on the development half of a public FAQ set."""
_LEAST = 0.3
"""Likeness by characters that a pair needs to be looked at closely."""
_KEYS, _SOUND_KEYS = 6, 2
"""Of its rarest pairs and characters, and of its rarest sounds, a wording is looked up by so many."""
_LONGEST, _WINDOW = 32, 6
"""Wordings with the same key are all compared up to the first number; of more, each with so many next ones."""
_OTHERS = 3
"""Wordings that must have a strange word before it can be a subject."""
_SUBJECT_SHARE = 0.3


class Likeness:
    """Compares wordings with one another, against the background of the knowledge."""

    def __init__(self, wordings: Sequence[Wording], index: Index) -> None:
        self._wordings = wordings
        self._typed = np.array([wording.typed for wording in wordings], dtype=bool)
        told = [
            (at, wording) for at, item in enumerate(index.bank.items) if not item.decoy for wording in item.wordings
        ]
        owners = np.array([at for at, _ in told], dtype=np.int64)
        letters, sounds, size = Alphabet(), Alphabet(), len(wordings)
        book = letters.learn(wording.core for _, wording in told)
        self._chars = Space(letters.learn(wording.core for wording in wordings), size, book, owners)
        book = sounds.learn_sounds(wording.syllables for _, wording in told)
        self._sounds = Space(sounds.learn_sounds(wording.syllables for wording in wordings), size, book, owners)

    def candidates(self) -> tuple[Ints, Ints]:
        """Pairs that are worth a comparison, left < right, in order."""
        chars = self._chars.neighbours(_KEYS, _LONGEST, _WINDOW)
        sounds = self._sounds.neighbours(_SOUND_KEYS, _LONGEST, _WINDOW)
        found, _ = unique(np.sort(np.concatenate([chars, sounds])))
        return found // len(self._wordings), found % len(self._wordings)

    def subjects(self) -> Ints:
        """What each wording is about, when the knowledge lacks the word and others have it too; else 0."""
        return self._chars.subjects(_OTHERS, _SUBJECT_SHARE)

    def chances(self, left: Ints, right: Ints) -> Floats:
        """Probability for each pair that the two ask the same; 0 when they name different districts.

        The pairs must be all that are near, for a pair is judged beside the nearest that each of its two has.
        """
        result = np.zeros(len(left))
        places, evidence = self.evidence(left, right)
        z = sum(weight * row for weight, row in zip(WEIGHTS, evidence, strict=False)) + WEIGHTS[-1]
        result[places] = np.where(self._apart(left[places], right[places]), 0.0, 1 / (1 + np.exp(-z)))
        return result

    def evidence(self, left: Ints, right: Ints) -> tuple[Ints, list[Floats]]:
        """Which of the pairs are near at all, and what `WEIGHTS` names for those."""
        places, (*evidence, near) = self._near(left, right)
        left, right = left[places], right[places]
        nearest = np.zeros(len(self._wordings))
        for ends in (left, right):
            np.maximum.at(nearest, ends, near)
        shares = near / nearest[left], near / nearest[right]
        return places, [*evidence, np.maximum(*shares), np.minimum(*shares)]

    def _near(self, left: Ints, right: Ints) -> tuple[Ints, list[Floats]]:
        """Which pairs are near at all, and for those what tells of the two alone; last, how near they are."""
        chars = self._chars.compare(left, right)
        typed = self._typed[left] | self._typed[right]
        places = np.flatnonzero((chars.single >= _LEAST) | typed)
        left, right, typed = left[places], right[places], typed[places]
        sounds = self._sounds.compare(left, right)
        spelled = np.array(cpdist(self._cores(left), self._cores(right), scorer=ratio), dtype=np.float64) / 100
        single = np.where(typed, sounds.single, chars.single[places])  # typed pinyin: the sound stands in
        both = np.where(typed, sounds.both, chars.both[places])
        rarest = np.where(typed, sounds.rarest, chars.rarest[places])
        near = np.maximum((single + both + sounds.both) / 3, 1e-6)
        return places, [single, sounds.both, rarest, np.where(typed, sounds.both, spelled), near]

    def _cores(self, places: Ints) -> list[str]:
        return [self._wordings[place].core for place in places.tolist()]

    def _apart(self, left: Ints, right: Ints) -> NDArray[np.bool_]:
        """Whether the two name districts, and not one in common."""
        named = np.array([bool(wording.regions) for wording in self._wordings], dtype=bool)
        apart: NDArray[np.bool_] = named[left] & named[right]
        for at in np.flatnonzero(apart).tolist():
            apart[at] = not self._wordings[left[at]].regions & self._wordings[right[at]].regions
        return apart
