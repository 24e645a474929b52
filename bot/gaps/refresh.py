"""Bring the gaps up to date with the log and with today's knowledge.

Reading and grouping keep no writer waiting; what was found is written in short transactions. A refresh that is cut
short is taken up by the next.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections import defaultdict
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.gaps import collect, naming, tally
from bot.gaps.model import Refreshed
from bot.gaps.review import review
from bot.querylog.tables import gap, gap_member

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.desk import Desk
    from bot.gaps.collect import Collected, Finding
    from bot.querylog.store import QueryLog

CURSOR = "gaps"
"""Key of the value that tells how far the log was read."""
_AGAIN = collect.PICK_WITHIN + dt.timedelta(minutes=1)
"""So much of what was read is read again: a pick, or the same question again, may have come since."""
_BATCH = 2_000

Placed = list[tuple["Finding", str, int]]
"""Finding, name of its text, gap; a negative one is yet to be made."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the last refresh came: the last row's moment, the last verdict, and when it was."""

    seen: dt.datetime | None = None
    feedback: int = 0
    at: dt.datetime | None = None

    @classmethod
    def of(cls, stored: str | None) -> Cursor:
        """From the stored value."""
        told = json.loads(stored) if stored else {}
        moments = {key: dt.datetime.fromisoformat(told[key]) if told.get(key) else None for key in ("seen", "at")}
        return cls(feedback=told.get("feedback", 0), **moments)

    def stored(self) -> str:
        """As JSON."""
        moments = {key: value.isoformat() if value else None for key, value in (("seen", self.seen), ("at", self.at))}
        return json.dumps({**moments, "feedback": self.feedback})


async def refresh(querylog: QueryLog, desk: Desk, now: dt.datetime) -> Refreshed:
    """Take in what was logged since the last time, count again, ask today's knowledge; what has changed."""
    cursor = Cursor.of(await querylog.get(CURSOR))
    since = cursor.seen - _AGAIN if cursor.seen else None
    found = await querylog.read(partial(collect.collect, since=since, feedback_after=cursor.feedback))
    new = await _take_in(querylog, desk, found)
    touched = await querylog.read(tally.stale)
    counted = await querylog.read(partial(tally.tally, gaps=touched))
    await _write(querylog, partial(_count, counted=counted), sorted(touched))
    closed, reopened = await review(querylog, desk, now)
    await querylog.put(CURSOR, Cursor(found.seen or cursor.seen, found.feedback, now).stored())
    return Refreshed(len(found.findings), tuple(new), closed, reopened)


async def _take_in(querylog: QueryLog, desk: Desk, found: Collected) -> list[int]:
    """Store which rows belong to which gap; the gaps that are new."""
    held = await querylog.read(partial(_held, found=found))
    gone = [query_id for query_id in held if query_id not in found.findings]
    await _write(querylog, _forget, gone)
    again = held.keys() & found.findings.keys()
    await _write(querylog, _forget, sorted(item for item in again if held[item] != found.findings[item].reason))
    fresh = [item for item in found.findings.values() if held.get(item.query_id) != item.reason]
    placed = await _place(querylog, desk, fresh)
    made: dict[int, int] = {}
    placed.sort(key=lambda item: item[0].query_id)
    for at in range(0, len(placed), _BATCH):
        await querylog.run(partial(_join, placed=placed[at : at + _BATCH], made=made))
    return sorted(made.values())


async def _place(querylog: QueryLog, desk: Desk, findings: Sequence[Finding]) -> Placed:
    names = await asyncio.to_thread(naming.names, [item.text for item in findings])
    usable = [item for item in findings if item.text in names]
    if not usable:
        return []
    texts: dict[str, str] = {}
    for item in usable:
        texts.setdefault(names[item.text], item.text)
    gaps = await querylog.read(partial(naming.known, wanted=list(texts)))
    strange = [name for name in texts if name not in gaps]
    if strange:
        old = await querylog.read(naming.spokesmen)
        placed = await asyncio.to_thread(naming.place, [texts[name] for name in strange], old, desk)
        gaps |= dict(zip(strange, placed, strict=True))
    return [(item, names[item.text], gaps[names[item.text]]) for item in usable]


async def _held(connection: AsyncConnection, found: Collected) -> dict[int, str]:
    """The rows among those looked at that are in a gap already, with the reason."""
    wanted = sa.select(gap_member.c.query_id, gap_member.c.reason)
    held: dict[int, str] = {}
    if found.scanned_from is not None:
        rows = await connection.execute(wanted.where(gap_member.c.query_id >= found.scanned_from))
        held |= {row.query_id: row.reason for row in rows}
    judged = sorted(found.verdicts)
    for at in range(0, len(judged), 500):
        rows = await connection.execute(wanted.where(gap_member.c.query_id.in_(judged[at : at + 500])))
        held |= {row.query_id: row.reason for row in rows}
    return held


async def _write(querylog: QueryLog, work: Any, ids: Sequence[int]) -> None:
    for at in range(0, len(ids), _BATCH):
        await querylog.run(partial(work, ids=ids[at : at + _BATCH]))


async def _forget(connection: AsyncConnection, ids: Sequence[int]) -> None:
    await connection.execute(sa.delete(gap_member).where(gap_member.c.query_id.in_(ids)))


async def _join(connection: AsyncConnection, placed: Placed, made: dict[int, int]) -> None:
    """Add rows to their gaps, making those that are new. What another process stored meanwhile stays as it is."""
    span = gap_member.c.query_id.between(placed[0][0].query_id, placed[-1][0].query_id)
    there = set((await connection.scalars(sa.select(gap_member.c.query_id).where(span))).all())
    wanted = [row for row in placed if row[0].query_id not in there]
    fresh = list(dict.fromkeys(number for _, _, number in wanted if number < 0 and number not in made))
    if fresh:
        insert = sa.insert(gap).returning(gap.c.id, sort_by_parameter_order=True)
        new = (await connection.scalars(insert, [_EMPTY for _ in fresh])).all()
        made |= dict(zip(fresh, new, strict=True))
    rows = [
        {"query_id": item.query_id, "gap_id": made.get(number, number), "name": name, "reason": item.reason}
        for item, name, number in wanted
    ]
    if rows:
        await connection.execute(sa.insert(gap_member), rows)


async def _count(connection: AsyncConnection, ids: Sequence[int], counted: dict[int, tally.Tally]) -> None:
    """Store the sums; a gap whose rows are all gone goes too."""
    grouped: dict[bool, list[int]] = defaultdict(list)
    for identifier in ids:
        grouped[identifier in counted].append(identifier)
    if grouped[False]:
        await connection.execute(sa.delete(gap).where(gap.c.id.in_(grouped[False])))
    if grouped[True]:
        update = sa.update(gap).where(gap.c.id == sa.bindparam("gap"))
        rows = [{"gap": identifier, "checked": "", **counted[identifier].values()} for identifier in grouped[True]]
        await connection.execute(update, rows)


_EMPTY: dict[str, Any] = {
    "state": "open",
    "kind": "missing",
    "proposal": "entry",
    "target": None,
    "nearest": "[]",
    "checked": "",
    "count": 0,
    "faults": 0,
    "people": 0,
    "first_at": None,
    "last_at": None,
    "weeks": "{}",
    "channels": "{}",
    "treated_at": None,
    "treated_count": 0,
}
