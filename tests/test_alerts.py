"""What operators are told: states and events, a group robot that is never flooded, and a weekly digest."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.alerts import Alerts
from bot.app import App, running
from bot.desk import Desk
from bot.digest import last_due, send_due
from bot.errors import SettingsError
from bot.gaps.digest import digest
from bot.gaps.refresh import refresh
from bot.model import Message
from bot.querylog.rows import LogRow
from bot.querylog.store import QueryLog
from bot.robot import CHINA, MAX_BYTES, Robot, RobotPace
from bot.settings import load_settings
from bot.watch import FULL_BYTES, LOW_BYTES, ErrorRate, check_disk, look
from tests.emulators.robot import KEY, GroupRobot

QUICK = RobotPace(gather=0.02, gap=0.02, quiet=0.0, retry=0.02, longest=0.05, busy=0.1, patience=0.2)


@asynccontextmanager
async def told(group: GroupRobot, pace: RobotPace = QUICK) -> AsyncIterator[tuple[Alerts, Robot]]:
    alerts, robot = Alerts(), Robot(group.url, pace)
    alerts.listen(robot.take)
    running_robot = asyncio.create_task(robot.run())
    try:
        yield alerts, robot
    finally:
        running_robot.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running_robot
        await robot.close(1)


@pytest.fixture
async def group() -> AsyncIterator[GroupRobot]:
    async with GroupRobot() as made:
        yield made
        assert made.violations == []


async def test_a_state_is_told_when_it_begins_and_when_it_ends(group: GroupRobot) -> None:
    async with told(group) as (alerts, _):
        for _ in range(5):
            alerts.start("down", "网关连不上")
        await group.until(lambda: len(group.messages) == 1)
        alerts.end("down")
        alerts.end("down")
        alerts.end("never")
        await group.until(lambda: len(group.messages) == 2)
        await asyncio.sleep(0.1)
    begun, ended = group.messages
    assert "出问题了" in begun
    assert "恢复了" in ended
    assert "网关连不上" in begun
    assert "网关连不上" in ended
    assert alerts.states == {}


async def test_a_crowd_of_news_is_one_message(group: GroupRobot) -> None:
    async with told(group, RobotPace(gather=0.1, gap=0.05, quiet=0)) as (alerts, _):
        for number in range(300):
            alerts.tell("reload", f"第 {number} 次")
            alerts.start(f"state-{number % 5}", f"状态 {number % 5}")
        await group.until(lambda: bool(group.messages))
        await asyncio.sleep(0.2)
    (message,) = group.messages
    assert message.count("\n") == 6
    assert "第 299 次（300 次）" in message


async def test_the_same_key_is_quiet_for_a_while_and_others_are_not(group: GroupRobot) -> None:
    async with told(group, RobotPace(gather=0.01, gap=0.01, quiet=60)) as (alerts, _):
        alerts.tell("a", "一")
        await group.until(lambda: len(group.messages) == 1)
        alerts.tell("a", "二")
        alerts.tell("b", "三")
        await group.until(lambda: len(group.messages) == 2)
        assert "三" in group.messages[1]
        assert "二" not in group.messages[1]
    assert len(group.messages) == 2


async def test_messages_fit_and_the_rest_follows(group: GroupRobot) -> None:
    async with told(group) as (alerts, _):
        for number in range(40):
            alerts.tell(f"k{number}", f"{number}：" + "长" * 100)
        await group.until(lambda: sum(message.count("\n") for message in group.messages) == 40)
    assert len(group.messages) == 4
    assert all(len(message.encode()) <= MAX_BYTES for message in group.messages)


async def test_a_text_that_is_too_long_is_cut(group: GroupRobot) -> None:
    async with told(group) as (alerts, _):
        alerts.tell("long", "长" * 5000)
        alerts.tell("short", "短")
        await group.until(lambda: "短" in "".join(group.messages))
    assert "长长长" in "".join(group.messages)


async def test_markup_in_a_text_is_none(group: GroupRobot) -> None:
    async with told(group) as (alerts, _):
        alerts.tell("x", "<@all> [点我](http://x) **粗**")
        await group.until(lambda: bool(group.messages))
    assert "<@all>" not in group.messages[0]
    assert "](" not in group.messages[0]


@pytest.mark.parametrize("trouble", ["busy", "blocked", "key", "status", "silent", "garbage"])
async def test_a_robot_in_trouble_harms_nobody_and_is_told_later(
    group: GroupRobot, trouble: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    codes = {"busy": [45009, 45009], "blocked": [130101], "key": [93000, 93000]}
    group.codes = codes.get(trouble, [])
    group.status = 502 if trouble == "status" else 200
    group.silent, group.garbage = trouble == "silent", trouble == "garbage"
    async with told(group) as (alerts, _):
        alerts.start("down", "网关连不上")
        await group.until(lambda: group.calls >= 2)
        group.status, group.silent, group.garbage = 200, False, False
        await group.until(lambda: any("网关连不上" in message for message in group.messages))
    ours = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert sum("没有发到群机器人" in line for line in ours) <= 1
    assert not any(KEY in line for line in ours)


async def test_a_message_that_is_refused_is_dropped(group: GroupRobot) -> None:
    group.codes = [40058]
    async with told(group) as (alerts, _):
        alerts.tell("a", "一")
        await group.until(lambda: group.calls == 1)
        alerts.tell("b", "二")
        await group.until(lambda: len(group.messages) == 1)
    assert "一" not in group.messages[0]


async def test_no_robot_there_is_no_harm() -> None:
    async with GroupRobot() as gone:
        pass
    robot = Robot(gone.url, QUICK)
    alerts = Alerts()
    alerts.listen(robot.take)
    alerts.tell("a", "一")
    assert await robot.say("x") is False
    await robot.close(1)


async def test_what_waits_does_not_grow_without_end(group: GroupRobot) -> None:
    robot = Robot(group.url, QUICK)
    alerts = Alerts()
    alerts.listen(robot.take)
    for number in range(1000):
        alerts.tell(f"k{number}", "x")
    await robot.close(1)
    assert len(group.messages) == 1


async def test_the_last_words_are_said(group: GroupRobot) -> None:
    async with told(group, RobotPace(gather=60)) as (alerts, _):
        alerts.tell("a", "一")
        await asyncio.sleep(0)
    assert "一" in group.messages[0]


# --- what is watched -------------------------------------------------------------------------------------------------


def test_errors_are_told_when_they_are_many() -> None:
    alerts = Alerts()
    rate = ErrorRate(alerts)
    for failed in [True] * 4 + [False] * 45:
        rate.note(failed)
    assert alerts.states == {}
    rate.note(True)
    assert set(alerts.states) == {"errors"}
    for _ in range(3):
        rate.note(False)
    assert set(alerts.states) == {"errors"}
    rate.note(False)
    assert alerts.states == {}


def test_the_disk_is_told_of_before_it_is_full() -> None:
    alerts = Alerts()
    said: list[set[str]] = []
    for free in (10 * LOW_BYTES, LOW_BYTES - 1, LOW_BYTES, FULL_BYTES - 1, FULL_BYTES, 2 * FULL_BYTES, 2 * LOW_BYTES):
        check_disk(free, alerts)
        said.append(set(alerts.states))
    low, full = {"disk-low"}, {"disk-low", "disk-full"}
    assert said == [set(), low, low, full, full, low, set()]


async def test_a_log_whose_file_is_gone_is_told(tmp_path: Path) -> None:
    querylog = await QueryLog.open(f"sqlite+aiosqlite:///{tmp_path}/log.db")
    alerts = Alerts()
    (tmp_path / "log.db").rename(tmp_path / "elsewhere.db")
    looking = asyncio.create_task(look(querylog, alerts))
    async with asyncio.timeout(15):
        while not alerts.states:  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)
    looking.cancel()
    assert set(alerts.states) == {"log-lost"}
    await querylog.close()


@pytest.fixture
async def app(tmp_path: Path, desk: Desk, group: GroupRobot) -> AsyncIterator[App]:
    given: dict[str, Any] = {"rate_limit_user": 0, "alert_webhook_url": group.url, "alert_digest": "Mon 09:00"}
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db", **given)
    async with running(settings, desk) as made:
        yield made


async def test_the_program_tells_of_its_errors(
    app: App, group: GroupRobot, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("bot.replies.answer", lambda *_: 1 / 0)
    for _ in range(5):
        handled = await app.handle(Message("我的手机 13812345678", channel="web", user="u"))
        assert handled.payload["status"] == "error"
    await group.until(lambda: bool(group.messages))
    assert "出错" in group.messages[0]
    assert "13812345678" not in group.messages[0]
    assert "errors" in app.health()["alerts"]


# --- the digest ------------------------------------------------------------------------------------------------------

MONDAY = dt.datetime(2026, 11, 16, 9, 0, tzinfo=CHINA)


async def asked(querylog: QueryLog, text: str, user: str, status: str = "none", days: float = 1) -> int:
    row = LogRow(MONDAY - dt.timedelta(days=days), "web", user, None, text, status)
    return await querylog.write(row)


@pytest.fixture
async def querylog(tmp_path: Path) -> AsyncIterator[QueryLog]:
    opened = await QueryLog.open(f"sqlite+aiosqlite:///{tmp_path}/log.db")
    yield opened
    await opened.close()


async def test_the_digest_tells_how_the_week_went(querylog: QueryLog, desk: Desk) -> None:
    for user in ("a", "b", "c"):
        await asked(querylog, "婚假几天？", user)
    await asked(querylog, "独角兽养殖证怎么办", "d")
    for user in ("a", "b"):
        await asked(querylog, "火星移民落户", user, days=9)
    good = await asked(querylog, "微法院", "a", "answer")
    await asked(querylog, "你好", "a", "smalltalk")
    assert await querylog.verdict(good, "down", "a")
    await refresh(querylog, desk, MONDAY)
    lines = (await digest(querylog, MONDAY)).splitlines()
    assert lines[:2] == [
        "**甬改问答一周小结** 11-09 至 11-16",
        "> 提问 5 次（上周 2），4 人，答上 20%（上周 0%），被踩 1 次",
    ]
    assert lines[2].startswith("> 缺口：新增 ")
    news, older = lines.index("**这周新问的**"), lines.index("**问得最多、还没处理的**")
    assert lines[news + 1].startswith("· 婚假几天？（3 人 3 次，")
    assert lines[older + 1].startswith("· 火星移民落户（2 人 2 次，")
    assert "独角兽" not in "".join(lines)  # one person alone asked it


async def test_the_digest_of_an_empty_and_of_a_wordy_week_fits(querylog: QueryLog, desk: Desk) -> None:
    assert "提问 0 次" in await digest(querylog, MONDAY)
    for number in range(12):
        for user in ("a", "b"):
            await asked(querylog, f"{number}" + "长<@all>" * 80, user)
    await refresh(querylog, desk, MONDAY)
    text = await digest(querylog, MONDAY)
    assert len(text.encode()) <= MAX_BYTES
    assert "<@all>" not in text
    assert "\n· " in text


async def test_the_digest_is_sent_once_and_never_missed(querylog: QueryLog) -> None:
    said: list[str] = []
    works = True

    async def say(content: str) -> bool:
        said.append(content)
        return works

    async def at(moment: dt.datetime) -> bool:
        return await send_due(querylog, "mon 09:00", say, moment)

    assert not await at(MONDAY - dt.timedelta(days=1))  # the first start: nothing is due yet
    assert not await at(MONDAY - dt.timedelta(minutes=1))
    works = False
    assert not await at(MONDAY)
    works = True
    assert await at(MONDAY + dt.timedelta(minutes=1))
    assert not await at(MONDAY + dt.timedelta(minutes=2))
    assert not await at(MONDAY + dt.timedelta(days=6))
    assert await at(MONDAY + dt.timedelta(days=23))  # it was away for two weeks: the last one is sent
    assert not await at(MONDAY + dt.timedelta(days=24))
    assert [text.splitlines()[0].split()[1] for text in said] == ["11-09", "11-09", "11-30"]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-16T09:00", "2026-11-16T09:00"),
        ("2026-11-16T08:59", "2026-11-09T09:00"),
        ("2026-11-22T23:59", "2026-11-16T09:00"),
        ("2026-11-17T00:30", "2026-11-16T09:00"),
    ],
)
def test_when_the_digest_is_due(now: str, due: str) -> None:
    moment = dt.datetime.fromisoformat(now).replace(tzinfo=CHINA).astimezone(dt.UTC)
    assert last_due("mon 09:00", moment) == dt.datetime.fromisoformat(due).replace(tzinfo=CHINA)


@pytest.mark.parametrize("wrong", ["monday 09:00", "mon 9:00", "mon 24:00", "09:00", "mon"])
def test_a_wrong_schedule_stops_the_start(wrong: str) -> None:
    with pytest.raises(SettingsError, match="REFORMBOT_ALERT_DIGEST"):
        load_settings(alert_digest=wrong, alert_webhook_url="http://127.0.0.1:9/x")


def test_a_digest_needs_a_robot() -> None:
    with pytest.raises(SettingsError, match="REFORMBOT_ALERT_WEBHOOK_URL"):
        load_settings(alert_digest="mon 09:00")
