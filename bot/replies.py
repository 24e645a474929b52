"""Replies that are made once and given often: what many ask in the same words, as long as the answer stays the same."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, NamedTuple

from bot.answer import answer
from bot.record import Words

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from bot.desk import Desk
    from bot.model import Reply, Turn

MAX_BYTES = 8 * 1024 * 1024
MAX_CHARS = 200
"""Longer questions hardly ever come twice."""

_NEW_SHARE = 1 / 8
"""Of the bytes, for questions that came once so far."""
_REPLY_BYTES = 1500
"""What a reply takes beside its words, which it mostly shares with others."""
_TAG = "〔"


class Made(NamedTuple):
    """A reply, and what the log keeps of the words; None for those that are not worth keeping."""

    reply: Reply
    words: Words | None = None


class Replies:
    """Replies to questions that stand alone; no reply is kept for words in which something personal was found.

    A segmented LRU cache: what comes a second time moves from the newcomers, who push each other out, to those that
    are asked often. All are of one desk, one day and one set of paused entries: when any of these changes, all go.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._new = _Segment(int(max_bytes * _NEW_SHARE))
        self._often = _Segment(max_bytes - int(max_bytes * _NEW_SHARE))
        self._of: tuple[Desk, dt.date, frozenset[str]] | None = None

    def __len__(self) -> int:
        """Number of replies kept."""
        return len(self._new.replies) + len(self._often.replies)

    @property
    def size(self) -> int:
        """About how many bytes they take."""
        return self._new.size + self._often.size

    def made(
        self, text: str, desk: Desk, turns: Sequence[Turn], today: dt.date, home: str, paused: frozenset[str]
    ) -> Made:
        """What `answer` says; with earlier turns it is always made afresh."""
        if turns:
            return Made(answer(text, desk, turns, today, home=home, paused=paused))
        of = self._of
        if of is None or of[0] is not desk or of[1] != today or of[2] != paused:
            self.clear()
            self._of = desk, today, paused
        key = text, home
        known = self._often.replies.get(key)
        if known is not None:
            self._often.replies.move_to_end(key)
            return known
        again = self._new.pop(key)
        if again is not None:
            self._often.add(key, again)
            return again
        reply = answer(text, desk, (), today, home=home, paused=paused)
        if len(text) > MAX_CHARS:
            return Made(reply)
        words = Words.of(text, reply)
        made = Made(reply, words)
        if _TAG not in words.text:
            self._new.add(key, made)
        return made

    def clear(self) -> None:
        """Forget all of them, and the desk they came from."""
        self._new.clear()
        self._often.clear()
        self._of = None


class _Segment:
    """Replies up to so many bytes; the least recently used make room."""

    def __init__(self, max_bytes: int) -> None:
        self.replies: OrderedDict[tuple[str, str], Made] = OrderedDict()
        self.size, self._max_bytes = 0, max_bytes

    def add(self, key: tuple[str, str], made: Made) -> None:
        self.replies[key] = made
        self.size += _weight(key, made)
        while self.size > self._max_bytes:
            self.pop(next(iter(self.replies)))

    def pop(self, key: tuple[str, str]) -> Made | None:
        made = self.replies.pop(key, None)
        if made is not None:
            self.size -= _weight(key, made)
        return made

    def clear(self) -> None:
        self.replies.clear()
        self.size = 0


def _weight(key: tuple[str, str], made: Made) -> int:
    """Bytes, two a character; a little too many rather than too few."""
    return _REPLY_BYTES + 2 * (2 * len(key[0]) + sum(len(block.text) for block in made.reply.blocks))
