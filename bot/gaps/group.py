"""Wordings into groups, in two steps: those that ask the same, then those that are about one thing unknown to us.

The first is average linkage over the pairs that are near each other. The second joins what names a thing that the
knowledge has no word for, whatever is asked of it (where, how much ...): it wants one entry. What was grouped before
stays together; a new wording joins a group or founds one. The same input gives the same groups.
"""

from __future__ import annotations

import heapq
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.gaps.likeness import Likeness
from bot.match.postings import unique

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.gaps.wording import Wording
    from bot.match.index import Index

    Ints = NDArray[np.integer[Any]]
    Floats = NDArray[np.floating[Any]]

TOGETHER = 0.4
"""Mean probability between two groups from which they are one."""
_FAINT = 0.05
"""Less probable pairs count as nothing."""


def group(wordings: Sequence[Wording], known: Sequence[int | None], index: Index, subjects: bool = True) -> list[int]:
    """The group of each wording, as a number from 0 in the order of first members.

    `known` says which group a wording belonged to before (None: to none). Two such groups stay apart, and their
    wordings stay in them. Without `subjects` only wordings that ask the same are together, not all about one thing.
    """
    if not wordings:
        return []
    likeness = Likeness(wordings, index)
    clusters = _start(known)
    taken = np.array([known[cluster[0]] is not None for cluster in clusters], dtype=bool)
    parts = _link(_edges(likeness, clusters, taken), taken)
    if subjects:
        parts = _by_subject(parts, clusters, taken, likeness.subjects().tolist(), wordings)
    joined = [[member for part in some for member in clusters[part]] for some in parts]
    result = [0] * len(wordings)
    for number, cluster in enumerate(sorted(joined, key=min)):
        for member in cluster:
            result[member] = number
    return result


def _by_subject(
    parts: list[list[int]],
    clusters: list[list[int]],
    taken: NDArray[np.bool_],
    subjects: list[int],
    wordings: Sequence[Wording],
) -> list[list[int]]:
    """Join what is about the same thing in the same district, whatever is asked of it."""
    about: dict[tuple[int, frozenset[str]], list[int]] = {}
    holding: set[tuple[int, frozenset[str]]] = set()
    rest: list[list[int]] = []
    for part in sorted(parts, key=lambda part: not any(taken[cluster] for cluster in part)):  # the known ones first
        members = [member for cluster in part for member in clusters[cluster]]
        told = Counter(subjects[member] for member in members)
        subject, count = max(told.items(), key=lambda item: (item[1], -item[0]))
        where = frozenset[str]().union(*(wordings[member].regions for member in members))
        held = any(taken[cluster] for cluster in part)
        if not subject or 2 * count < len(members) or (held and (subject, where) in holding):
            rest.append(part)
        else:
            about.setdefault((subject, where), []).extend(part)
            holding |= {(subject, where)} if held else set()
    return [*rest, *about.values()]


def _start(known: Sequence[int | None]) -> list[list[int]]:
    """Known groups whole, every other wording by itself."""
    groups: dict[int, list[int]] = {}
    for at, name in enumerate(known):
        if name is not None:
            groups.setdefault(name, []).append(at)
    return [*groups.values(), *([at] for at, name in enumerate(known) if name is None)]


def _edges(likeness: Likeness, clusters: list[list[int]], taken: NDArray[np.bool_]) -> tuple[Ints, Ints, Floats]:
    """Clusters that have a near pair between them, left < right, and the mean probability over all their pairs."""
    left, right = likeness.candidates()
    chance = likeness.chances(left, right)
    sizes = np.array([len(cluster) for cluster in clusters])
    owner = np.zeros(sizes.sum(), dtype=np.int64)
    owner[[member for cluster in clusters for member in cluster]] = np.repeat(np.arange(len(clusters)), sizes)
    left, right = owner[left], owner[right]
    usable = (left != right) & ~(taken[left] & taken[right]) & (chance >= _FAINT)
    low, high, chance = np.minimum(left, right)[usable], np.maximum(left, right)[usable], chance[usable]
    both, _ = unique(np.sort(low * len(clusters) + high))
    total = np.bincount(np.searchsorted(both, low * len(clusters) + high), chance, len(both))
    low, high = both // len(clusters), both % len(clusters)
    return low, high, total / (sizes[low] * sizes[high])


def _link(edges: tuple[Ints, Ints, Floats], taken: NDArray[np.bool_]) -> list[list[int]]:
    """Average linkage: the closest two become one until none are close enough.

    A pair without an edge counts as unlike. No cluster takes in two that are `taken`.
    """
    sums: list[dict[int, float]] = [{} for _ in taken]
    heap: list[tuple[float, int, int]] = []
    for left, right, chance in zip(*(part.tolist() for part in edges), strict=True):
        sums[left][right] = sums[right][left] = chance
        if chance >= TOGETHER:
            heap.append((-chance, left, right))
    heapq.heapify(heap)
    parts: list[list[int]] = [[at] for at in range(len(taken))]
    bound = taken.tolist()
    while heap:
        chance, left, right = heapq.heappop(heap)
        total = sums[left].get(right)
        if total is None or -total / (len(parts[left]) * len(parts[right])) != chance or (bound[left] and bound[right]):
            continue  # one of the two has grown since, or both must stay
        keep, gone = (left, right) if len(sums[left]) >= len(sums[right]) else (right, left)
        _merge(sums, keep, gone)
        parts[keep] += parts[gone]
        parts[gone] = []
        bound[keep] = bound[keep] or bound[gone]
        for other, total in sums[keep].items():
            mean = total / (len(parts[keep]) * len(parts[other]))
            if mean >= TOGETHER:
                heapq.heappush(heap, (-mean, min(keep, other), max(keep, other)))
    return [sorted(part) for part in parts if part]


def _merge(sums: list[dict[int, float]], keep: int, gone: int) -> None:
    """Add one cluster's links to another's."""
    for other, total in sums[gone].items():
        del sums[other][gone]
        if other != keep:
            sums[keep][other] = sums[other][keep] = sums[keep].get(other, 0.0) + total
    sums[gone] = {}
