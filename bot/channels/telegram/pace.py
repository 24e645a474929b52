"""How fast Telegram may be talked to.

The exact limits are not published; these are the documented ones: about one message a second in a chat with short
bursts tolerated, twenty a minute in a group, thirty a second overall. A place is taken until so long after the answer
came: whatever delays there are on the way, Telegram never counts more.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque

OVERALL = (30, 1.0)
CHAT = (3, 3.0)
GROUP = (20, 60.0)
_CHATS = 10_000


class Window:
    """At most `limit` events, one after the other, within any `seconds`. Clocks are arguments, of any origin."""

    __slots__ = ("_seconds", "_times")

    def __init__(self, limit: int, seconds: float) -> None:
        self._times: deque[float] = deque(maxlen=limit)
        self._seconds = seconds

    def wait(self, now: float) -> float:
        """Seconds until the next event may begin."""
        full = len(self._times) == self._times.maxlen
        return max(0.0, self._times[0] + self._seconds - now) if full else 0.0

    def note(self, now: float) -> None:
        """An event has ended."""
        self._times.append(now)


class Slots:
    """At most `limit` events within any `seconds`, many at once: `async with` waits for a place."""

    def __init__(self, limit: int, seconds: float) -> None:
        self._free = asyncio.Semaphore(limit)
        self._seconds = seconds

    async def __aenter__(self) -> None:
        """Wait for a place."""
        await self._free.acquire()

    async def __aexit__(self, *_: object) -> None:
        """The place is free again so many seconds after the event has ended."""
        asyncio.get_running_loop().call_later(self._seconds, self._free.release)


class Pace:
    """The places of the whole bot, and the windows of each chat, which gets one message at a time."""

    def __init__(self) -> None:
        self.overall = Slots(*OVERALL)
        self._chats: OrderedDict[int, list[Window]] = OrderedDict()

    def wait(self, chat: int, now: float) -> float:
        """Seconds until this chat may get its next message."""
        return max(window.wait(now) for window in self._windows(chat))

    def note(self, chat: int, now: float) -> None:
        """This chat has got one, or Telegram refused it."""
        for window in self._windows(chat):
            window.note(now)

    def _windows(self, chat: int) -> list[Window]:
        """Groups have negative ids."""
        if chat not in self._chats:
            while len(self._chats) >= _CHATS:
                self._chats.popitem(last=False)
            self._chats[chat] = [Window(*CHAT), *([Window(*GROUP)] if chat < 0 else [])]
        self._chats.move_to_end(chat)
        return self._chats[chat]
