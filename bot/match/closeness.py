"""What two spelled texts share and lack, single character by single character; pairs take no part.

For banks of hardly more than one wording an entry, where neighbours differ by a word or a character.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Closeness = tuple[float, ...]
"""In the order of `NAMES`, each in [0, 1]."""

NAMES = (
    "alike",  # Dice of the characters
    "covered",  # share of the query that the wording holds
    "contained",  # share of the wording that the query holds
    "missing_next",  # weight of the second heaviest character that the wording lacks
    "extra_next",  # weight of the second heaviest character that the query lacks
    "opening",  # how far both begin alike
)
NONE: Closeness = (0.0,) * len(NAMES)


def closeness(query: str, wordings: Iterable[str], weights: Mapping[str, float], unknown: float) -> Iterable[Closeness]:
    """Compare a spelled query with some wordings; a character without a weight weighs `unknown`, which is above 0."""
    asked = {char: weights.get(char, unknown) for char in query if char != " "}
    mass = sum(asked.values())
    for wording in wordings:
        known = set(wording)
        known.discard(" ")
        missing = [weight for char, weight in asked.items() if char not in known]
        extra = [weights.get(char, unknown) for char in known if char not in asked]
        common, added = mass - sum(missing), sum(extra)
        yield (
            2 * common / max(mass + common + added, 1e-6),
            common / max(mass, 1e-6),
            common / max(common + added, 1e-6),
            sorted(missing)[-2] / unknown if len(missing) > 1 else 0.0,
            sorted(extra)[-2] / unknown if len(extra) > 1 else 0.0,
            _opening(query, wording) / max(len(query), len(wording), 1),
        )


def _opening(left: str, right: str) -> int:
    """Number of characters before the first difference."""
    at = 0
    for mine, other in zip(left, right, strict=False):
        if mine != other:
            break
        at += 1
    return at
