"""The query log on a real SQLite file."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bot import record
from bot.errors import StoreError
from bot.model import Message, Reply, Status
from bot.querylog import engine as engines
from bot.querylog.rows import LogRow
from bot.querylog.store import QueryLog
from bot.querylog.tables import metadata
from tests.conftest import ROOT
from tests.locks import locked

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

NOW = dt.datetime(2026, 11, 20, 8, 30, tzinfo=dt.timezone(dt.timedelta(hours=8)))
PHONE = "13812345678"


def row(text: str = "微法院怎么用", message_id: str | None = None, **more: Any) -> LogRow:
    values: dict[str, Any] = {"channel": "web", "user_key": "u1", "status": "answer", "asked_at": NOW} | more
    return LogRow(text=text, message_id=message_id, **values)


def url_of(path: Path) -> str:
    return f"sqlite+aiosqlite:///{path}"


def pragma(path: Path, name: str) -> Any:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "100% 新" / "log.db"


@pytest.fixture
async def querylog(path: Path) -> AsyncIterator[QueryLog]:
    opened = await QueryLog.open(url_of(path))
    yield opened
    await opened.close()


@pytest.mark.asyncio
async def test_rows_are_there_after_reopening(path: Path) -> None:
    full = row(
        message_id="m1",
        entries=("nb-a", "nb-b"),
        score=0.93,
        runner_up="nb-c",
        knowledge_version="v1",
        took_ms=0.4,
        reason="名称相同",
    )
    first = await QueryLog.open(url_of(path))
    row_id = await first.write(full)
    await first.close()
    second = await QueryLog.open(url_of(path))
    try:
        (found,) = await second.recent(10)
        assert (found.id, found.row, found.verdict, found.verdict_at) == (row_id, full, None, None)
        assert found.row.asked_at.utcoffset() == dt.timedelta()
        assert found.row.entry == "nb-a"
    finally:
        await second.close()


@pytest.mark.asyncio
async def test_a_row_is_on_the_disk_when_write_returns(querylog: QueryLog, path: Path) -> None:
    await querylog.write(row())
    with closing(sqlite3.connect(path)) as other:
        found = other.execute("SELECT asked_at, text, entries FROM query_log").fetchall()
    assert found == [("2026-11-20T00:30:00.000000Z", "微法院怎么用", "[]")]


@pytest.mark.asyncio
async def test_the_file_is_set_up_for_durability(querylog: QueryLog, path: Path) -> None:
    assert pragma(path, "journal_mode") == "wal"
    assert pragma(path, "application_id") == engines.APPLICATION_ID
    async with querylog._engine.connect() as connection:
        for name, expected in {"synchronous": 2, "foreign_keys": 1, "secure_delete": 1, "busy_timeout": 2000}.items():
            found = await connection.exec_driver_sql(f"PRAGMA {name}")
            assert (name, found.scalar_one()) == (name, expected)


@pytest.mark.asyncio
async def test_migrations_make_what_the_program_expects(querylog: QueryLog) -> None:
    async with querylog._engine.connect() as connection:
        different = await connection.run_sync(lambda sync: compare_metadata(MigrationContext.configure(sync), metadata))
        tables = await connection.exec_driver_sql("SELECT name FROM pragma_table_list WHERE strict")
        of_postgresql = {"ix_query_log_status", "ix_query_log_entry", "ix_query_log_user_key"}
        assert {(kind, index.name) for kind, index in different} == {("add_index", name) for name in of_postgresql}
        assert set(tables.scalars()) == set(metadata.tables)


@pytest.mark.asyncio
async def test_five_hundred_at_once_get_an_id_each(querylog: QueryLog) -> None:
    ids = await asyncio.gather(*(querylog.write(row(str(number), f"m{number}")) for number in range(500)))
    assert len(set(ids)) == 500 == await querylog.count()
    stored = {found.id: found.row.text for found in await querylog.recent(500)}
    assert [stored[row_id] for row_id in ids] == [str(number) for number in range(500)]


@pytest.mark.asyncio
async def test_a_known_message_gets_the_old_id(querylog: QueryLog) -> None:
    first = await querylog.write(row("first", "m1"))
    ids = await asyncio.gather(*(querylog.write(row(f"retry {number}", "m1")) for number in range(5)))
    assert set(ids) == {first}
    assert await querylog.write(row("other channel", "m1", channel="wecom")) != first
    together = await asyncio.gather(*(querylog.write(row(f"new {number}", "m2")) for number in range(5)))
    assert len(set(together)) == 1
    assert [found.row.text for found in reversed(await querylog.recent(9))] == ["first", "other channel", "new 0"]


@pytest.mark.asyncio
async def test_messages_without_an_id_are_all_new(querylog: QueryLog) -> None:
    ids = await asyncio.gather(*(querylog.write(row(message_id=None)) for _ in range(4)), querylog.write(row("", "")))
    assert len({*ids, await querylog.write(row("", ""))}) == 6


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "bad", [{"score": 2.0}, {"runner_up": "\ud800"}, {"asked_at": NOW.replace(tzinfo=None)}, {"text": None}]
)
async def test_a_bad_row_fails_alone(querylog: QueryLog, bad: dict[str, Any]) -> None:
    rows = [row(str(number), f"m{number}") for number in range(9)]
    results = await asyncio.gather(
        *(querylog.write(one) for one in (*rows[:4], row(**bad), *rows[4:])), return_exceptions=True
    )
    assert isinstance(results.pop(4), StoreError)
    assert all(isinstance(result, int) for result in results)
    assert await querylog.count() == len(set(results)) == 9


@pytest.mark.asyncio
async def test_an_error_does_not_repeat_what_was_asked(querylog: QueryLog) -> None:
    with pytest.raises(StoreError, match="读写失败") as caught:
        await querylog.write(row("秘密的问题", score=2.0))
    assert "秘密" not in f"{caught.value} {caught.value.__cause__}"


@pytest.mark.asyncio
async def test_cancelled_callers_lose_nothing(querylog: QueryLog) -> None:
    tasks = [asyncio.create_task(querylog.write(row(str(number)))) for number in range(300)]
    for turn in range(30):
        await asyncio.sleep(0)
        tasks[turn * 10].cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    kept = [result for result in results if isinstance(result, int)]
    assert len(set(kept)) == len(kept) >= 270
    assert await querylog.write(row("after")) not in kept
    texts = {found.row.text for found in await querylog.recent(400)}
    assert {str(number) for number in range(300) if isinstance(results[number], int)} | {"after"} <= texts


@pytest.mark.asyncio
async def test_a_verdict_is_for_the_same_user_only(querylog: QueryLog) -> None:
    row_id = await querylog.write(row(user_key="mine"))
    assert not await querylog.verdict(row_id, "up", "other")
    assert not await querylog.verdict(row_id + 1, "up", "mine")
    assert not await querylog.verdict(10**30, "up", "mine")
    assert await querylog.verdict(row_id, "up", "mine")
    assert await querylog.verdict(row_id, "down", "mine")
    (found,) = await querylog.recent(1)
    assert found.verdict == "down"
    assert found.verdict_at is not None
    with pytest.raises(ValueError, match="up"):
        await querylog.verdict(row_id, "maybe", "mine")


@pytest.mark.asyncio
async def test_a_user_key_holds_for_one_month(querylog: QueryLog, path: Path) -> None:
    key = await querylog.user_key("web", "anna", NOW)
    assert len(bytes.fromhex(key)) == 8
    assert await querylog.user_key("web", "anna", NOW) == key
    others = [
        await querylog.user_key("web", "bert", NOW),
        await querylog.user_key("wecom", "anna", NOW),
        await querylog.user_key("web", "\ud800", NOW),
        await querylog.user_key("web", "anna", NOW + dt.timedelta(days=30)),
    ]
    assert len({key, *others}) == 5
    again = await QueryLog.open(url_of(path))
    assert await again.user_key("web", "anna", NOW) == key
    await again.close()


@pytest.mark.asyncio
async def test_purge_takes_old_rows_and_the_keys_of_their_months(querylog: QueryLog, path: Path) -> None:
    old = await querylog.user_key("web", "anna", NOW - dt.timedelta(days=60))
    new = await querylog.user_key("web", "anna", NOW)
    await querylog.write(row("an old question", asked_at=NOW - dt.timedelta(days=60)))
    kept = await querylog.write(row("a new question"))
    assert await querylog.purge(NOW - dt.timedelta(days=1)) == 1
    assert [found.id for found in await querylog.recent(9)] == [kept]
    assert await querylog.user_key("web", "anna", NOW) == new
    assert await querylog.user_key("web", "anna", NOW - dt.timedelta(days=60)) != old
    files = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"a new question" in files
    assert b"an old question" not in files
    assert await querylog.write(row()) > kept


@pytest.mark.asyncio
async def test_ids_are_not_used_again(querylog: QueryLog) -> None:
    first = await querylog.write(row())
    assert await querylog.purge(NOW + dt.timedelta(days=1)) == 1
    assert await querylog.write(row()) > first


@pytest.mark.asyncio
async def test_close_writes_what_waits_and_may_be_called_again(path: Path) -> None:
    querylog = await QueryLog.open(url_of(path))
    writes = [asyncio.create_task(querylog.write(row())) for _ in range(600)]
    await asyncio.sleep(0)
    await asyncio.gather(querylog.close(), querylog.close())
    assert len(set(await asyncio.gather(*writes))) == 600
    await querylog.close()
    with pytest.raises(StoreError, match="已经关闭"):
        await querylog.write(row())
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM query_log").fetchone() == (600,)
    assert [file.name for file in path.parent.iterdir()] == ["log.db"]


@pytest.mark.asyncio
async def test_a_locked_file_is_a_clear_error_and_not_the_end(querylog: QueryLog, path: Path) -> None:
    async with locked(path):
        results = await asyncio.gather(*(querylog.write(row()) for _ in range(3)), return_exceptions=True)
    assert ["locked" in str(result) for result in results] == [True] * 3
    await querylog.write(row())
    assert await querylog.count() == 1


def broken(path: Path) -> dict[str, str]:
    """Addresses that cannot be opened, each with what its error says."""
    names = ("garbage", "foreign", "newer", "folder", "damaged")
    garbage, foreign, newer, folder, damaged = (path / name for name in names)
    with closing(sqlite3.connect(damaged)) as connection:
        connection.execute(f"PRAGMA application_id = {engines.APPLICATION_ID}")
        connection.execute("CREATE TABLE setting (key TEXT, value TEXT)")
        connection.executemany("INSERT INTO setting VALUES (?, ?)", [("k" * 99, "v" * 99)] * 500)
        connection.commit()
    content = damaged.read_bytes()
    damaged.write_bytes(content[:8192] + b"\x00\xff" * 2048 + content[12288:])
    garbage.write_bytes(b"this is no database " * 100)
    folder.mkdir()
    with closing(sqlite3.connect(foreign)) as connection:
        connection.execute("CREATE TABLE theirs (id)")
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute(f"PRAGMA application_id = {engines.APPLICATION_ID}")
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES ('9999')")
        connection.commit()
    return {
        url_of(garbage): "不是 SQLite 数据库",
        url_of(foreign): "别的程序的数据库",
        url_of(newer): "更新版本的程序",
        url_of(damaged): "已经损坏",
        url_of(folder): "能不能写",
        url_of(garbage / "deep" / "log.db"): "不能创建",
        "sqlite:///log.db": "不支持的数据库",
        "mysql://user:secret@example.com/log": "不支持的数据库",
        "no address": "数据库地址写得不对",
    }


@pytest.mark.asyncio
async def test_what_cannot_be_opened_is_a_clear_error(tmp_path: Path) -> None:
    for url, said in broken(tmp_path).items():
        with pytest.raises(StoreError, match=said) as caught:
            await QueryLog.open(url)
        assert "secret" not in str(caught.value)
    with closing(sqlite3.connect(tmp_path / "foreign")) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]


PROGRAMS = {
    "closed": "log = await QueryLog.open(url); await log.write(row); await log.close()",
    "forgotten": "log = await QueryLog.open(url); await log.write(row)",
    "forgotten in the middle": "log = await QueryLog.open(url); [asyncio.ensure_future(log.write(row)) for _ in 'abc']",
    "garbage": "await QueryLog.open(garbage)",
    "crash": "log = await QueryLog.open(url); await log.write(row); raise RuntimeError('StoreError')",
}
PROGRAM = """
import asyncio, datetime, sys
from bot.querylog.store import QueryLog
from bot.querylog.rows import LogRow
url, garbage = sys.argv[1:]
row = LogRow(datetime.datetime.now(datetime.UTC), "web", "u", None, "a", "answer")
async def main():
    {body}
