"""One writer task owns the one connection that writes; everybody else waits for it.

Nothing that a caller does, cancelling included, touches a transaction. Rows that arrive while a commit is on its way
are written together by the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError

from bot.errors import StoreError
from bot.querylog.engine import reason_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

R = TypeVar("R")
_Row = TypeVar("_Row", contravariant=True)
T = TypeVar("T")

_BATCH = 256
_WAITING = 10_000
_CLOSE_SECONDS = 10.0
_PASSING = ("08", "25006", "40", "53", "55", "57", "58")
"""Beginnings of PostgreSQL's codes for: not connected, read-only, rolled back, no room, locked, going down, disk."""

_tasks: set[asyncio.Task[None]] = set()
"""The loop holds its tasks weakly: a log that somebody forgets must still be closed at the end."""

log = logging.getLogger("reformbot.querylog")


@dataclass(frozen=True, slots=True, eq=False)
class _Job(Generic[R]):
    """A row to insert, some work within a transaction, or some that brings its own; `done` gets the result."""

    done: asyncio.Future[Any]
    row: R | None = None
    work: Callable[[AsyncConnection], Awaitable[Any]] | None = None
    outside: Callable[[AsyncEngine], Awaitable[Any]] | None = None

    def succeed(self, result: object) -> None:
        if not self.done.done():
            self.done.set_result(result)

    def fail(self, message: str, cause: Exception | None = None) -> None:
        if not self.done.done():
            error = StoreError(message)
            error.__cause__ = cause
            self.done.set_exception(error)


class Shortcut(Protocol[_Row]):
    """A quicker way for a batch of nothing but ordinary rows, each of which it `takes`."""

    def takes(self, row: _Row, /) -> bool:
        """Whether a row may go this way."""
        ...

    async def insert(self, rows: Sequence[_Row], /) -> Sequence[object]:
        """Store all or none, in a transaction of its own, and return a result for each, in order."""
        ...


class Writer(Generic[R]):
    """`insert` stores rows in one transaction and returns a result for each, in order."""

    def __init__(
        self,
        engine: AsyncEngine,
        insert: Callable[[AsyncConnection, Sequence[R]], Awaitable[Sequence[object]]],
        shortcut: Shortcut[R] | None = None,
    ) -> None:
        self._engine = engine
        self._insert = insert
        self._shortcut = shortcut
        self._jobs: deque[_Job[R]] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._task = asyncio.create_task(self._serve_jobs(), name="querylog")
        _tasks.add(self._task)
        self._task.add_done_callback(_tasks.discard)

    def __len__(self) -> int:
        """Number of jobs that wait."""
        return len(self._jobs)

    def write(self, row: R) -> asyncio.Future[Any]:
        """Store a row together with the others that wait; it is on the disk when this is done. Raises StoreError.

        A caller that is cancelled leaves the row to be written.
        """
        return self._submit(_Job(self._future(), row=row))

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do some work in a transaction, together with what else waits; raises StoreError.

        It may be done twice: when something beside it fails, the transaction is rolled back and each goes alone.
        """
        result: T = await self._submit(_Job(self._future(), work=work))
        return result

    async def run_outside(self, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
        """Do some work that brings its own transactions; nothing else is written meanwhile. Raises StoreError."""
        result: T = await self._submit(_Job(self._future(), outside=work))
        return result

    async def close(self) -> None:
        """Write what is waiting, then close the connection. Safe to call twice; gives up after ten seconds."""
        self._closing = True
        self._wake.set()
        await asyncio.wait([self._task], timeout=_CLOSE_SECONDS)
        if not self._task.done():
            log.error("the query log did not close in time; %d rows are lost", len(self._jobs))
            self._task.cancel()
            await asyncio.wait([self._task], timeout=1)

    def _future(self) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().create_future()

    def _submit(self, job: _Job[R]) -> asyncio.Future[Any]:
        if self._closing or self._task.done():
            job.fail("查询日志已经关闭")
        elif len(self._jobs) >= _WAITING:
            job.fail("等着写进查询日志的记录太多")
        else:
            self._jobs.append(job)
            self._wake.set()
        return job.done

    async def _serve_jobs(self) -> None:
        batch: list[_Job[R]] = []
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

    def _next_batch(self) -> list[_Job[R]]:
        """What waits for a transaction, together, or one job that brings its own."""
        batch: list[_Job[R]] = []
        while self._jobs and len(batch) < _BATCH and not (batch and (batch[0].outside or self._jobs[0].outside)):
            batch.append(self._jobs.popleft())
        return batch

    async def _serve(self, batch: list[_Job[R]], again: bool = True) -> None:
        try:
            results = await self._results(batch)
        except Exception as error:
            if len(batch) > 1 and not is_about_the_database(error):
                for job in batch:  # one of them is bad: it shall fail alone
                    await self._serve([job])
            elif again and isinstance(error, IntegrityError):  # another replica may have been faster
                await self._serve(batch, again=False)
            else:
                for job in batch:
                    job.fail(f"查询日志读写失败：{reason_of(error)}", error)
        else:
            for job, result in zip(batch, results, strict=True):
                if not isinstance(result, Exception):
                    job.succeed(result)
                elif again and isinstance(result, IntegrityError):
                    await self._serve([job], again=False)
                else:
                    job.fail(f"查询日志读写失败：{reason_of(result)}", result)

    async def _results(self, batch: list[_Job[R]]) -> Sequence[object]:
        """The results, in order; an exception for work that failed and took nothing else with it."""
        if batch[0].outside:
            return [await batch[0].outside(self._engine)]
        rows = [job.row for job in batch if job.row is not None]
        if self._shortcut is not None and len(rows) == len(batch) and all(map(self._shortcut.takes, rows)):
            return await self._shortcut.insert(rows)
        results: list[object] = []
        async with self._engine.begin() as connection:
            for is_row, jobs in groupby(batch, key=lambda job: job.row is not None):
                if is_row:
                    results += await self._insert(connection, [job.row for job in jobs if job.row is not None])
                else:
                    results += [await _apart(connection, job.work) for job in jobs if job.work is not None]
        return results


async def _apart(connection: AsyncConnection, work: Callable[[AsyncConnection], Awaitable[Any]]) -> object:
    """The result of some work within a larger transaction, or the exception that undid it and nothing else."""
    try:
        async with connection.begin_nested():
            return await work(connection)
    except Exception as error:
        if is_about_the_database(error):
            raise
        return error


def is_about_the_database(error: BaseException) -> bool:
    """Locked, full or gone: no fault of the rows, and no use to try them one by one."""
    if isinstance(error, DBAPIError):
        code = str(getattr(error.orig, "sqlstate", None) or "")
        if error.connection_invalidated or code.startswith(_PASSING):
            return True
    return isinstance(error, (OperationalError, InterfaceError, OSError))
