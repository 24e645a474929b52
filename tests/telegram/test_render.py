"""Replies as messages: escaped, split on the borders of blocks, linked; pace and fragments as pure parts."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answer import answer
from bot.channels.telegram.fragments import Fragments, Heard, Piece
from bot.channels.telegram.pace import CHAT, GROUP, Pace, Slots, Window
from bot.channels.telegram.render import keyboard, messages, units
from bot.desk import Desk
from bot.model import Block, Reply, Source, Status
from bot.text.normalise import spaced
from tests.conftest import ROOT
from tests.emulators.telegram_markup import MAX_TEXT, check_markup, check_text, parse_html
from tests.telegram.picture import FILE, draw

TOKEN = "0123456789abcdef"
KINDS = ("title", "summary", "fact", "period", "source", "caution", "note", "item", "heading")
BLOCKS = st.lists(st.builds(Block, st.sampled_from(KINDS), st.text(min_size=1, max_size=600)), min_size=1, max_size=12)


@given(BLOCKS)
@settings(max_examples=150, deadline=None)
def test_any_text_becomes_html_that_telegram_takes(blocks: list[Block]) -> None:
    found = messages(Reply(Status.ANSWER, tuple(blocks)), [])
    told = "".join(parse_html(part["html"])[0] for part in found)
    kept = "".join(told.split())
    for block in blocks:
        assert "".join(spaced(block.text).encode("utf-8", "replace").decode().split()) in kept


def test_a_long_reply_is_split_on_the_borders_of_blocks() -> None:
    blocks = [Block("fact", f"{number}" + "长" * 900) for number in range(12)]
    found = messages(Reply(Status.ANSWER, tuple(blocks)), [[("按钮", "-")]])
    assert len(found) == 3
    assert ["keyboard" in part for part in found] == [False, False, True]
    for part in found:
        text, _ = check_text(part["html"], "HTML")
        assert text.startswith("• ")
        assert all(line.startswith("• ") for line in text.split("\n"))


def test_one_endless_block_is_cut() -> None:
    found = messages(Reply(Status.ANSWER, (Block("fact", "😀" * 9000),)), [])
    assert len(found) == 5
    assert all(units(check_text(part["html"], "HTML")[0]) <= MAX_TEXT for part in found)


def test_a_source_with_an_address_is_a_link() -> None:
    source = Source("s", "《甲<乙>&“丙”》", "2024 年", "https://example.cn/?a=1&b=2")
    block = Block("source", f"来源：{source.title}（2024 年）")
    (part,) = messages(Reply(Status.ANSWER, (block,), sources=(source,)), [])
    text, links = check_text(part["html"], "HTML")
    assert text == "来源：《甲<乙>&“丙”》（2024 年）"
    assert links == [source.url.replace("&", "&amp;")] or links == [source.url]


def test_every_entry_makes_messages_that_telegram_takes(desk: Desk, today: dt.date) -> None:
    asked = [question for entry in desk.book.entries.values() for question in entry.tests[:2]]
    assert len(asked) > 180
    for question in asked:
        reply = answer(question, desk, (), today)
        for part in messages(reply, keyboard(reply, TOKEN)):
            check_text(part["html"], "HTML")
            rows = [[{"text": text, "callback_data": data} for text, data in row] for row in part.get("keyboard", [])]
            check_markup({"inline_keyboard": rows})


def test_a_window_lets_through_what_fits() -> None:
    window, now, times = Window(3, 10.0), 0.0, []
    for _ in range(50):
        now += window.wait(now)
        times.append(now)
        now += 0.5
        window.note(now)
    assert all(later - earlier >= 10.0 for earlier, later in zip(times, times[3:], strict=False))
    assert times[-1] < 180.0


async def test_slots_hold_however_long_an_event_takes() -> None:
    slots, begun = Slots(4, 0.05), list[float]()

    async def event(seconds: float) -> None:
        async with slots:
            begun.append(asyncio.get_running_loop().time())
            await asyncio.sleep(seconds)

    await asyncio.gather(*(event(0.03 * (at % 3)) for at in range(24)))
    assert len(begun) == 24
    assert all(later - earlier >= 0.05 for earlier, later in zip(begun, begun[4:], strict=False))


def test_groups_wait_longer_than_people() -> None:
    pace = Pace()
    for chat, limit, seconds in ((7, *CHAT), (-7, *GROUP)):
        now = 100.0
        for _ in range(limit):
            now += pace.wait(chat, now)
            pace.note(chat, now)
        assert pace.wait(chat, now) == pytest.approx(100.0 + seconds - now)
    assert pace.wait(8, 100.0) == 0.0


def test_held_replies_go_out_or_are_taken_back() -> None:
    held, heard = Fragments(), Heard("我妈妈", Reply(Status.NONE, ()))
    assert held.wait("m1", 0.0) == 0.0
    held.hold("anna", Piece(("m1",), heard, 1.0))
    assert held.wait("m1", 0.4) == pytest.approx(0.6)
    assert held.held("anna", 0.4) is not None
    assert held.held("bert", 0.4) is None
    held.hold("anna", Piece(("m1", "m2"), heard, 2.0))
    assert held.wait("m1", 1.5) == pytest.approx(0.5)
    held.close("anna", taken_back=True)
    assert [held.wait(name, 1.5) for name in ("m1", "m2")] == [None, None]
    held.hold("anna", Piece(("m3",), heard, 3.0))
    held.close("anna")
    assert held.wait("m3", 2.0) == 0.0
    assert held.held("anna", 2.0) is None


def test_the_picture_in_the_readme_is_what_the_bot_says(desk: Desk) -> None:
    assert FILE.read_text(encoding="utf-8") == draw(desk), "python -m tests.telegram.picture"
    assert FILE.name in (ROOT / "README.md").read_text(encoding="utf-8")