asyncio.run(main())
print("done")
"""


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_process_ends(name: str, path: Path, tmp_path: Path) -> None:
    (tmp_path / "garbage").write_bytes(b"this is no database " * 100)
    program = [sys.executable, "-c", PROGRAM.format(body=PROGRAMS[name]), url_of(path), url_of(tmp_path / "garbage")]
    ended = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    if name in {"garbage", "crash"}:
        assert "StoreError" in ended.stderr
    else:
        assert (ended.stdout, ended.stderr) == ("done\n", "")


@pytest.mark.asyncio
async def test_no_personal_number_reaches_the_disk(querylog: QueryLog, path: Path) -> None:
    texts = [f"我的手机{PHONE}", "手机138 1234 5678，身份证33020319900101123X", "住" * 390 + PHONE, "一" * 396 + PHONE]
    for text in texts:
        reply = Reply(Status.NONE, (), reason=f"问题“{text}”里没有认识的词")
        await querylog.write(record.row(Message(text, user="anna"), "u1", reply, "v1", 0.4, NOW))
    files = {file.name: file.read_bytes() for file in path.parent.iterdir()}
    assert {"log.db", "log.db-wal"} <= files.keys()
    everything = b"".join(files.values())
    assert "我的手机〔手机号〕".encode() in everything
    for number in (PHONE, "138 1234 5678", "33020319900101123", PHONE[:6], "anna"):
        assert number.encode() not in everything


async def test_both_ways_into_the_log_store_the_same(querylog: QueryLog) -> None:
    more = {"entries": ("nb-a", "新"), "score": 0.5, "runner_up": "nb-c", "knowledge_version": "v", "took_ms": 0.25}
    plain = await querylog.write(row("一样", **more, reason="名称相同"))
    known = await querylog.write(row("一样", "m1", **more, reason="名称相同"))
    found = {logged.id: logged for logged in await querylog.recent(2)}
    assert set(found) == {plain, known}
    assert found[known].row.message_id == "m1"
    assert dataclasses.replace(found[known].row, message_id=None) == found[plain].row


async def test_each_of_many_gets_its_own_id_whichever_way_it_goes(querylog: QueryLog) -> None:
    rows = [row(f"问题 {number}", f"m{number}" if number % 40 == 0 else None) for number in range(1000)]
    ids = await asyncio.gather(*map(querylog.write, rows))
    stored = {logged.id: logged.row.text for logged in await querylog.recent(2000)}
    assert [stored[row_id] for row_id in ids] == [one.text for one in rows]


async def test_a_full_queue_refuses_at_once(querylog: QueryLog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.querylog.writer._WAITING", 10)
    results = await asyncio.gather(*(querylog.write(row()) for _ in range(50)), return_exceptions=True)
    refused = [one for one in results if isinstance(one, StoreError)]
    assert 0 < len(refused) <= 40
    assert await querylog.count() == 50 - len(refused)
