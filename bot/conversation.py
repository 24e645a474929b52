"""The last turns of each conversation, in memory: enough for a follow-up, forgotten after half an hour."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.model import Turn

MAX_TURNS = 4
MAX_CONVERSATIONS = 10_000
FORGET_AFTER = 1800.0
"""Seconds."""


class Conversations:
    """Turns by (channel, user, room). The clock is an argument, in seconds."""

    def __init__(self) -> None:
        self._turns: OrderedDict[tuple[str, str, str], tuple[float, tuple[Turn, ...]]] = OrderedDict()

    def turns(self, channel: str, user: str, now: float, room: str = "") -> tuple[Turn, ...]:
        """Earlier turns, oldest first; empty for a new or an old conversation."""
        heard, turns = self._turns.get((channel, user, room), (now, ()))
        return turns if now - heard <= FORGET_AFTER else ()

    def add(self, channel: str, user: str, turn: Turn, now: float, room: str = "") -> None:
        """Remember one more turn; the longest silent conversation makes room."""
        turns = self.turns(channel, user, now, room)
        self._turns[channel, user, room] = (now, (*turns, turn)[-MAX_TURNS:])
        self._turns.move_to_end((channel, user, room))
        while len(self._turns) > MAX_CONVERSATIONS:
            self._turns.popitem(last=False)

    def forget(self, channel: str, user: str) -> None:
        """Forget every conversation of a user."""
        for key in [key for key in self._turns if key[:2] == (channel, user)]:
            del self._turns[key]
