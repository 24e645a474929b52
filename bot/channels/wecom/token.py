"""One access token for one secret: fetched once for all who wait, early, and not again at once after a failure."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from bot.channels.wecom.errors import FREQUENCY, ApiError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_EARLY = 300.0
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0


class TokenCache:
    """`fetch` gets a new token and the seconds it lives, or raises ApiError. `tick` is a monotonic clock in seconds."""

    def __init__(
        self, fetch: Callable[[], Awaitable[tuple[str, float]]], tick: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch, self._tick = fetch, tick
        self._fetching = asyncio.Lock()
        self._token = ""
        self._refresh_at = self._dead_at = 0.0
        self._failure = 0
        self._wait, self._again_at = 0.0, 0.0

    async def get(self) -> str:
        """A token that is good for some minutes more; an older one that still lives when no other is to be had.

        Raises ApiError, also for a while after a failure without asking again.
        """
        if self._good():
            return self._token
        async with self._fetching:
            if not self._good():
                await self._renew()
            return self._token

    def drop(self, token: str) -> None:
        """Forget a token that was refused, unless another has taken its place."""
        if token == self._token:
            self._token, self._refresh_at, self._dead_at = "", 0.0, 0.0

    def _good(self) -> bool:
        return bool(self._token) and self._tick() < self._refresh_at

    async def _renew(self) -> None:
        failure = self._failure if self._tick() < self._again_at else await self._fetched()
        if failure and not (self._token and self._tick() < self._dead_at):
            raise ApiError(failure)

    async def _fetched(self) -> int:
        """Fetch a token; the errcode when there is none."""
        try:
            self._token, lives = await self._fetch()
        except ApiError as error:
            least = _LONGEST_WAIT if error.code == FREQUENCY else _FIRST_WAIT
            self._wait = min(_LONGEST_WAIT, max(least, 2 * self._wait))
            self._failure, self._again_at = error.code, self._tick() + self._wait
            return error.code
        self._dead_at = self._tick() + lives
        self._refresh_at = self._dead_at - min(_EARLY, lives / 2)
        self._failure, self._wait, self._again_at = 0, 0.0, 0.0
        return 0
