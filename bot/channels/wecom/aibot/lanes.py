"""Work in order within a lane, lanes side by side."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

log = logging.getLogger("reformbot")


class Lanes:
    """A lane is there as long as it has work. Work that fails is told in the journal and holds nothing up."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Task[None]] = {}

    def add(self, lane: str, work: Callable[[], Awaitable[None]]) -> None:
        """Do this after all that the lane has been given so far."""
        task = asyncio.create_task(self._after(self._last.get(lane), work))
        self._last[lane] = task
        task.add_done_callback(lambda done: self._leave(lane, done))

    async def settle(self, seconds: float) -> None:
        """Wait until all is done, at most so long."""
        if self._last:
            await asyncio.wait(self._last.values(), timeout=seconds)

    @staticmethod
    async def _after(before: asyncio.Task[None] | None, work: Callable[[], Awaitable[None]]) -> None:
        if before is not None:
            await asyncio.wait({before})
        try:
            await work()
        except Exception:
            log.exception("a message could not be worked on")

    def _leave(self, lane: str, done: asyncio.Task[None]) -> None:
        if self._last.get(lane) is done:
            del self._last[lane]
