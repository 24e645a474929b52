"""What every web reply and request must pass: headers, a limit on bodies, and the same-origin rule for forms."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from starlette.responses import Response
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

READ_SECONDS = 20.0
"""A body that has not arrived by then is given up."""

_DEFAULT_PORTS = (":80", ":443")


class SecurityHeaders:
    """Add the security headers to every response; one that a response has set itself stays.

    `frame_ancestors` is the CSP list of sites that may embed the page, such as `'self' https://www.example.cn`.
    """

    def __init__(self, app: ASGIApp, frame_ancestors: str = "'none'") -> None:
        self.app = app
        headers = {
            "Content-Security-Policy": "default-src 'self'; base-uri 'none'; object-src 'none'; "
            f"form-action 'self'; frame-ancestors {frame_ancestors}",
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        }
        if frame_ancestors == "'none'":
            headers["X-Frame-Options"] = "DENY"
        self.headers = {name.lower().encode(): value.encode() for name, value in headers.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = dict(message.get("headers", ()))
                message["headers"] = [*message.get("headers", ()), *self._missing(own)]
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _missing(self, own: Mapping[bytes, bytes]) -> Iterable[tuple[bytes, bytes]]:
        if self.headers.keys().isdisjoint(own):
            return self.headers.items()
        return [header for header in self.headers.items() if header[0] not in own]


class _TooLargeError(Exception):
    """The body is longer than its route takes."""


class BodyLimit:
    """Read the whole body first, at most `limit` bytes; `refuse(status, text)` words the refusal."""

    def __init__(
        self,
        app: ASGIApp,
        limit: int,
        refuse: Callable[[int, str], Response],
        seconds: float = READ_SECONDS,
    ) -> None:
        self.app = app
        self.limit = limit
        self.refuse = refuse
        self.seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        try:
            body = await self._read(scope, receive)
        except TimeoutError:
            await self._answer(408, "发送得太慢，请再试一次。", scope, receive, send)
        except _TooLargeError:
            await self._answer(413, "内容太长了，请缩短以后再发。", scope, receive, send)
        else:
            if body is not None:
                await self.app(scope, _replay(body, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """Return the body, or None if the client has gone."""
        declared = header(scope, b"content-length")
        if declared.isdigit() and int(declared[:20]) > self.limit:
            raise _TooLargeError
        body = bytearray()
        async with asyncio.timeout(self.seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                body += message.get("body", b"")
                if len(body) > self.limit:
                    raise _TooLargeError
                if not message.get("more_body", False):
                    return bytes(body)

    async def _answer(self, status: int, text: str, scope: Scope, receive: Receive, send: Send) -> None:
        response = self.refuse(status, text)
        response.headers["Connection"] = "close"
        await response(scope, receive, send)


def header(scope: Scope, name: bytes) -> bytes:
    """The first header of this name, in small letters; empty when there is none."""
    for known, value in scope["headers"]:
        if known == name:
            return bytes(value)
    return b""


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out the body once, then what the server says next."""
    pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return pending.pop() if pending else await receive()

    return replay


def same_origin(headers: Mapping[str, str]) -> bool:
    """Whether a form came from a page of this site (or from no page at all).

    `Sec-Fetch-Site` decides; browsers without it are judged by `Origin`. Only the host counts there: behind a proxy
    the scheme of this process says nothing.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = headers.get("origin")
    if origin is None:
        return True
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    return bool(host) and _bare(host) == _bare(headers.get("host", ""))


def _bare(host: str) -> str:
    """The host without a port that goes without saying."""
    host = host.lower()
    for port in _DEFAULT_PORTS:
        host = host.removesuffix(port)
    return host
