"""One list of conversations through both channels: the same status and entries as the core gives, whatever the way."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from bot.answer import answer, give
from bot.desk import Desk
from bot.model import Reply, Turn
from tests.emulators.wecom_kf import KfApi
from tests.wecom.conftest import Bot
from tests.wecom.drivers import AppDriver, Driver, KfDriver

TAP = "☞"
"""The option at this place is tapped instead of something being written."""
CONVERSATIONS = {
    "a question": ("灵活保一天多少钱",),
    "a follow-up": ("灵活保", "要多少钱", "那什么时候开始的"),
    "another place": ("老人送餐上门", "那镇海呢"),
    "choices by number": ("养老服务", "2"),
    "choices by ordinal": ("养老服务", "第一个"),
    "choices by tap": ("养老服务", f"{TAP}0", "要多少钱"),
    "none of them": ("养老服务", "都不是"),
    "none of them by tap": ("养老服务", f"{TAP}-1"),
    "browsing": ("鄞州有哪些改革",),
    "browsing and a tap": ("鄞州有哪些改革", f"{TAP}1"),
    "not known": ("怎么养仙人掌",),
    "outside": ("护照怎么办",),
    "elsewhere": ("杭州的地铁几点关门",),
    "small talk": ("你好", "谢谢", "再见"),
    "two questions": ("灵活保多少钱？小区里没人要的破车谁来拖？",),
    "traditional characters": ("老小區裝電梯要跑幾個部門？",),
    "pinyin": ("weifayuan",),
    "markup": ("<b>灵活保</b> & ]]> 一天多少钱",),
    "emoji and blanks": ("  灵活保👍 一天\n多少钱  ",),
    "nothing": (" ",),
    "a wall of text": ("我想问一下，" * 200 + "灵活保一天多少钱",),
}


def button(person: Driver, label: str) -> str:
    """The button that stands for a label: buttons are numbered, and cut where they must be."""
    named = [shown for shown in person.taps if label.startswith(re.sub(r"^[0-9]\. ", "", shown).rstrip("…"))]
    assert len(named) == 1, (label, list(person.taps))
    return named[0]


async def converse(person: Driver, desk: Desk, turns: tuple[str, ...]) -> None:
    """Go through one conversation, each turn compared with what the core says."""
    today, memory = dt.date.today(), list[Turn]()
    before: Reply | None = None
    for text in turns:
        if text.startswith(TAP):
            assert before is not None
            option = before.options[int(text[1:])]
            expected = give(option.id, option.label, desk, today)
            heard = await person.tap(button(person, option.label))
        else:
            expected = answer(text, desk, memory, today)
            heard = await person.say(text)
        assert (heard.row.status, heard.row.entries) == (expected.status.value, expected.ids)
        assert expected.blocks[0].text.replace(" ", "") in heard.text.replace(" ", "")
        memory.append(expected.turn)
        before = expected


@pytest.mark.parametrize("driver", [AppDriver, KfDriver])
async def test_every_conversation(driver: type[AppDriver | KfDriver], bot: Bot, wecom: KfApi, desk: Desk) -> None:
    wrong = []
    for name, turns in CONVERSATIONS.items():
        try:
            await converse(driver(bot, wecom), desk, turns)
        except AssertionError as error:
            wrong.append(f"{name}: {error}")
    assert wrong == []
    assert wecom.violations == []
