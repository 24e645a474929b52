"""Replies that are made once and given often: what many ask in the same words, as long as the answer stays the same."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from bot.answer import answer
from bot.redact import redact

if TYPE_CHECKING:
    import datetime as dt

    from bot.desk import Desk
    from bot.model import Reply

MAX_BYTES = 8 * 1024 * 1024
MAX_CHARS = 200
"""Longer questions hardly ever come twice."""

_REMEMBERED = 4096
_REPLY_BYTES = 1500
"""What a reply takes beside its words, which it mostly shares with others."""
_TAG = "〔"


class Replies:
    """Replies to questions that stand alone, the least recently asked making room; never to anybody's personal words.

    They are kept from the second time that a question comes, for one desk, one day and one set of paused entries:
    when any of these changes, all go.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes, self._bytes = max_bytes, 0
        self._kept: OrderedDict[tuple[str, str], Reply] = OrderedDict()
        self._once: set[int] = set()
        self._once_before: set[int] = set()
        self._of: tuple[Desk, dt.date, frozenset[str]] | None = None

    def __len__(self) -> int:
        """Number of replies kept."""
        return len(self._kept)

    @property
    def size(self) -> int:
        """About how many bytes they take."""
        return self._bytes

    def reply(self, text: str, desk: Desk, today: dt.date, home: str, paused: frozenset[str]) -> Reply:
        """What `answer` says to a question without earlier turns."""
        of = self._of
        if of is None or of[0] is not desk or of[1] != today or of[2] != paused:
            self.clear()
            self._of = desk, today, paused
        key = text, home
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        made = answer(text, desk, (), today, home=home, paused=paused)
        if len(text) <= MAX_CHARS and self._came_before(hash(key)) and _TAG not in redact(text):
            self._keep(key, made)
        return made

    def clear(self) -> None:
        """Forget all of them, and the desk they came from."""
        self._kept.clear()
        self._once.clear()
        self._once_before.clear()
        self._of, self._bytes = None, 0

    def _came_before(self, mark: int) -> bool:
        """Whether a question came among the last few thousand different ones; it is noted as one of them."""
        if mark in self._once or mark in self._once_before:
            return True
        if len(self._once) >= _REMEMBERED:
            self._once_before, self._once = self._once, set()
        self._once.add(mark)
        return False

    def _keep(self, key: tuple[str, str], reply: Reply) -> None:
        self._kept[key] = reply
        self._bytes += _weight(key[0], reply)
        while self._bytes > self._max_bytes:
            (text, _), gone = self._kept.popitem(last=False)
            self._bytes -= _weight(text, gone)


def _weight(text: str, reply: Reply) -> int:
    """Bytes, two a character; a little too many rather than too few."""
    return _REPLY_BYTES + 2 * (2 * len(text) + sum(len(block.text) for block in reply.blocks))
