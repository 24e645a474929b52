"""Work that only one of several replicas may do: who holds the lock in the database does it, the others stand by."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.querylog.store import QueryLog

LOOK_SECONDS = 3.0
"""How often a standby tries, and a leader looks whether it still is one."""

_STOP_SECONDS = 8.0
_TURN_SECONDS = 0.1

log = logging.getLogger("reformbot.lead")


async def lead(
    querylog: QueryLog,
    name: str,
    stopping: asyncio.Event,
    work: Callable[[asyncio.Event], Awaitable[None]],
    look: float = LOOK_SECONDS,
) -> None:
    """Do `work` while this process is the one to do it, until `stopping`; errors of the work get out.

    With SQLite there is one process. While the database is away the leader goes on: nobody else can take over.
    """
    if not querylog.shared:
        await work(stopping)
        return
    lock = _Lock(querylog, name)
    try:
        while not stopping.is_set():
            if await lock.held():
                log.info("this process does the work of %s", name)
                await _while_held(lock, stopping, work, look)
            else:
                await _wait(stopping, look)
    finally:
        await lock.release()


@contextlib.asynccontextmanager
async def alone(querylog: QueryLog, name: str) -> AsyncIterator[None]:
    """Keep the other replicas from the same short work, after waiting for the one that does it now."""
    if not querylog.shared:
        yield
        return
    lock = _Lock(querylog, name)
    try:
        while not await lock.held():  # noqa: ASYNC110 - the database tells nobody that a lock is free
            await asyncio.sleep(_TURN_SECONDS)
        yield
    finally:
        await lock.release()


async def _while_held(
    lock: _Lock, stopping: asyncio.Event, work: Callable[[asyncio.Event], Awaitable[None]], look: float
) -> None:
    enough = asyncio.Event()
    working = asyncio.ensure_future(work(enough))
    try:
        while not working.done() and not stopping.is_set() and not await lock.lost():
            await _wait(stopping, look, working)
        enough.set()
        await asyncio.wait({working}, timeout=_STOP_SECONDS)
    finally:
        if not working.done():
            working.cancel()
        await asyncio.gather(working, return_exceptions=True)
    if not working.cancelled() and (error := working.exception()):
        raise error


async def _wait(stopping: asyncio.Event, seconds: float, *others: asyncio.Future[None]) -> None:
    stop: asyncio.Future[Any] = asyncio.ensure_future(stopping.wait())
    await asyncio.wait([stop, *others], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()


class _Lock:
    """A session lock of PostgreSQL on a connection of its own: it is gone when this process is."""

    def __init__(self, querylog: QueryLog, name: str) -> None:
        self._engine = create_async_engine(querylog.url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        self._key = int.from_bytes(hashlib.sha256(f"reformbot/{name}".encode()).digest()[:8], "big", signed=True)
        self._connection: AsyncConnection | None = None

    async def held(self) -> bool:
        """Whether the lock is ours now; tries to get it."""
        try:
            if self._connection is None:
                self._connection = await self._engine.connect()
            return bool(await self._connection.scalar(sa.select(sa.func.pg_try_advisory_lock(self._key))))
        except (SQLAlchemyError, OSError):
            await self._drop()
            return False

    async def lost(self) -> bool:
        """Whether another process has it. A database that cannot be reached gives it to nobody."""
        if self._connection is not None:
            try:
                await self._connection.scalar(sa.select(1))
            except (SQLAlchemyError, OSError):
                await self._drop()
            else:
                return False
        try:
            self._connection = await self._engine.connect()
        except (SQLAlchemyError, OSError):
            return False
        return not await self.held()

    async def release(self) -> None:
        """Give it back."""
        await self._drop()
        await self._engine.dispose()

    async def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(SQLAlchemyError, OSError):
                await connection.close()
