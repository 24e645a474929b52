"""The knowledge folder as the editor works with it: read when it changes, drafts judged and compiled off the loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

from bot.editing.workbook import Workbook
from bot.knowledge.book import read_folder
from bot.knowledge.schema import Faq
from bot.reload import signature

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from bot.desk import Desk
    from bot.knowledge.nodes import Tree
    from bot.knowledge.page import Page
    from bot.knowledge.schema import Entry
    from bot.model import Problem
    from bot.reload import Signature

Found = TypeVar("Found")

_FEW = 5
"""So many changed files are taken one by one; of more the whole folder is read anew."""


class Workroom:
    """One for the process. The draft compiled last is kept, for what is asked of it next."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._reading, self._compiling = asyncio.Lock(), asyncio.Lock()
        self._seen: Signature | None = None
        self._files: dict[str, bytes] = {}
        self._workbook = Workbook({})
        self._draft: tuple[str, Desk | None] = ("", None)

    async def run(self, work: Callable[[Workbook], Found]) -> Found:
        """What `work` makes of the folder as it stands now, in a thread."""
        async with self._reading:
            workbook = await asyncio.to_thread(self._today)
        return await asyncio.to_thread(work, workbook)

    async def check(self, name: str, content: bytes) -> tuple[Problem, ...]:
        """What is wrong with a draft, its own problems first."""
        return await self.run(lambda workbook: workbook.check(name, content))

    async def compile(self, name: str, content: bytes) -> Desk | None:
        """A desk of the folder with the draft in it; None when it has errors."""
        async with self._compiling:
            return await self.run(lambda workbook: self._compiled(workbook, name, content))

    async def trees(self, name: str, content: bytes) -> dict[str, Tree]:
        """Where everything stands in the folder with the draft in it."""
        return await self.run(lambda workbook: dict(workbook.with_draft(name, content).trees))

    def _compiled(self, workbook: Workbook, name: str, content: bytes) -> Desk | None:
        book = workbook.with_draft(name, content).book
        key = "" if book is None else book.version
        if self._draft[0] != key:
            self._draft = key, workbook.compile(name, content)
        return self._draft[1]

    def _today(self) -> Workbook:
        seen = signature(self.folder)
        if seen == self._seen:
            return self._workbook
        files = read_folder(self.folder)
        changed = [name for name in files.keys() | self._files.keys() if files.get(name) != self._files.get(name)]
        if len(changed) > _FEW:
            self._workbook = Workbook(files)
        else:
            for name in changed:
                self._workbook.keep(name, files.get(name))
        self._seen, self._files = seen, files
        return self._workbook


def named(page: Page) -> Iterator[tuple[int, Entry | Faq]]:
    """The entries of a file, or its questions and answers, each with its line; nothing of a file that is not sound."""
    items: Sequence[Entry | Faq] = (*page.entries, *page.faqs)
    return ((page.tree.at((index,))[0], item) for index, item in enumerate(items))


def titled(item: Entry | Faq) -> str:
    """What an entry, or a question and answer, is called."""
    return item.question if isinstance(item, Faq) else item.name
