"""Clients that take their time: a request must be whole within seconds, and a crowd of such gives way to others."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

HEAD_SECONDS = 10.0
"""From the first byte, or the connection, to the last header."""
BODY_SECONDS = 25.0
"""From there to the end of the body; routes that read one answer 408 a little earlier."""
CROWD = 400
"""So many connections may wait for the rest of a request; then the oldest goes."""


class PunctualProtocol(H11Protocol):
    """Cuts off a connection whose request does not get on."""

    _slow: ClassVar[dict[PunctualProtocol, asyncio.TimerHandle]] = {}
    """Those whose request is not whole, oldest first."""

    _phase = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._rest()
        super().connection_lost(exc)

    def _watch(self) -> None:
        """Start the clock of what is waited for now, or stop it."""
        if self.cycle is None or self.cycle.response_complete:
            phase = HEAD_SECONDS
        else:
            phase = BODY_SECONDS if self.cycle.more_body else 0.0
        if phase == self._phase and (self in self._slow or not phase):
            return
        self._rest()
        if phase and not self.transport.is_closing():
            if len(self._slow) >= CROWD:
                next(iter(self._slow)).transport.abort()
            self._phase = phase
            self._slow[self] = self.loop.call_later(phase, self.transport.abort)

    def _rest(self) -> None:
        self._phase = 0.0
        if timer := self._slow.pop(self, None):
            timer.cancel()
