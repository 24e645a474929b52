"""How often somebody may try a password: few times from one address, and not endlessly from many."""

from __future__ import annotations

from collections import OrderedDict

from bot.gate import network

WINDOW = 900.0
"""Seconds."""
PER_ADDRESS = 5
IN_ALL = 100

_MAX_ADDRESSES = 10_000
_EVERYBODY = "*"


class Attempts:
    """Failures of the last quarter of an hour, counted before the password is looked at. Clocks are in seconds."""

    def __init__(self) -> None:
        self._made: OrderedDict[str, list[float]] = OrderedDict()

    def admit(self, address: str, now: float) -> bool:
        """Whether one more attempt may be made; it counts as failed until `forgive`."""
        name = network(address)
        if self._recent(name, now) >= PER_ADDRESS or self._recent(_EVERYBODY, now) >= IN_ALL:
            return False
        for key in (name, _EVERYBODY):
            self._made.setdefault(key, []).append(now)
            self._made.move_to_end(key)
        while len(self._made) > _MAX_ADDRESSES:
            self._made.popitem(last=False)
        return True

    def forgive(self, address: str) -> None:
        """The attempt was right: the address begins anew."""
        self._made.pop(network(address), None)

    def _recent(self, key: str, now: float) -> int:
        kept = [moment for moment in self._made.get(key, ()) if now - moment < WINDOW]
        if kept:
            self._made[key] = kept
        else:
            self._made.pop(key, None)
        return len(kept)
