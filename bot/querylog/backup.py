"""Copies of the log, taken while it is in use: complete, checked, few, and never older than what the log may keep."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import re
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.querylog.copying import copy
from bot.querylog.engine import APPLICATION_ID, file_of, open_engine, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NAME = re.compile(r"reformbot-([0-9]{8}T[0-9]{6})\.db")
_DAILY, _WEEKLY = 7, 4


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy: a SQLite file, whatever the log itself lives in."""

    file: Path
    rows: int
    size: int


def folder_for(url: str) -> Path:
    """Where backups go unless somebody says otherwise: beside the database."""
    file = file_of(parse(url))
    return (file.parent if file else Path("data")) / "backups"


def back_up(url: str, folder: Path, now: dt.datetime, tell: Callable[[str, int], object]) -> Backup:
    """Copy the log while it is in use; the file appears under its name only when it is whole and checked.

    Raises StoreError.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    whole = folder / f"reformbot-{now:%Y%m%dT%H%M%S}.db"
    part = whole.with_suffix(".part")
    part.unlink(missing_ok=True)
    try:
        if source := file_of(parse(url)):
            _vacuum(source, part)
        else:
            with tempfile.TemporaryDirectory(dir=folder) as loose:
                _copy_over(url, f"sqlite+aiosqlite:///{loose}/log.db", tell)
                _vacuum(Path(loose, "log.db"), part)
        rows = check(part)
        part.chmod(0o600)
        _to_disk(part)
        part.rename(whole)
        _to_disk(folder)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"备份没有做成：{error}") from error
    finally:
        part.unlink(missing_ok=True)
    return Backup(whole, rows, whole.stat().st_size)


def check(file: Path) -> int:
    """Number of questions in a backup; StoreError when it is damaged, or none of ours."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            (owner,) = connection.execute("PRAGMA application_id").fetchone()
            (found,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            (rows,) = connection.execute("SELECT count(*) FROM query_log").fetchone()
    except sqlite3.Error as error:
        raise StoreError(f"{file} 不是能用的备份：{error}") from error
    if owner != APPLICATION_ID or found != "ok":
        raise StoreError(f"{file} 不是能用的备份：{found if owner == APPLICATION_ID else '不是本程序的数据库'}")
    return int(rows)


def prune(folder: Path, now: dt.datetime, retention_days: int) -> list[Path]:
    """Delete all but the newest of each of seven days and of four weeks, and what is older than the retention."""
    found = sorted(
        ((moment, file) for file in folder.glob("reformbot-*.db") if (moment := _moment(file))), reverse=True
    )
    young = [(moment, file) for moment, file in found if now - moment <= dt.timedelta(days=retention_days)]
    kept = {*_newest_of_each(young, "%Y%m%d", _DAILY), *_newest_of_each(young, "%G%V", _WEEKLY)}
    gone = [file for _, file in found if file not in kept]
    for file in gone:
        file.unlink(missing_ok=True)
    return gone


def restore(file: Path, url: str, now: dt.datetime, tell: Callable[[str, int], object]) -> tuple[int, Path | None]:
    """Put a backup in the place of the log, which nobody may be using; what was there is renamed, not lost.

    Returns the number of questions and where the old file is. A database on a server must be empty.
    """
    rows = check(file)
    target = file_of(parse(url))
    if target is None:
        _copy_over(f"sqlite+aiosqlite:///{file}", url, tell)
        return rows, None
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    _vacuum(file, part)
    kept = _move_away(target, now)
    part.rename(target)
    _to_disk(target.parent)
    return rows, kept


def _move_away(target: Path, now: dt.datetime) -> Path | None:
    """Rename a database that nobody uses, with its write-ahead log brought home first."""
    if not target.exists():
        return None
    try:
        with closing(sqlite3.connect(target, isolation_level=None, timeout=0.5)) as connection:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            connection.execute("COMMIT")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as error:
        raise StoreError(f"{target} 正在使用，请先停掉服务再恢复（{error}）") from error
    except sqlite3.DatabaseError:
        pass  # damaged: that is what a backup is for
    kept = target.with_name(f"{target.name}.before-restore-{now:%Y%m%dT%H%M%S}")
    target.rename(kept)
    for suffix in ("-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    return kept


def _copy_over(source: str, target: str, tell: Callable[[str, int], object]) -> None:
    async def work() -> None:
        reading, writing = await open_engine(source), await open_engine(target)
        try:
            await copy(reading, writing, tell)
        finally:
            await reading.dispose()
            await writing.dispose()

    asyncio.run(work())


def _vacuum(source: Path, target: Path) -> None:
    """A compact copy of a SQLite file as it is at one moment, also while another process writes."""
    with closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("VACUUM INTO ?", (str(target),))


def _newest_of_each(found: Iterable[tuple[dt.datetime, Path]], period: str, count: int) -> list[Path]:
    newest: dict[str, Path] = {}
    for moment, file in found:
        newest.setdefault(moment.strftime(period), file)
    return list(newest.values())[:count]


def _moment(file: Path) -> dt.datetime | None:
    found = _NAME.fullmatch(file.name)
    return dt.datetime.strptime(found[1], "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC) if found else None


def _to_disk(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
