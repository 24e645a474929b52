"""The query log as the program uses it: rows in, replies beside them, verdicts, and the keys that users hide behind."""

from __future__ import annotations

import asyncio
import datetime as dt
import hmac
import secrets
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from bot.errors import StoreError
from bot.querylog import daily, deliveries, fleet, months, people
from bot.querylog.arrivals import Arrival, Taken, take
from bot.querylog.engine import (
    DamagedError,
    file_of,
    forget_deleted,
    identity,
    open_engine,
    open_reader,
    reason_of,
    set_aside,
)
from bot.querylog.plain import PlainRows
from bot.querylog.retention import delete_before
from bot.querylog.rows import Logged, LogRow
from bot.querylog.tables import query_log, setting
from bot.querylog.verdicts import judge
from bot.querylog.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")

_MONTH_KEY = "user-key/"
_VALUE = "value/"
_MAX_ID = 2**31 - 1
_PARTS_KEPT = dt.timedelta(days=1)


class QueryLog:
    """The open log. Close it: a connection left open keeps its thread. Everything raises StoreError."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.shared = engine.dialect.name != "sqlite"
        """Whether several processes may use this log at once."""
        self.owner = secrets.token_hex(8)
        shortcut = None if self.shared else PlainRows(engine)
        self._writer: Writer[Arrival] = Writer(engine, partial(take, owner=self.owner), shortcut)
        self._reader = open_reader(engine)
        self._keys: dict[str, bytes] = {}
        self._person_secret = ""
        self._counting = asyncio.Lock()
        self._readings: set[asyncio.Task[Any]] = set()
        self._closing = False
        self.file = file_of(engine.url)
        self._identity = identity(self.file)

    @classmethod
    async def open(cls, url: str) -> QueryLog:
        """Open or create the log at an SQLAlchemy URL and bring its tables up to date; raises StoreError."""
        return cls(await open_engine(url))

    @classmethod
    async def visit(cls, url: str) -> QueryLog:
        """Open a log that a server may be serving, to write a little in short transactions; raises StoreError."""
        return cls(await open_engine(url, visiting=True))

    @classmethod
    async def open_or_set_aside(cls, url: str) -> tuple[QueryLog, Path | None]:
        """The same, but a damaged SQLite file is renamed and a new one begun; returns where the damaged one is."""
        try:
            return await cls.open(url), None
        except DamagedError as error:
            damaged = set_aside(error.file, dt.datetime.now(dt.UTC))
            return await cls.open(url), damaged

    @property
    def url(self) -> URL:
        """Where the log is; with its password."""
        return self._engine.url

    async def close(self) -> None:
        """Write what is waiting, then close. Safe to call twice; gives up after ten seconds."""
        self._closing = True
        if self._readings:
            await asyncio.wait(self._readings)
        if self._reader is not None:  # first: the last connection to leave folds the write-ahead log into the file
            await self._reader.dispose()
        await self._writer.close()

    def lost(self) -> bool:
        """Whether the file was removed or replaced since it was opened: what is written then is gone at the end."""
        return identity(self.file) != self._identity

    def waiting(self) -> int:
        """Number of jobs that wait for the writer."""
        return len(self._writer)

    # --- in and out ----------------------------------------------------------------------------------------------

    def take(self, arrival: Arrival) -> asyncio.Future[Taken]:
        """Store a row and what comes with it, in one transaction; all is on the disk when this is done.

        A known (channel, message_id) returns what was stored then. A caller that is cancelled leaves the row to be
        written.
        """
        return self._writer.write(arrival)

    async def take_over(self) -> None:
        """Free the replies that an earlier process was sending; call it once, before anything is sent.

        A SQLite file has one server, so whoever held them is gone. Elsewhere their lease runs out.
        """
        if not self.shared:
            await self.run(deliveries.release)

    async def write(self, row: LogRow) -> int:
        """Store a row alone; its id."""
        return (await self.take(Arrival(row))).id

    async def run(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do some work in one transaction of the writer."""
        return await self._writer.run(work)

    async def run_outside(self, work: Callable[[AsyncEngine], Awaitable[T]]) -> T:
        """Do some work that brings its own transactions; nothing else is written meanwhile."""
        return await self._writer.run_outside(work)

    async def read(self, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
        """Do some reading on a connection of its own, which keeps no writer waiting."""
        if self._reader is None:
            return await self.run(work)
        if self._closing:  # a connection that is opened now would be left open
            raise StoreError("查询日志已经关闭")
        reading = asyncio.create_task(_read(self._reader, work))
        self._readings.add(reading)
        reading.add_done_callback(self._readings.discard)
        return await asyncio.shield(reading)  # cut off in the middle it would leave its connection open

    async def get(self, key: str) -> str | None:
        """A small durable value, such as a cursor."""
        wanted = sa.select(setting.c.value).where(setting.c.key == _VALUE + key)

        async def fetch(connection: AsyncConnection) -> str | None:
            return await connection.scalar(wanted)

        return await self.run(fetch)

    async def put(self, key: str, value: str) -> None:
        """Store a small durable value; it is on the disk when this returns."""

        async def store(connection: AsyncConnection) -> None:
            await connection.execute(sa.delete(setting).where(setting.c.key == _VALUE + key))
            await connection.execute(sa.insert(setting).values(key=_VALUE + key, value=value))

        await self.run(store)

    async def ensure(self, key: str, value: str) -> str:
        """Store a small value unless there is one already; what is stored then, for every process the same."""
        return await self.run(lambda connection: _ensure(connection, _VALUE + key, value))

    async def count(self) -> int:
        """Number of rows."""

        async def fetch(connection: AsyncConnection) -> int:
            return int(await connection.scalar(sa.select(sa.func.count()).select_from(query_log)) or 0)

        return await self.run(fetch)

    async def recent(self, limit: int) -> list[Logged]:
        """The newest rows, newest first, at most `limit`."""
        newest = sa.select(query_log).order_by(query_log.c.id.desc()).limit(max(0, limit))

        async def fetch(connection: AsyncConnection) -> list[Logged]:
            return [Logged.of(found) for found in await connection.execute(newest)]

        return await self.run(fetch)

    async def tally(self) -> None:
        """Bring the counts by day up to date; reads beside the writer, and writes day by day."""
        async with self._counting:
            found = await self.read(daily.outstanding)
            for day in found.days:
                counted = await self.read(partial(daily.count, day=day))
                await self.run(partial(daily.store, counted=counted))
            if found.days:
                await self.run(partial(daily.remember, found=found))

    # --- verdicts ------------------------------------------------------------------------------------------------

    async def verdict(self, row_id: int, verdict: str, user_key: str) -> bool:
        """Store `up` or `down` with a row of this user; False when the user has no such row."""
        if verdict not in {"up", "down"}:
            raise ValueError("a verdict is 'up' or 'down'")
        if not 0 < row_id <= _MAX_ID:
            return False
        mine = (query_log.c.id == row_id) & (query_log.c.user_key == user_key)
        return await self.run(partial(judge, rows=mine, row_id=row_id, verdict=verdict))

    async def judge(self, token: str, verdict: str | None, reasons: tuple[str, ...] = (), text: str = "") -> bool:
        """Store a verdict with the reply of this token; None takes an earlier one back. `text` is redacted already."""

        async def store(connection: AsyncConnection) -> bool:
            found = await deliveries.by_token(connection, token)
            if found is None or found.query_id is None:
                return False
            row = query_log.c.id == found.query_id
            return await judge(connection, row, found.query_id, verdict, reasons, text)

        return await self.run(store)

    # --- who asked -----------------------------------------------------------------------------------------------

    async def user_key(self, channel: str, user: str, now: dt.datetime | None = None) -> str:
        """Sixteen hex characters that stand for a user of a channel during one month (UTC), and nowhere else."""
        month = _month(now or dt.datetime.now(dt.UTC))
        if month not in self._keys:
            fresh = secrets.token_hex(32)
            found = await self.run(lambda connection: _ensure(connection, _MONTH_KEY + month, fresh))
            self._keys[month] = bytes.fromhex(found)
        return _hidden(self._keys[month], channel, user)

    async def user_keys(self, channel: str, user: str) -> list[str]:
        """What stands for a user in each month whose key still exists."""
        months = sa.select(setting.c.value).where(setting.c.key.startswith(_MONTH_KEY))

        async def fetch(connection: AsyncConnection) -> list[str]:
            return [_hidden(bytes.fromhex(key), channel, user) for key in await connection.scalars(months)]

        return await self.run(fetch)

    async def person_key(self, channel: str, user: str) -> str:
        """What stands for a user in what they chose to have remembered; it does not change."""
        if not self._person_secret:
            self._person_secret = await self.run(people.secret)
        return people.key_of(self._person_secret, channel, user)

    async def purge(self, before: dt.datetime) -> int:
        """Delete the rows older than `before`, all that hangs on them, and the keys of the months before its month.

        Returns how many rows. The texts of replies that were sent a day ago go as well; the counts by day stay.
        """
        month = _month(before)

        async def work(engine: AsyncEngine) -> int:
            async with engine.begin() as connection:
                await daily.settle(connection, before)
                count = await delete_before(connection, before)
                await deliveries.empty(connection, dt.datetime.now(dt.UTC) - _PARTS_KEPT)
                name = setting.c.key
                expired = name.startswith(_MONTH_KEY) & (name < _MONTH_KEY + month)
                await connection.execute(sa.delete(setting).where(expired))
                await fleet.forget_idle(connection, dt.datetime.now(dt.UTC))
                await connection.run_sync(months.drop_before, before)
                await connection.run_sync(months.prepare, dt.datetime.now(dt.UTC))
            self._keys = {known: key for known, key in self._keys.items() if known >= month}
            await forget_deleted(engine)
            return count

        async with self._counting:
            return await self._writer.run_outside(work)


async def _read(reader: AsyncEngine, work: Callable[[AsyncConnection], Awaitable[T]]) -> T:
    try:
        async with reader.connect() as connection:
            return await work(connection)
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"查询日志读写失败：{reason_of(error)}") from error


def _hidden(key: bytes, channel: str, user: str) -> str:
    who = f"{channel}:{user}".encode("utf-8", "surrogatepass")
    return hmac.digest(key, who, "sha256").hex()[:16]


def _month(moment: dt.datetime) -> str:
    moment = moment.astimezone(dt.UTC)
    return f"{moment.year:04}-{moment.month:02}"


async def _ensure(connection: AsyncConnection, key: str, value: str) -> str:
    stored = await connection.scalar(sa.select(setting.c.value).where(setting.c.key == key))
    if stored is not None:
        return str(stored)
    await connection.execute(sa.insert(setting).values(key=key, value=value))
    return value
