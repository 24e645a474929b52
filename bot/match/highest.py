"""The few highest of many scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Ints = NDArray[np.integer[Any]]

_BLOCK = 64
_NOTHING = np.float32(1e-6)
"""A score up to this is what rounding leaves of 0."""


def highest(scores: Floats, limit: int) -> Ints:
    """Where the highest scores above 0 stand, in no order, so many at most.

    In a long row the best of as many blocks leave out nearly all of it.
    """
    blocks = len(scores) // _BLOCK
    if blocks <= limit:
        return _of_few(scores, limit)
    best = scores[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
    best.partition(blocks - limit)
    places: Ints = np.flatnonzero(scores >= max(best[blocks - limit], _NOTHING))
    return places.take(_of_few(scores.take(places), limit))


def _of_few(scores: Floats, limit: int) -> Ints:
    places: Ints = scores.argpartition(-limit)[-limit:] if len(scores) > limit else np.arange(len(scores))
    return places[scores.take(places) > _NOTHING]
