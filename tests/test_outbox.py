"""Replies on their way: stored with the question, sent in order, noted part by part, taken over after a crash."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.alerts import Alerts
from bot.app import App, running
from bot.channels.outbox import Later, Outbox, Refused
from bot.channels.service import Post
from bot.desk import Desk
from bot.errors import StoreError
from bot.model import Message, Reply
from bot.querylog import deliveries
from bot.querylog.arrivals import Arrival
from bot.querylog.deliveries import Delivery, NewDelivery, Note
from bot.querylog.recorder import Recorder
from bot.querylog.rows import LogRow
from bot.querylog.spool import Spool
from bot.querylog.store import QueryLog
from bot.settings import load_settings
from tests.postgres import url_for

NOW = dt.datetime.now(dt.UTC)


def row(message_id: str | None = "m1", channel: str = "push") -> LogRow:
    return LogRow(NOW, channel, "u1", message_id, "微法院", "answer")


def post(token: str, *texts: str, target: str = "anna", passive: int = 0) -> NewDelivery:
    return NewDelivery(token, target, tuple({"text": text} for text in texts), passive)


class Platform:
    """Takes parts, or does what the next of `faults` says; the texts in `held_back` wait."""

    def __init__(self) -> None:
        self.held_back: set[str] = set()
        self.taken: list[tuple[str, str]] = []
        self.faults: list[BaseException] = []

    async def send(self, delivery: Delivery, part: dict[str, Any]) -> str:
        await asyncio.sleep(0)
        if self.faults:
            raise self.faults.pop(0)
        if part["text"] in self.held_back:
            raise Later(0.01)
        self.taken.append((delivery.target, part["text"]))
        return f"r{len(self.taken)}"


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_for(request.param, tmp_path)


@pytest.fixture
async def querylog(url: str) -> AsyncIterator[QueryLog]:
    opened = await QueryLog.open(url)
    yield opened
    await opened.close()


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
def recorder(querylog: QueryLog, tmp_path: Path) -> Recorder:
    return recorder_of(querylog, tmp_path)


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no log that is away."""
    monkeypatch.setattr("bot.querylog.recorder.PATIENCE_TO_NOTE", 10.0)


def recorder_of(querylog: QueryLog, folder: Path) -> Recorder:
    return Recorder(querylog, Spool(folder / "log.spool"), Alerts())


def outbox_of(recorder: Recorder, platform: Platform, **more: Any) -> Outbox:
    return Outbox(recorder, "push", platform.send, Alerts(), **more)


async def stored(querylog: QueryLog, token: str) -> Delivery:
    found = await querylog.run(lambda connection: deliveries.by_token(connection, token))
    assert found is not None
    return found


async def test_a_question_and_its_reply_are_stored_once(querylog: QueryLog) -> None:
    first = await querylog.take(Arrival(row(), ("m2",), post("t1", "a", "b")))
    assert first.fresh
    assert first.delivery is not None
    for message_id in ("m1", "m2"):
        again = await querylog.take(Arrival(row(message_id), post=post("t2", "other")))
        assert (again.id, again.fresh, again.delivery) == (first.id, False, first.delivery)
    together = await asyncio.gather(*(querylog.take(Arrival(row("m3"), post=post(f"x{n}", "c"))) for n in range(5)))
    assert len({taken.id for taken in together}) == 1
    assert sum(taken.fresh for taken in together) == 1
    assert len({taken.delivery.token for taken in together if taken.delivery}) == 1
    assert await querylog.count() == 2


async def test_parts_go_out_in_order_and_are_noted(querylog: QueryLog, recorder: Recorder, platform: Platform) -> None:
    outbox = outbox_of(recorder, platform)
    taken = [await querylog.take(Arrival(row(f"m{n}"), post=post(f"t{n}", f"{n}a", f"{n}b"))) for n in range(4)]
    for one in taken:
        assert one.delivery is not None
        outbox.add(one.delivery)
        outbox.add(one.delivery)
    await outbox.drain(5)
    assert platform.taken == [("anna", f"{n}{part}") for n in range(4) for part in "ab"]
    done = await stored(querylog, "t0")
    assert (done.state, done.target, done.receipts, len(done.parts)) == ("done", "", ("r1", "r2"), 2)
    assert await querylog.run(lambda c: deliveries.receipts_of(c, "push", "m1")) == ("r3", "r4")
    assert len(outbox) == 0


