"""HTTP on the wire: uvicorn's fast protocol, with limits for clients that send too much or too slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

HEADER_BYTES = 16 * 1024
"""Of the first line and the headers of one request together."""
HEADER_SECONDS = 10.0
"""From the first byte, or the connection, to the last header."""
BODY_SECONDS = 25.0
"""From there to the end of the body; routes that read one answer 408 a little earlier."""
WRITE_SECONDS = 30.0
"""A client that takes nothing of its reply for so long is cut off."""
CROWD = 400
"""So many connections may wait for the rest of a request; then the oldest goes."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A request that comes in one piece on a connection in use costs no timer."""

    header_seconds, body_seconds, write_seconds = HEADER_SECONDS, BODY_SECONDS, WRITE_SECONDS
    crowd = CROWD
    waiting: ClassVar[dict[BoundedProtocol, asyncio.TimerHandle]] = {}
    """Those whose request is not whole, oldest first."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._writing: asyncio.TimerHandle | None = None
        self._phase = 0.0
        self._in_headers = True
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come: something must follow."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._rest()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes; those of headers are counted until they are complete."""
        self._header_bytes = self._header_bytes + len(data) if self._in_headers else 0
        super().data_received(data)
        if self._in_headers and self._header_bytes > HEADER_BYTES:
            self._refuse(431)
        self._watch()

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._in_headers = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The empty line after the headers."""
        self._in_headers = False
        super().on_headers_complete()

    def pause_writing(self) -> None:
        """The client takes its reply slower than it comes."""
        super().pause_writing()
        self._writing = self.loop.call_later(self.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None
        super().resume_writing()

    def _watch(self) -> None:
        """Start the clock of what is waited for now, or stop it."""
        if self.cycle is None or self.cycle.response_complete:
            phase, end = self.header_seconds, self._too_late
        else:
            phase, end = self.body_seconds if self.cycle.more_body else 0.0, self.transport.abort
        if phase == self._phase and (self in self.waiting or not phase):
            return
        self._rest()
        if phase and not self.transport.is_closing():
            if len(self.waiting) >= self.crowd:
                next(iter(self.waiting)).transport.abort()
            self._phase = phase
            self.waiting[self] = self.loop.call_later(phase, end)

    def _rest(self) -> None:
        self._phase = 0.0
        if timer := self.waiting.pop(self, None):
            timer.cancel()

    def _too_late(self) -> None:
        self._refuse(408)

    def _refuse(self, status: int) -> None:
        if not self.transport.is_closing():
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()
