"""Entries that look like one another: written twice, by two people or on two days."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from rapidfuzz import process
from rapidfuzz.fuzz import ratio

from bot.check.places import items
from bot.knowledge.schema import Entry
from bot.model import Problem, Severity
from bot.text.normalise import key, normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from bot.knowledge.book import Book
    from bot.knowledge.nodes import Tree

    Placed = tuple[Tree, int, Entry]

_ALIKE = 90.0
_LEAST = 6
"""Characters from which likeness means anything."""


def alike(book: Book, trees: Mapping[str, Tree], only: Collection[str] | None = None) -> Iterator[Problem]:
    """Pairs of one region and theme whose names or summaries are nearly the same (K405), told of the later one.

    `only` limits the search to pairs in which one of these files takes part.
    """
    wanted = None
    if only is not None:
        drafts = {name: tree for name, tree in trees.items() if name in only}
        wanted = {(item.region, item.theme) for _, _, item in items(book, drafts) if isinstance(item, Entry)}
    groups: dict[tuple[str, str], list[Placed]] = defaultdict(list)
    for tree, index, item in items(book, trees):
        if isinstance(item, Entry) and (wanted is None or (item.region, item.theme) in wanted):
            groups[item.region, item.theme].append((tree, index, item))
    for group in groups.values():
        if len(group) > 1:
            yield from _in_group(group)


def _in_group(group: Sequence[Placed]) -> Iterator[Problem]:
    told: set[int] = set()
    for what, texts in (
        ("名称", [key(normalise(item.name)) for _, _, item in group]),
        ("概述", [key(normalise(item.summary, None)) for _, _, item in group]),
    ):
        likeness = process.cdist(texts, texts, scorer=ratio, score_cutoff=_ALIKE)
        for later in range(1, len(group)):
            rivals = [at for at in range(later) if likeness[later][at] and len(texts[at]) >= _LEAST]
            if rivals and later not in told:
                told.add(later)
                tree, index, _ = group[later]
                other_tree, other_index, other = group[rivals[0]]
                where = f"{other_tree.file}:{other_tree.at((other_index,))[0]}"
                message = f"{what}和 {where} 的“{other.name}”几乎一样，是不是同一件事？是就并成一条，不是就写得能分清"
                path = (index, "name" if what == "名称" else "summary")
                yield Problem(tree.file, *tree.at(path), "K405", message, Severity.WARNING)