async def test_a_passive_part_needs_no_sending(querylog: QueryLog, recorder: Recorder, platform: Platform) -> None:
    outbox = outbox_of(recorder, platform)
    whole = await querylog.take(Arrival(row("m1"), post=post("t1", "a", passive=1)))
    partly = await querylog.take(Arrival(row("m2"), post=post("t2", "a", "b", passive=1)))
    for taken in (whole, partly):
        assert taken.delivery is not None
        outbox.add(taken.delivery)
    await outbox.drain(5)
    assert whole.delivery is not None
    assert whole.delivery.state == "done"
    assert platform.taken == [("anna", "b")]
    assert (await stored(querylog, "t2")).receipts == ("", "r1")


async def test_faults_are_tried_again_and_refusals_given_up(
    querylog: QueryLog, recorder: Recorder, platform: Platform
) -> None:
    outbox = outbox_of(recorder, platform)
    platform.faults = [OSError("away"), Later(0.01), Later(0.01, everyone=True), Refused("blocked by the user")]
    for number, texts in enumerate((["a"], ["b", "c"], ["d"])):
        taken = await querylog.take(Arrival(row(f"m{number}"), post=post(f"t{number}", *texts)))
        assert taken.delivery is not None
        outbox.add(taken.delivery)
    await outbox.drain(10)
    assert platform.taken == [("anna", "b"), ("anna", "c"), ("anna", "d")]
    assert [(await stored(querylog, f"t{n}")).state for n in range(3)] == ["failed", "done", "done"]
    assert outbox.health() == {"waiting": 0, "failed": 1}


async def test_an_answer_that_is_too_late_is_given_up(
    querylog: QueryLog, recorder: Recorder, platform: Platform
) -> None:
    outbox = outbox_of(recorder, platform, expires=dt.timedelta(0))
    taken = await querylog.take(Arrival(row(), post=post("t1", "a")))
    assert taken.delivery is not None
    outbox.add(taken.delivery)
    await outbox.drain(5)
    assert platform.taken == []
    assert (await stored(querylog, "t1")).state == "failed"


async def test_what_a_crash_left_is_sent_from_where_it_stopped(url: str, platform: Platform, tmp_path: Path) -> None:
    crashed = await QueryLog.open(url)
    taken = await crashed.take(Arrival(row(), post=post("t1", "a", "b")))
    assert taken.delivery is not None
    await crashed.run(partial(deliveries.progress, note=Note("t1", ("r0",), "waiting"), now=NOW))
    await crashed.close()
    after = await QueryLog.open(url)
    await after.run(deliveries.release)
    outbox = outbox_of(recorder_of(after, tmp_path), platform)
    working = asyncio.create_task(outbox.run())
    async with asyncio.timeout(10):
        while (await stored(after, "t1")).state != "done":  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.01)
    working.cancel()
    assert platform.taken == [("anna", "b")]
    assert (await stored(after, "t1")).receipts == ("r0", "r1")
    await after.close()


async def test_what_went_out_while_the_log_was_away_goes_out_once_also_after_a_crash(
    url: str, platform: Platform, tmp_path: Path
) -> None:
    crashed = await QueryLog.open(url)
    before = recorder_of(crashed, tmp_path)
    outbox = outbox_of(before, platform)
    taken = [await before.take(Arrival(row(f"m{n}"), post=post(f"t{n}", "a", "b", target=f"u{n}"))) for n in range(2)]
    await crashed.close()
    late = post("t2", "a", target="u2")
    assert await before.take(Arrival(replace(row("m2"), user_key="u2"), post=late)) is None
    platform.held_back = {"b"}
    for delivery in (taken[0].delivery, taken[1].delivery, deliveries.unstored("push", late, NOW)):  # type: ignore[union-attr]
        assert delivery is not None
        outbox.add(delivery)
    async with asyncio.timeout(10):
        while len(platform.taken) < 3:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.01)
    await outbox.drain(0.1)
    platform.held_back.clear()
    after = await QueryLog.open(url)
    await after.run(deliveries.release)
    recorder = recorder_of(after, tmp_path)
    outbox = outbox_of(recorder, platform)
    working = asyncio.create_task(outbox.run())
    async with asyncio.timeout(10):
        while len(platform.taken) < 5:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.01)
    await recorder.drain()
    async with asyncio.timeout(10):
        while (await stored(after, "t1")).state != "done":
            await recorder.drain()
    working.cancel()
    await outbox.drain(5)
    assert sorted(platform.taken) == [("u0", "a"), ("u0", "b"), ("u1", "a"), ("u1", "b"), ("u2", "a")]
    assert {(await stored(after, f"t{n}")).state for n in range(3)} == {"done"}
    await after.close()


