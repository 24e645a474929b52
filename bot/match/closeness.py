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

    from bot.match.postings import Beside, Vocabulary, Weighed

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


def closeness(asked: str, wordings: Sequence[str], query: Weighed, beside: Beside, vocabulary: Vocabulary) -> Floats:
    """Compare a query with some wordings, all of them spelled; shape (6, wordings), in the order of `NAMES`.

    `query` are the weighed tokens of the one, `beside` are the tokens of the others; all numbers are in [0, 1].
    """
    unknown, known = max(vocabulary.unknown, _LEAST), len(query.places)
    weights = np.zeros(known + query.strange_singles + 2)
    weights[: query.singles] = query.weights[: query.singles]
    weights[known:-2] = unknown
    missing = weights[None].repeat(len(wordings), axis=0)
    missing[beside.units, beside.numbers - 1] = 0.0  # what the query lacks has the number 0, and so the last zero
    extra = _by_row(beside.extra * (beside.places < vocabulary.singles), beside.counts)
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


def _by_row(values: Floats, counts: Ints) -> Floats:
    """So many values for each row, filled up with two zeros at least."""
    rows = np.zeros((len(counts), int(counts.max()) + 2))
    rows[np.arange(rows.shape[1]) < counts[:, None]] = values
    return rows


def _second(rows: Floats) -> Floats:
    """The second highest value of each row; the rows are sorted in passing."""
    rows.sort(axis=1)
    return rows[:, -2]
