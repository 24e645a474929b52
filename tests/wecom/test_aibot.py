"""The AI bot end to end: people write to an emulated gateway, the program answers them, the log knows it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from bot.app import App, running
from bot.channels.wecom.aibot.channel import AiBot, make
from bot.channels.wecom.aibot.connection import Timing
from bot.desk import Desk
from bot.settings import Settings, load_settings
from tests.emulators.aibot import BOT_ID, SECRET, Gateway
from tests.waiting import until

QUICK = Timing(heartbeat=0.5, ack=1.0, first_wait=0.02, longest_wait=0.05, refused_wait=0.05)
LIFT = "老小区装电梯要跑几个部门"


class Bot:
    """The program with the AI bot running in it."""

    def __init__(self, app: App, channel: AiBot) -> None:
        self.app, self.channel = app, channel
        self.stopping = asyncio.Event()
        self.task = asyncio.create_task(channel.run(self.stopping))

    async def stop(self) -> None:
        self.stopping.set()
        await asyncio.wait_for(self.task, 10)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(
        database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db",
        rate_limit_user=0,
        wecom_bot_id=BOT_ID,
        wecom_bot_secret=SECRET,
    )


@asynccontextmanager
async def serving(settings: Settings, desk: Desk, gateway: Gateway) -> AsyncIterator[Bot]:
    settings = settings.model_copy(update={"wecom_bot_ws_url": gateway.url})
    subscriptions = gateway.subscriptions
    async with running(settings, desk) as app:
        channel = make(app, QUICK)
        assert channel is not None
        bot = Bot(app, channel)
        try:
            await gateway.ready(subscriptions + 1)
            yield bot
        finally:
            await bot.stop()


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway() as made:
        yield made
        assert made.violations == []


@pytest.fixture
async def bot(settings: Settings, desk: Desk, gateway: Gateway) -> AsyncIterator[Bot]:
    async with serving(settings, desk, gateway) as made:
        yield made


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    file = settings.database_url.removeprefix("sqlite+aiosqlite:///")
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(query).fetchall()


async def test_a_question_is_answered_on_its_callback(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    await gateway.say(LIFT)
    (bubble,) = await gateway.heard(1)
    assert bubble.how == "stream"
    assert bubble.text.startswith("**")
    assert "\n- " in bubble.text
    assert "\n> 来源：" in bubble.text
    respond = next(frame for frame in gateway.frames if frame["cmd"] == "aibot_respond_msg")
    assert respond["body"]["stream"]["finish"] is True
    await until(lambda: rows(settings, "SELECT state, receipts FROM delivery") == [("done", '["stream"]')])
    ((channel, status, entry, text),) = rows(settings, "SELECT channel, status, entry, text FROM query_log")
    assert (channel, status, text) == ("wecom-aibot", "answer", LIFT)
    assert entry
    fine = {"status": "ok", "line": "connected", "connections": 1, "waiting": 0, "failed": 0}
    await until(lambda: bot.channel.health() == fine)


async def test_a_group_is_answered_in_the_group(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    await gateway.say(f"@甬改问答 {LIFT}", group="g1")
    (bubble,) = await gateway.heard(1, group="g1")
    assert "电梯" in bubble.text
    assert rows(settings, "SELECT text FROM query_log") == [(LIFT,)]
    assert "single:zhangsan" not in gateway.chats


async def test_voice_and_mixed_are_read_and_pictures_are_not(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    await gateway.say(LIFT, kind="voice")
    items = [{"msgtype": "text", "text": {"content": LIFT}}, {"msgtype": "image", "image": {"url": "http://x"}}]
    await gateway.say("", kind="mixed", body={"mixed": {"msg_item": items}})
    await gateway.say("", kind="image", body={"image": {"url": "http://x", "aeskey": "k"}})
    heard = await gateway.heard(3)
    assert ["电梯" in bubble.text for bubble in heard] == [True, True, False]
    assert "文字" in heard[2].text
    assert rows(settings, "SELECT text FROM query_log") == [(LIFT,), (LIFT,)]


async def test_a_person_is_greeted_once(bot: Bot, gateway: Gateway) -> None:
    await gateway.enter(msgid="e1")
    await gateway.enter(msgid="e1")
    await gateway.say(LIFT)
    welcome, answer = await gateway.heard(2)
    assert (welcome.how, answer.how) == ("welcome", "stream")
    assert "甬改问答" in welcome.text
    assert LIFT in welcome.text


async def test_choices_come_as_a_card_and_as_numbers(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    await gateway.say("驿站")
    text, card = await gateway.heard(2)
    assert "1. " in text.text
    assert card.card is not None
    assert len(card.buttons) >= 2
    assert list(card.buttons.values())[-1] == "都不是"
    key, label = next(iter(card.buttons.items()))
    await gateway.click(key, card.card["task_id"])
    answer = (await gateway.heard(3))[2]
    assert (answer.how, answer.card) == ("push", None)
    assert card.buttons[key].startswith("✓ ")
    assert card.card["main_title"]["desc"].startswith("已选：")
    assert list(card.buttons) == list({**card.buttons, key: label})
    statuses = rows(settings, "SELECT status, entry FROM query_log ORDER BY id")
    assert [status for status, _ in statuses] == ["choices", "answer"]
    assert statuses[1][1] == key
    await gateway.click("-", card.card["task_id"])
    assert "换个说法" in (await gateway.heard(4))[3].text
    await gateway.say("驿站", user="lisi")
    await gateway.say("2", user="lisi")
    heard = await gateway.heard(3, "lisi")
    assert rows(settings, "SELECT status, entry FROM query_log ORDER BY id DESC LIMIT 1") == [
        ("answer", list(card.buttons)[1])
    ]
    assert heard[2].how == "stream"


async def test_a_click_on_an_old_or_a_gone_button_gets_a_clear_word(bot: Bot, gateway: Gateway) -> None:
    await gateway.say("驿站")
    _, card = await gateway.heard(2)
    assert card.card is not None
    await bot.app.querylog.run(lambda connection: connection.exec_driver_sql("UPDATE delivery SET parts = '[]'"))
    await gateway.click("no-such-entry", card.card["task_id"])
    answer = (await gateway.heard(3))[2]
    assert answer.text
    assert list(card.buttons) == ["no-such-entry"]


async def test_a_click_that_comes_twice_is_answered_once(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    await gateway.say("驿站")
    _, card = await gateway.heard(2)
    assert card.card is not None
    for _ in range(2):
        await gateway.click(next(iter(card.buttons)), card.card["task_id"], msgid="click-1")
    await gateway.say(LIFT)
    assert len(await gateway.heard(4)) == 4
    assert rows(settings, "SELECT count(*) FROM query_log") == [(3,)]


async def test_verdicts_are_stored_with_their_question(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    await gateway.say(LIFT)
    (bubble,) = await gateway.heard(1)
    assert bubble.feedback
    await gateway.judge(bubble.feedback, 1)
    await gateway.judge(bubble.feedback, 2, [1, 3], "打 13812345678 没人接")
    await gateway.judge(bubble.feedback, 3)
    await gateway.judge("made-up", 1)
    await gateway.judge(bubble.feedback, 7)
    stored = "SELECT verdict, reasons, text FROM feedback ORDER BY id"
    await until(lambda: len(rows(settings, stored)) == 3)
    await gateway.say("谢谢")
    thanks = (await gateway.heard(2))[1]
    assert thanks.feedback == ""
    up, down, withdrawn = rows(settings, stored)
    assert up == ("up", "[]", "")
    assert down[:2] == ("down", '["与问题无关", "内容有错误"]')
    assert "13812345678" not in down[2]
    assert "没人接" in down[2]
    assert withdrawn == (None, "[]", "")
    assert rows(settings, "SELECT verdict FROM query_log WHERE status = 'answer'") == [(None,)]


async def test_a_reply_whose_connection_is_gone_is_pushed(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    gateway.mute_acks = True
    await gateway.say(LIFT, user="lisi")
    await gateway.heard(1, "lisi")
    gateway.chats["single:lisi"].clear()  # as if it had not got through
    gateway.abort()
    gateway.mute_acks = False
    await gateway.ready(2)
    (bubble,) = await gateway.heard(1, "lisi")
    assert bubble.how == "push"
    assert "电梯" in bubble.text
    assert rows(settings, "SELECT count(*) FROM query_log") == [(1,)]


async def test_an_unacknowledged_reply_replaces_itself(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    gateway.mute_acks = True
    await gateway.say(LIFT)
    await gateway.heard(1)
    await until(lambda: sum(frame["cmd"] == "aibot_respond_msg" for frame in gateway.frames) >= 2)
    gateway.mute_acks = False
    await until(lambda: rows(settings, "SELECT state FROM delivery") == [("done",)])
    assert len(gateway.chats["single:zhangsan"]) == 1


@pytest.mark.parametrize("code", [846605, 846608, 600039])
async def test_a_refused_reply_is_pushed(bot: Bot, gateway: Gateway, code: int) -> None:
    gateway.refuse_responses = code
    await gateway.say(LIFT)
    (bubble,) = await gateway.heard(1)
    assert bubble.how == "push"
    assert gateway.violations == [f"aibot_respond_msg: {code}"]
    gateway.violations.clear()


async def test_without_the_card_the_numbers_stand(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    gateway.refuse_cards = True
    await gateway.say("驿站")
    await until(lambda: rows(settings, "SELECT state, receipts FROM delivery") == [("done", '["stream", ""]')])
    assert [bubble.card for bubble in gateway.chats["single:zhangsan"]] == [None]
    assert gateway.violations == ["aibot_send_msg: 40058"]
    gateway.violations.clear()


async def test_a_message_that_comes_again_is_answered_once(settings: Settings, desk: Desk, gateway: Gateway) -> None:
    async with serving(settings, desk, gateway):
        await gateway.say(LIFT, msgid="m1")
        await gateway.heard(1)
        await gateway.say(LIFT, msgid="m1")
        await gateway.say("谢谢", msgid="m2")
        await gateway.heard(2)
    async with serving(settings, desk, gateway):
        await gateway.say(LIFT, msgid="m1")
        await gateway.say("再见", msgid="m3")
        heard = await gateway.heard(3)
    assert len(heard) == 3
    assert rows(settings, "SELECT message_id FROM query_log ORDER BY id") == [("m1",), ("m2",), ("m3",)]


async def test_order_is_kept_in_a_chat(bot: Bot, gateway: Gateway) -> None:
    questions = [LIFT, "谢谢", "你好", "那要多少钱", "微法院"]
    for number in range(4):
        for question in questions:
            await gateway.say(question, user=f"user{number}")
    for number in range(4):
        heard = [bubble.text for bubble in await gateway.heard(5, f"user{number}") if not bubble.card]
        first = [bubble.text for bubble in gateway.chats["single:user0"] if not bubble.card]
        assert heard == first


async def test_no_more_than_the_platform_shows(
    settings: Settings, desk: Desk, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The 31st reply of a minute waits; the platform would drop it."""
    async with serving(settings, desk, gateway) as bot:
        for _ in range(31):
            await gateway.say("谢谢")
        await gateway.heard(30)
        await until(lambda: rows(settings, "SELECT count(*) FROM query_log") == [(31,)])
        await until(lambda: bot.channel.health()["waiting"] == 1)
        assert len(gateway.chats["single:zhangsan"]) == 30
        assert all(frame["errcode"] == 0 for frame in gateway.frames)