async def test_after_an_outage_everybody_has_time_to_bring_notes(
    querylog: QueryLog, recorder: Recorder, platform: Platform, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.outbox._LOOK_EVERY", 0.01)
    new, before = [("push", None, post("t1", "a"))], NOW - dt.timedelta(minutes=5)
    await querylog.run(partial(deliveries.insert, channel_posts=new, owner="other", now=before))
    tries: list[str] = []
    usual = querylog.run

    async def away(work: Any) -> Any:
        tries.append(work.func.__name__)
        if len(tries) == 1:
            raise StoreError("away")
        return await usual(work)

    monkeypatch.setattr(querylog, "run", away)
    working = asyncio.create_task(outbox_of(recorder, platform).run())
    await asyncio.sleep(0.2)
    assert (tries, platform.taken) == (["claim"], []), "nothing is taken over for the time of a lease"
    monkeypatch.setattr("bot.querylog.deliveries.LEASE", dt.timedelta(0))
    working.cancel()
    tries.clear()
    working = asyncio.create_task(outbox_of(recorder, platform).run())
    async with asyncio.timeout(10):
        while not platform.taken:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.01)
    working.cancel()
    assert platform.taken == [("anna", "a")]


async def test_the_texts_go_after_a_day_and_all_of_it_with_the_row(querylog: QueryLog) -> None:
    taken = await querylog.take(Arrival(row(), post=post("t1", "a", passive=1)))
    await querylog.run(lambda c: deliveries.empty(c, dt.datetime.now(dt.UTC) + dt.timedelta(days=1)))
    assert (await stored(querylog, "t1")).parts == ()
    assert await querylog.judge("t1", "down", ("看不懂",), "太长")
    (found,) = await querylog.recent(1)
    assert (found.id, found.verdict) == (taken.id, "down")
    assert await querylog.judge("t1", None)
    (found,) = await querylog.recent(1)
    assert found.verdict is None
    assert not await querylog.judge("nothing", "up")
    assert await querylog.purge(dt.datetime.now(dt.UTC) + dt.timedelta(days=1)) == 1
    assert not await querylog.judge("t1", "up")
    assert (await querylog.take(Arrival(row(), post=post("t9", "a")))).fresh


async def test_small_values_last(querylog: QueryLog) -> None:
    assert await querylog.get("cursor") is None
    await querylog.put("cursor", "1")
    await querylog.put("cursor", "2")
    assert await querylog.get("cursor") == "2"


async def test_reading_keeps_no_writer_waiting(querylog: QueryLog) -> None:
    async def slow(connection: Any) -> int:
        await connection.exec_driver_sql("SELECT 1")
        return await querylog.write(row("while reading"))

    async with asyncio.timeout(10):
        assert await querylog.read(slow) == 1


@pytest.fixture
async def app(url: str, desk: Desk, tmp_path: Path) -> AsyncIterator[App]:
    settings = load_settings(database_url=url, spool=tmp_path / "log.spool", rate_limit_user=0)
    async with running(settings, desk) as made:
        yield made


def draft(reply: Reply, token: str) -> Post:
    return Post("anna", ({"text": reply.blocks[0].text, "token": token},))


async def test_a_retry_gets_the_reply_that_was_stored_also_after_a_restart(app: App, desk: Desk) -> None:
    message = Message("微法院怎么用", "push", "anna", "m1")
    first = await app.handle(message, draft)
    assert first.fresh
    assert first.delivery is not None
    later = App(app.settings, desk, app.querylog)
    again = await later.handle(Message("微法院怎么用", "push", "anna", "m1"), draft)
    assert not again.fresh
    assert again.delivery == first.delivery
    assert again.row == first.row
    assert await app.judge(first.delivery.token, "up")
    assert await app.querylog.count() == 1


async def test_a_reply_that_cannot_be_stored_is_there_all_the_same(app: App) -> None:
    await app.querylog.close()
    handled = await app.handle(Message("微法院怎么用", "push", "anna", "m1"), draft)
    assert handled.row is None
    assert handled.delivery is not None
    assert (handled.delivery.id, handled.delivery.state) == (0, "waiting")
    platform = Platform()
    outbox = outbox_of(app.recorder, platform)
    outbox.add(handled.delivery)
    await outbox.drain(5)
    assert len(platform.taken) == 1


@pytest.mark.parametrize(
    ("entry", "status"), [("nb-mobile-micro-court", "answer"), ("", "none"), ("nb-was-taken-away", "none")]
)
async def test_a_pressed_button_gives_its_entry_or_a_clear_word(app: App, entry: str, status: str) -> None:
    handled = await app.handle(Message("按钮", "push", "anna", entry=entry), draft)
    assert handled.payload["status"] == status
    assert handled.payload["ids"] == ([entry] if status == "answer" else [])
    assert handled.payload["text"]
