"""What a platform takes from us in a while, counted here where it drops the rest in silence. The clock is an argument."""

from __future__ import annotations

from collections import OrderedDict, deque

MAX_KEYS = 10_000


class Quota:
    """At most so many messages in so many seconds for each key, for every one of `limits` as (messages, seconds).

    It is forgotten with the process, and beyond 10,000 keys the one that was silent longest makes room.
    """

    def __init__(self, *limits: tuple[int, float]) -> None:
        self._limits = limits
        self._most = max(count for count, _ in limits)
        self._sent: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Seconds until one more may go out; 0 when it may now."""
        sent = self._sent.get(key, deque())
        full = [sent[-count] + seconds - now for count, seconds in self._limits if len(sent) >= count]
        return max(0.0, *full, 0.0)

    def note(self, key: str, now: float) -> None:
        """Count one message."""
        while key not in self._sent and len(self._sent) >= MAX_KEYS:
            self._sent.popitem(last=False)
        self._sent.setdefault(key, deque(maxlen=self._most)).append(now)
        self._sent.move_to_end(key)
