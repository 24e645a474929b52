"""Inline mode: entries offered in any chat."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.channels.telegram.inline import MOST, ranked
from bot.channels.telegram.listener import PLAIN_START
from bot.desk import Desk
from tests.emulators.telegram import Telegram as Emulator
from tests.telegram.conftest import Bot

ANNA = 1001


async def test_entries_are_offered_as_articles(telegram: Emulator, bot: Bot) -> None:
    query = telegram.ask_inline(ANNA, "微法院")
    nothing = telegram.ask_inline(ANNA, "@#%")
    await telegram.until(lambda: {query, nothing} <= telegram.inline.keys())
    first, *others = telegram.inline[query]["results"]
    assert first["id"] == "nb-mobile-micro-court"
    assert "移动微法院" in first["title"]
    assert first["input_message_content"]["message_text"].startswith("<b>")
    assert len(others) < MOST
    assert telegram.inline[nothing]["results"] == []
    assert telegram.inline[nothing]["button"]["start_parameter"] == PLAIN_START
    assert await bot.app.querylog.count() == 0
    telegram.say(ANNA, f"/start {PLAIN_START}")
    (greeting,) = await telegram.replies(ANNA, 1)
    assert greeting.text == bot.app.welcome()[0]


async def test_what_the_bot_itself_offered_is_no_question(telegram: Emulator, bot: Bot) -> None:
    me = {"id": 123456789, "is_bot": True, "first_name": "甬", "username": "yong_test_bot"}
    telegram.say(ANNA, "宁波移动微法院｜宁波市", via_bot=me)
    telegram.say(ANNA, "僵尸车谁来拖")
    (reply,) = await telegram.replies(ANNA, 1)
    assert "僵尸车" in reply.text
    assert await bot.app.querylog.count() == 1


@pytest.mark.parametrize("text", ["微法院", "weifayuan", "养老", "", "a", "😀", "镇海" * 100])
def test_at_most_ten_that_exist(text: str, desk: Desk) -> None:
    found = ranked(text, desk)
    assert len(found) == len(set(found)) <= MOST
    assert set(found) <= desk.book.entries.keys()


def test_home_comes_first_among_equals(desk: Desk, today: dt.date) -> None:
    assert ranked("公园", desk, "镇海区")[0] == "zh-green-axis-sports-park"
    assert ranked("公园", desk)[0] == "jb-three-gardens"
