"""The knowledge: its files, the versions of each, and the way back to an earlier one."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Route

from bot.channels.web.forms import form_fields
from bot.dashboard import words
from bot.dashboard.drafts import Draft, content_now
from bot.dashboard.pages import editor
from bot.dashboard.panel import Page
from bot.dashboard.workroom import named, titled
from bot.editing import keep
from bot.editing.mend import diff
from bot.model import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel
    from bot.editing.workbook import Workbook
    from bot.knowledge.book import Book

_MOST_FOUND = 50


@dataclass(frozen=True, slots=True)
class File:
    """One file in the list."""

    name: str
    items: int
    errors: int
    warnings: int

    @property
    def topic(self) -> str:
        """The name without folder and ending; a theme's id, or a registry's."""
        return self.name.rpartition("/")[2].removesuffix(".yaml")


@dataclass(frozen=True, slots=True)
class Found:
    """An entry, or a question and answer, with where it stands."""

    title: str
    id: str
    file: str
    line: int


async def show(panel: Panel, request: Request) -> Response:
    """`GET /knowledge`: the files, or the entries whose name has the words `q`."""
    asked = request.query_params.get("q", "").strip()[:100]
    groups, found = await panel.workroom.run(lambda workbook: (_files(workbook), _search(workbook, asked)))
    called = _called(panel.program.desk.book)
    return await panel.page(
        request, "knowledge.html", groups=groups, called=called, asked=asked, found=found, most=_MOST_FOUND
    )


def _called(book: Book) -> Mapping[str, str]:
    """What a folder or a file is about, by its name without the ending: a region, a theme, a registry."""
    regions = {region.id: region.name for region in book.regions.values()}
    return {**regions, **{theme.id: theme.name for theme in book.themes}, **words.REGISTRIES}


def _files(workbook: Workbook) -> Mapping[str, list[File]]:
    """Files by folder, the fixed ones under the empty name and last."""
    groups: dict[str, list[File]] = {}
    for name, page in sorted(workbook.pages.items(), key=lambda item: ("/" not in item[0], item[0])):
        said = [problem.severity for problem in workbook.problems if problem.file == name]
        items = len(page.tree.data) if page.tree.data else 0
        file = File(name, items, said.count(Severity.ERROR), said.count(Severity.WARNING))
        groups.setdefault(name.rpartition("/")[0], []).append(file)
    return groups


def _search(workbook: Workbook, asked: str) -> list[Found]:
    if not asked:
        return []
    return [
        Found(titled(item), item.id, name, line)
        for name, page in workbook.pages.items()
        for line, item in named(page)
        if any(asked.lower() in text.lower() for text in (titled(item), item.id, *getattr(item, "aliases", ())))
    ][:_MOST_FOUND]


async def history(panel: Panel, request: Request) -> Response:
    """`GET /knowledge/history`: the kept versions of a file."""
    name = request.query_params.get("file", "")
    versions, now = await _kept(panel, name)
    kept = [(version, _moment(version.at)) for version in versions]
    return await panel.page(request, "history.html", file=name, versions=kept, opened=keep.digest(now))


async def version(panel: Panel, request: Request) -> Response:
    """`GET /knowledge/version`: what an earlier version would change."""
    name, identifier = request.query_params.get("file", ""), request.query_params.get("id", "")
    versions, now = await _kept(panel, name)
    then = await _content(panel, name, identifier)
    at = next((_moment(version.at) for version in versions if version.id == identifier), None)
    changes = diff(name, now, then).splitlines()[2:]
    return await panel.page(
        request, "version.html", file=name, id=identifier, at=at, changes=changes, opened=keep.digest(now)
    )


async def undo(panel: Panel, request: Request) -> Response:
    """`POST /knowledge/undo`: save an earlier version once more."""
    fields = await form_fields(request)
    name, identifier = fields.get("file", ""), fields.get("id", "")
    then = await _content(panel, name, identifier)
    draft = Draft(name, then.decode("utf-8", "replace"), fields.get("opened", ""), why=f"退回 {identifier[:15]}")
    return await editor.put(panel, request, draft, "退回知识", "undone")


async def _kept(panel: Panel, name: str) -> tuple[list[keep.Version], bytes]:
    now = await content_now(panel, name)
    return await asyncio.to_thread(keep.versions, panel.workroom.folder, name), now


async def _content(panel: Panel, name: str, identifier: str) -> bytes:
    try:
        return await asyncio.to_thread(keep.content_of, panel.workroom.folder, name, identifier)
    except keep.SaveError as error:
        raise HTTPException(400, str(error)) from None


def _moment(told: str) -> dt.datetime:
    """When a version was kept; copies tell it in UTC."""
    found = dt.datetime.fromisoformat(told)
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _routes(panel: Panel) -> list[Route]:
    return [
        Route("/knowledge", partial(show, panel), methods=["GET"]),
        Route("/knowledge/history", partial(history, panel), methods=["GET"]),
        Route("/knowledge/version", partial(version, panel), methods=["GET"]),
        Route("/knowledge/undo", partial(undo, panel), methods=["POST"]),
        *editor.routes(panel),
    ]


PAGE = Page("/knowledge", "知识文件", _routes)
