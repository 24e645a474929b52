"""A question that comes in several quick messages.

Every message is taken at once: logged, and its reply stored. Only the sending of a reply that understood nothing waits
a moment. When the next message makes sense of it, both are answered together and the first reply is taken back in the
same transaction; else it goes out. A webhook could do it no other way: Telegram sends the next message of a chat only
after the one before was taken.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.decide import SURE_AT
from bot.model import Status
from bot.text.normalise import normalise
from bot.understand.query import understand

if TYPE_CHECKING:
    from bot.desk import Desk
    from bot.model import Reply

HOLD = 1.2
"""Seconds that a reply waits for the next message."""

_MOST = 4
"""Messages of one question."""
_TRAILING = re.compile(r"[,，、;；…]\s*$|\.{2,}\s*$|-\s*$")
_ASKING = re.compile(
    r"[?？]|[吗么呢伐]\s*$|怎么|怎样|咋|如何|哪|谁|啥|什么|几[个天岁时点号]|多少|多久|多大|能不能|能否|可不可以|可以.*吗|有没有|是不是|要不要|为什么"
)
_KNOWN = (Status.ANSWER, Status.LIST)
_OPEN = (Status.NONE, Status.CHOICES)


@dataclass(frozen=True, slots=True)
class Heard:
    """A text and the reply that it gets by itself."""

    text: str
    reply: Reply

    @property
    def trails_off(self) -> bool:
        """Ends as no question ends."""
        return bool(_TRAILING.search(self.text))

    def asks(self, desk: Desk) -> bool:
        """Whether it is a question by its form."""
        return bool(_ASKING.search(self.text)) or desk.asks(normalise(self.text))


def unfinished(heard: Heard, desk: Desk) -> bool:
    """Whether a message may be a piece of a question: it is not understood by itself, or trails off.

    A guess at words that ask nothing is not understood either; what is known to lie outside the material is.
    """
    if heard.trails_off:
        return True
    if heard.reply.status is Status.ANSWER:
        return heard.reply.score < SURE_AT and not heard.asks(desk)
    query = understand(heard.text, desk.lexicon)
    return heard.reply.status in _OPEN and not query.outside and not query.elsewhere


def belongs(first: Heard, second: Heard, joined: Reply, desk: Desk) -> bool:
    """Whether two messages are one question: together they are understood better than apart.

    Two questions are never one, and a reply to two questions is not better than two replies.
    """
    if joined.status not in _KNOWN or (joined.status is Status.ANSWER and len(joined.ids) > 1):
        return False
    ends = first.trails_off or not first.asks(desk)
    if second.reply.status in _KNOWN:
        better = joined.score > second.reply.score or joined.ids[:1] == second.reply.ids[:1]
        return ends and better
    if second.reply.status not in _OPEN or not (ends or not second.asks(desk)):
        return False
    return joined.score > max(first.reply.score, second.reply.score)


def join(first: str, second: str) -> str:
    """Two pieces as one text."""
    return f"{first.rstrip()} {second.lstrip()}"


@dataclass(slots=True, eq=False)
class Piece:
    """Messages of one person that may go on: their ids in the log, all that is said so far, and the reply to it.

    Their replies wait until `until`, in monotonic seconds.
    """

    ids: tuple[str, ...]
    heard: Heard
    until: float
    taken_back: bool = False


class Fragments:
    """The replies that are held, by person and by message."""

    def __init__(self) -> None:
        self._open: dict[str, Piece] = {}
        self._held: dict[str, tuple[str, Piece]] = {}

    def held(self, who: str, now: float) -> Piece | None:
        """What a next message of this person may go on with."""
        piece = self._open.get(who)
        return piece if piece is not None and now < piece.until and len(piece.ids) < _MOST else None

    def hold(self, who: str, piece: Piece) -> None:
        """Hold the replies to a piece; to the messages of the piece before, if it goes on with that one, likewise."""
        self._open[who] = piece
        for name in piece.ids:
            if name in self._held or name == piece.ids[-1]:
                self._held[name] = who, piece

    def close(self, who: str, *, taken_back: bool = False) -> None:
        """Hold no longer: the replies go out now, or never."""
        piece = self._open.pop(who, None)
        if piece is not None:
            piece.until, piece.taken_back = 0.0, taken_back

    def wait(self, message_id: str, now: float) -> float | None:
        """Seconds that the reply to a message must still wait; None, once, when it has been taken back."""
        who, piece = self._held.get(message_id, ("", None))
        if piece is None:
            return 0.0
        if not piece.taken_back and now < piece.until:
            return piece.until - now
        del self._held[message_id]
        if self._open.get(who) is piece:
            del self._open[who]
        return None if piece.taken_back else 0.0
