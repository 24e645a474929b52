"""The line to the gateway: subscribes, comes back after any end of a connection, stays away when it is told to."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import time
from enum import StrEnum
from typing import TYPE_CHECKING

from websockets.exceptions import WebSocketException

from bot.channels.wecom.aibot import frames
from bot.channels.wecom.aibot.connection import Connection, LostError, NotAcceptedError, SilentError, dial
from bot.errors import ChannelRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.alerts import Alerts
    from bot.channels.wecom.aibot.connection import Timing
    from bot.channels.wecom.aibot.frames import Frame

_DOWN = "wecom-aibot"
_KICKED = "wecom-aibot-kicked"
_REFUSED = "wecom-aibot-refused"
_WRONG = "企业微信不认智能机器人的 REFORMBOT_WECOM_BOT_ID 或 REFORMBOT_WECOM_BOT_SECRET（853000），请核对"

log = logging.getLogger("reformbot")


class State(StrEnum):
    """How the line stands. `STANDBY`: it is not ours to hold. `KICKED` is final: another connection has taken the bot.

    `REFUSED` means that credentials which were good once are so no more: tried again, but seldom.
    """

    STANDBY = "standby"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    REFUSED = "refused"
    KICKED = "kicked"


class Line:
    """Holds one subscribed connection as well as it can; `receive` gets every callback, and must not wait."""

    def __init__(
        self,
        url: str,
        credentials: tuple[str, str],
        receive: Callable[[Connection, Frame], None],
        alerts: Alerts,
        timing: Timing,
    ) -> None:
        self.connections = 0
        self._url, self._credentials = url, credentials
        self._receive, self._alerts, self._timing = receive, alerts, timing
        self._connection: Connection | None = None
        self._up = asyncio.Event()
        self._running = self._was_kicked = self._was_refused = False
        self._failures = 0
        self._down_since = time.monotonic()

    @property
    def state(self) -> State:
        """How the line stands now."""
        if not self._running:
            return State.STANDBY
        if self._was_kicked:
            return State.KICKED
        if self._connection is not None:
            return State.CONNECTED
        return State.REFUSED if self._was_refused else State.CONNECTING

    @property
    def connection(self) -> Connection | None:
        """The subscribed connection, if there is one now."""
        return self._connection

    async def connected(self, seconds: float) -> Connection:
        """The subscribed connection, waited for at most so long; raises LostError."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._up.wait(), seconds)
        if self._connection is None:
            raise LostError
        return self._connection

    async def run(self) -> None:
        """Keep the line until cancelled; raises ChannelRefusedError when it is not let in and never was."""
        self._running, self._was_kicked = True, False
        try:
            while True:
                await self._session()
                if self._was_kicked:
                    await asyncio.get_running_loop().create_future()  # for ever: coming back would kick the other one
                await asyncio.sleep(self._wait())
        finally:
            self._running = False

    def _wait(self) -> float:
        """Seconds until the next try: doubling, with jitter, so that a crowd does not come back at once."""
        full = min(self._timing.longest_wait, self._timing.first_wait * 2.0 ** min(self._failures, 16))
        if self._was_refused:
            full = self._timing.refused_wait
        elif time.monotonic() - self._down_since >= self._timing.alarm:
            self._alerts.start(_DOWN, "企业微信智能机器人连不上网关，正在不断重试")
        return full * random.uniform(0.5, 1.0)

    async def _session(self) -> None:
        """One connection from its start to its end."""
        try:
            async with dial(self._url, self._timing) as socket:
                connection = Connection(socket, self._timing)
                await self._subscribed(connection)
                if connection.accepted > 1:  # it was of use: more than the subscription went through
                    self._failures = -1
        except (OSError, WebSocketException) as error:
            self._was_refused = False
            log.warning("企业微信智能机器人：连不上网关（%s）", type(error).__name__)
        finally:
            self._failures += 1
            self._lost()

    async def _subscribed(self, connection: Connection) -> None:
        """Read callbacks beside the subscription and the heartbeat; whatever ends first ends the connection."""
        reading = asyncio.create_task(self._read(connection))
        try:
            await self._subscribe(connection)
            beating = asyncio.create_task(connection.beat())
            try:
                await reading
            finally:
                beating.cancel()
        except (LostError, SilentError):
            log.warning("企业微信智能机器人：订阅没有回音")
        except NotAcceptedError as error:
            self._refused(error.code)
        finally:
            reading.cancel()
            await asyncio.wait({reading})

    async def _subscribe(self, connection: Connection) -> None:
        name, secret = self._credentials
        await connection.request(frames.SUBSCRIBE, {"bot_id": name, "secret": secret})
        if self._was_kicked:  # in the same breath
            return
        self._connection, self._was_refused = connection, False
        self.connections += 1
        self._up.set()
        for key in (_DOWN, _KICKED, _REFUSED):
            self._alerts.end(key)

    async def _read(self, connection: Connection) -> None:
        async for frame in connection.callbacks():
            if frame.cmd == frames.EVENT and frame.body.event.eventtype == frames.DISCONNECTED:
                self._kicked()
                return
            self._receive(connection, frame)

    def _kicked(self) -> None:
        self._was_kicked = True
        self._alerts.start(_KICKED, "企业微信智能机器人被另一处连接顶下线：同一机器人只能有一处连接。查清后重启本服务")

    def _refused(self, code: int) -> None:
        """A wrong secret will hardly become right by asking often; anything else is tried like a lost line."""
        if code != frames.BAD_CREDENTIALS:
            log.warning("企业微信智能机器人：订阅没有成功（%d）", code)
            return
        if not self.connections:
            raise ChannelRefusedError(_WRONG)
        self._was_refused = True
        self._alerts.start(_REFUSED, _WRONG)

    def _lost(self) -> None:
        if self._connection is not None:
            log.warning("企业微信智能机器人：连接断了")
            self._connection = None
            self._down_since = time.monotonic()
        self._up.clear()
