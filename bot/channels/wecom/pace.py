"""How often one member may be sent to: WeCom drops silently what is over its limits, so we count ourselves."""

from __future__ import annotations

from collections import OrderedDict, deque

_LIMITS = ((60.0, 30), (3600.0, 1000))
"""(seconds, messages)"""
_MAX_TARGETS = 10_000


class Pace:
    """At most 30 messages a minute and 1,000 an hour to each target. The clock is an argument, in seconds."""

    def __init__(self) -> None:
        self._sent: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, target: str, now: float) -> float:
        """Seconds until one more may be sent; 0 counts it as sent."""
        sent = self._sent.setdefault(target, deque(maxlen=_LIMITS[-1][1]))
        self._sent.move_to_end(target)
        while len(self._sent) > _MAX_TARGETS:
            self._sent.popitem(last=False)
        wait = max(sent[-most] + seconds - now if len(sent) >= most else 0.0 for seconds, most in _LIMITS)
        if wait > 0:
            return wait
        sent.append(now)
        return 0.0
