"""One connection to the gateway: requests and their acknowledgements, callbacks, the heartbeat."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from bot.channels.wecom.aibot import frames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.asyncio.client import ClientConnection

    from bot.channels.wecom.aibot.frames import Frame

_MISSED = 2

log = logging.getLogger("reformbot")
_wire = logging.getLogger("reformbot.wecom-aibot.wire")
_wire.setLevel(logging.WARNING)  # its debug lines hold the secret, and what people say


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds, for everything that waits."""

    heartbeat: float = 30.0
    ack: float = 5.0
    opening: float = 10.0
    first_wait: float = 1.0
    longest_wait: float = 60.0
    refused_wait: float = 300.0
    alarm: float = 60.0


class NotAcceptedError(Exception):
    """The gateway answered a request with an error code. The text holds the code alone."""

    def __init__(self, code: int) -> None:
        super().__init__(f"errcode {code}")
        self.code = code


class LostError(Exception):
    """The connection ended before a request was acknowledged."""


class SilentError(Exception):
    """A request was not acknowledged in time, on a connection that is there."""


class Connection:
    """An open WebSocket. `id` names it among all that there ever were."""

    def __init__(self, socket: ClientConnection, timing: Timing) -> None:
        self.id = secrets.token_urlsafe(12)
        self._socket, self._timing = socket, timing
        self._waiting: dict[str, asyncio.Future[Frame]] = {}
        self._missed = 0
        self.accepted = 0
        """Requests that the gateway took."""

    async def request(self, cmd: str, body: dict[str, Any] | None = None, req_id: str = "") -> None:
        """Send one request and wait until it is accepted; the next of the same `req_id` waits for that.

        Raises NotAcceptedError with the gateway's code, LostError or SilentError without an answer.
        """
        req_id = req_id or f"{cmd}_{secrets.token_hex(8)}"
        while req_id in self._waiting:
            await asyncio.wait({self._waiting[req_id]})
        answer = self._waiting[req_id] = asyncio.get_running_loop().create_future()
        try:
            await self._socket.send(frames.build(cmd, req_id, body))
            frame = await asyncio.wait_for(answer, self._timing.ack)
        except ConnectionClosed:
            raise LostError from None
        except TimeoutError:
            raise SilentError from None
        finally:
            answer.cancel()
            del self._waiting[req_id]
        if frame.errcode:
            raise NotAcceptedError(frame.errcode)
        self.accepted += 1

    async def callbacks(self) -> AsyncIterator[Frame]:
        """Messages and events, until the connection ends, in whatever way."""
        try:
            async for data in self._socket:
                frame = frames.parse(data)
                if frame is None:
                    log.warning("企业微信智能机器人：收到一帧看不懂的数据（%d 字符），没有处理", len(data))
                elif frame.cmd in {frames.MESSAGE, frames.EVENT}:
                    yield frame
                else:
                    self._answered(frame)
        except ConnectionClosed:
            return
        finally:
            self._give_up()

    def _answered(self, frame: Frame) -> None:
        waiting = self._waiting.get(frame.headers.req_id)
        if waiting is not None and not waiting.done():
            waiting.set_result(frame)

    def _give_up(self) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(LostError())

    async def beat(self) -> None:
        """Ping for ever; when two pings in a row went unanswered, drop the connection."""
        while self._missed < _MISSED:
            await asyncio.sleep(self._timing.heartbeat)
            try:
                await self.request(frames.PING)
            except (LostError, SilentError, NotAcceptedError):
                self._missed += 1
            else:
                self._missed = 0
        self._socket.transport.abort()


def dial(url: str, timing: Timing) -> connect:
    """A WebSocket to the gateway, to be used in `async with`.

    No pings of the protocol: the gateway is known to answer them with a broken frame.
    """
    return connect(
        url,
        logger=_wire,
        ping_interval=None,
        open_timeout=timing.opening,
        close_timeout=1,
        compression=None,
        max_size=1 << 20,
    )
