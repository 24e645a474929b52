"""What every page works with: the program, who is logged in, the templates, and the list of pages."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.channels.web.pages import asset as chat_asset
from bot.channels.web.pages import scrub, templates, version
from bot.dashboard import words
from bot.dashboard.attempts import Attempts
from bot.dashboard.workroom import Workroom
from bot.errors import StoreError
from bot.querylog.daily import city_day

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from bot.dashboard.access import Access, Session
    from bot.desk import Desk
    from bot.gaps.keeper import Keeper
    from bot.querylog.store import QueryLog
    from bot.reload import Reloader
    from bot.settings import Settings
    from bot.switch import Switch

ROOT = "/admin"
STATIC = Path(__file__).parent / "static"
DEMO = "demo"
"""Key of the small value that a database of made-up questions holds."""
PERIODS = (7, 30, 90, 365)
"""Days that a page may look back."""

_TEMPLATES = Path(__file__).parent / "templates"
_FRESH_SECONDS = 0.1
_USUAL = 30

log = logging.getLogger("reformbot.dashboard")


class Program(Protocol):
    """What the dashboard needs of the program. `bot.app` implements it."""

    settings: Settings
    desk: Desk
    """Today's knowledge; another one after a reload."""
    querylog: QueryLog
    switch: Switch
    gaps: Keeper
    reloader: Reloader
    """Knows the folder, and takes it in when it is asked to."""

    def health(self) -> dict[str, Any]:
        """`{"status": "ok", ...}` while everything works."""
        ...


class Reloaded(Protocol):
    """What came of taking in the knowledge again; `text` tells it to a person."""

    @property
    def ok(self) -> bool:
        """Whether the knowledge in use is the one in the folder."""
        ...

    @property
    def text(self) -> str:
        """What changed, or why nothing did."""
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the navigation, and its routes below `ROOT`."""

    path: str
    title: str
    routes: Callable[[Panel], Sequence[BaseRoute]]


@dataclass(frozen=True, slots=True)
class Section:
    """Pages under one heading of the navigation."""

    title: str
    pages: tuple[Page, ...]


@dataclass(frozen=True, slots=True)
class Period:
    """Days that a page is about, both included, ending today."""

    first: dt.date
    last: dt.date

    @property
    def days(self) -> int:
        """How many."""
        return (self.last - self.first).days + 1


class Panel:
    """Shared by all pages. `now` is the wall clock, `tick` a monotonic one in seconds."""

    def __init__(
        self,
        program: Program,
        access: Access,
        sections: Sequence[Section],
        now: Callable[[], dt.datetime],
        tick: Callable[[], float],
    ) -> None:
        self.program, self.access, self.sections = program, access, sections
        self.now, self.tick = now, tick
        self.attempts = Attempts()
        self.checking = asyncio.Semaphore(1)
        self.workroom = Workroom(program.reloader.folder)
        self._tallying: asyncio.Task[None] | None = None
        self._demo: str | None = None
        self._jinja = templates(_TEMPLATES)
        self._jinja.filters.update(words.FILTERS)
        self._jinja.globals.update(
            root=ROOT, asset=asset, chat_asset=chat_asset, sections=sections, periods=PERIODS, labels=words
        )

    async def page(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        """A page for somebody who is logged in. `said` in the address is a notice to show once."""
        said = NOTICES.get(request.query_params.get("said", ""), "")
        here = request.scope["path"].removeprefix(ROOT)
        shown = {"session": request.state.session, "here": here, "notice": said, "demo": await self.demo()}
        return self.bare(template, status, **shown, **values)

    def bare(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page without navigation."""
        html = self._jinja.get_template(template).render(values)
        return HTMLResponse(scrub(html), status, {"Cache-Control": "no-store"})

    async def demo(self) -> str:
        """What the database says of itself when its questions are made up; else empty."""
        if self._demo is None:
            self._demo = await self.program.querylog.get(DEMO) or ""
        return self._demo

    def today(self) -> dt.date:
        """The city's day."""
        return city_day(self.now())

    def period(self, request: Request) -> Period:
        """The days that the address asks for; the usual ones when it does not say."""
        asked = request.query_params.get("days", "")
        days = next((days for days in PERIODS if str(days) == asked), _USUAL)
        return Period(self.today() - dt.timedelta(days=days - 1), self.today())

    async def fresh(self) -> None:
        """Count what came since the last time; a long count goes on while the page shows what is there."""
        if self._tallying is None or self._tallying.done():
            self._tallying = asyncio.create_task(self._tally())
        await asyncio.wait({self._tallying}, timeout=_FRESH_SECONDS)

    async def _tally(self) -> None:
        try:
            await self.program.querylog.tally()
        except StoreError as error:
            log.warning("the counts by day could not be brought up to date: %s", error)

    @property
    def reload(self) -> Callable[[], Awaitable[Reloaded]] | None:
        """Takes in the knowledge as it stands in its folder; None for a program that cannot while it runs."""
        return getattr(self.program, "reload", None)

    def name(self, entry: str) -> str:
        """What an entry, or a question and answer, is called; its id when the knowledge has it no more."""
        book = self.program.desk.book
        return self.program.desk.label(entry) if entry in book.entries or entry in book.faqs else entry


NOTICES = {
    "regrouped": "已经重新归组。",
    "gap-open": "放回待处理了。",
    "gap-drafted": "记为已起草。",
    "gap-done": "记为已解决。",
    "gap-outside": "记为不归这里；问的次数翻一番才会再出现。",
    "saved": "存好了，这一版也留了底。",
    "undone": "退回好了；退回以前的那一版也留着。",
    "reloaded": "知识已经重新读入。",
    "not-reloaded": "知识没有换上，原来的还在用：原因见下面“知识”一栏。",
    "paused": "已经暂停；几秒之内都生效。",
    "resumed": "已经恢复。",
    "not-paused": "它没有暂停。",
}
"""Short word in an address → what the page says."""


def actor(request: Request) -> str:
    """Who does it, for the audit."""
    session: Session = request.state.session
    return session.actor


def asset(name: str) -> str:
    """The address under which a file of the dashboard may be kept for ever."""
    return f"{ROOT}/static/{name}?v={version(STATIC / name)}"


def see(path: str) -> Response:
    """Go on to another page of the dashboard."""
    return RedirectResponse(ROOT + path, 303, {"Cache-Control": "no-store"})
