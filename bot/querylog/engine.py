"""Open the database: one connection, its pragmas, the tables brought up to date.

Everything that only SQLite understands stands in `_try_file`, `_sqlite` and `forget_deleted`.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from bot.errors import StoreError
from bot.querylog import months
from bot.settings import database

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection

APPLICATION_ID = 0x4E425251
"""Stands in the header of a SQLite file of ours."""

_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = APPLICATION_ID
_BUSY_SECONDS = 2.0
_HEADER_BYTES, _OWNER_AT = 100, 68
"""Of a SQLite file; the latter is where its `application_id` stands."""
_READERS = 2
_PATIENT = {"timeout": 5.0, "command_timeout": 30.0}
"""Seconds that PostgreSQL may take to connect, and for one statement."""
_CHECKED_BYTES = 200 << 20
"""Up to this size a file is checked for damage at the start; larger ones would take too long."""


class DamagedError(StoreError):
    """A SQLite file that cannot be read as one."""

    def __init__(self, message: str, file: Path) -> None:
        super().__init__(message)
        self.file = file


async def open_engine(url: str, visiting: bool = False) -> AsyncEngine:
    """An engine that keeps exactly one connection, with all migrations applied.

    Creates the folder of a SQLite file. One who is `visiting` never checkpoints: while a server has the file open that
    is the server's alone, for two at once could damage it before SQLite 3.51.3. Raises StoreError, with nothing left
    open.
    """
    target = parse(url)
    engine = _create(target)
    if visiting and engine.dialect.name == "sqlite":
        event.listen(engine.sync_engine, "connect", _never_checkpoint)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate)
    except BaseException as error:
        await engine.dispose()
        if isinstance(error, StoreError) or not isinstance(error, Exception):
            raise
        raise StoreError(_explain(target, error)) from error
    return engine


def open_reader(engine: AsyncEngine) -> AsyncEngine | None:
    """An engine that can only read, beside one that `open_engine` made; None for a database without a file.

    With SQLite no second connection may write or checkpoint, so these are opened read-only.
    """
    if engine.dialect.name != "sqlite":
        return create_async_engine(
            engine.url, pool_size=_READERS, pool_pre_ping=True, hide_parameters=True, connect_args=_PATIENT
        )
    file = file_of(engine.url)
    if file is None:
        return None
    address = engine.url.set(database=f"file:{quote(str(file.absolute()))}", query={"mode": "ro", "uri": "true"})
    return create_async_engine(
        address,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=_READERS,
        max_overflow=0,
        hide_parameters=True,
        connect_args={"timeout": _BUSY_SECONDS},
    )


async def forget_deleted(engine: AsyncEngine) -> None:
    """Empty SQLite's write-ahead log, so that deleted rows are gone from the disk; nothing to do elsewhere."""
    if engine.dialect.name == "sqlite":
        async with engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            async with driver.execute("PRAGMA wal_checkpoint(TRUNCATE)") as cursor:
                await cursor.fetchall()


