"""The address that WeCom calls: verification, signature, decryption; what comes in is handed on as a tree."""

from __future__ import annotations

import logging
import secrets
import time
from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import Route

from bot.channels.web.security import BodyLimit
from bot.channels.wecom import xml
from bot.channels.wecom.crypto import DecryptionError, SignatureError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from starlette.requests import Request

    from bot.channels.wecom.crypto import Crypto

LIMIT = 64 * 1024
"""Bytes of a callback."""
FRESH_SECONDS = 300

log = logging.getLogger("reformbot.wecom")


class Callback:
    """One address. `receive` returns the passive reply to a message as a tree, or None for an empty one.

    A stale message is refused unless `known` says that it was taken when it was new: a retry carries the time of its
    first try. `clock` is the wall clock in seconds.
    """

    def __init__(
        self,
        path: str,
        crypto: Crypto,
        receive: Callable[[xml.Tree], Awaitable[Mapping[str, object] | None]],
        known: Callable[[xml.Tree], Awaitable[bool]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._path, self._crypto, self._clock = path, crypto, clock
        self._receive, self._known = receive, known

    def routes(self) -> list[Route]:
        """Both routes: GET verifies the address, POST takes messages."""
        limit = Middleware(BodyLimit, limit=LIMIT, refuse=lambda _status, _text: Response(status_code=400))
        return [
            Route(self._path, self._verify, methods=["GET"]),
            Route(self._path, self._message, methods=["POST"], middleware=[limit]),
        ]

    async def _verify(self, request: Request) -> Response:
        sealed = request.query_params.get("echostr", "").replace(" ", "+")
        try:
            echo = self._opened(request, sealed)
        except SignatureError:
            return Response(status_code=403)
        except DecryptionError:
            return Response(status_code=400)
        if echo.lstrip().startswith("<"):  # a message that somebody caught, to be read out by us
            return Response(status_code=403)
        return Response(echo, media_type="text/plain")

    async def _message(self, request: Request) -> Response:
        try:
            envelope = xml.read((await request.body()).decode())
            message = xml.read(self._opened(request, xml.text_of(envelope, "Encrypt")))
            if self._stale(request) and not await self._known(message):
                return Response(status_code=403)
            reply = await self._receive(message)
        except SignatureError:
            return Response(status_code=403)
        except (DecryptionError, xml.XmlError, UnicodeDecodeError):
            return Response(status_code=400)
        except Exception as error:  # its text may quote what was decrypted
            log.error("a callback could not be served: %s", type(error).__name__)
            return Response(status_code=503)
        return Response(self._sealed(reply) if reply else b"", media_type="text/xml" if reply else None)

    def _opened(self, request: Request, sealed: str) -> str:
        query = request.query_params
        signature, timestamp, nonce = (query.get(name, "") for name in ("msg_signature", "timestamp", "nonce"))
        self._crypto.check(signature, timestamp, nonce, sealed)
        return self._crypto.decrypt(sealed)

    def _stale(self, request: Request) -> bool:
        timestamp = request.query_params.get("timestamp", "")
        if not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 12:
            return True
        return abs(self._clock() - int(timestamp)) > FRESH_SECONDS

    def _sealed(self, reply: Mapping[str, object]) -> str:
        timestamp, nonce = str(int(self._clock())), secrets.token_hex(8)
        sealed = self._crypto.encrypt(xml.write(reply))
        signature = self._crypto.sign(timestamp, nonce, sealed)
        return xml.write({"Encrypt": sealed, "MsgSignature": signature, "TimeStamp": timestamp, "Nonce": nonce})
