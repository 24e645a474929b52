"""HTTP on the wire: uvicorn's fast protocol, with limits for clients that send too much or too slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

if TYPE_CHECKING:
    import asyncio

HEADER_BYTES = 16 * 1024
"""Of the first line and the headers of one request together."""
HEADER_SECONDS = 15.0
"""Headers that have not arrived by then are given up, and so is a connection that says nothing."""
WRITE_SECONDS = 30.0
"""A client that takes nothing of its reply for so long is cut off."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection. A request that comes in one piece, as nearly all do, costs no timer."""

    header_seconds = HEADER_SECONDS
    write_seconds = WRITE_SECONDS

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None
        self._in_headers = True
        self._header_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has come: something must follow."""
        super().connection_made(transport)
        self._reading = self.loop.call_later(self.header_seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self._stop_timer("_reading")
        self._stop_timer("_writing")
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes; those of headers are counted until they are complete."""
        self._header_bytes = self._header_bytes + len(data) if self._in_headers else 0
        super().data_received(data)
        idle = self.cycle is None or self.cycle.response_complete
        if not self._in_headers and not idle:
            self._stop_timer("_reading")
        elif self._in_headers and self._header_bytes > HEADER_BYTES:
            self._refuse(431)
        elif self._reading is None:
            self._reading = self.loop.call_later(self.header_seconds, self._give_up)

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
        self._stop_timer("_writing")
        super().resume_writing()

    def _give_up(self) -> None:
        self._reading = None
        self._refuse(408)

    def _refuse(self, status: int) -> None:
        if not self.transport.is_closing():
            self.transport.write(STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n")
            self.transport.close()

    def _stop_timer(self, name: Literal["_reading", "_writing"]) -> None:
        timer: asyncio.TimerHandle | None = getattr(self, name)
        if timer is not None:
            timer.cancel()
            setattr(self, name, None)
