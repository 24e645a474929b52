"""What the database does not take just now: kept on the disk, and in memory where even that is full.

The file holds one JSON object a line, in the order they came: a question with its reply, already redacted, or a note
of what became of a reply. It is bounded; what is written to it is on the disk when `append` or `note` returns.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections import deque
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

from bot.querylog.arrivals import Arrival
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

log = logging.getLogger("reformbot.querylog")


class Spool:
    """`file` is made when it is first needed; what an earlier process left in it is loaded."""

    def __init__(self, file: Path, limit: int = MAX_ROWS) -> None:
        self._file, self._limit = LinesFile(file), limit
        found = [item for line in self._file.read() if (item := _item(line, file.name))]
        self._rows: deque[Arrival] = deque(item for item in found if isinstance(item, Arrival))
        self._notes = {item.token: item for item in found if isinstance(item, Note)}
        self._held = {key: one for one in self._rows for key in one.messages()}
        self._unsafe = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._rows or self._notes)

    def __len__(self) -> int:
        """Number of rows that wait."""
        return len(self._rows)

    @property
    def unsafe(self) -> int:
        """How many of them are only in memory, because the disk took no more."""
        return min(self._unsafe, len(self._rows))

    @property
    def room(self) -> int:
        """How many more rows it takes."""
        return max(0, self._limit - len(self._rows))

    def make_room(self) -> None:
        """Set room aside on the disk for when that is full; raises OSError."""
        self._file.reserve(ROOM)

    def held(self, channel: str, message_id: str | None) -> Arrival | None:
        """The row of a message that waits here."""
        return self._held.get((channel, message_id or ""))

    def noted(self, token: str) -> Note | None:
        """What is noted here of a reply."""
        return self._notes.get(token)

    def append(self, arrivals: Sequence[Arrival]) -> None:
        """Keep some more rows, no more than there is room for."""
        if len(arrivals) > self.room:
            raise ValueError("more rows than there is room for")
        self._rows.extend(arrivals)
        self._held.update((key, one) for one in arrivals for key in one.messages())
        try:
            self._file.append(map(_line, map(_plain, arrivals)), _FOR_NOTES)
        except OSError:
            self._unsafe += len(arrivals)

    def note(self, notes: Sequence[Note]) -> None:
        """Keep some notes, each in the place of an earlier one of its reply; so many as rows at most."""
        kept = [note for note in notes if note.token in self._notes or len(self._notes) < self._limit]
        self._notes.update((note.token, note) for note in kept)
        try:
            self._file.append(_line({"note": asdict(note)}) for note in kept)
        except OSError:
            kept = []
        if len(kept) < len(notes):
            log.error("notes of sent replies could not be kept: after a crash these would go out again")

    def first(self, count: int) -> list[Arrival]:
        """The oldest rows."""
        return [self._rows[place] for place in range(min(count, len(self._rows)))]

    def notes(self, count: int) -> list[Note]:
        """The oldest notes. Store them behind the rows: one may be of a row's reply."""
        return list(islice(self._notes.values(), count))

    def drop(self, count: int) -> None:
        """Forget the oldest rows: the database has them. The file follows once nothing waits, or at a restart."""
        for _ in range(count):
            for key in self._rows.popleft().messages():
                self._held.pop(key, None)
        self._cleared()

    def drop_notes(self, notes: Sequence[Note]) -> None:
        """Forget notes that the database has; one that was replaced meanwhile stays."""
        for note in notes:
            if self._notes.get(note.token) == note:
                del self._notes[note.token]
        self._cleared()

    def _cleared(self) -> None:
        if self:
            return
        self._unsafe = 0
        try:
            self._file.clear(ROOM)
        except OSError as error:
            log.error("the spool could not be cleared, and is read again at the next start: %s", error)


def _line(plain: dict[str, Any]) -> str:
    return json.dumps(plain, ensure_ascii=False) + "\n"


def _plain(arrival: Arrival) -> dict[str, Any]:
    row = asdict(arrival.row) | {"asked_at": arrival.row.asked_at.isoformat()}
    return {"row": row, "also": arrival.also, "post": asdict(arrival.post) if arrival.post else None}


def _arrival(found: dict[str, Any]) -> Arrival:
    row, post = found["row"], found["post"]
    row = row | {"asked_at": dt.datetime.fromisoformat(row["asked_at"]), "entries": tuple(row["entries"])}
    reply = NewDelivery(**(post | {"parts": tuple(post["parts"])})) if post else None
    return Arrival(LogRow(**row), tuple(found["also"]), reply)


def _item(line: bytes, name: str) -> Arrival | Note | None:
    """What a line of a file tells; one that a crash cut off is left out, and said so."""
    try:
        found = json.loads(line)
        if "note" in found:
            return Note(**(found["note"] | {"receipts": tuple(found["note"]["receipts"])}))
        return _arrival(found)
    except (ValueError, TypeError, KeyError):
        log.error("a line of %s could not be read and is left out", name)
        return None
