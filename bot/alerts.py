"""What an operator must know: states that begin and end, and events. Here they go to the journal and to /healthz."""

from __future__ import annotations

import logging

log = logging.getLogger("reformbot.alerts")


class Alerts:
    """States by key, each told once when it begins and once when it ends; nothing secret or personal in the texts."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}

    @property
    def states(self) -> dict[str, str]:
        """The states that last, by key."""
        return dict(self._states)

    def start(self, key: str, text: str) -> None:
        """Something is wrong from now on."""
        if key not in self._states:
            log.error("%s", text)
        self._states[key] = text

    def end(self, key: str) -> None:
        """It is right again; nothing happens when it was."""
        text = self._states.pop(key, None)
        if text is not None:
            log.warning("恢复了：%s", text)

    def tell(self, key: str, text: str) -> None:
        """Something happened once; `key` tells of what kind it is."""
        log.warning("[%s] %s", key, text)
