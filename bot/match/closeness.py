"""What a query and some wordings share and lack, single character by single character; pairs take no part.

For banks of hardly more than one wording an entry, where neighbours differ by a word or a character.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz.distance import Prefix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.match.postings import Known, Vocabulary, Weighed

    Floats = NDArray[np.floating[Any]]
    Ints = NDArray[np.integer[Any]]

NAMES = (
    "alike",  # Dice of the characters
    "covered",  # share of the query that the wording holds
    "contained",  # share of the wording that the query holds
    "missing_next",  # weight of the second heaviest character that the wording lacks
    "extra_next",  # weight of the second heaviest character that the query lacks
    "opening",  # how far both begin alike
)
_LEAST = 1e-6


def closeness(asked: str, wordings: Sequence[str], query: Weighed, known: Known, vocabulary: Vocabulary) -> Floats:
    """Compare a query with some wordings, all of them spelled; shape (6, wordings), in the order of `NAMES`.

    `query` are the weighed tokens of the one, `known` are the tokens of the others; all numbers are in [0, 1].
    """
    unknown, size = max(vocabulary.unknown, _LEAST), len(wordings)
    single = known.places < vocabulary.singles
    places, owner = known.places[single], known.units[single]
    number = query.numbers(places)
    met = number > 0
    strangers = [unknown] * query.strange_singles
    weights = np.concatenate([query.weights[query.places < vocabulary.singles], strangers, (0.0, 0.0)])
    missing = weights[None].repeat(size, axis=0)
    missing[owner[met], number[met] - 1] = 0.0
    extra = _by_owner(np.where(met, 0.0, vocabulary.weights[places]), owner, size)
    mass, added = float(weights.sum()), extra.sum(axis=1)
    common = np.maximum(mass - missing.sum(axis=1), 0.0)
    return np.array(
        [
            2 * common / np.maximum(mass + common + added, _LEAST),
            common / max(mass, _LEAST),
            common / np.maximum(common + added, _LEAST),
            _second(missing) / unknown,
            _second(extra) / unknown,
            [Prefix.similarity(asked, wording) / max(len(asked), len(wording), 1) for wording in wordings],
        ]
    )


def _by_owner(values: Floats, owner: Ints, size: int) -> Floats:
    """Values of each owner in a row of its own, filled up with two zeros at least; `owner` is sorted."""
    column = np.arange(len(owner)) - owner.searchsorted(owner)
    rows = np.zeros((size, int(column.max(initial=0)) + 3))
    rows[owner, column] = values
    return rows


def _second(rows: Floats) -> Floats:
    """The second highest value of each row."""
    found: Floats = np.partition(rows, -2, axis=1)[:, -2]
    return found
