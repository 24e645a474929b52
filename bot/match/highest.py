"""The few highest of many scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Ints = NDArray[np.integer[Any]]

_BLOCK = 64
_SOMETHING = np.float32(1e-6)
"""A score below this is what rounding leaves of 0."""


def highest(scores: Floats, limit: int) -> Ints:
    """Where the highest scores above 0 stand, in no order, so many at most.

    In a long row the best of as many blocks leave out nearly all of it.
    """
    blocks, least = len(scores) // _BLOCK, _SOMETHING
    if blocks > limit:
        best = scores[: blocks * _BLOCK].reshape(_BLOCK, blocks).max(axis=0)
        best.partition(blocks - limit)
        least = max(best[blocks - limit], least)
    places = np.flatnonzero(scores >= least)
    if len(places) > limit:
        places = places.take((-scores.take(places)).argpartition(limit - 1)[:limit])
    return places
