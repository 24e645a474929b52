"""How fast Telegram may be talked to. Clocks are arguments, in seconds, of any origin.

The exact limits are not published; these are the documented ones: about one message a second in a chat with short
bursts tolerated, twenty a minute in a group, thirty a second overall, of which some are left for everything else.
"""

from __future__ import annotations

from collections import OrderedDict, deque

OVERALL = (25, 1.0)
CHAT = (3, 3.0)
GROUP = (20, 60.0)
_CHATS = 10_000


class Window:
    """At most `limit` events within any `seconds`."""

    __slots__ = ("_seconds", "_times")

    def __init__(self, limit: int, seconds: float) -> None:
        self._times: deque[float] = deque(maxlen=limit)
        self._seconds = seconds

    def wait(self, now: float) -> float:
        """Seconds until the next event fits."""
        full = len(self._times) == self._times.maxlen
        return max(0.0, self._times[0] + self._seconds - now) if full else 0.0

    def book(self, now: float) -> float:
        """Take the next place; returns the seconds until it comes."""
        wait = self.wait(now)
        self._times.append(now + wait)
        return wait


class Pace:
    """The windows of the whole bot and of each chat."""

    def __init__(self) -> None:
        self._all = Window(*OVERALL)
        self._chats: OrderedDict[int, list[Window]] = OrderedDict()

    def wait(self, chat: int, now: float) -> float:
        """Seconds until this chat may get its next message."""
        return max(window.wait(now) for window in self._windows(chat))

    def book(self, chat: int, now: float) -> float:
        """Take the next place for a chat that need not wait; returns the seconds until the whole bot may send."""
        wait = self._all.book(now)
        for window in self._windows(chat):
            window.book(now + wait)
        return wait

    def _windows(self, chat: int) -> list[Window]:
        """Groups have negative ids."""
        if chat not in self._chats:
            while len(self._chats) >= _CHATS:
                self._chats.popitem(last=False)
            self._chats[chat] = [Window(*CHAT), *([Window(*GROUP)] if chat < 0 else [])]
        self._chats.move_to_end(chat)
        return self._chats[chat]
