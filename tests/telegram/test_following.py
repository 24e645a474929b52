"""Hearing of changes: opt-in, one message each, easily ended."""

from __future__ import annotations

import copy
import dataclasses

import pytest

from bot.channels.telegram import words
from bot.desk import Desk
from bot.knowledge.book import Book
from bot.knowledge.schema import Entry
from tests.emulators.telegram import Telegram as Emulator
from tests.telegram.conftest import Bot, Start
from tests.telegram.test_buttons import toast
from tests.telegram.test_commands import said

ANNA, BERT = 1001, 1002
ENTRY = "zh-zombie-cars"


def holding(desk: Desk, entries: dict[str, Entry]) -> Desk:
    """The same desk with another book: the index stays as it is."""
    other = copy.copy(desk)
    other.book = dataclasses.replace(desk.book, entries=entries)
    return other


def changed(desk: Desk, **change: object) -> Desk:
    """The book with one entry that says something else."""
    entry = desk.book.entries[ENTRY].model_copy(update=change)
    return holding(desk, {**desk.book.entries, ENTRY: entry})


def without(book: Book) -> dict[str, Entry]:
    """The entries but for one."""
    return {name: entry for name, entry in book.entries.items() if name != ENTRY}


@pytest.fixture(scope="module")
def poorer(book: Book) -> Desk:
    """A desk that cannot answer what the entry is about."""
    return Desk(dataclasses.replace(book, entries=without(book)))


async def test_a_changed_entry_is_told_once(telegram: Emulator, start: Start) -> None:
    async with start() as bot:
        await said(telegram, ANNA, "僵尸车谁来拖")
        await said(telegram, BERT, "僵尸车谁来拖")
        (answer,) = telegram.of(ANNA)
        assert await toast(telegram, telegram.press(answer, answer.data("🔔"))) == words.FOLLOWED
        assert await toast(telegram, telegram.press(answer, answer.data("🔔"))) == words.FOLLOWED_ALREADY
        wordings = bot.app.desk.book.entries[ENTRY].ask
        await bot.app.swap(changed(bot.app.desk, ask=(*wordings, "破车没人要怎么弄走")))
        new = changed(bot.app.desk, summary="现在网上就能报。")
        await bot.app.swap(new)
        notice = (await telegram.replies(ANNA, 2))[1]
        assert "内容有变化" in notice.text
        await bot.app.swap(new)
        await telegram.until(lambda: bot.channel.health()["waiting"] == 0)
        assert (len(telegram.of(ANNA)), len(telegram.of(BERT))) == (2, 1)
    async with start() as again:
        telegram.press(notice, notice.data("僵尸车"))
        assert "僵尸车" in (await telegram.replies(ANNA, 3))[2].text
        await toast(telegram, telegram.press(notice, notice.data(words.FOLLOW_STOP_ALL)))
        await again.app.swap(changed(again.app.desk, summary="又变了。"))
        await telegram.until(lambda: again.channel.health()["waiting"] == 0)
        assert len(telegram.of(ANNA)) == 3


async def test_a_question_without_an_answer_gets_one_later(
    telegram: Emulator, bot: Bot, poorer: Desk, desk: Desk
) -> None:
    await bot.app.swap(poorer)
    await said(telegram, ANNA, "僵尸车谁来拖")
    (none,) = telegram.of(ANNA)
    assert await toast(telegram, telegram.press(none, none.data("🔔 有答案"))) == words.FOLLOWED
    await bot.app.swap(holding(poorer, dict(poorer.book.entries)))
    await bot.app.swap(desk)
    notice = (await telegram.replies(ANNA, 2))[1]
    assert "“僵尸车谁来拖”，现在有答案了" in notice.text
    await bot.app.swap(desk)
    await telegram.until(lambda: bot.channel.health()["waiting"] == 0)
    assert len(telegram.of(ANNA)) == 2
    assert await said(telegram, ANNA, "/follow") == words.FOLLOW_NONE


async def test_what_is_followed_is_listed_and_ended_one_by_one(telegram: Emulator, bot: Bot) -> None:
    for text in ("僵尸车谁来拖", "微法院怎么用", "哪里学游泳"):
        await said(telegram, ANNA, text)
        answer = telegram.of(ANNA)[-1]
        await toast(telegram, telegram.press(answer, answer.data("🔔")))
    assert await said(telegram, ANNA, "/follow") == words.FOLLOW_LIST
    menu = telegram.of(ANNA)[-1]
    assert len(menu.buttons) == 4
    assert await toast(telegram, telegram.press(menu, menu.data("游泳"))) == words.UNFOLLOWED
    await telegram.until(lambda: len(menu.buttons) == 3)
    await toast(telegram, telegram.press(menu, menu.data(words.FOLLOW_STOP_ALL)))
    await telegram.until(lambda: menu.text == words.FOLLOW_NONE)


async def test_a_removed_entry_is_told(telegram: Emulator, bot: Bot) -> None:
    await said(telegram, ANNA, "僵尸车谁来拖")
    (answer,) = telegram.of(ANNA)
    await toast(telegram, telegram.press(answer, answer.data("🔔")))
    await bot.app.swap(holding(bot.app.desk, without(bot.app.desk.book)))
    notice = (await telegram.replies(ANNA, 2))[1]
    assert "撤下" in notice.text
    assert await said(telegram, ANNA, "/follow") == words.FOLLOW_NONE
