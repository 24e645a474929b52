"""Waiting for what has no event: a row in a database, a list that grows, a state."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

PATIENCE = 60.0
"""Seconds in which everything happens, also on a busy machine."""


async def until(ready: Callable[[], Any], seconds: float = PATIENCE) -> Any:
    """Wait for something to become true, and return it; `ready` may be a coroutine function."""
    deadline = asyncio.get_running_loop().time() + seconds
    while True:
        found = ready()
        if inspect.isawaitable(found):
            found = await found
        if found:
            return found
        assert asyncio.get_running_loop().time() < deadline, "it did not happen"
        await asyncio.sleep(0.01)
