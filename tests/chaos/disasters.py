"""What happens to databases: they are gone for a while, and their disk is full."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from bot.querylog.arrivals import Arrival
from bot.querylog.spool import Spool
from bot.querylog.tables import delivery, query_log
from tests.chaos.bank import answered
from tests.postgres import Stoppable

SQLITE_MB, POSTGRES_MB = 24, 320
_FILLER = "filler"


class Disk:
    """A folder on a disk that can be filled. `small` says whether it is one of its own; `why` when it is not."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self.folder, self.why = folder, ""
        self._megabytes = megabytes

    @property
    def small(self) -> bool:
        return not self.why

    @contextmanager
    def mounted(self) -> Iterator[Disk]:
        """A tmpfs, where mount(8) may make one."""
        self.folder.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={self._megabytes}m,mode=0755", "tmpfs", str(self.folder)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            self.why = done.stderr.strip() if done.returncode else ""
        except OSError as error:
            self.why = str(error)
        try:
            yield self
        finally:
            if self.small:
                subprocess.run(["umount", "--lazy", str(self.folder)], check=False)

    def fill(self) -> None:
        """Leave no byte free."""
        with (self.folder / _FILLER).open("ab", buffering=0) as filler:
            for size in (1 << 20, 4096, 512, 1):
                try:
                    while True:
                        filler.write(b"\0" * size)
                except OSError:
                    pass

    def free(self) -> None:
        """Give the room back."""
        (self.folder / _FILLER).unlink(missing_ok=True)


class Database(Protocol):
    """One engine, with its ways to fail."""

    url: str
    disk: Disk
    spool: Path

    async def away(self, seconds: float) -> None:
        """Gone for so long."""
        ...

    async def full(self, seconds: float, child: int) -> bool:
        """No room for so long; False when that cannot be had here. `child` is the process that writes."""
        ...


class Sqlite:
    """A file; it is away while somebody else holds the lock for writing."""

    def __init__(self, disk: Disk) -> None:
        self.disk, self.file = disk, disk.folder / "log.db"
        self.url, self.spool = f"sqlite+aiosqlite:///{self.file}", disk.folder / "log.spool"

    async def away(self, seconds: float) -> None:
        """Hold the lock."""
        holder = sqlite3.connect(self.file, timeout=30, isolation_level=None, check_same_thread=False)
        try:
            await asyncio.to_thread(holder.execute, "BEGIN IMMEDIATE")
            await asyncio.sleep(seconds)
            holder.execute("ROLLBACK")
        finally:
            holder.close()

    async def full(self, seconds: float, child: int) -> bool:
        """Fill the disk, or forbid the process to make any file longer."""
        if self.disk.small:
            self.disk.fill()
            await asyncio.sleep(seconds)
            self.disk.free()
            return True
        limits = resource.prlimit(child, resource.RLIMIT_FSIZE)
        resource.prlimit(child, resource.RLIMIT_FSIZE, (0, limits[1]))
        await asyncio.sleep(seconds)
        resource.prlimit(child, resource.RLIMIT_FSIZE, limits)
        return True


class Postgres:
    """A server of its own."""

    def __init__(self, disk: Disk, server: Stoppable) -> None:
        self.disk, self._server = disk, server
        self.spool = disk.folder.parent / "log.spool"
        self.url = server.new_database("chaos")

    async def away(self, seconds: float) -> None:
        """Stop the server."""
        await asyncio.to_thread(self._server.stop)
        await asyncio.sleep(seconds)
        await asyncio.to_thread(self._server.start)

    async def full(self, seconds: float, child: int) -> bool:
        """Fill its disk; a server that gave up is started again."""
        if not self.disk.small:
            return False
        self.disk.fill()
        await asyncio.sleep(seconds)
        self.disk.free()
        await asyncio.to_thread(self._server.start)
        return True


@asynccontextmanager
async def database(engine: str, folder: Path) -> AsyncIterator[Database]:
    """An empty database of either kind on a small disk."""
    disk = Disk(folder / "disk", SQLITE_MB if engine == "sqlite" else POSTGRES_MB)
    with disk.mounted():
        if engine == "sqlite":
            yield Sqlite(disk)
            return
        os.chmod(folder, 0o755)
        server = Stoppable(disk.folder / "pgdata")
        try:
            yield Postgres(disk, server)
        finally:
            await asyncio.to_thread(server.stop)


class Reader:
    """Looks into a log from outside, while it is there."""

    def __init__(self, url: str) -> None:
        self._engine = create_async_engine(url, poolclass=NullPool)

    async def _all(self, wanted: sa.Select[tuple[str, ...]]) -> list[tuple[str, ...]]:
        async with self._engine.connect() as connection:
            return [tuple(row) for row in await connection.execute(wanted)]

    async def rows(self) -> list[tuple[str, str | None, str]]:
        """(channel, message id, text) of every question."""
        columns = query_log.c.channel, query_log.c.message_id, query_log.c.text
        return [(one[0], one[1], one[2]) for one in await self._all(sa.select(*columns))]  # type: ignore[arg-type]

    async def texts(self) -> dict[int, str]:
        """Row → its question."""
        return {int(one[0]): one[1] for one in await self._all(sa.select(query_log.c.id, query_log.c.text))}  # type: ignore[arg-type]

    async def waiting(self) -> int:
        """Replies that are not noted as sent."""
        return (await self.deliveries()).get("waiting", 0)

    async def unsent(self, file: Path) -> frozenset[tuple[str, int]] | None:
        """(channel, question) of every reply that neither log nor spool notes as sent; None for a log that is away."""
        columns = delivery.c.channel, delivery.c.token, delivery.c.parts
        try:
            found = await self._all(sa.select(*columns).where(delivery.c.state == "waiting"))  # type: ignore[arg-type]
        except (SQLAlchemyError, OSError):
            return None
        spool = Spool(file)
        rows = (item for item in spool.first(sys.maxsize) if isinstance(item, Arrival))
        posts = ((row.row.channel, row.post) for row in rows if row.post)
        spooled = {post.token: (channel, json.dumps(post.parts, ensure_ascii=False)) for channel, post in posts}
        waiting = spooled | {token: (channel, parts) for channel, token, parts in found}
        notes = {token: spool.noted(token) for token in waiting}
        unsent = [said for token, said in waiting.items() if (note := notes[token]) is None or note.state == "waiting"]
        return frozenset((channel, place) for channel, parts in unsent for place in answered(parts))

    async def deliveries(self) -> dict[str, int]:
        """How many replies are in each state."""
        counted = sa.select(delivery.c.state, sa.func.count()).group_by(delivery.c.state)
        return {one[0]: int(one[1]) for one in await self._all(counted)}  # type: ignore[arg-type]

    async def taken(self, channel: str, message_id: str) -> bool:
        """Whether a message stands in the log; a log that cannot be read just now may hold it."""
        same = (query_log.c.channel == channel) & (query_log.c.message_id == message_id)
        try:
            return bool(await self._all(sa.select(query_log.c.id).where(same)))  # type: ignore[arg-type]
        except (SQLAlchemyError, OSError):
            return True

    async def close(self) -> None:
        """Leave."""
        await self._engine.dispose()
