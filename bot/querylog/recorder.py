"""Rows and notes into the log, whatever state it is in: at once, or by the spool when it is away, full or slow.

While the database is away new rows join those in the spool, so that no citizen waits for it and the order is kept; a
task tries again and again. A row that only takes long goes both ways, and is stored once. What became of a reply is
noted likewise, behind its row: a reply that went out goes out no second time, whatever state the log was in.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from bot.errors import StoreError
from bot.querylog.arrivals import Arrival, Taken, earlier, take
from bot.querylog.deliveries import Note, progress, unstored
from bot.querylog.tables import query_log
from bot.querylog.writer import is_about_the_database

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.alerts import Alerts
    from bot.querylog.deliveries import Delivery
    from bot.querylog.spool import Item, Spool
    from bot.querylog.store import QueryLog

PATIENCE = 1.0
"""Seconds that a citizen waits for the log."""
PATIENCE_TO_SEND = 2.5
"""Seconds that a reply waits which is stored to be sent; a platform waits for it at most five."""
PATIENCE_TO_NOTE = 0.05
"""Seconds that a note waits for the log, more than it takes at its ease: until the note is on a disk, a crash would
have the reply sent again, and the spool takes it in a millisecond or two.
"""

PATIENCE_TO_LOOK = 0.5
"""Seconds that a message waits for a log that takes nothing to tell whether it came before."""

_BATCH = 200
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0
_SETTLE_SECONDS = 3.0
_ALERT = "log"

T = TypeVar("T")

log = logging.getLogger("reformbot.querylog")


@dataclass(slots=True)
class Counts:
    """`spooled` rows took the long way, `dropped` are lost, `reason` says why it happened last."""

    spooled: int = 0
    dropped: int = 0
    reason: str = ""


class Recorder:
    """Knows one log and one spool. Run `keep_draining` beside it."""

    def __init__(self, querylog: QueryLog, spool: Spool, alerts: Alerts) -> None:
        self.querylog = querylog
        self._spool, self._alerts = spool, alerts
        self._late: set[asyncio.Future[Any]] = set()
        self._wake = asyncio.Event()
        self._away = False
        self._unkept: list[Item] = []
        self._keeping = asyncio.Lock()
        self.counts = Counts()
        if spool:
            self._trouble("上一次有问答没写进查询日志，正在补写")

    async def make_room(self) -> None:
        """Set room aside for the spool while there is some; an operator is told when there is none."""
        try:
            await asyncio.to_thread(self._spool.make_room)
        except OSError as error:
            self._alerts.tell("spool", f"备用队列的文件写不了（{error.strerror or error}），日志再出事，问答只在内存里")

    async def take(self, arrival: Arrival) -> Taken | None:
        """What the log made of a row; None when it went to the spool (or, when that is full as well, nowhere).

        A message that waits in the spool already, perhaps since before a crash, is taken with the reply it got; so is
        one that stands in a log which takes nothing now.
        """
        if held := self._spool.held(arrival.row.channel, arrival.row.message_id):
            reply = unstored(held.row.channel, held.post, held.row.asked_at)
            return Taken(0, False, reply and self.as_noted(reply))
        if not self._away:
            writing = self._log_it(self.querylog.take(arrival))
            await _done(writing, PATIENCE_TO_SEND if arrival.post else PATIENCE)
            if not writing.done():
                self._trouble("写得太慢")
            elif (error := writing.exception()) is None:
                return writing.result()
            elif _passes(error):
                self._trouble(str(error))
            else:
                self._drop(error)
                return None
        if found := await self._earlier(arrival):
            return found
        await self._keep(arrival)
        return None

    async def note(self, note: Note) -> None:
        """Note what became of a reply, which may still wait in the spool; on the disk, if that can be, at the end."""
        if not (self._away or self._spool):
            work = partial(progress, note=note, now=dt.datetime.now(dt.UTC))
            writing = self._log_it(self.querylog.run(work))
            await _done(writing, PATIENCE_TO_NOTE)
            if writing.done() and writing.exception() is None:
                return
        await self._keep(note)

    def as_noted(self, delivery: Delivery) -> Delivery:
        """A reply as it stands, with what the log does not know of it yet."""
        note = self._spool.noted(delivery.token)
        return replace(delivery, receipts=note.receipts, state=note.state) if note else delivery

    async def keep_draining(self) -> None:
        """Bring what waits in the spool to the log, in order, until cancelled."""
        wait = _FIRST_WAIT
        while True:
            if not self._spool:
                self._wake.clear()
                self._alerts.end(_ALERT)
                await self._wake.wait()
                wait = _FIRST_WAIT
            await asyncio.sleep(wait)
            try:
                await self.drain()
                self._away = False
            except StoreError as error:
                self._away = True
                self._trouble(str(error))
                wait = min(_LONGEST_WAIT, wait * 2)

    async def drain(self) -> None:
        """Bring over all that waits now; raises StoreError when the log still takes nothing."""
        while batch := self._spool.first(_BATCH):
            try:
                await self._bring(batch)
            except StoreError as error:
                if _passes(error):
                    raise
                await self._bring_singly(batch)
            async with self._keeping:
                await asyncio.to_thread(self._spool.drop, len(batch))

    async def _earlier(self, arrival: Arrival) -> Taken | None:
        """What the log made of a message that comes again, perhaps since a crash, if it can at least be read."""
        if not arrival.row.message_id:
            return None
        try:
            async with asyncio.timeout(PATIENCE_TO_LOOK):
                found = await self.querylog.read(partial(earlier, arrival=arrival))
        except (StoreError, TimeoutError):
            return None
        return found and replace(found, delivery=found.delivery and self.as_noted(found.delivery))

    async def _bring(self, items: Sequence[Item]) -> None:
        await self.querylog.run(partial(_store, items=items, owner=self.querylog.owner))

    async def _bring_singly(self, items: Sequence[Item]) -> None:
        """One of the rows is bad: it shall fail alone."""
        for item in items:
            try:
                await self._bring([item])
            except StoreError as error:
                if _passes(error):
                    raise
                self._drop(error)

    async def settle(self) -> None:
        """Let rows that are late be written, for a while; what is left waits in the spool for the next start."""
        if self._late:
            await asyncio.wait(self._late, timeout=_SETTLE_SECONDS)

    @property
    def full(self) -> bool:
        """Whether the spool takes no more rows."""
        return self._spool.full

    def health(self) -> dict[str, Any]:
        """Rows that wait for the log, of these only in memory, and lost; the reason while there are any."""
        state = {"spooled": len(self._spool), "unsafe": self._spool.unsafe, "dropped": self.counts.dropped}
        return state | ({"reason": self.counts.reason} if self._spool or self.counts.dropped else {})

    async def _keep(self, item: Item) -> None:
        """Spool a row or a note; those that come while the disk is busy are brought to it together."""
        self._unkept.append(item)
        async with self._keeping:
            batch, self._unkept = self._unkept, []
            if batch:
                await asyncio.to_thread(self._spool_all, batch)
        self._wake.set()

    def _spool_all(self, batch: Sequence[Item]) -> None:
        lost = self._spool.append(batch)
        dropped = _count_rows(lost)
        if dropped:
            self.counts.dropped += dropped
            self._alerts.start("spool", "查询日志写不进，备用队列也满了，新的问答没有记下")
        self.counts.spooled += _count_rows(batch) - dropped

    def _drop(self, error: BaseException) -> None:
        """A row that the log will never take."""
        self.counts.dropped, self.counts.reason = self.counts.dropped + 1, str(error)
        log.error("a question could not be logged: %s", error)

    def _trouble(self, reason: str) -> None:
        self.counts.reason = reason
        self._alerts.start(_ALERT, f"查询日志写不进（{reason}），问答先记在备用队列里")
        self._wake.set()

    def _log_it(self, work: Awaitable[T]) -> asyncio.Future[T]:
        """Watch what the log makes of something, also when nobody waits for it any more."""
        writing = asyncio.ensure_future(work)
        self._late.add(writing)
        writing.add_done_callback(self._settled)
        return writing

    def _settled(self, writing: asyncio.Future[Any]) -> None:
        self._late.discard(writing)
        if not writing.cancelled() and (error := writing.exception()):
            self._away = self._away or _passes(error)


async def _done(writing: asyncio.Future[Any], seconds: float) -> None:
    """Wait until it is done, or for so long: as `asyncio.wait` does, for one and in a third of the time."""
    loop = asyncio.get_running_loop()
    waiter: asyncio.Future[None] = loop.create_future()

    def wake(_: object = None) -> None:
        if not waiter.done():
            waiter.set_result(None)

    timer = loop.call_later(seconds, wake)
    writing.add_done_callback(wake)
    try:
        await waiter
    finally:
        timer.cancel()


def _passes(error: BaseException) -> bool:
    """Whether the log may take the same row later."""
    return error.__cause__ is None or is_about_the_database(error.__cause__)


def _count_rows(items: Sequence[Item]) -> int:
    return sum(isinstance(item, Arrival) for item in items)


async def _store(connection: AsyncConnection, items: Sequence[Item], owner: str) -> None:
    """Store rows and the last note of each reply: a row may make room by what was noted before, and bring a reply."""
    rows = [item for item in items if isinstance(item, Arrival)]
    notes = {item.token: item for item in items if isinstance(item, Note)}
    own = {row.post.token for row in rows if row.post and row.post.token in notes}
    behind = [notes.pop(token) for token in own]
    await _store_notes(connection, notes.values())
    if rows:
        await _store_rows(connection, rows, owner)
    await _store_notes(connection, behind)


async def _store_notes(connection: AsyncConnection, notes: Iterable[Note]) -> None:
    for note in notes:
        await progress(connection, note, dt.datetime.now(dt.UTC))


async def _store_rows(connection: AsyncConnection, arrivals: Sequence[Arrival], owner: str) -> None:
    """Store the rows that the log has not got; some may have come late by the straight way, or before a crash."""
    moments = {arrival.row.asked_at for arrival in arrivals}
    columns = query_log.c.asked_at, query_log.c.channel, query_log.c.user_key
    found = await connection.execute(sa.select(*columns).where(query_log.c.asked_at.in_(moments)))
    known = {tuple(row) for row in found}
    rows = ((one.row.asked_at, one.row.channel, one.row.user_key) for one in arrivals)
    await take(connection, [one for one, key in zip(arrivals, rows, strict=True) if key not in known], owner)
