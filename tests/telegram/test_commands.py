"""Commands of everybody and of admins; home, feedback, privacy, forgetting."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.channels.telegram import words
from bot.channels.telegram.buttons import unpack
from bot.channels.telegram.commands import CHANNEL
from tests.emulators.telegram import Telegram as Emulator
from tests.telegram.conftest import ADMIN, Bot, Start
from tests.telegram.test_buttons import toast

ANNA, BERT = 1001, 1002


async def said(telegram: Emulator, chat: int, text: str) -> str:
    """What the bot says to this."""
    count = len(telegram.of(chat))
    telegram.say(chat, text)
    return (await telegram.replies(chat, count + 1))[count].text


async def test_commands_are_set_in_chinese_and_english(telegram: Emulator, bot: Bot) -> None:
    await telegram.until(lambda: len(telegram.commands) == 3)
    everybody = [command for command, *_ in words.COMMANDS]
    assert telegram.commands["default", ""] == telegram.commands["default", "en"] == everybody
    assert telegram.commands[f"chat{ADMIN}", ""] == [*everybody, "stats", "gaps", "reload"]
    texts = [call.params["commands"][0]["description"] for call in telegram.accepted("setMyCommands")]
    assert texts == ["开始", "Start", "开始"]


async def test_every_command_says_something(telegram: Emulator, bot: Bot) -> None:
    for command, *_ in words.COMMANDS:
        assert await said(telegram, ANNA, f"/{command}")
    assert await said(telegram, ANNA, "/no_such_command") == words.UNKNOWN_COMMAND
    rows = await bot.app.querylog.recent(50)
    assert len(rows) == len(words.COMMANDS) + 1
    assert {found.row.status for found in rows} == {"smalltalk"}


async def test_the_greeting_offers_questions(telegram: Emulator, bot: Bot) -> None:
    await said(telegram, ANNA, "/start")
    (greeting,) = telegram.of(ANNA)
    assert len(greeting.buttons) == 5
    telegram.press(greeting, greeting.data("电梯"))
    assert "加装电梯" in (await telegram.replies(ANNA, 2))[1].text


async def test_home_ranks_first_among_equals(telegram: Emulator, bot: Bot) -> None:
    await said(telegram, ANNA, "/region 鄞州")
    assert await said(telegram, ANNA, "/region 火星") == words.HOME_UNKNOWN.format(region="火星")
    await said(telegram, ANNA, "/region")
    menu = telegram.of(ANNA)[-1]
    assert "✅ 鄞州区" in menu.buttons
    assert (await toast(telegram, telegram.press(menu, menu.data("江北区")))) == words.HOME_SET.format(region="江北区")
    await said(telegram, ANNA, "/region 镇海")
    for chat in (ANNA, BERT):
        assert await said(telegram, chat, "基层治理有哪些")
    first = [unpack(next(iter(telegram.of(chat)[-1].buttons.values())))[1][0] for chat in (ANNA, BERT)]
    assert first == ["zh-community-governance-pilot", "jb-four-platforms"]
    telegram.press(menu, "h:")
    await telegram.until(lambda: any(call.get("text") == words.HOME_CLEARED for call in telegram.callbacks.values()))


async def test_feedback_in_words_goes_to_the_last_answer(telegram: Emulator, bot: Bot) -> None:
    assert await said(telegram, ANNA, "/feedback 很好") == words.FEEDBACK_NONE
    await said(telegram, ANNA, "僵尸车谁来拖")
    assert await said(telegram, ANNA, "/feedback 电话 13812345678 打不通") == words.FEEDBACK_DONE


ADMIN_WORDS = {"/stats": "今天 ", "/gaps": "没答上来", "/reload": "知识没有变化"}


@pytest.mark.parametrize("command", ADMIN_WORDS)
async def test_admins_have_commands_of_their_own(telegram: Emulator, bot: Bot, command: str) -> None:
    await said(telegram, ANNA, "今天天气怎么样")
    assert await said(telegram, ANNA, command) == words.ADMIN_ONLY
    assert ADMIN_WORDS[command] in await said(telegram, ADMIN, command)


async def test_admins_see_the_open_gaps(telegram: Emulator, bot: Bot) -> None:
    await said(telegram, ANNA, "独角兽养殖证怎么办")
    await bot.app.gaps.refresh(bot.app.desk)
    told = (await said(telegram, ADMIN, "/gaps")).splitlines()
    assert told[0] == words.OPEN_GAPS
    assert told[1].startswith("1. 独角兽养殖证怎么办（1 人 1 次，")


async def test_forgetting_leaves_nothing(telegram: Emulator, start: Start, tmp_path: Path) -> None:
    async with start() as bot:
        for text in ("/region 镇海", "僵尸车谁来拖", "公积金怎么提取"):
            await said(telegram, ANNA, text)
        answer = telegram.of(ANNA)[1]
        assert await toast(telegram, telegram.press(answer, answer.data("🔔"))) == words.FOLLOWED
        await toast(telegram, telegram.press(answer, answer.data("👍")))
        await said(telegram, BERT, "微法院怎么用")
        await said(telegram, ANNA, "/privacy")
        await said(telegram, ANNA, "/forget")
        question = telegram.of(ANNA)[-1]
        telegram.press(question, question.data(words.FORGET_DO))
        await telegram.until(lambda: question.text == words.FORGOTTEN)
        assert [found.row.text for found in await bot.app.querylog.recent(9)] == ["微法院怎么用"]
        assert await bot.app.forget(CHANNEL, str(ANNA)) == 0
        assert await toast(telegram, telegram.press(answer, answer.data("👎"))) == words.TOO_OLD
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert "僵尸车谁来拖".encode() not in content
        assert "公积金".encode() not in content
        assert str(ANNA).encode() not in content


async def test_forgetting_can_be_declined(telegram: Emulator, bot: Bot) -> None:
    await said(telegram, ANNA, "/forget")
    (question,) = telegram.of(ANNA)
    telegram.press(question, question.data(words.FORGET_NOT))
    await telegram.until(lambda: question.text == words.KEPT)
    assert await bot.app.querylog.count() == 1


async def test_nobody_is_named_in_the_database(telegram: Emulator, start: Start, tmp_path: Path) -> None:
    someone, group = 712345678, -1009876543210
    async with start() as bot:
        await said(telegram, someone, "僵尸车谁来拖")
        telegram.say(group, "/ask 微法院怎么用", user=someone)
        await telegram.replies(group, 1)
        await telegram.until(lambda: bot.channel.health()["waiting"] == 0)
    files = [path for path in tmp_path.iterdir() if path.suffix != ".db-wal" and path.is_file()]
    assert files
    for path in files:
        assert str(someone).encode() not in path.read_bytes(), path.name
        assert str(group).encode() not in path.read_bytes(), path.name