async def test_a_platform_that_has_too_much_is_left_alone(bot: Bot, gateway: Gateway, settings: Settings) -> None:
    gateway.per_minute = 0
    await gateway.say("谢谢")
    await gateway.until(lambda: any(frame["errcode"] == 45009 for frame in gateway.frames))
    gateway.per_minute = 30
    await asyncio.sleep(0.3)
    assert sum(frame["cmd"] == "aibot_respond_msg" for frame in gateway.frames) == 1
    assert rows(settings, "SELECT state FROM delivery") == [("waiting",)]


async def test_kicked_the_bot_stays_away_and_says_so(settings: Settings, desk: Desk, gateway: Gateway) -> None:
    async with serving(settings, desk, gateway) as bot:
        await gateway.kick()
        await until(lambda: bot.channel.health()["line"] == "kicked")
        health = bot.app.health()
        assert bot.channel.health()["status"] == "degraded"
        assert "顶下线" in health["alerts"]["wecom-aibot-kicked"]
        await asyncio.sleep(0.3)
        assert gateway.attempts == 1
        assert not bot.task.done()
    assert bot.task.done()


async def test_what_was_asked_before_the_end_is_answered(settings: Settings, desk: Desk, gateway: Gateway) -> None:
    async with serving(settings, desk, gateway) as bot:
        for number in range(20):
            await gateway.say(LIFT, user=f"user{number}")
        await gateway.until(lambda: any(gateway.chats.values()))
        await bot.stop()
        assert not gateway.connected
        assert bot.channel.health()["line"] == "standby"
    answered = [chat for chat, bubbles in gateway.chats.items() if bubbles]
    assert rows(settings, "SELECT count(*) FROM query_log") == [(len(answered),)]
    assert rows(settings, "SELECT DISTINCT state FROM delivery") == [("done",)]
    assert len(answered) > 0


async def test_nothing_secret_or_personal_is_logged(
    bot: Bot, gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    gateway.refuse_responses = 846605
    await gateway.say("我的手机 13812345678，装电梯", user="wangwu")
    await gateway.heard(1, "wangwu")
    gateway.abort()
    await gateway.ready(2)
    gateway.violations.clear()
    said = "\n".join(
        record.getMessage() for record in caplog.records if record.name.startswith(("reformbot", "websockets.client"))
    )
    assert "846605" in said
    for secret in (SECRET, "wangwu", "13812345678", "装电梯"):
        assert secret not in said


def test_without_settings_there_is_no_bot(settings: Settings) -> None:
    class Service:
        pass

    service: Any = Service()
    service.settings = settings.model_copy(update={"wecom_bot_id": None, "wecom_bot_secret": None})
    assert make(service) is None
