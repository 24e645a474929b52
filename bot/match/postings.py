"""Inverted lists in numpy: for each token the units that hold it, and its inverse document frequency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.floating[Any]]
    Ints = NDArray[np.int32]

PAIR_WEIGHT = 0.35
"""Of a single item's: pairs often straddle two words, and then their rarity means nothing."""
_NOTHING = np.zeros(0, dtype=np.int32)


def is_pair(token: str) -> bool:
    """Whether a token joins two neighbours; a Latin word or a number is one item."""
    return len(token) > 1 and not (token.isascii() and token.isalnum())


class Weights:
    """Token → weight: IDF over entries; a token that no entry has weighs as much as the rarest."""

    def __init__(self, documents: Sequence[set[str]]) -> None:
        count: dict[str, int] = {}
        for document in documents:
            for token in document:
                count[token] = count.get(token, 0) + 1
        total = len(documents) + 1.0
        self.unknown = float(np.log(total / 0.7))
        self._idf = {token: float(np.log(total / (number - 0.3))) for token, number in count.items()}

    def __call__(self, token: str) -> float:
        """Weight of one token."""
        weight = self._idf.get(token, self.unknown)
        return weight * PAIR_WEIGHT if is_pair(token) else weight

    def knows(self, token: str) -> bool:
        """Whether any entry has the token."""
        return token in self._idf

    def of(self, tokens: Sequence[str]) -> Floats:
        """Weights of many tokens."""
        return np.array([self(token) for token in tokens], dtype=np.float32)


class Postings:
    """Units (wordings or entries) by token. Overlap of a query with every unit in one pass."""

    def __init__(
        self, units: Sequence[Sequence[str]], weights: Weights, scales: Sequence[Sequence[float]] = ()
    ) -> None:
        """Compile `units`; each of `scales`, flat over all tokens of all units, scales a token within its unit."""
        self.weights = weights
        self.size = len(units)
        vocabulary: dict[str, int] = {}
        flat: list[int] = []
        owner: list[int] = []
        for number, unit in enumerate(units):
            for token in unit:
                flat.append(vocabulary.setdefault(token, len(vocabulary)))
                owner.append(number)
        tokens = np.array(flat, dtype=np.int64)
        owners = np.array(owner, dtype=np.int64)
        order = np.argsort(tokens, kind="stable")
        ends = np.cumsum(np.bincount(tokens, minlength=len(vocabulary)))
        starts = np.concatenate([[0], ends[:-1]]) if flat else ends
        spans = zip(starts.tolist(), ends.tolist(), strict=True)
        self._spans: dict[str, tuple[int, int]] = dict(zip(vocabulary, spans, strict=True))
        self._owners: Ints = owners[order].astype(np.int32)
        self._scales = [np.array(scale, dtype=np.float32)[order] for scale in scales]
        table = weights.of(list(vocabulary))
        masses = np.bincount(owners, weights=table[tokens], minlength=self.size) if flat else np.zeros(self.size)
        self.masses: Floats = masses.astype(np.float32)

    def overlaps(self, query: Weighed) -> list[Floats]:
        """For every unit the weight of the query's tokens that it holds; then the same by each scale.

        Arrays of shape (size,), one more than there are scales.
        """
        found = [(span, weight) for token, weight in query.pairs if (span := self._spans.get(token)) is not None]
        if not found:
            return [np.zeros(self.size, dtype=np.float32) for _ in range(1 + len(self._scales))]
        slices = [slice(start, end) for (start, end), _ in found]
        owners = np.concatenate([self._owners[part] for part in slices])
        weights = np.array([weight for _, weight in found])
        spread = np.repeat(weights, np.array([part.stop - part.start for part in slices]))
        sums = [np.bincount(owners, weights=spread, minlength=self.size)]
        for scale in self._scales:
            scaled = spread * np.concatenate([scale[part] for part in slices])
            sums.append(np.bincount(owners, weights=scaled, minlength=self.size))
        return [total.astype(np.float32) for total in sums]


class Weighed:
    """Tokens of one query with their weights."""

    def __init__(self, tokens: Sequence[str], weights: Weights) -> None:
        self.tokens = frozenset(tokens)
        self.pairs = [(token, weights(token)) for token in tokens]
        self.mass = max(sum(weight for _, weight in self.pairs), 1e-6)
        self.heaviest_first = sorted(self.pairs, key=lambda pair: -pair[1])

    def heaviest_missing(self, known: set[str]) -> float:
        """Weight of the heaviest token that is not known; 0 when all are."""
        return next((weight for token, weight in self.heaviest_first if token not in known), 0.0)

    def share(self, known: set[str]) -> float:
        """Share of the weight that known tokens hold, in [0, 1]."""
        return sum(weight for token, weight in self.pairs if token in known) / self.mass
