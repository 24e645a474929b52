"""The dashboard as one route of the web server: what is open, what asks for a login, and which pages there are."""

from __future__ import annotations

import datetime as dt
import ipaddress
import time
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Mount

from bot.channels.web.pages import Assets
from bot.channels.web.security import BodyLimit, SecurityHeaders
from bot.dashboard import export, login
from bot.dashboard.access import Access
from bot.dashboard.pages import (
    audit,
    channels,
    entries,
    gaps,
    knowledge,
    overview,
    questions,
    regions,
    system,
    wordings,
)
from bot.dashboard.panel import ROOT, STATIC, Panel, Section
from bot.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Program
    from bot.settings import Settings

SECTIONS = (
    Section("看数据", (overview.PAGE, channels.PAGE, regions.PAGE, entries.PAGE)),
    Section("查问题", (questions.PAGE, wordings.PAGE)),
    Section("补知识", (gaps.PAGE, knowledge.PAGE)),
    Section("管系统", (system.PAGE, audit.PAGE)),
)
"""The navigation, in order: a new page is one more PAGE here."""

BODY_LIMIT = 4 * 1024 * 1024
"""Bytes of a form. A draft of 1 MiB is three times as long in one."""
_ERRORS = {404: "没有这个页面。", 405: "这个地址不接受这种请求。"}


def is_on(settings: Settings) -> bool:
    """Whether there is a dashboard: with a password, or on the loopback address, where a link lets people in."""
    return settings.admin_password_hash is not None or _is_loopback(settings.host)


def base_of(settings: Settings) -> str:
    """The address of the site as people reach it."""
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return settings.public_url or f"http://{host}:{settings.port}"


def dashboard(
    program: Program,
    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    tick: Callable[[], float] = time.monotonic,
) -> Mount:
    """All of it below `/admin`; everything but the login and the style sheet is refused without a session."""
    secret = program.settings.admin_password_hash
    access = Access(program.querylog, None if secret is None else secret.get_secret_value(), now)
    panel = Panel(program, access, SECTIONS, now, tick)
    pages = [route for section in SECTIONS for page in section.pages for route in page.routes(panel)]

    def refuse(status: int, text: str) -> Response:
        return panel.bare("error.html", status, text=text)

    async def refused(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        return refuse(status, _ERRORS.get(status) or str(getattr(error, "detail", "")))

    async def unread(_: Request, error: Exception) -> Response:
        return refuse(503, f"问答记录现在读不了：{error}")

    async def broken(_: Request, __: Exception) -> Response:
        return refuse(500, "系统出了点问题，请稍后再试。")

    site = Starlette(
        routes=[
            *login.open_routes(panel),
            Mount("/static", Assets(STATIC)),
            Mount(
                "",
                routes=[*login.routes(panel), *export.routes(panel), *pages],
                middleware=[Middleware(login.Guard, panel=panel)],
            ),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(BodyLimit, limit=BODY_LIMIT, refuse=refuse)],
        exception_handlers={HTTPException: refused, StoreError: unread, Exception: broken},
    )
    return Mount(ROOT, app=site)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
