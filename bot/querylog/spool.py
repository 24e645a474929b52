"""What the database does not take just now: kept on the disk, and in memory where even that is full.

The file holds one JSON object a line, in the order they came: a question with its reply, already redacted, or a note
of what became of a reply. It is bounded; what is written to it is on the disk when `append` returns.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bot.querylog.arrivals import Arrival, Key
from bot.querylog.deliveries import NewDelivery, Note
from bot.querylog.lines import LinesFile
from bot.querylog.rows import LogRow

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_ROWS = 50_000
"""More than an hour of questions at fifteen a second."""
ROOM = 4 << 20
"""Bytes of the disk that `make_room` sets aside: some two thousand questions."""

_FOR_NOTES = 512 << 10
"""Bytes of the room that only notes get, some four thousand of them: without its note a reply would go out again."""

Item = Arrival | Note

log = logging.getLogger("reformbot.querylog")


class Spool:
    """`file` is made when it is first needed; what an earlier process left in it is loaded."""

    def __init__(self, file: Path, limit: int = MAX_ROWS) -> None:
        self._file, self._limit = LinesFile(file), limit
        self._items: deque[Item] = deque()
        self._held: dict[Key, Arrival] = {}
        self._noted: dict[str, Note] = {}
        self._rows = self._unsafe = 0
        for line in self._file.read():
            if item := _item(line, file.name):
                self._hold(item)

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._items)

    def __len__(self) -> int:
        """Number of rows that wait."""
        return self._rows

    @property
    def unsafe(self) -> int:
        """How many of them are only in memory, because the disk took no more."""
        return min(self._unsafe, self._rows)

    @property
    def full(self) -> bool:
        """Whether it takes no more rows."""
        return self._rows >= self._limit

    def make_room(self) -> None:
        """Set room aside on the disk for when that is full; raises OSError."""
        self._file.reserve(ROOM)

    def held(self, channel: str, message_id: str | None) -> Arrival | None:
        """The row of a message that waits here."""
        return self._held.get((channel, message_id or ""))

    def noted(self, token: str) -> Note | None:
        """What was noted here last of a reply."""
        return self._noted.get(token)

    def append(self, items: Sequence[Item]) -> list[Item]:
        """Keep some more rows and notes; those that there is no room for come back."""
        kept, lost = [], []
        for item in items:
            if self._rows < self._limit if isinstance(item, Arrival) else len(self._items) - self._rows < self._limit:
                self._hold(item)
                kept.append(item)
            else:
                lost.append(item)
        rows = [item for item in kept if isinstance(item, Arrival)]
        if rows and not self._written(rows, _FOR_NOTES):
            self._unsafe += len(rows)
        if len(rows) < len(kept) and not self._written([item for item in kept if isinstance(item, Note)], 0):
            log.error("notes of sent replies are only in memory: after a crash these would go out again")
        return lost

    def first(self, count: int) -> list[Item]:
        """The oldest of what waits; a note stands behind the row that it is of."""
        return [self._items[place] for place in range(min(count, len(self._items)))]

    def drop(self, count: int) -> None:
        """Forget the oldest: the database has them. The file follows once nothing waits, or at a restart."""
        for _ in range(count):
            self._let_go(self._items.popleft())
        if not self._items:
            self._clear()

    def _hold(self, item: Item) -> None:
        self._items.append(item)
        if isinstance(item, Note):
            self._noted[item.token] = item
        else:
            self._rows += 1
            self._held.update(dict.fromkeys(item.messages(), item))

    def _let_go(self, item: Item) -> None:
        if isinstance(item, Arrival):
            self._rows -= 1
            for key in item.messages():
                self._held.pop(key, None)
        elif self._noted.get(item.token) == item:
            del self._noted[item.token]

    def _written(self, items: Sequence[Item], room: int) -> bool:
        try:
            self._file.append(map(_line, items), room)
        except OSError:
            return False
        return True

    def _clear(self) -> None:
        self._unsafe = 0
        try:
            self._file.clear(ROOM)
        except OSError as error:
            log.error("the spool could not be cleared, and is read again at the next start: %s", error)


def _line(item: Item) -> str:
    plain = {"note": asdict(item)} if isinstance(item, Note) else _plain(item)
    return json.dumps(plain, ensure_ascii=False) + "\n"


def _plain(arrival: Arrival) -> dict[str, Any]:
    row = asdict(arrival.row) | {"asked_at": arrival.row.asked_at.isoformat()}
    return {"row": row, "also": arrival.also, "post": asdict(arrival.post) if arrival.post else None}


def _arrival(found: dict[str, Any]) -> Arrival:
    row, post = found["row"], found["post"]
    row = row | {"asked_at": dt.datetime.fromisoformat(row["asked_at"]), "entries": tuple(row["entries"])}
    reply = NewDelivery(**(post | {"parts": tuple(post["parts"])})) if post else None
    return Arrival(LogRow(**row), tuple(found["also"]), reply)


def _item(line: bytes, name: str) -> Item | None:
    """What a line of a file tells; one that a crash cut off is left out, and said so."""
    try:
        found = json.loads(line)
        if "note" in found:
            return Note(**(found["note"] | {"receipts": tuple(found["note"]["receipts"])}))
        return _arrival(found)
    except (ValueError, TypeError, KeyError):
        log.error("a line of %s could not be read and is left out", name)
        return None
