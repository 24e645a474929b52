"""微信客服 takes five messages after each of a citizen's; how many are left is counted here."""

from __future__ import annotations

from collections import OrderedDict

MOST = 5
_SECOND = 1.0
"""The platform tells to the second when a citizen wrote; of what was sent in that second we do not know."""
_MAX_TARGETS = 10_000


class Budget:
    """Messages sent since the citizen's last one, by target. Moments are seconds since 1970.

    In doubt it counts too few: the platform refuses the sixth, whereas nobody would wake one that we held back.
    """

    def __init__(self) -> None:
        self._sent: OrderedDict[str, list[float]] = OrderedDict()

    def heard(self, target: str, at: float) -> None:
        """The citizen wrote at this moment."""
        self._sent[target] = [moment for moment in self._sent.pop(target, []) if moment >= at + _SECOND]
        while len(self._sent) > _MAX_TARGETS:
            self._sent.popitem(last=False)

    def take(self, target: str, now: float) -> bool:
        """Use one up; False when none is left."""
        sent = self._sent.setdefault(target, [])
        if len(sent) >= MOST:
            return False
        sent.append(now)
        return True

    def give_back(self, target: str) -> None:
        """The message that was counted last did not go out."""
        if self._sent.get(target):
            self._sent[target].pop()

    def exhaust(self, target: str, now: float) -> None:
        """The platform counts more than we do."""
        self._sent[target] = [now] * MOST
