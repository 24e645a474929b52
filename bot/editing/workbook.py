"""All files of a folder, read once, so that an edit of one file is judged in a moment, among all the others."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

from bot.check import duplicates
from bot.desk import Desk
from bot.knowledge.book import Loaded, bind
from bot.knowledge.page import Page, read_page
from bot.match.memory import uncollected

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.model import Problem


class Workbook:
    """The files as they were last kept. Drafts are bound to them and leave no trace."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        with uncollected():
            self._pages = {name: read_page(name, content) for name, content in files.items()}
            self._known = frozenset(bind(self._pages).problems)
            if files:
                gc.freeze()  # kept for long: no collection need look through it while somebody types

    @property
    def pages(self) -> Mapping[str, Page]:
        """The files, read one by one, by name."""
        return self._pages

    @property
    def problems(self) -> frozenset[Problem]:
        """What is wrong with the files as they were last kept."""
        return self._known

    def with_draft(self, name: str, content: bytes) -> Loaded:
        """The knowledge with one file changed, or added."""
        return bind(self._bound(name, content))

    def check(self, name: str, content: bytes) -> tuple[Problem, ...]:
        """Problems that a draft has, and those that it makes elsewhere; sorted, the draft's own first.

        Questions are not asked: see `bot.editing.trial` for that.
        """
        loaded = self.with_draft(name, content)
        own = [problem for problem in loaded.problems if problem.file == name]
        if loaded.book is not None:
            own += [found for found in duplicates.alike(loaded.book, loaded.trees, {name}) if found.file == name]
        elsewhere = [problem for problem in loaded.problems if problem.file != name and problem not in self._known]
        return (*sorted(own), *elsewhere)

    def compile(self, name: str, content: bytes) -> Desk | None:
        """A desk of the knowledge with the draft in it; None when it has errors."""
        book = self.with_draft(name, content).book
        return None if book is None else Desk(book)

    def keep(self, name: str, content: bytes | None) -> None:
        """Take a file as it was saved, or leave it out when it was deleted (None)."""
        self._pages = self._bound(name, content)
        self._known = frozenset(bind(self._pages).problems)

    def _bound(self, name: str, content: bytes | None) -> dict[str, Page]:
        rest = {known: page for known, page in self._pages.items() if known != name}
        return rest if content is None else dict(sorted({**rest, name: read_page(name, content)}.items()))
