"""The web chat: a page for people, `/api/ask` and `/api/feedback` for its script, `/healthz` for machines."""

from __future__ import annotations

import json
import re
import secrets
from typing import TYPE_CHECKING, Any

from pydantic_core import to_json
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Mount, Route

from bot.channels.web.forms import form_fields, media_type
from bot.channels.web.pages import Assets, Pages, scrub
from bot.channels.web.security import BodyLimit, SecurityHeaders
from bot.metrics import CONTENT_TYPE
from bot.model import Message

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from starlette.requests import Request
    from starlette.routing import BaseRoute
    from starlette.types import Lifespan, Receive, Scope, Send

    from bot.channels.service import Talk

ASK_LIMIT = 1024 * 1024
"""Bytes of a question: 100,000 characters still get a polite reply."""
FEEDBACK_LIMIT = 64 * 1024
COOKIE = "yong_chat"

_ROW_MAX = 2**63 - 1
_ROW = re.compile(r"[1-9][0-9]{0,17}")
_SESSION = re.compile(r"[!-~]{1,128}")
_OWN = re.compile(r"[A-Za-z0-9_-]{32}")
"""What `_new_session` makes."""
_VERDICTS = ("up", "down")
_ERRORS = {404: "没有这个页面。", 405: "这个地址不接受这种请求。", 500: "系统出了点问题，请稍后再试。"}


class _Json(Response):
    """Its headers are ready but for the length."""

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:  # noqa: ARG002
        """The same for every reply."""
        length = b"content-length", b"%d" % len(self.body)
        self.raw_headers = [(b"cache-control", b"no-store"), length, (b"content-type", b"application/json")]


def json_response(content: Any, status: int = 200) -> Response:
    """JSON with readable Chinese, never stored by caches."""
    try:
        body: bytes | str = to_json(content)
    except ValueError:  # a lone surrogate somewhere
        body = scrub(json.dumps(content, ensure_ascii=False, separators=(",", ":")))
    return _Json(body, status)


def json_error(status: int, text: str) -> Response:
    """The one shape of a refusal in the API."""
    return json_response({"error": text}, status)


class Chat:
    """The handlers. Whatever a client sends ends in a reply, or in a 4xx with one Chinese sentence."""

    def __init__(self, service: Talk, pages: Pages) -> None:
        self._service = service
        self._pages = pages

    async def page(self, request: Request) -> Response:
        """`GET /`: a new page, and a new session."""
        response = self._pages.chat()
        if COOKIE in request.cookies:
            response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=request.url.scheme == "https")
        return response

    async def form(self, request: Request) -> Response:
        """`POST /`: the same page for browsers without JavaScript."""
        try:
            fields = await form_fields(request)
        except HTTPException as refusal:
            return self._pages.error(refusal.status_code, refusal.detail)
        session = request.cookies.get(COOKIE, "")
        if not _OWN.fullmatch(session):
            session = _new_session()
        response = await self._submitted(fields, _message(request.scope, fields.get("text", ""), session))
        response.set_cookie(COOKIE, session, httponly=True, samesite="lax", secure=request.url.scheme == "https")
        return response

    async def _submitted(self, fields: dict[str, str], message: Message) -> Response:
        if fields.get("verdict") in _VERDICTS:
            row = fields.get("id", "")
            known = _ROW.fullmatch(row) and await self._service.feedback(int(row), fields["verdict"], message)
            return self._pages.chat(notice="谢谢，您的评价记下了。" if known else "这条评价没有记上。")
        if not message.text.strip():
            return self._pages.chat(400, notice="还没有写问题，请写一句再发送。")
        handled = await self._service.handle(message)
        return self._pages.turn(message.text, handled.payload)

    async def feedback(self, request: Request) -> Response:
        """`POST /api/feedback`. Without a session the message has no user; the service decides what that is worth."""
        try:
            data = _json_object(request.scope, await request.body())
            row, verdict = data.get("id"), data.get("verdict")
            if type(row) is not int or not 0 < row <= _ROW_MAX:
                raise HTTPException(400, "id 应该是一条答复的编号。")
            if verdict not in _VERDICTS:
                raise HTTPException(400, "verdict 应该是 up 或 down。")
            message = _message(request.scope, "", _session(data))
        except HTTPException as refusal:
            return json_error(refusal.status_code, refusal.detail)
        if await self._service.feedback(row, verdict, message):
            return json_response({"ok": True})
        return json_error(404, "没有找到这条答复，评价没有记上。")

    async def health(self, _request: Request) -> Response:
        """`GET /healthz`: 503 as soon as the service says anything but ok."""
        state = self._service.health()
        return json_response(state, 200 if state.get("status") == "ok" else 503)

    async def ready(self, _request: Request) -> Response:
        """`GET /readyz`: 503 while this process should get no questions."""
        ready = self._service.ready()
        return json_response({"ready": ready}, 200 if ready else 503)

    async def metrics(self, _request: Request) -> Response:
        """`GET /metrics`."""
        return Response(self._service.metrics_text(), 200, {"Cache-Control": "no-store"}, CONTENT_TYPE)


