"""Backups under load, restoring them, moving a log to PostgreSQL: counts and hashes agree."""

from __future__ import annotations

import asyncio
import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.querylog import backup as backups
from bot.querylog.arrivals import Arrival
from bot.querylog.copying import copy
from bot.querylog.deliveries import NewDelivery
from bot.querylog.engine import open_engine
from bot.querylog.rows import LogRow
from bot.querylog.store import QueryLog
from bot.querylog.tables import metadata
from tests.postgres import new_database, url_for

NOW = dt.datetime(2026, 11, 20, 8, 30, tzinfo=dt.UTC)


def row(number: int) -> LogRow:
    moment = NOW + dt.timedelta(seconds=number)
    return LogRow(
        moment, "web", f"u{number % 7}", f"m{number}", f"问题 {number} \U0001f600'\"", "answer", ("nb-a",), 0.5
    )


def silent(_: str, __: int) -> None:
    pass


async def fill(url: str, count: int) -> None:
    querylog = await QueryLog.open(url)
    post = [NewDelivery(f"t{number}", "anna", ({"text": "回复"},)) for number in range(count)]
    taken = await asyncio.gather(*(querylog.take(Arrival(row(n), post=post[n])) for n in range(count)))
    assert all(one.fresh for one in taken)
    await querylog.judge("t1", "down", ("过时",), "说法旧了")
    await querylog.user_key("web", "anna", NOW)
    await querylog.put("cursor", "42")
    await querylog.close()


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    made = url_for(request.param, tmp_path)
    await fill(made, 300)
    return made


async def test_a_backup_while_rows_are_written_is_whole(url: str, tmp_path: Path) -> None:
    querylog = await QueryLog.open(url)
    stop = asyncio.Event()
    written = 300

    async def write() -> None:
        nonlocal written
        while not stop.is_set():
            await querylog.write(row(written))
            written += 1

    writing = asyncio.create_task(write())
    made = []
    for number in range(3):
        at = NOW + dt.timedelta(seconds=number)
        before = written
        made.append(await asyncio.to_thread(backups.back_up, url, tmp_path / "backups", at, silent))
        assert before <= made[-1].rows <= written + 1
    stop.set()
    await writing
    await querylog.close()
    assert [one.rows for one in made] == sorted(one.rows for one in made)
    for one in made:
        assert backups.check(one.file) == one.rows
        assert one.file.stat().st_mode & 0o077 == 0
        with closing(sqlite3.connect(one.file)) as connection:
            ids = [found for (found,) in connection.execute("SELECT id FROM query_log ORDER BY id")]
        assert ids == list(range(1, one.rows + 1))
    assert not list((tmp_path / "backups").glob("*.part*"))


async def test_what_was_backed_up_comes_back(url: str, tmp_path: Path) -> None:
    made = await asyncio.to_thread(backups.back_up, url, tmp_path / "backups", NOW, silent)
    to = new_database() if url.startswith("postgresql") else url
    rows, kept = await asyncio.to_thread(backups.restore, made.file, to, NOW, silent)
    assert rows == 300
    assert (kept is None) == url.startswith("postgresql")
    again = await QueryLog.open(to)
    found = await again.recent(1)
    assert (found[0].row.text, await again.count()) == (row(299).text, 300)
    assert (await again.take(Arrival(row(5)))).fresh is False
    assert await again.write(row(900)) > 300
    assert await again.get("cursor") == "42"
    await again.close()


async def test_a_running_service_is_not_overwritten(tmp_path: Path) -> None:
    url = url_for("sqlite", tmp_path)
    await fill(url, 5)
    made = await asyncio.to_thread(backups.back_up, url, tmp_path / "backups", NOW, silent)
    querylog = await QueryLog.open(url)
    await querylog.write(row(77))
    with pytest.raises(StoreError, match="停掉服务"):
        await asyncio.to_thread(backups.restore, made.file, url, NOW, silent)
    assert await querylog.count() == 6
    await querylog.close()


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"no database" * 99)
    with closing(sqlite3.connect(tmp_path / "b.db")) as connection:
        connection.execute("CREATE TABLE query_log (id)")
    for name in ("a.db", "b.db", "missing.db"):
        with pytest.raises(StoreError, match="不是能用的备份"):
            backups.check(tmp_path / name)


def test_old_backups_go_and_a_few_stay(tmp_path: Path) -> None:
    moments = [NOW - dt.timedelta(hours=7 * number) for number in range(300)]
    for moment in moments:
        (tmp_path / f"reformbot-{moment:%Y%m%dT%H%M%S}.db").touch()
    (tmp_path / "notes.txt").touch()
    gone = backups.prune(tmp_path, NOW, 20)
    kept = sorted(file.name for file in tmp_path.glob("*.db"))
    assert len(gone) + len(kept) == 300
    assert 7 <= len(kept) <= 11
    assert kept[-1] == f"reformbot-{NOW:%Y%m%dT%H%M%S}.db"
    assert kept[0] >= f"reformbot-{NOW - dt.timedelta(days=20):%Y%m%d}"
    assert (tmp_path / "notes.txt").exists()
    assert len(backups.prune(tmp_path, NOW + dt.timedelta(days=21), 20)) == len(kept)


@pytest.mark.parametrize("back", [False, True])
async def test_a_log_moves_between_sqlite_and_postgresql(tmp_path: Path, back: bool) -> None:
    source, target = url_for("sqlite", tmp_path), new_database()
    if back:
        source, target = target, source
    await fill(source, 2500)
    engines = [await open_engine(source), await open_engine(target)]
    told: list[tuple[str, int]] = []
    extents = await copy(*engines, lambda table, rows: told.append((table, rows)))
    assert extents.keys() == set(metadata.tables)
    assert (extents["query_log"].rows, extents["delivery"].rows, extents["feedback"].rows) == (2500, 2500, 1)
    assert ("query_log", 2500) in told
    with pytest.raises(StoreError, match="已经有内容"):
        await copy(*engines, silent)
    for engine in engines:
        await engine.dispose()
    moved = await QueryLog.open(target)
    assert await moved.write(row(9999)) == 2501
    await moved.close()
