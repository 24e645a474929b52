"""The App around the core: every message gets a reply and a row."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bot import journal, render
from bot.app import App, running
from bot.channels.service import Post
from bot.channels.web.routes import create_web
from bot.desk import Desk
from bot.model import Message, Reply, Status
from bot.querylog.arrivals import Arrival, Taken
from bot.settings import Settings, load_settings
from tests.locks import locked
from tests.test_answer import HOSTILE


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db", rate_limit_user=0, rate_limit_address=0)


@pytest.fixture
async def app(settings: Settings, desk: Desk) -> AsyncIterator[App]:
    async with running(settings, desk) as made:
        yield made


@pytest.fixture
async def client(app: App) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=create_web(app))
    async with httpx.AsyncClient(transport=transport, base_url="http://bot", trust_env=False) as made:
        yield made


async def test_hostile_input_gets_a_reply_and_a_row_each(app: App, client: httpx.AsyncClient) -> None:
    for number, text in enumerate(HOSTILE, 1):
        body = json.dumps({"text": text, "session": "s"})
        response = await client.post("/api/ask", content=body, headers={"Content-Type": "application/json"})
        assert response.status_code == 200
        found = response.json()
        assert found["text"]
        assert found["status"] != "error"
        assert found["id"] == number
        assert await app.querylog.count() == number
    assert app.health()["spooled"] == 0


async def test_five_hundred_questions_from_eight_connections(app: App, client: httpx.AsyncClient, desk: Desk) -> None:
    questions = [text for entry in desk.book.entries.values() for text in (*entry.tests, *entry.rejects)][:500]
    assert len(questions) == 500
    queue = list(enumerate(questions))
    statuses: list[int] = []
    ids: list[int | None] = []

    async def connection(name: str) -> None:
        while queue:
            number, text = queue.pop()
            response = await client.post("/api/ask", json={"text": f"{text}{number}", "session": name})
            statuses.append(response.status_code)
            ids.append(response.json()["id"])

    await asyncio.gather(*(connection(f"c{number}") for number in range(8)))
    assert statuses == [200] * 500
    known = [row_id for row_id in ids if row_id is not None]  # a busy disk may make some of them wait
    assert len(set(known)) == len(known) > 250
    await app.recorder.settle()
    await app.recorder.drain()
    assert await app.querylog.count() == 500


async def test_personal_numbers_never_reach_the_file(app: App, tmp_path: Path) -> None:
    planted = ["13812345678", "330203199001011234", "6222021234567890123"]
    for number in planted:
        handled = await app.handle(Message(f"我的号码是{number}，僵尸车找谁", channel="web", user="u1"))
        assert handled.payload["status"] == "answer"
    await app.querylog.close()
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert not any(number.encode() in content for number in planted), path.name


async def test_context_belongs_to_one_user(app: App) -> None:
    await app.handle(Message("灵活保", channel="web", user="a"))
    mine = await app.handle(Message("要多少钱", channel="web", user="a"))
    other = await app.handle(Message("要多少钱", channel="web", user="b"))
    assert mine.payload["ids"] == ["nb-flexible-work-insurance"]
    assert other.payload["ids"] == []


async def test_too_many_questions_get_polite_words_and_one_row(tmp_path: Path, desk: Desk) -> None:
    limited = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db", rate_limit_user=5)
    async with running(limited, desk) as app:
        found = [(await app.handle(Message("加装电梯", channel="web", user="u"))).payload for _ in range(30)]
        assert [item["status"] for item in found[:5]] == ["answer"] * 5
        over = [item for item in found if item["status"] == "limited"]
        assert len(over) >= 20
        assert {bool(item["text"]) for item in over} == {True}
        assert sum(item["id"] is not None for item in over) == 1
        answered = [item for item in found if item["status"] != "limited"]
        assert await app.querylog.count() == len(answered) + 1


async def test_a_broken_stage_is_a_polite_reply_and_a_row(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("bot.replies.answer", explode)
    handled = await app.handle(Message("加装电梯", channel="web", user="u"))
    assert handled.payload["status"] == "error"
    assert handled.payload["text"]
    assert "boom" not in handled.payload["text"]
    assert handled.payload["id"] == 1


async def test_a_broken_log_does_not_stop_answers(app: App) -> None:
    await app.querylog.close()
    handled = await app.handle(Message("加装电梯", channel="web", user="u"))
    assert handled.payload["status"] == "answer"
    assert handled.payload["id"] is None
    health = app.health()
    assert (health["status"], health["spooled"], health["unsafe"]) == ("ok", 1, 0)
    assert health["reason"] == "查询日志已经关闭"
    assert "备用队列" in health["alerts"]["log"]


async def nothing_waits(app: App) -> None:
    """Until every row is in the log."""
    async with asyncio.timeout(20):
        while app.health()["spooled"]:  # noqa: ASYNC110 - another task does it
            await asyncio.sleep(0.05)


async def test_a_slow_log_does_not_hold_up_answers(app: App, tmp_path: Path) -> None:
    await app.handle(Message("你好", channel="web", user="u"))
    await nothing_waits(app)
    async with locked(tmp_path / "log.db"):
        handled = await app.handle(Message("加装电梯", channel="web", user="u"))
        assert (handled.payload["status"], handled.payload["id"]) == ("answer", None)
        assert app.health()["spooled"] == 1
        assert "太慢" in app.health()["reason"]
    await nothing_waits(app)
    assert await app.querylog.count() == 2
    assert "alerts" not in app.health()


@pytest.mark.parametrize("replaced", [False, True])
async def test_health_tells_of_a_file_that_is_gone(
    app: App, client: httpx.AsyncClient, tmp_path: Path, replaced: bool
) -> None:
    assert (await client.get("/healthz")).status_code == 200
    (tmp_path / "log.db").rename(tmp_path / "old.db")
    if replaced:
        (tmp_path / "log.db").write_bytes(b"")
    health = await client.get("/healthz")
    assert (health.status_code, health.json()["status"]) == (503, "degraded")
    assert "请重启" in health.json()["reason"]


async def test_feedback_lands_with_its_row_for_its_user_only(app: App) -> None:
    row = (await app.handle(Message("加装电梯", channel="web", user="u"))).payload["id"]
    assert not await app.feedback(row, "up", Message("", channel="web", user="other"))
    assert await app.feedback(row, "down", Message("", channel="web", user="u"))
    assert not await app.feedback(row + 1, "up", Message("", channel="web", user="u"))


async def test_health_and_welcome(app: App, client: httpx.AsyncClient) -> None:
    health = (await client.get("/healthz")).json()
    assert health["status"] == "ok"
    assert health["entries"] == 182
    assert re.fullmatch("[0-9a-f]{12}", health["knowledge"])
    greeting, examples = app.welcome()
    assert greeting
    assert len(examples) >= 3
    for example in examples:
        assert (await app.handle(Message(example, user=example))).payload["status"] == "answer"


async def test_metrics_count_what_was_asked(app: App, client: httpx.AsyncClient) -> None:
    row = (await app.handle(Message("加装电梯要跑几个部门", channel="web", user="u"))).row
    assert row is not None
    await app.handle(Message("怎么造火箭", channel="web", user="u"))
    await app.feedback(row, "up", Message("", channel="web", user="u"))
    found = await client.get("/metrics")
    assert found.headers["content-type"].startswith("text/plain")
    lines = set(found.text.splitlines())
    assert 'reformbot_questions_total{channel="web",status="answer"} 1.0' in lines
    assert 'reformbot_questions_total{channel="web",status="none"} 1.0' in lines
    assert 'reformbot_verdicts_total{verdict="up"} 1.0' in lines
    assert 'reformbot_answer_seconds_count{channel="web"} 2.0' in lines
    assert {"reformbot_up 1.0", "reformbot_spooled 0.0", "reformbot_entries 182.0"} <= lines
    assert "加装电梯" not in found.text


async def test_ready_as_long_as_questions_can_be_kept(app: App, client: httpx.AsyncClient, tmp_path: Path) -> None:
    assert (await client.get("/readyz")).status_code == 200
    (tmp_path / "log.db").rename(tmp_path / "old.db")
    assert (await client.get("/readyz")).status_code == 503


def test_the_journal_speaks_json(capsys: pytest.CaptureFixture[str]) -> None:
    journal.set_up("json")
    logging.getLogger("reformbot.test").info("开始 %d", 1)
    logging.getLogger("library").info("nothing that anybody needs")
    (line,) = capsys.readouterr().err.splitlines()
    said = json.loads(line)
    assert (said["level"], said["logger"], said["message"]) == ("INFO", "reformbot.test", "开始 1")
    assert said["time"]


async def test_a_crowd_gets_a_polite_word_and_is_let_in_again(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    written = asyncio.Event()
    usual = app.querylog.take

    async def slowly(arrival: Arrival) -> Taken:
        await written.wait()
        return await usual(arrival)

    monkeypatch.setattr(app.querylog, "take", slowly)
    monkeypatch.setattr("bot.app._MOST_IN_HAND", 20)
    monkeypatch.setattr("bot.querylog.recorder.PATIENCE", 30)
    crowd = [Message("装电梯", channel="web", user=f"u{number}", address=f"192.0.2.{number}") for number in range(20)]
    waiting = [asyncio.create_task(app.handle(message)) for message in crowd]
    await asyncio.sleep(0)  # all of them have begun
    assert app.in_hand == 20
    late = [await app.handle(Message("装电梯", channel="wecom", user="late"), _drafted) for _ in range(3)]
    assert [one.reply.status for one in late] == [Status.LIMITED] * 3
    assert [one.delivery is not None for one in late] == [True, False, False], "one polite word a minute"
    assert late[0].delivery.parts == ({"text": app.desk.book.texts["limited"]},)  # type: ignore[union-attr]
    assert b'reformbot_events_total{kind="crowd",outcome="limited"} 3.0' in app.metrics_text()
    written.set()
    handled = await asyncio.gather(*waiting)
    assert all(one.row for one in handled)
    assert app.in_hand == 0
    assert (await app.handle(Message("装电梯", channel="wecom", user="late"))).reply.status is Status.ANSWER


def _drafted(reply: Reply, token: str) -> Post:
    return Post("late", ({"text": render.plain(reply)},))


async def test_thousands_of_passing_users_leave_nothing_behind(app: App) -> None:
    for _ in range(300):
        await app.handle(Message("你好", channel="web", address="192.0.2.1", passing=True))
    assert not app.memory.conversations._turns
    assert len(app.duplicates) == 0
    assert len(app.memory.gate) <= 1
    assert len(app.replies) == 1
    keys = {logged.row.user_key for logged in await app.querylog.recent(300)}
    assert len(keys) == 300, "nobody's questions are put together with another's"
