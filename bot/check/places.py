"""Where each entry, and each question and answer, stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.knowledge.schema import FAQ_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.knowledge.book import Book
    from bot.knowledge.nodes import Tree
    from bot.knowledge.schema import Entry, Faq


def items(book: Book, trees: Mapping[str, Tree]) -> Iterator[tuple[Tree, int, Entry | Faq]]:
    """Every item with the tree of its file and its place there."""
    for name, tree in trees.items():
        if "/" in name and isinstance(tree.data, list):
            known = book.faqs if name.startswith(FAQ_FOLDER) else book.entries
            for index, raw in enumerate(tree.data):
                if raw["id"] in known:
                    yield tree, index, known[raw["id"]]
