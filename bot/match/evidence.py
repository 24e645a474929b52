"""What tells a right first entry from a wrong one, as the numbers that a calibration weighs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.match.matcher import Candidate

Evidence = Callable[[Sequence["Candidate"]], tuple[float, ...]]
"""Ranked candidates, an entry among them → numbers, the last one 1 for the bias."""


def evidence(ranked: Sequence[Candidate]) -> tuple[float, ...]:
    """Of a bank with several wordings an entry; 13 of them."""
    first, margin, lead = _ahead(ranked)
    return (
        min(first.blend, 30.0) / 10,
        margin,
        lead,
        *map(first.feature, _FULL),
        min(first.held, 60.0) / 20,
        1.0,
    )


def lean_evidence(ranked: Sequence[Candidate]) -> tuple[float, ...]:
    """Of a lean bank, where a neighbour may differ by one character; 14 of them."""
    first, margin, lead = _ahead(ranked)
    return (first.blend / 10, margin, lead, *map(first.feature, _LEAN), 1.0)


_FULL = ("told", "asked", "dice", "wording", "sound", "keyword", "name", "ratio")
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
