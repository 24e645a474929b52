"""The log is away, full, slow or damaged: answers go on, and no row is lost or doubled."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.alerts import Alerts
from bot.app import App, running
from bot.channels.outbox import Outbox
from bot.desk import Desk
from bot.errors import StoreError
from bot.model import Message
from bot.querylog.arrivals import Arrival
from bot.querylog.deliveries import NewDelivery, Note, by_token, progress
from bot.querylog.recorder import Recorder
from bot.querylog.rows import LogRow
from bot.querylog.spool import ROOM, Spool
from bot.querylog.store import QueryLog
from bot.settings import load_settings
from tests.locks import locked

NOW = dt.datetime.now(dt.UTC)


def arrival(number: int, message_id: str | None = None, post: NewDelivery | None = None) -> Arrival:
    moment = NOW + dt.timedelta(microseconds=number)
    return Arrival(LogRow(moment, "web", "u1", message_id, f"问题 {number}", "answer", ("nb-a",)), (), post)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "log.db"


@pytest.fixture
async def querylog(file: Path) -> AsyncIterator[QueryLog]:
    opened = await QueryLog.open(f"sqlite+aiosqlite:///{file}")
    yield opened
    await opened.close()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "log.spool")


def recorder_of(querylog: QueryLog, spool: Spool) -> Recorder:
    return Recorder(querylog, spool, Alerts())


async def texts(querylog: QueryLog) -> list[str]:
    return [found.row.text for found in reversed(await querylog.recent(10_000))]


async def test_rows_come_over_in_order_when_the_lock_is_gone(querylog: QueryLog, spool: Spool, file: Path) -> None:
    recorder = recorder_of(querylog, spool)
    draining = asyncio.create_task(recorder.keep_draining())
    await recorder.take(arrival(0))
    async with locked(file):
        for number in range(1, 300):
            assert await recorder.take(arrival(number)) is None
        assert recorder.health()["spooled"] == 299
    async with asyncio.timeout(20):
        while recorder.health()["spooled"]:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.05)
    assert await recorder.take(arrival(300)) is not None
    draining.cancel()
    numbers = [int(text.removeprefix("问题 ")) for text in await texts(querylog)]
    assert sorted(numbers) == list(range(301))
    spooled = [number for number in numbers if number >= 20]  # the first ones were on their way when it locked
    assert spooled == sorted(spooled)


async def test_a_late_row_is_not_stored_twice(querylog: QueryLog, spool: Spool) -> None:
    recorder = recorder_of(querylog, spool)
    await querylog.write(arrival(1).row)
    await querylog.write(arrival(2, "m2").row)
    spool.append([arrival(1), arrival(2, "m2"), arrival(3)])
    await recorder.drain()
    await recorder.drain()
    assert await texts(querylog) == ["问题 1", "问题 2", "问题 3"]


async def test_a_row_that_the_log_will_never_take_holds_up_nobody(querylog: QueryLog, spool: Spool) -> None:
    recorder = recorder_of(querylog, spool)
    bad = replace(arrival(2), row=replace(arrival(2).row, score=7.0))
    assert await recorder.take(bad) is None
    assert recorder.health()["dropped"] == 1
    spool.append([arrival(1), bad, arrival(3)])
    await recorder.drain()
    assert await texts(querylog) == ["问题 1", "问题 3"]
    assert recorder.health()["dropped"] == 2


async def test_when_even_the_spool_is_full_it_is_said(querylog: QueryLog, tmp_path: Path) -> None:
    alerts = Alerts()
    recorder = Recorder(querylog, Spool(tmp_path / "small.spool", limit=2), alerts)
    await querylog.close()
    for number in range(4):
        await recorder.take(arrival(number))
    health = recorder.health()
    assert (health["spooled"], health["dropped"], health["reason"]) == (2, 2, "查询日志已经关闭")
    assert alerts.states.keys() == {"log", "spool"}


async def test_a_reply_that_went_out_meanwhile_is_not_sent_again(querylog: QueryLog, spool: Spool) -> None:
    recorder = recorder_of(querylog, spool)
    sent: list[str] = []

    async def send(_: Any, part: dict[str, Any]) -> str:
        sent.append(part["text"])
        return "r"

    outbox = Outbox(recorder, "web", send, Alerts())
    post = NewDelivery("t1", "anna", ({"text": "回复"},))
    waits = NewDelivery("t2", "bert", ({"text": "另一个"},))
    spool.append([arrival(1, "m1", post), arrival(2, "m2", waits)])
    await recorder.note(Note("t1", ("r",), "done"))
    await recorder.drain()
    await querylog.take_over()
    working = asyncio.create_task(outbox.run())
    async with asyncio.timeout(10):
        while sent != ["另一个"]:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.01)
    working.cancel()
    await outbox.drain(5)
    assert sent == ["另一个"]


async def test_a_note_waits_in_the_spool_while_the_log_is_locked(
    querylog: QueryLog, spool: Spool, file: Path, tmp_path: Path
) -> None:
    recorder = recorder_of(querylog, spool)
    await recorder.take(arrival(1, "m1", NewDelivery("t1", "anna", ({"text": "一"}, {"text": "二"}))))
    half, whole = Note("t1", ("r1",), "waiting"), Note("t1", ("r1", "r2"), "done")
    async with locked(file):
        for note in (half, whole):
            await recorder.note(note)
            assert Spool(tmp_path / "log.spool").noted("t1") == note, "it is on the disk"
        assert recorder.health()["spooled"] == 0
        with pytest.raises(StoreError):
            await recorder.drain()
    found = await querylog.run(lambda connection: by_token(connection, "t1"))
    assert found is not None
    known = recorder.as_noted(found)
    assert (found.receipts, found.state) in {((), "waiting"), (("r1",), "waiting")}
    assert (known.receipts, known.state) == (("r1", "r2"), "done")
    await recorder.drain()
    found = await querylog.run(lambda connection: by_token(connection, "t1"))
    assert found is not None
    assert (found.receipts, found.state, found.target) == (("r1", "r2"), "done", "")
    assert not spool
    await querylog.run(lambda connection: progress(connection, half, NOW))
    assert await querylog.run(lambda connection: by_token(connection, "t1")) == found, "what is over stays so"


async def test_a_note_of_a_reply_that_only_the_spool_knows_is_stored_behind_its_row(
    querylog: QueryLog, spool: Spool, tmp_path: Path
) -> None:
    parts = tuple({"text": text} for text in "一二三")
    spool.append([arrival(number, f"m{number}", NewDelivery(f"t{number}", "anna", parts)) for number in range(300)])
    await recorder_of(querylog, spool).note(Note("t250", ("r1", "r2"), "waiting"))
    after = recorder_of(querylog, Spool(tmp_path / "log.spool"))
    again = await after.take(arrival(999, "m250"))
    assert again is not None
    assert again.delivery is not None
    assert again.delivery.receipts == ("r1", "r2")
    await after.drain()
    found = await querylog.run(lambda connection: by_token(connection, "t250"))
    assert found is not None
    assert (found.receipts, found.state) == (("r1", "r2"), "waiting")


async def test_a_message_that_comes_again_while_the_log_is_locked_is_known_all_the_same(
    querylog: QueryLog, spool: Spool, file: Path
) -> None:
    recorder = recorder_of(querylog, spool)
    first = await recorder.take(arrival(1, "m1", NewDelivery("t1", "anna", ({"text": "一"},))))
    assert first is not None
    async with locked(file):
        await recorder.note(Note("t1", ("r1",), "done"))
        again = await recorder.take(arrival(2, "m1", NewDelivery("t2", "anna", ({"text": "一"},))))
        assert again is not None
        assert (again.id, again.fresh) == (first.id, False)
        assert again.delivery is not None
        assert (again.delivery.token, again.delivery.state) == ("t1", "done")
        piece = replace(arrival(3, "m2", NewDelivery("t3", "anna", ({"text": "二"},))), also=("m1",))
        assert await recorder.take(piece) is None, "it goes on with a known one"
        assert await recorder.take(arrival(4, "m3")) is None
    await recorder.drain()
    assert await texts(querylog) == ["问题 1", "问题 3", "问题 4"]


async def test_what_is_said_without_a_row_leaves_no_trace(querylog: QueryLog, spool: Spool) -> None:
    recorder = recorder_of(querylog, spool)
    await recorder.note(Note("unknown", ("r",), "done"))
    assert not spool
    spool.append([arrival(1)])
    await recorder.note(Note("unknown", ("r",), "done"))
    await recorder.drain()
    assert not spool
    assert await querylog.count() == 1


async def test_a_disk_without_room_for_the_spool_is_told(querylog: QueryLog, tmp_path: Path) -> None:
    (tmp_path / "log.spool").write_bytes(b"")
    told: list[str] = []
    alerts = Alerts()
    alerts.listen(lambda notice: told.append(notice.key))
    await Recorder(querylog, Spool(tmp_path / "log.spool"), alerts).make_room()
    assert (told, (tmp_path / "log.spool").stat().st_size) == ([], ROOM)
    spool = Spool(tmp_path / "other.spool")
    (tmp_path / "other.spool").mkdir()
    await Recorder(querylog, spool, alerts).make_room()
    assert told == ["spool"]


async def test_what_a_crash_left_in_the_spool_is_brought_over_at_the_next_start(tmp_path: Path, desk: Desk) -> None:
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db", rate_limit_user=0)
    Spool(settings.spool_file()).append([arrival(1), arrival(2)])
    async with running(settings, desk) as app, asyncio.timeout(20):
        while app.health()["spooled"]:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.05)
        assert await texts(app.querylog) == ["问题 1", "问题 2"]
        handled = await app.handle(Message("加装电梯", user="u"))
        assert handled.row == 3


@pytest.mark.parametrize("how", ["middle", "header"])
async def test_a_damaged_file_is_set_aside_and_service_goes_on(tmp_path: Path, desk: Desk, how: str) -> None:
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db", rate_limit_user=0)
    async with running(settings, desk) as app:
        for number in range(50):
            await app.handle(Message(f"加装电梯 {number}", user="u"))
    content = (tmp_path / "log.db").read_bytes()
    start = 0 if how == "header" else 8192
    (tmp_path / "log.db").write_bytes(content[:start] + b"\x00\xff" * 4096 + content[start + 8192 :])
    if how == "middle":
        with pytest.raises(StoreError, match="已经损坏"):
            await QueryLog.open(settings.database_url)
    async with running(settings, desk) as app:
        assert (await app.handle(Message("加装电梯", user="u"))).row == 1
        assert app.health()["status"] == "ok"
    kept = [path for path in tmp_path.iterdir() if ".damaged-" in path.name]
    assert len(kept) == 1
    assert len(kept[0].read_bytes()) == max(len(content), start + 8192)


async def test_another_programs_file_is_never_renamed(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_bytes(b"not a database, and not ours " * 99)
    with pytest.raises(StoreError, match="不是 SQLite 数据库"):
        await QueryLog.open_or_set_aside(f"sqlite+aiosqlite:///{tmp_path}/notes.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


async def test_a_full_disk_keeps_the_answers_coming(app_on_small_disk: App) -> None:
    app = app_on_small_disk
    for number in range(400):
        handled = await app.handle(Message(f"加装电梯要跑几个部门 {number} " + "长" * 300, user=f"u{number}"))
        assert handled.payload["status"] in {"answer", "choices", "none", "list"}
    logged = await app.querylog.count()
    assert 0 < logged < 400
    assert logged + app.health()["spooled"] == 400


@pytest.fixture
async def app_on_small_disk(tmp_path: Path, desk: Desk) -> AsyncIterator[App]:
    """A log that may have no more than so many pages: SQLite's own word for a full disk."""
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db", rate_limit_user=0)
    async with running(settings, desk) as made:
        await made.querylog.run(lambda connection: connection.exec_driver_sql("PRAGMA max_page_count = 60"))
        yield made


async def test_a_message_that_waits_in_the_spool_since_a_crash_gets_the_same_reply(
    querylog: QueryLog, file: Path, spool: Spool, tmp_path: Path
) -> None:
    first = NewDelivery("t1", "anna", ({"text": "一"}, {"text": "二"}), 1)
    spool.append([arrival(1, "m1", first), arrival(2)])
    recorder = recorder_of(querylog, Spool(tmp_path / "log.spool"))
    again = await recorder.take(arrival(3, "m1", NewDelivery("t2", "anna", ({"text": "三"},))))
    assert again is not None
    assert not again.fresh
    assert again.delivery is not None
    assert (again.delivery.token, again.delivery.receipts, again.delivery.state) == ("t1", ("",), "waiting")
    other = await recorder.take(arrival(4, "m2"))
    assert other is not None
    assert other.fresh
    await recorder.drain()
    assert await texts(querylog) == ["问题 4", "问题 1", "问题 2"]
    after = await recorder.take(arrival(5, "m1"))
    assert after is not None
    assert not after.fresh
    assert after.id
