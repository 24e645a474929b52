"""Keeps the gaps up to date by itself, and lets no two refreshes run at once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from functools import partial
from typing import TYPE_CHECKING

from bot.gaps.refresh import refresh
from bot.querylog.lead import alone, lead

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable

    from bot.desk import Desk
    from bot.gaps.model import Refreshed
    from bot.querylog.store import QueryLog

    Work = Callable[[QueryLog, Desk, dt.datetime], Awaitable[Refreshed]]

_FIRST_SECONDS = 60.0
_EVERY_SECONDS = 3600.0

log = logging.getLogger("reformbot.gaps")


class Keeper:
    """One a process; of several replicas on one database one does the work. `now` is the wall clock."""

    def __init__(self, querylog: QueryLog, now: Callable[[], dt.datetime], first: float = _FIRST_SECONDS) -> None:
        self.asked = asyncio.Event()
        """Set it to have the gaps refreshed now."""
        self.work: Work = refresh
        """Who does it: this process, unless it is told otherwise."""
        self._querylog, self._now, self._first = querylog, now, first
        self._one = asyncio.Lock()

    async def refresh(self, desk: Desk) -> Refreshed:
        """Take in what was logged and ask this knowledge, after any refresh under way. Raises StoreError."""
        async with self._one, alone(self._querylog, "gap-refresh"):
            return await self.work(self._querylog, desk, self._now())

    async def after_swap(self, _: object) -> None:
        """New knowledge may answer what was a gap."""
        self.asked.set()

    async def keep(self, desk: Callable[[], Desk]) -> None:
        """Refresh a while after the start, every hour and when asked, for ever; `desk` tells today's knowledge."""
        await lead(self._querylog, "gaps", asyncio.Event(), partial(self._keep, desk=desk))

    async def _keep(self, stopping: asyncio.Event, desk: Callable[[], Desk]) -> None:
        patience = self._first
        while not stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.asked.wait(), patience)
            self.asked.clear()
            patience = _EVERY_SECONDS
            try:
                await self.refresh(desk())
            except Exception:
                log.exception("the gaps could not be refreshed")