class Asking:
    """`POST /api/ask`: an application behind `BodyLimit`, which makes no object of a request; surges come here."""

    def __init__(self, service: Talk) -> None:
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        response = await self._reply(scope, (await receive())["body"])
        await response(scope, receive, send)

    async def _reply(self, scope: Scope, body: bytes) -> Response:
        try:
            data = _json_object(scope, body)
            text = data.get("text")
            if not isinstance(text, str):
                raise HTTPException(400, "缺少问题：请把它写成文字，放在 text 里。")
            message = _message(scope, text, _session(data))
        except HTTPException as refusal:
            return json_error(refusal.status_code, refusal.detail)
        handled = await self._service.handle(message)
        return json_response(handled.payload)


def _new_session() -> str:
    return secrets.token_urlsafe(24)


def _session(data: dict[str, Any]) -> str:
    """The caller's token; empty for one who sends none, gets no context and shares none with others."""
    session = data.get("session") or ""
    if not isinstance(session, str) or (session and not _SESSION.fullmatch(session)):
        raise HTTPException(400, "session 应该是 1 到 128 个字母、数字或符号。")
    return session


def _message(scope: Scope, text: str, session: str) -> Message:
    client = scope.get("client")
    address = client[0] if client else None
    return Message(text=scrub(text), channel="web", user=session, address=address, passing=not session)


def _json_object(scope: Scope, body: bytes) -> dict[str, Any]:
    if media_type(scope) != "application/json":
        raise HTTPException(415, "请用 application/json 发送。")
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "内容不是有效的 JSON。") from None
    if not isinstance(data, dict):
        raise HTTPException(400, "内容应该是一个 JSON 对象。")
    return data


def routes(service: Talk, pages: Pages) -> list[Route | Mount]:
    """The channel's routes, each with its limit on bodies; the busiest comes first."""
    chat = Chat(service, pages)
    form = Middleware(BodyLimit, limit=ASK_LIMIT, refuse=pages.error)
    ask = Middleware(BodyLimit, limit=ASK_LIMIT, refuse=json_error)
    feedback = Middleware(BodyLimit, limit=FEEDBACK_LIMIT, refuse=json_error)
    return [
        Route("/api/ask", Asking(service), methods=["POST"], middleware=[ask]),
        Route("/", chat.page, methods=["GET"]),
        Route("/", chat.form, methods=["POST"], middleware=[form]),
        Route("/api/feedback", chat.feedback, methods=["POST"], middleware=[feedback]),
        Route("/healthz", chat.health, methods=["GET"]),
        Route("/readyz", chat.ready, methods=["GET"]),
        Route("/metrics", chat.metrics, methods=["GET"]),
        Mount("/static", Assets(), name="static"),
    ]


def create_web(
    service: Talk,
    *,
    more: Sequence[BaseRoute] = (),
    lifespan: Lifespan[Starlette] | None = None,
    frame_ancestors: str = "'none'",
) -> Starlette:
    """The chat as an ASGI application, with `more` routes of other channels."""
    pages = Pages(service)

    async def on_error(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        refuse = json_error if request.url.path.startswith("/api/") else pages.error
        return refuse(status, _ERRORS.get(status, _ERRORS[500]))

    return Starlette(
        routes=[*routes(service, pages), *more],
        middleware=[Middleware(SecurityHeaders, frame_ancestors=frame_ancestors)],
        exception_handlers=dict.fromkeys(_ERRORS, on_error),
        lifespan=lifespan,
    )
