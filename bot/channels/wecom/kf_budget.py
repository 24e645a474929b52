"""微信客服 takes five messages after each of a citizen's; how many are left is counted here."""

from __future__ import annotations

from collections import OrderedDict

MOST = 5
_MAX_TARGETS = 10_000


class Budget:
    """Messages since the citizen's last one, by target; a target that is not known has all of them left."""

    def __init__(self) -> None:
        self._used: OrderedDict[str, int] = OrderedDict()

    def heard(self, target: str) -> None:
        """The citizen wrote."""
        self._used.pop(target, None)

    def take(self, target: str) -> bool:
        """Use one up; False when none is left."""
        used = self._used.get(target, 0)
        if used >= MOST:
            return False
        self._set(target, used + 1)
        return True

    def give_back(self, target: str) -> None:
        """The message that was counted did not go out."""
        self._set(target, max(0, self._used.get(target, 0) - 1))

    def exhaust(self, target: str) -> None:
        """The platform counts more than we do."""
        self._set(target, MOST)

    def _set(self, target: str, used: int) -> None:
        self._used[target] = used
        self._used.move_to_end(target)
        while len(self._used) > _MAX_TARGETS:
            self._used.popitem(last=False)
