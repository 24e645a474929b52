"""Files of a knowledge folder as blocks of text: one is replaced or added, all the others stay as they are."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.exchange.amend import amend
from bot.exchange.block import Block
from bot.knowledge import nodes
from bot.knowledge.schema import FAQ_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from bot.knowledge.nodes import Tree

MAX_ITEMS = 500
"""Questions that a file is filled up to."""
_MAX_BYTES, _MAX_NODES = nodes.MAX_BYTES - 4_000, nodes.MAX_NODES - 10
_HEAD = "# 由 reformbot import 写成。再导入时按编号只改问题、问法和答案，别的键照旧。\n"
ENTRY_HEAD = "# yaml-language-server: $schema=../schema.json\n"
_ASIDE = re.compile(r"\s*(?:#.*)?\s*")
_DASH = re.compile("- +")


def fits_alone(block: Block) -> bool:
    """Whether a block can stand in a file at all."""
    return Paper.empty(_HEAD).has_room(block)


@dataclass(slots=True)
class Paper:
    """One file: `head` stands before its first item, `tail` after the last one. `put` keeps the counts right."""

    head: str
    tail: str = ""
    blocks: list[Block] = field(default_factory=list)
    size: int = 0
    nodes: int = 1

    @classmethod
    def empty(cls, head: str, tail: str = "") -> Paper:
        """A file without items."""
        return cls(head, tail, size=len((head + tail).encode()))

    def has_room(self, block: Block) -> bool:
        """Whether one more block keeps the limits of a knowledge file and ours."""
        light = self.size + block.size() <= _MAX_BYTES and self.nodes + block.nodes <= _MAX_NODES
        return light and len(self.blocks) < MAX_ITEMS

    def too_big(self) -> bool:
        """Whether the file no longer keeps the limits of a knowledge file."""
        return len(self.blocks) > 1 and (self.size > _MAX_BYTES or self.nodes > _MAX_NODES)

    def put(self, at: int, block: Block | None) -> Block | None:
        """Set, append (at the end) or take away (None) the block at a place; return the one that stood there."""
        before = self.blocks[at : at + 1]
        self.blocks[at : at + 1] = [block] if block else []
        for sign, items in ((-1, before), (1, [block] if block else [])):
            self.size += sign * sum(item.size() for item in items)
            self.nodes += sign * sum(item.nodes for item in items)
        return before[0] if before else None

    def text(self) -> str:
        """The whole file."""
        return "".join([self.head, *(block.lead + block.text for block in self.blocks), self.tail])


class Shelf:
    """The item files of a folder, to be changed; nothing is written. `slug` names the files for new FAQs."""

    def __init__(self, files: Mapping[str, bytes], trees: Mapping[str, Tree], slug: str) -> None:
        self._own = re.compile(re.escape(FAQ_FOLDER + slug) + r"-([0-9]{3,})\.yaml")
        self._name = f"{FAQ_FOLDER}{slug}-{{:03}}.yaml"
        self._files, self._touched = files, set[str]()
        self._trees = {name: tree for name, tree in trees.items() if "/" in name}
        self._papers: dict[str, Paper | None] = {}
        self._place = {
            raw["id"]: (name, at) for name, tree in self._trees.items() for at, raw in enumerate(tree.data or ())
        }

    def owns(self, identifier: str) -> bool:
        """Whether an item stands in one of the files that `slug` names."""
        return identifier in self._place and self._own.fullmatch(self._place[identifier][0]) is not None

    def where(self, identifier: str) -> str:
        """`file:line` of an item."""
        name, at = self._place[identifier]
        return f"{name}:{self._trees[name].at((at, 'id'))[0]}"

    def change(self, identifier: str, changes: Mapping[str, Any], order: Sequence[str]) -> Block | None:
        """Set some values of an item, comments and all else as they are; None when its file is not in blocks."""
        name, at = self._place[identifier]
        paper = self._paper(name)
        if paper is None:
            return None
        block = amend(paper.blocks[at], changes, order)
        paper.put(at, block)
        self._touched.add(name)
        return block

    def add_to(self, name: str, block: Block) -> bool:
        """Append a block to a file, which is made if it is not there; False when it cannot be."""
        paper = self._paper(name)
        if paper is None or not paper.has_room(block):
            return False
        paper.put(len(paper.blocks), block)
        self._touched.add(name)
        return True

    def add(self, blocks: Iterable[Block]) -> None:
        """Append blocks to the last file of ours and to new ones, after those that no longer fit where they were."""
        moved: list[Block] = []
        for name in sorted(self._touched):
            paper = self._paper(name)
            while paper is not None and name.startswith(FAQ_FOLDER) and paper.too_big():
                last = paper.put(len(paper.blocks) - 1, None)
                moved += [last] if last else []
        number = max((int(found[1]) for name in self._files if (found := self._own.fullmatch(name))), default=1)
        for block in (*reversed(moved), *blocks):
            while (paper := self._paper(self._name.format(number))) is None or not paper.has_room(block):
                number += 1
            paper.put(len(paper.blocks), block)
            self._touched.add(self._name.format(number))

    def changed(self) -> dict[str, bytes]:
        """The files that are no longer what they were, by name."""
        papers = ((name, self._papers[name]) for name in sorted(self._touched))
        return {name: paper.text().encode() for name, paper in papers if paper is not None}

    def _paper(self, name: str) -> Paper | None:
        if name not in self._papers and name in self._trees:
            self._papers[name] = _cut(self._files[name], self._trees[name])
        elif name not in self._papers:
            self._papers[name] = Paper.empty(_HEAD if name.startswith(FAQ_FOLDER) else ENTRY_HEAD)
        return self._papers[name]


def _cut(content: bytes, tree: Tree) -> Paper | None:
    """A file as blocks; None when its items do not each begin a line with `- `."""
    lines = content.decode("utf-8-sig").splitlines(keepends=True)
    lines[-1] = lines[-1].rstrip("\r\n") + "\n"
    counts = Counter(path[0] for path in (*tree.values, *tree.keys) if path)
    starts = [tree.at((at,)) for at in range(len(tree.data))]
    if not starts or not all(_DASH.fullmatch(lines[line - 1][: column - 1]) for line, column in starts):
        return None
    last = len(lines) - _aside(lines)
    paper = Paper.empty("".join(lines[: starts[0][0] - 1]), "".join(lines[last:]))
    lead = ""
    for at, (line, _) in enumerate(starts):
        limit = starts[at + 1][0] - 1 if at + 1 < len(starts) else last
        end = limit - _aside(lines[:limit])
        paper.put(at, Block("".join(lines[line - 1 : end]), counts[at], lead))
        lead = "".join(lines[end:limit])
    return paper


def _aside(lines: Sequence[str]) -> int:
    """How many lines at the end are blank or comments."""
    return sum(1 for _ in itertools.takewhile(_ASIDE.fullmatch, reversed(lines)))