def set_aside(file: Path, now: dt.datetime) -> Path:
    """Rename a damaged database, with its write-ahead log, so that a new one can be begun; its new name."""
    kept = file.with_name(f"{file.name}.damaged-{now:%Y%m%dT%H%M%S}")
    for suffix in ("", "-wal", "-shm"):
        part = file.with_name(file.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    return kept


def identity(file: Path | None) -> tuple[int, int] | None:
    """What tells a file from another one of the same name."""
    if file is None:
        return None
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def reason_of(error: Exception) -> str:
    """The driver's own words, without the statement and its values."""
    return str(error.orig) if isinstance(error, DBAPIError) else str(error)


def parse(url: str) -> URL:
    """The address of a log; StoreError for one that it cannot live in."""
    try:
        return database(url)
    except ValueError as error:
        raise StoreError(str(error)) from None


def _create(target: URL) -> AsyncEngine:
    sqlite = target.get_backend_name() == "sqlite"
    options: dict[str, Any] = {"isolation_level": None, "timeout": _BUSY_SECONDS} if sqlite else _PATIENT
    try:
        if file := file_of(target):
            _try_file(file)
        engine = create_async_engine(
            target,
            poolclass=AsyncAdaptedQueuePool,
            pool_size=1,
            max_overflow=0,
            pool_pre_ping=not sqlite,
            hide_parameters=True,
            connect_args=options,
        )
    except ImportError as error:
        raise StoreError(f"缺少 {error.name}，不能连接 {target.drivername}：请先用 pip 安装它") from None
    except sqlite3.Error as error:
        file = file_of(target)
        if file and _is_damage(error) and _may_be_ours(file):
            raise DamagedError(_explain(target, error), file) from error
        raise StoreError(_explain(target, error)) from error
    except OSError as error:
        raise StoreError(f"不能创建 {target.database} 所在的文件夹：{error.strerror or error}") from error
    if sqlite:
        _sqlite(engine)
    return engine


def file_of(target: URL) -> Path | None:
    """The file of a SQLite database that has one."""
    name = target.database or ":memory:"
    on_disk = target.get_backend_name() == "sqlite" and name != ":memory:" and not name.startswith("file:")
    return Path(name) if on_disk else None


def _try_file(file: Path) -> None:
    """Create the folder, and open the file once without a thread: aiosqlite's outlives a connection that failed.

    A file that is not too large is checked for damage.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(file, timeout=_BUSY_SECONDS)) as connection:
        if file.stat().st_size <= _CHECKED_BYTES:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if found != "ok":
                raise sqlite3.DatabaseError(f"malformed: {found}")


_PRAGMAS = (
    *("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "secure_delete = ON"),
    "cache_size = -512",  # KiB; the rest is read by connections of their own
)


def _sqlite(engine: AsyncEngine) -> None:
    """Pragmas of every new connection; transactions that take the write lock at once. Only for SQLite."""

    def set_up(connection: DBAPIConnection) -> None:
        cursor = connection.cursor()
        cursor.execute("SELECT (SELECT count(*) FROM sqlite_master), (SELECT * FROM pragma_application_id)")
        tables, owner = cursor.fetchone() or (0, 0)
        if owner != APPLICATION_ID:
            if tables or owner:
                raise StoreError(f"{engine.url.database} 是别的程序的数据库：请换一个文件")
            cursor.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for pragma in _PRAGMAS:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: DBAPIConnection, _: object) -> None:
        try:
            set_up(connection)
        except BaseException:
            connection.close()
            raise

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _never_checkpoint(connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA wal_autocheckpoint = 0")
    cursor.close()


def _migrate(connection: sa.Connection) -> None:
    if connection.dialect.name == "postgresql":  # several replicas may start at once
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    months.prepare(connection, dt.datetime.now(dt.UTC))


def _may_be_ours(file: Path) -> bool:
    """Whether a damaged file was a database of ours: by its header, or at least by its name."""
    with file.open("rb") as content:
        header = content.read(_HEADER_BYTES)
    return header[_OWNER_AT : _OWNER_AT + 4] == APPLICATION_ID.to_bytes(4, "big") or file.suffix == ".db"


def _is_damage(error: Exception) -> bool:
    reason = reason_of(error)
    return "not a database" in reason or "malformed" in reason


def _explain(target: URL, error: Exception) -> str:
    name, reason = target.database or target.host or target.drivername, reason_of(error)
    if isinstance(error, CommandError):
        return f"{name} 是更新版本的程序建的，请升级程序（{reason}）"
    if _is_damage(error):
        return f"{name} 不是 SQLite 数据库，或者已经损坏：请换一个文件，或者从备份恢复"
    if "unable to open" in reason or "readonly" in reason:
        return f"打不开 {name}：请检查文件和它所在的文件夹能不能写（{reason}）"
    if "locked" in reason:
        return f"{name} 正被另一个程序占用，请稍后再试"
    return f"打不开查询日志 {name}：{reason}"
