"""Several replicas on one PostgreSQL: whichever gets a message, it is right."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bot.alerts import Alerts
from bot.app import App, running
from bot.channels.outbox import Outbox
from bot.channels.service import Post
from bot.desk import Desk
from bot.model import Message, Reply
from bot.querylog import deliveries, months
from bot.querylog.lead import lead
from bot.querylog.recorder import Recorder
from bot.querylog.rows import LogRow
from bot.querylog.spool import Spool
from bot.querylog.store import QueryLog
from bot.settings import load_settings
from tests.postgres import new_database, run_sql

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
def url() -> str:
    return new_database()


@pytest.fixture
async def replicas(url: str, desk: Desk, tmp_path: Path) -> AsyncIterator[list[App]]:
    settings = [
        load_settings(database_url=url, spool=tmp_path / f"{name}.spool", rate_limit_user=5, rate_limit_address=0)
        for name in "abc"
    ]
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running(one, desk)) for one in settings]


def draft(reply: Reply, token: str) -> Post:
    return Post("anna", ({"text": reply.blocks[0].text, "token": token},))


async def test_replicas_may_start_at_once_on_an_empty_database(url: str) -> None:
    logs = await asyncio.gather(*(QueryLog.open(url) for _ in range(4)))
    keys = await asyncio.gather(*(one.user_key("web", "anna", NOW) for one in logs))
    assert len(set(keys)) == 1
    await asyncio.gather(*(one.close() for one in logs))


async def test_one_message_at_three_replicas_is_one_row_with_one_reply(replicas: list[App]) -> None:
    message = Message("微法院怎么用", "wecom", "anna", "m1")
    handled = await asyncio.gather(*(app.handle(message, draft) for app in replicas))
    assert sum(one.fresh for one in handled) == 1
    assert len({one.row for one in handled}) == 1
    assert len({one.delivery.token for one in handled if one.delivery}) == 1
    assert await replicas[0].querylog.count() == 1
    token = handled[0].delivery.token if handled[0].delivery else ""
    assert await replicas[2].judge(token, "up")


async def test_a_conversation_goes_on_at_another_replica(replicas: list[App]) -> None:
    await replicas[0].handle(Message("灵活保", channel="web", user="a"))
    mine = await replicas[1].handle(Message("要多少钱", channel="web", user="a"))
    other = await replicas[2].handle(Message("要多少钱", channel="web", user="b"))
    assert mine.payload["ids"] == ["nb-flexible-work-insurance"]
    assert other.payload["ids"] == []


async def test_a_conversation_in_the_database_is_redacted(replicas: list[App]) -> None:
    await replicas[0].handle(Message("我的电话13812345678，灵活保是啥", channel="web", user="a"))
    ((turns,),) = await run_sql(replicas[0].querylog, "SELECT turns FROM conversation")
    assert "灵活保" in turns
    assert "13812345678" not in turns


async def test_a_rate_limit_holds_over_all_replicas(replicas: list[App]) -> None:
    statuses = [
        (await replicas[number % 3].handle(Message("加装电梯", channel="web", user="u"))).payload["status"]
        for number in range(12)
    ]
    assert statuses[:5] == ["answer"] * 5
    assert statuses[5:] == ["limited"] * 7
    assert await replicas[0].querylog.count() == 6
    assert (await replicas[1].handle(Message("加装电梯", channel="web", user="v"))).payload["status"] == "answer"


async def test_a_reply_of_a_replica_that_died_is_sent_by_another_once(url: str, tmp_path: Path) -> None:
    died, second, third = [await QueryLog.open(url) for _ in range(3)]
    sent: list[str] = []

    async def send(_: Any, part: dict[str, Any]) -> str:
        sent.append(part["text"])
        return "r"

    row = LogRow(NOW, "push", "u1", "m1", "微法院", "answer")
    new = deliveries.NewDelivery("t1", "anna", ({"text": "a"},))

    async def store(connection: Any) -> None:
        await deliveries.insert(connection, [("push", 1, new)], died.owner, NOW - dt.timedelta(minutes=5))

    await died.write(row)
    await died.run(store)
    await died.close()
    recorders = [Recorder(one, Spool(tmp_path / f"{at}.spool"), Alerts()) for at, one in enumerate((second, third))]
    boxes = [Outbox(one, "push", send, Alerts()) for one in recorders]
    working = [asyncio.create_task(box.run()) for box in boxes]
    async with asyncio.timeout(20):
        while await run_sql(second, "SELECT 1 FROM delivery WHERE state = 'waiting'"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    for task in working:
        task.cancel()
    assert sent == ["a"]
    await second.close()
    await third.close()


async def test_singleton_work_runs_once_and_moves_when_its_process_is_gone(url: str) -> None:
    logs = [await QueryLog.open(url) for _ in range(3)]
    stops = [asyncio.Event() for _ in logs]
    at_work: list[int] = []

    def work_of(number: int) -> Any:
        async def work(enough: asyncio.Event) -> None:
            at_work.append(number)
            await enough.wait()

        return work

    tasks = [
        asyncio.create_task(lead(querylog, "polling", stop, work_of(number), look=0.1))
        for number, (querylog, stop) in enumerate(zip(logs, stops, strict=True))
    ]
    async with asyncio.timeout(20):
        while not at_work:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.5)
        assert len(at_work) == 1
        tasks[at_work[0]].cancel()
        while len(at_work) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert len(set(at_work)) == 2
    for stop in stops:
        stop.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    for querylog in logs:
        await querylog.close()


async def test_a_leader_that_lost_its_connection_stands_down_for_another(url: str) -> None:
    logs = [await QueryLog.open(url) for _ in range(2)]
    stop = asyncio.Event()
    begun, ended = [], []

    async def work(enough: asyncio.Event) -> None:
        begun.append(1)
        await enough.wait()
        ended.append(1)

    tasks = [asyncio.create_task(lead(one, "polling", stop, work, look=0.2)) for one in logs]
    async with asyncio.timeout(30):
        while not begun:  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        locks = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND granted"
        await run_sql(logs[0], locks)
        await asyncio.sleep(1.5)
        assert len(begun) - len(ended) == 1
    stop.set()
    await asyncio.gather(*tasks)
    assert len(begun) == len(ended)
    for querylog in logs:
        await querylog.close()


async def test_work_that_fails_is_told(url: str) -> None:
    querylog = await QueryLog.open(url)

    async def work(_: asyncio.Event) -> None:
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        await lead(querylog, "polling", asyncio.Event(), work)
    await querylog.close()


async def test_the_log_is_cut_into_months_and_old_ones_are_dropped(url: str) -> None:
    querylog = await QueryLog.open(url)

    async def partitions() -> set[str]:
        found = await run_sql(querylog, "SELECT inhrelid::regclass::text FROM pg_inherits")
        return {name for (name,) in found if name.startswith("query_log_2") or name == "query_log_rest"}

    assert f"query_log_{NOW:%Y_%m}" in await partitions()
    old = NOW - dt.timedelta(days=400)
    await querylog.write(LogRow(old, "web", "u1", None, "很早以前", "answer"))
    assert await run_sql(querylog, "SELECT text FROM query_log_rest") == [("很早以前",)]
    await querylog.run(lambda connection: connection.run_sync(months.prepare, old))
    assert await run_sql(querylog, f"SELECT text FROM query_log_{old:%Y_%m}") == [("很早以前",)]
    kept = await querylog.write(LogRow(NOW, "web", "u1", None, "现在", "answer"))
    assert await querylog.purge(NOW - dt.timedelta(days=180)) == 1
    assert f"query_log_{old:%Y_%m}" not in await partitions()
    assert [found.id for found in await querylog.recent(9)] == [kept]
    assert await querylog.verdict(kept, "up", "u1")
    await querylog.close()
