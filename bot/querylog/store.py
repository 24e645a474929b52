"""The query log: one writer task owns the one connection; everybody else waits for it.

Nothing that a caller does, cancelling included, touches a transaction. Rows that arrive while a commit is on its way
are written together by the next one.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import hmac
import logging
import secrets
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from bot.errors import StoreError
from bot.querylog.engine import file_of, forget_deleted, open_engine, reason_of
from bot.querylog.tables import Logged, LogRow, query_log, setting

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

_BATCH = 256
_WAITING = 10_000
_CLOSE_SECONDS = 10.0
_MONTH_KEY = "user-key/"
_MAX_ID = 2**31 - 1

_writers: set[asyncio.Task[None]] = set()
"""The loop holds its tasks weakly: a log that somebody forgets must still be closed at the end."""

log = logging.getLogger("reformbot.querylog")


@dataclass(frozen=True, slots=True, eq=False)
class _Job:
    """Either a row to insert or some other work; `done` gets the result."""

    done: asyncio.Future[Any]
    row: LogRow | None = None
    work: Callable[[AsyncEngine], Awaitable[Any]] | None = None

    def succeed(self, result: object) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def fail(self, message: str, cause: Exception | None = None) -> None:
        if not self.done.done():
            error = StoreError(message)
            error.__cause__ = cause
            self.done.set_exception(error)


class QueryLog:
    """The open log. Close it: a connection left open keeps its thread."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._jobs: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._keys: dict[str, str] = {}
        self._file = file_of(engine.url)
        self._identity = _identity(self._file)
        self._writer = asyncio.create_task(self._serve_jobs(), name="querylog")
        _writers.add(self._writer)
        self._writer.add_done_callback(_writers.discard)

    @classmethod
    async def open(cls, url: str) -> QueryLog:
        """Open or create the log at an SQLAlchemy URL and bring its tables up to date; raises StoreError."""
        return cls(await open_engine(url))

    async def write(self, row: LogRow) -> int:
        """Store a row; it is on the disk when this returns its id. A known (channel, message_id) returns the old id.

        A caller that is cancelled leaves the row to be written. Raises StoreError.
        """
        return int(await self._submit(_Job(self._future(), row=row)))

    async def verdict(self, row_id: int, verdict: str, user_key: str) -> bool:
        """Store `up` or `down` with a row of this user; False when the user has no such row."""
        if verdict not in {"up", "down"}:
            raise ValueError("a verdict is 'up' or 'down'")
        if not 0 < row_id <= _MAX_ID:
            return False
        mine = (query_log.c.id == row_id) & (query_log.c.user_key == user_key)
        change = sa.update(query_log).where(mine).values(verdict=verdict, verdict_at=dt.datetime.now(dt.UTC))

        async def store(connection: AsyncConnection) -> bool:
            return (await connection.execute(change)).rowcount == 1

        return await self._transaction(store)

    def lost(self) -> bool:
        """Whether the file was removed or replaced since it was opened: what is written then is gone at the end."""
        return _identity(self._file) != self._identity

    async def count(self) -> int:
        """Number of rows."""

        async def fetch(connection: AsyncConnection) -> int:
            return int(await connection.scalar(sa.select(sa.func.count()).select_from(query_log)) or 0)

        return await self._transaction(fetch)

    async def recent(self, limit: int) -> list[Logged]:
        """The newest rows, newest first, at most `limit`."""
        newest = sa.select(query_log).order_by(query_log.c.id.desc()).limit(max(0, limit))

        async def fetch(connection: AsyncConnection) -> list[Logged]:
            return [Logged.of(found) for found in await connection.execute(newest)]

        return await self._transaction(fetch)

    async def user_key(self, channel: str, user: str, now: dt.datetime | None = None) -> str:
        """Sixteen hex characters that stand for a user of a channel during one month (UTC), and nowhere else."""
        month = _month(now or dt.datetime.now(dt.UTC))
        if month not in self._keys:
            self._keys[month] = await self._transaction(lambda connection: _month_key(connection, month))
        who = f"{channel}:{user}".encode("utf-8", "surrogatepass")
        return hmac.new(bytes.fromhex(self._keys[month]), who, hashlib.sha256).hexdigest()[:16]

    async def purge(self, before: dt.datetime) -> int:
        """Delete the rows older than `before` and the keys of the months before its month; returns how many rows."""
        month = _month(before)

        async def work(engine: AsyncEngine) -> int:
            async with engine.begin() as connection:
                old = await connection.execute(sa.delete(query_log).where(query_log.c.asked_at < before))
                name = setting.c.key
                expired = name.startswith(_MONTH_KEY) & (name < _MONTH_KEY + month)
                await connection.execute(sa.delete(setting).where(expired))
            self._keys = {known: key for known, key in self._keys.items() if known >= month}
            await forget_deleted(engine)
            return old.rowcount

        return int(await self._submit(_Job(self._future(), work=work)))

    async def close(self) -> None:
        """Write what is waiting, then close the connection. Safe to call twice; gives up after ten seconds."""
        self._closing = True
        self._wake.set()
        await asyncio.wait([self._writer], timeout=_CLOSE_SECONDS)
        if not self._writer.done():
            log.error("the query log did not close in time; %d rows are lost", len(self._jobs))
            self._writer.cancel()
            await asyncio.wait([self._writer], timeout=1)

    # --- the way to the writer -----------------------------------------------------------------------------------

    def _future(self) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    async def _transaction(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        async def run(engine: AsyncEngine) -> T:
            async with engine.begin() as connection:
                return await work(connection)

        result: T = await self._submit(_Job(self._future(), work=run))
        return result

    async def _submit(self, job: _Job) -> Any:
        if self._closing or self._writer.done():
            raise StoreError("查询日志已经关闭")
        if len(self._jobs) >= _WAITING:
            raise StoreError("等着写进查询日志的记录太多")
        self._jobs.append(job)
        self._wake.set()
        return await job.done

    # --- the writer ----------------------------------------------------------------------------------------------

    async def _serve_jobs(self) -> None:
        batch: list[_Job] = []
        try:
            while self._jobs or not self._closing:
                batch = self._next_batch()
                if batch:
                    await self._serve(batch)
                else:
                    self._wake.clear()
                    await self._wake.wait()
        finally:  # also when the loop is shut down without close(): the connection must go, or its thread stays
            self._closing = True
            for job in (*batch, *self._jobs):
                job.fail("查询日志已经关闭")
            await self._engine.dispose()

    def _next_batch(self) -> list[_Job]:
        """The rows at the head of the queue together, or one other job."""
        batch: list[_Job] = []
        while self._jobs and len(batch) < _BATCH and (not batch or (batch[0].row and self._jobs[0].row)):
            batch.append(self._jobs.popleft())
        return batch

    async def _serve(self, batch: list[_Job], again: bool = True) -> None:
        try:
            results = await self._results(batch)
        except Exception as error:
            if len(batch) > 1 and not _is_about_the_database(error):
                for job in batch:  # one of them is bad: it shall fail alone
                    await self._serve([job])
            elif again and isinstance(error, IntegrityError):  # another replica may have been faster
                await self._serve(batch, again=False)
            else:
                for job in batch:
                    job.fail(f"查询日志读写失败：{reason_of(error)}", error)
        else:
            for job, result in zip(batch, results, strict=True):
                job.succeed(result)

    async def _results(self, batch: list[_Job]) -> Sequence[object]:
        if batch[0].work:
            return [await batch[0].work(self._engine)]
        async with self._engine.begin() as connection:
            return await _insert(connection, [job.row for job in batch if job.row])


def _is_about_the_database(error: Exception) -> bool:
    """Locked, full or gone: no use to try the rows one by one."""
    gone = isinstance(error, DBAPIError) and error.connection_invalidated
    return gone or isinstance(error, (OperationalError, InterfaceError, OSError))


async def _insert(connection: AsyncConnection, rows: Sequence[LogRow]) -> list[int]:
    """Insert the rows that are new; the id of every row, in order."""
    keys = [(row.channel, row.message_id or number) for number, row in enumerate(rows)]
    ids = await _known(connection, rows)
    fresh: dict[tuple[str, str | int], dict[str, Any]] = {}
    for key, row in zip(keys, rows, strict=True):
        if key not in ids:
            fresh.setdefault(key, row.values())
    if fresh:
        insert = sa.insert(query_log).returning(query_log.c.id, sort_by_parameter_order=True)
        ids |= zip(fresh, await connection.scalars(insert, list(fresh.values())), strict=True)
    return [ids[key] for key in keys]


async def _known(connection: AsyncConnection, rows: Sequence[LogRow]) -> dict[tuple[str, str | int], int]:
    message_ids = {row.message_id for row in rows if row.message_id}
    if not message_ids:
        return {}
    columns = query_log.c.channel, query_log.c.message_id, query_log.c.id
    channels = query_log.c.channel.in_({row.channel for row in rows})
    found = await connection.execute(sa.select(*columns).where(channels, query_log.c.message_id.in_(message_ids)))
    return {(channel, message_id): row_id for channel, message_id, row_id in found}


def _identity(file: Path | None) -> tuple[int, int] | None:
    """What tells a file from another one of the same name."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _month(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m")


async def _month_key(connection: AsyncConnection, month: str) -> str:
    """The random key of a month, made when it is first asked for (hex)."""
    stored = sa.select(setting.c.value).where(setting.c.key == _MONTH_KEY + month)
    key = await connection.scalar(stored)
    if key is None:
        key = secrets.token_hex(32)
        await connection.execute(sa.insert(setting).values(key=_MONTH_KEY + month, value=key))
    return str(key)
