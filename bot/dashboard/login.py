"""In and out, and the guard that stands before every other page."""

from __future__ import annotations

import asyncio
import re
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route

from bot.channels.web.forms import form_fields
from bot.channels.web.security import same_origin
from bot.dashboard.access import COOKIE, LINK_LIFE, SESSION_LIFE, matches
from bot.dashboard.panel import ROOT, see

if TYPE_CHECKING:
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from bot.dashboard.panel import Panel

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN_PATH = re.compile(re.escape(ROOT) + r"/[A-Za-z0-9_.~/?&=%+-]{0,500}")
_CHALLENGE = {"WWW-Authenticate": 'FormBased realm="reformbot"'}
_MAX_PASSWORD = 200


class Guard:
    """Lets a request through only with a session, and one that changes something only from our own pages."""

    def __init__(self, app: ASGIApp, panel: Panel) -> None:
        self.app = app
        self._panel = panel

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or show the login."""
        if scope["type"] != "http":
            return
        request = Request(scope)
        cookie = request.cookies.get(COOKIE)
        session = await self._panel.access.session(cookie) if cookie else None
        if session is None:
            query = scope["query_string"].decode("latin-1")
            address = f"{scope['path']}?{query}" if query else scope["path"]
            answer = self._refusal(address if request.method in _SAFE else "")
            await answer(scope, receive, send)
            return
        if request.method not in _SAFE and not same_origin(request.headers):
            raise HTTPException(403, "这个请求来自别的网站，没有受理。请回到本站的页面再试。")
        request.state.session = session
        await self.app(scope, receive, send)

    def _refusal(self, address: str) -> Response:
        response = _form(self._panel, 401, onward=address)
        response.headers.update(_CHALLENGE)
        return response


def _form(panel: Panel, status: int = 200, notice: str = "", onward: str = "", token: str = "") -> Response:
    values = {"notice": notice, "onward": _own(onward), "token": token}
    minutes = int(LINK_LIFE.total_seconds() // 60)
    return panel.bare("login.html", status, password=panel.access.password_hash is not None, minutes=minutes, **values)


def _own(address: str) -> str:
    """An address of the dashboard to go on to, or nothing."""
    return address if _OWN_PATH.fullmatch(address) else ""


async def show(panel: Panel, request: Request) -> Response:
    """`GET /login`: the form, or a button for a link: programs that fetch links ahead must not use them up."""
    return _form(panel, token=request.query_params.get("token", ""))


async def enter(panel: Panel, request: Request) -> Response:
    """`POST /login`: a password or a link's token."""
    fields = await form_fields(request)
    onward = fields.get("onward", "")
    address = request.client.host if request.client else ""
    if not panel.attempts.admit(address, panel.tick()):
        return _form(panel, 429, "试得太多了，请过一刻钟再来。", onward)
    cookie = await _cookie(panel, fields)
    if cookie is None:
        link = "token" in fields
        await panel.access.audit("", "登录失败", "链接" if link else "密码")
        return _form(panel, 403, "这个链接已经用过，或者过期了。" if link else "密码不对。", onward)
    panel.attempts.forgive(address)
    response = RedirectResponse(_own(onward) or f"{ROOT}/", 303, {"Cache-Control": "no-store"})
    response.set_cookie(
        COOKIE,
        cookie,
        max_age=int(SESSION_LIFE.total_seconds()),
        path=ROOT,
        secure=request.scope["scheme"] == "https",
        httponly=True,
        samesite="lax",
    )
    return response


async def _cookie(panel: Panel, fields: dict[str, str]) -> str | None:
    if "token" in fields:
        return await panel.access.use_link(fields["token"])
    stored, password = panel.access.password_hash, fields.get("password", "")[:_MAX_PASSWORD]
    if stored is None:
        return None
    async with panel.checking:  # one at a time: each takes 64 MB
        right = await asyncio.to_thread(matches, stored, password)
    return await panel.access.begin("密码登录") if right else None


async def leave(panel: Panel, request: Request) -> Response:
    """`POST /logout`: end this session, or all with `everybody`."""
    fields = await form_fields(request)
    await panel.access.end(request.state.session, everybody="everybody" in fields)
    response = see("/login")
    response.delete_cookie(COOKIE, path=ROOT)
    return response


def open_routes(panel: Panel) -> list[Route]:
    """What anybody may reach."""
    return [
        Route("/login", partial(show, panel), methods=["GET"]),
        Route("/login", partial(enter, panel), methods=["POST"]),
    ]


def routes(panel: Panel) -> list[Route]:
    """What only somebody who is logged in may reach."""
    return [Route("/logout", partial(leave, panel), methods=["POST"])]


def link(base: str, token: str) -> str:
    """The address of a link that lets one person in; `base` is the site's."""
    return f"{base.rstrip('/')}{ROOT}/login?token={quote(token)}"
