"""Questions that the database does not take just now: kept on the disk, and in memory where even that is full.

The file holds one JSON object a line, in the order they came, already redacted. It is bounded; what is written to it
is on the disk when `append` returns.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import os
from collections import deque
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from bot.querylog.arrivals import Arrival
from bot.querylog.deliveries import NewDelivery
from bot.querylog.rows import LogRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

MAX_ROWS = 50_000
"""More than an hour of questions at fifteen a second."""

log = logging.getLogger("reformbot.querylog")


class Spool:
    """`file` is made when it is first needed and gone when nothing waits; what an earlier process left is loaded."""

    def __init__(self, file: Path, limit: int = MAX_ROWS) -> None:
        self._file, self._limit = file, limit
        found, self._torn = _read(file)
        self._rows: deque[Arrival] = deque(found)
        self._held = {key: one for one in self._rows for key in one.messages()}
        self._unsafe = 0

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

    def held(self, channel: str, message_id: str | None) -> Arrival | None:
        """The row of a message that waits here."""
        return self._held.get((channel, message_id or ""))

    def append(self, arrivals: Sequence[Arrival]) -> None:
        """Keep some more rows, no more than there is room for."""
        if len(arrivals) > self.room:
            raise ValueError("more rows than there is room for")
        self._rows.extend(arrivals)
        self._held.update((key, one) for one in arrivals for key in one.messages())
        try:
            self._write(arrivals)
        except OSError:
            self._unsafe += len(arrivals)

    def first(self, count: int) -> list[Arrival]:
        """The oldest rows."""
        return [self._rows[place] for place in range(min(count, len(self._rows)))]

    def drop(self, count: int) -> None:
        """Forget the oldest rows: the database has them. The file follows once nothing waits, or at a restart."""
        for _ in range(count):
            for key in self._rows.popleft().messages():
                self._held.pop(key, None)
        if not self._rows:
            self._unsafe, self._torn = 0, False
            self._file.unlink(missing_ok=True)

    def _write(self, arrivals: Iterable[Arrival]) -> None:
        lines = [json.dumps(_plain(one), ensure_ascii=False) + "\n" for one in arrivals]
        content = "".join(["\n", *lines] if self._torn else lines).encode()
        if not self._file.exists():
            self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("ab", buffering=0) as out:
            start = out.tell()
            try:
                if out.write(content) != len(content):
                    raise OSError("no space for all of it")
                os.fsync(out.fileno())
            except OSError:
                out.truncate(start)
                raise
        self._torn = False


def _plain(arrival: Arrival) -> dict[str, Any]:
    row = asdict(arrival.row) | {"asked_at": arrival.row.asked_at.isoformat()}
    return {"row": row, "also": arrival.also, "post": asdict(arrival.post) if arrival.post else None}


def _arrival(found: dict[str, Any]) -> Arrival:
    row, post = found["row"], found["post"]
    row = row | {"asked_at": dt.datetime.fromisoformat(row["asked_at"]), "entries": tuple(row["entries"])}
    reply = NewDelivery(**(post | {"parts": tuple(post["parts"])})) if post else None
    return Arrival(LogRow(**row), tuple(found["also"]), reply)


def _read(file: Path) -> tuple[list[Arrival], bool]:
    """The rows of a file, and whether a crash cut off its last line; such a line is left out, and said so."""
    try:
        content = file.read_bytes()
    except FileNotFoundError:
        return [], False
    found: list[Arrival] = []
    for line in content.splitlines():
        try:
            found.append(_arrival(json.loads(line)))
        except (ValueError, TypeError, KeyError):
            log.error("a line of %s could not be read and is left out", file.name)
    return found, not content.endswith(b"\n")
