"""Many at once: in order per chat, within Telegram's limits as the emulator counts them."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.emulators.telegram import Telegram as Emulator
from tests.telegram.conftest import Bot, Start

FULL = "REFORMBOT_BURST" in os.environ
"""1,000 updates of 200 users take about forty seconds at Telegram's pace."""
UPDATES, USERS = (1000, 200) if FULL else (120, 24)
GROUP = -7001
OVERALL_A_SECOND, CHAT_A_SECOND, BURST, GROUP_A_MINUTE = 30, 1, 3, 20


@pytest.fixture
def pace() -> None:
    """The real pace."""


async def counted(bot: Bot, rows: int) -> None:
    """So many questions stand in the log, if need be by way of the spool."""
    for _ in range(300):
        if await bot.app.querylog.count() >= rows:
            break
        await asyncio.sleep(0.1)
    assert await bot.app.querylog.count() == rows


async def test_a_burst_is_answered_in_order_and_within_the_limits(telegram: Emulator, start: Start) -> None:
    names = ["微法院", "灵活保", "僵尸车", "电梯", "卤肉"]
    asked = ["微法院怎么用", "灵活保多少钱一天", "僵尸车谁来拖", "老小区装电梯要跑几个部门", "卤肉一件事是什么"]
    async with start() as bot:
        for at in range(UPDATES):
            telegram.say(1000 + at % USERS, asked[at // USERS % len(asked)])
        await telegram.until(lambda: len(telegram.sent) >= UPDATES, 150)
        await counted(bot, UPDATES)
    assert len(telegram.sent) == UPDATES
    for user in range(1000, 1000 + USERS):
        heads = [text.split("\n")[0] for text in telegram.texts(user)]
        assert len(heads) == UPDATES // USERS
        assert all(names[at % len(names)] in head for at, head in enumerate(heads)), heads
        for seconds in (1, 2, 5):
            assert telegram.most_within(seconds, user) <= BURST + CHAT_A_SECOND * seconds
    assert telegram.most_within(1) <= OVERALL_A_SECOND


@pytest.mark.parametrize("mode", ["polling"], indirect=True)
async def test_a_group_gets_twenty_a_minute(telegram: Emulator, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.telegram.pace.CHAT", (50, 1.0))
    async with start() as bot:
        for _ in range(GROUP_A_MINUTE + 3):
            telegram.say(GROUP, "/ask 僵尸车谁来拖", user=1)
        telegram.say(2001, "微法院怎么用")
        await telegram.replies(2001, 1)
        await telegram.until(lambda: len(telegram.of(GROUP)) >= GROUP_A_MINUTE, 40)
        await telegram.until(lambda: not telegram.updates)
        await counted(bot, GROUP_A_MINUTE + 4)
        await telegram.until(lambda: bot.channel.health()["waiting"] == 3)
    assert telegram.most_within(60, GROUP) == GROUP_A_MINUTE
