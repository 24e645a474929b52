"""Whom a human serves: the bot keeps silent there, also after a restart."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.querylog.store import QueryLog

_KEY = "wecom-kf/humans"
_FORGOTTEN_AFTER = 7 * 86_400.0
"""Seconds; a session ends long before."""


class Humans:
    """Targets (hashed) that wait for a human or have one, and since when (seconds since 1970). Raises StoreError."""

    def __init__(self, querylog: QueryLog) -> None:
        self._log = querylog
        self._changing = asyncio.Lock()

    async def since(self, target: str) -> float | None:
        """When the human took over; None where the bot answers."""
        return (await self._stored()).get(_hashed(target))

    async def begin(self, target: str, now: float) -> None:
        """The bot keeps silent from now on."""
        async with self._changing:
            kept = {name: at for name, at in (await self._stored()).items() if now - at < _FORGOTTEN_AFTER}
            await self._log.put(_KEY, json.dumps({**kept, _hashed(target): now}))

    async def end(self, target: str) -> None:
        """The bot answers again."""
        async with self._changing:
            known = await self._stored()
            if known.pop(_hashed(target), None) is not None:
                await self._log.put(_KEY, json.dumps(known))

    async def _stored(self) -> dict[str, float]:
        found: dict[str, float] = json.loads(await self._log.get(_KEY) or "{}")
        return found


def _hashed(target: str) -> str:
    return hashlib.sha256(target.encode("utf-8", "surrogatepass")).hexdigest()[:32]
