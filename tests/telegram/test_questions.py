"""Questions and their replies: private chats, groups, edits, pieces, links, other content."""

from __future__ import annotations

from bot.channels.telegram import words
from tests.emulators.telegram import USERNAME
from tests.emulators.telegram import Telegram as Emulator
from tests.telegram.conftest import Bot

ANNA, BERT, GROUP = 1001, 1002, -5001


async def test_a_question_gets_its_answer(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "微法院怎么用")
    (reply,) = await telegram.replies(ANNA, 1)
    assert "移动微法院" in reply.text
    assert reply.html.startswith("<b>")
    assert {"👍 有用", "👎 没帮上", "🔔 有变化告诉我"} <= reply.buttons.keys()
    assert await bot.app.querylog.count() == 1
    await telegram.until(lambda: not telegram.updates)
