"""Questions and their replies: private chats, groups, edits, pieces, links, other content."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.answer import answer
from bot.channels.telegram import words
from bot.channels.telegram.fragments import Heard, belongs, join, unfinished
from bot.desk import Desk
from tests.emulators.telegram import USERNAME
from tests.emulators.telegram import Telegram as Emulator
from tests.telegram.conftest import Bot, Start

ANNA, BERT, GROUP = 1001, 1002, -5001


async def test_a_question_gets_its_answer(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "微法院怎么用")
    (reply,) = await telegram.replies(ANNA, 1)
    assert "移动微法院" in reply.text
    assert reply.html.startswith("<b>")
    assert {"👍 有用", "👎 没帮上", "🔔 有变化告诉我"} <= reply.buttons.keys()
    assert await bot.app.querylog.count() == 1
    await telegram.until(lambda: not telegram.updates)


async def test_a_conversation_keeps_its_context_and_its_order(telegram: Emulator, bot: Bot) -> None:
    for text in ("灵活保", "要多少钱", "谢谢"):
        telegram.say(ANNA, text)
    telegram.say(BERT, "要多少钱")
    first, second, third = await telegram.replies(ANNA, 3)
    assert "灵活就业" in first.text
    assert "0.3 元" in second.text
    assert not third.buttons
    (other,) = await telegram.replies(BERT, 1)
    assert "0.3 元" not in other.text


async def test_a_group_is_left_alone_unless_the_bot_is_meant(telegram: Emulator, bot: Bot) -> None:
    telegram.say(GROUP, "微法院怎么用", user=ANNA)
    telegram.say(GROUP, "/start@another_bot", user=ANNA)
    telegram.say(GROUP, "/roll", user=ANNA)
    telegram.send(GROUP, user=ANNA, new_chat_title="街坊")
    telegram.send(GROUP, user=ANNA, sticker=STICKER)
    asked = telegram.say(GROUP, f"@{USERNAME} 微法院怎么用", user=ANNA)
    (mentioned,) = await telegram.replies(GROUP, 1)
    assert mentioned.reply_to == asked["message_id"]
    telegram.say(GROUP, "灵活保多少钱一天", user=BERT, reply_to=mentioned)
    telegram.say(GROUP, f"/ask@{USERNAME} 僵尸车谁来拖", user=BERT)
    telegram.say(GROUP, "/ask", user=BERT)
    replies = await telegram.replies(GROUP, 4)
    assert ["微法院" in replies[0].text, "0.3 元" in replies[1].text, "僵尸车" in replies[2].text] == [True] * 3
    assert replies[3].text == words.ASK_WHAT
    rows = await bot.app.querylog.recent(20)
    assert len(rows) == 4
    assert {found.row.text for found in rows} == {"微法院怎么用", "灵活保多少钱一天", "僵尸车谁来拖", "/ask"}


async def test_what_is_asked_in_private_stays_out_of_groups(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "灵活保")
    await telegram.replies(ANNA, 1)
    telegram.say(GROUP, "/ask 要多少钱", user=ANNA)
    (reply,) = await telegram.replies(GROUP, 1)
    assert "灵活" not in reply.text


STICKER = {
    **{"file_id": "f", "file_unique_id": "u", "type": "regular", "width": 1, "height": 1},
    **{"is_animated": False, "is_video": False},
}
PHOTO = [{"file_id": "f", "file_unique_id": "u", "width": 1, "height": 1}]
OTHER_CONTENT = [
    {"photo": PHOTO},
    {"voice": {"file_id": "f", "file_unique_id": "u", "duration": 3}},
    {"sticker": STICKER},
    {"location": {"latitude": 29.9, "longitude": 121.5}},
]


async def test_other_content_is_answered_in_one_sentence(telegram: Emulator, bot: Bot) -> None:
    for content in OTHER_CONTENT:
        telegram.send(ANNA, **content)
    telegram.send(BERT, photo=PHOTO, caption="僵尸车谁来拖")
    replies = await telegram.replies(ANNA, len(OTHER_CONTENT))
    assert {reply.text for reply in replies} == {words.WORDLESS}
    assert words.WORDLESS.count("。") == 2
    (about,) = await telegram.replies(BERT, 1)
    assert "僵尸车" in about.text


async def test_an_edited_question_edits_its_reply(telegram: Emulator, bot: Bot) -> None:
    message = telegram.say(ANNA, "微法院怎么用")
    await telegram.replies(ANNA, 1)
    telegram.edit(message, "僵尸车谁来拖")
    await telegram.until(lambda: "僵尸车" in telegram.of(ANNA)[0].text)
    telegram.edit(message, "灵活保多少钱一天")
    await telegram.until(lambda: "0.3 元" in telegram.of(ANNA)[0].text)
    (reply,) = telegram.of(ANNA)
    assert len(reply.history) == 2
    assert await bot.app.querylog.count() == 3


async def test_an_edit_of_a_deleted_reply_is_sent_anew(telegram: Emulator, bot: Bot) -> None:
    message = telegram.say(ANNA, "微法院怎么用")
    (reply,) = await telegram.replies(ANNA, 1)
    reply.deleted = True
    telegram.edit(message, "僵尸车谁来拖")
    (again,) = await telegram.replies(ANNA, 1)
    assert "僵尸车" in again.text


async def test_a_link_opens_its_entry(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "/start nb-mobile-micro-court")
    telegram.say(BERT, "/start no-such-entry")
    (reply,) = await telegram.replies(ANNA, 1)
    assert "移动微法院" in reply.text
    (gone,) = await telegram.replies(BERT, 1)
    assert gone.text == bot.app.desk.book.texts["gone"]


async def test_a_question_in_pieces_is_one_question(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "我妈妈八十岁了，")
    telegram.say(ANNA, "住在镇海，")
    telegram.say(ANNA, "有没有人送饭上门")
    await telegram.until(lambda: any("助餐" in text for text in telegram.texts(ANNA)))
    await telegram.until(lambda: bot.channel.health()["waiting"] == 0)
    assert len(telegram.texts(ANNA)) == 1
    (row,) = await bot.app.querylog.recent(9)
    assert row.row.text == "我妈妈八十岁了, 住在镇海, 有没有人送饭上门"


async def test_two_questions_are_not_glued_together(telegram: Emulator, bot: Bot) -> None:
    for text in ("哪里学游泳", "僵尸车谁来拖", "公积金怎么提取", "灵活保多少钱一天"):
        telegram.say(ANNA, text)
    texts = [reply.text for reply in await telegram.replies(ANNA, 4)]
    assert "游泳" not in texts[0]
    assert ["僵尸车" in texts[1], "公积金" in texts[2], "0.3 元" in texts[3]] == [True] * 3
    assert await bot.app.querylog.count() == 4


async def test_a_piece_without_a_sequel_is_answered_after_a_moment(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "我妈妈八十岁了")
    (reply,) = await telegram.replies(ANNA, 1)
    assert "没有找到" in reply.text
    assert [call.params["action"] for call in telegram.accepted("sendChatAction")] == ["typing"]


async def test_a_quick_reply_shows_no_typing(telegram: Emulator, bot: Bot) -> None:
    telegram.say(ANNA, "僵尸车谁来拖")
    await telegram.replies(ANNA, 1)
    assert telegram.accepted("sendChatAction") == []


async def test_a_flood_of_questions_gets_one_polite_word(telegram: Emulator, start: Start) -> None:
    async with start(rate_limit_user=5) as bot:
        for _ in range(12):
            telegram.say(ANNA, "僵尸车谁来拖")
        await telegram.until(lambda: len(telegram.of(ANNA)) >= 6)
        await telegram.until(lambda: not telegram.updates)
        texts = telegram.texts(ANNA)
        assert texts[5:] == [bot.app.desk.book.texts["limited"]]


PIECES = [
    ("老小区", "装电梯要跑几个部门", True),
    ("送外卖", "受伤了有保险吗", True),
    ("我爸，", "想装个电梯", True),
    ("我妈妈八十岁了", "能送饭上门吗", True),
    ("哪里学游泳", "僵尸车谁来拖", False),
    ("公积金怎么提取", "僵尸车谁来拖", False),
    ("公积金", "僵尸车谁来拖", False),
    ("微法院怎么用", "灵活保多少钱一天", False),
    ("今天天气怎么样？", "小店贷款难有什么办法", False),
    ("上海的居住证怎么办", "老小区装电梯要跑几个部门", False),
    ("你好", "僵尸车谁来拖", False),
]


@pytest.mark.parametrize(("first", "second", "one"), PIECES)
def test_what_is_put_together(first: str, second: str, one: bool, desk: Desk, today: dt.date) -> None:
    pieces = [Heard(text, answer(text, desk, (), today)) for text in (first, second)]
    joined = answer(join(first, second), desk, (), today)
    assert (unfinished(pieces[0], desk) and belongs(*pieces, joined, desk)) is one
