"""What an operator must know: states that begin and end, and events. They go to the journal, /healthz and listeners."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("reformbot.alerts")


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell an operator, of one key; `text` holds nothing secret or personal."""

    kind: Literal["start", "end", "tell"]
    key: str
    text: str


class Alerts:
    """States by key, each told once when it begins and once when it ends; nothing secret or personal in the texts."""

    def __init__(self) -> None:
        self._states: dict[str, str] = {}
        self._listeners: list[Callable[[Notice], None]] = []

    @property
    def states(self) -> dict[str, str]:
        """The states that last, by key."""
        return dict(self._states)

    def listen(self, listener: Callable[[Notice], None]) -> None:
        """Have all that comes told to a listener, which must neither wait nor raise."""
        self._listeners.append(listener)

    def start(self, key: str, text: str) -> None:
        """Something is wrong from now on."""
        if key not in self._states:
            log.error("%s", text)
            self._tell(Notice("start", key, text))
        self._states[key] = text

    def end(self, key: str) -> None:
        """It is right again; nothing happens when it was."""
        text = self._states.pop(key, None)
        if text is not None:
            log.warning("恢复了：%s", text)
            self._tell(Notice("end", key, text))

    def tell(self, key: str, text: str) -> None:
        """Something happened once; `key` tells of what kind it is."""
        log.warning("[%s] %s", key, text)
        self._tell(Notice("tell", key, text))

    def _tell(self, notice: Notice) -> None:
        for listener in self._listeners:
            listener(notice)
