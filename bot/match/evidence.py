"""What tells a right first entry from a wrong one, as the numbers that a calibration weighs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bot.match.matcher import Candidate

Evidence = Callable[[Sequence["Candidate"]], "NDArray[np.float64]"]
"""Ranked candidates, an entry among them → numbers, the last one 1 for the bias."""


def evidence(ranked: Sequence[Candidate]) -> NDArray[np.float64]:
    """Of a bank with several wordings an entry; shape (13,)."""
    first, margin, lead = _ahead(ranked)
    return np.array(
        [
            min(first.blend, 30.0) / 10,
            margin,
            lead,
            first.feature("told"),
            first.feature("asked"),
            first.feature("dice"),
            first.feature("wording"),
            first.feature("sound"),
            first.feature("keyword"),
            first.feature("name"),
            first.feature("ratio"),
            min(first.held, 60.0) / 20,
            1.0,
        ]
    )


def lean_evidence(ranked: Sequence[Candidate]) -> NDArray[np.float64]:
    """Of a lean bank, where a neighbour may differ by one character; shape (14,)."""
    first, margin, lead = _ahead(ranked)
    return np.array([first.blend / 10, margin, lead, *map(first.feature, _LEAN), 1.0])


_LEAN = (
    *("asked", "wording", "sound", "ratio", "covered", "contained"),
    *("missing", "missing_next", "extra", "extra_next"),
)


def _ahead(ranked: Sequence[Candidate]) -> tuple[Candidate, float, float]:
    """The first entry, how far its blend is ahead of the second one's, at most 1, and of the best decoy's."""
    entries = [item for item in ranked if not item.decoy]
    decoys = [item.blend for item in ranked if item.decoy]
    first = entries[0]
    second = entries[1].blend if len(entries) > 1 else 0.0
    margin = min(first.blend - second, 4.0) / 4
    return first, margin, min(max(first.blend - max(decoys, default=0.0), -4.0), 8.0) / 4
