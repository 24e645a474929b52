"""What two spelled texts share and lack, single character by single character; pairs take no part.

For banks of hardly more than one wording an entry, where neighbours differ by a word or a character.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class Closeness(NamedTuple):
    """All in [0, 1]: Dice, shares of the query and of the wording in common, the second heaviest characters that
    the wording and the query lack (as shares of the heaviest weight there is), and how far both begin alike.
    """

    alike: float = 0.0
    covered: float = 0.0
    contained: float = 0.0
    missing_next: float = 0.0
    extra_next: float = 0.0
    opening: float = 0.0


NONE = Closeness()


def closeness(query: str, wording: str, weights: Mapping[str, float], unknown: float) -> Closeness:
    """Compare two spelled texts; a character without a weight weighs `unknown`, which is above 0."""
    asked, known = set(query) - {" "}, set(wording) - {" "}
    missing = [weights.get(char, unknown) for char in asked - known]
    extra = [weights.get(char, unknown) for char in known - asked]
    common = sum([weights.get(char, unknown) for char in asked & known])
    lost, added = sum(missing), sum(extra)
    return Closeness(
        2 * common / max(2 * common + lost + added, 1e-6),
        common / max(common + lost, 1e-6),
        common / max(common + added, 1e-6),
        _second(missing) / unknown,
        _second(extra) / unknown,
        _opening(query, wording) / max(len(query), len(wording), 1),
    )


def _second(values: list[float]) -> float:
    """The second highest, 0 when there is none."""
    return sorted(values)[-2] if len(values) > 1 else 0.0


def _opening(left: str, right: str) -> int:
    """Number of characters before the first difference."""
    for at, (mine, other) in enumerate(zip(left, right, strict=False)):
        if mine != other:
            return at
    return min(len(left), len(right))
