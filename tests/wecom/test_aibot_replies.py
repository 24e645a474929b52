"""A reply in the AI bot's words: markdown that holds what is meant and nothing else, cards within their limits."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.answer import answer
from bot.channels.wecom.aibot import replies
from bot.channels.wecom.aibot.frames import MAX_CONTENT
from bot.desk import Desk
from bot.model import Block, Option, Reply, Status
from bot.text.markdown import escape

TODAY = dt.date(2026, 11, 21)


@given(st.text())
def test_nothing_in_a_text_is_markup(text: str) -> None:
    shown = escape(text)
    assert not re.search(r"[\\`*\[\]<>~|]", shown)
    assert not re.search(r"^[#+=-]", shown, re.MULTILINE)
    assert escape(shown) == shown
    assert len(shown) == len(text)


@pytest.mark.parametrize("text", ["http://a.cn/x_y?z=1#top", "someone_else@a.cn", "1. 甲", "3 - 1", "婚假几天？"])
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert escape(text) == text


@given(st.text(max_size=300), st.integers(4, 200))
def test_pieces_fit_and_lose_nothing(text: str, limit: int) -> None:
    found = list(replies.pieces(text, limit))
    assert all(len(piece.encode()) <= limit for piece in found)
    assert "".join(found).replace("\n", "") == text.replace("\n", "")


def test_a_long_reply_is_cut_between_paragraphs_and_every_piece_has_its_stream() -> None:
    blocks = tuple(Block("summary", f"第 {number} 段" + "长" * 3000) for number in range(5))
    post = replies.draft("single:u", "link", "req")(Reply(Status.ANSWER, blocks), "token")
    assert len(post.parts) == 3
    assert all(part["content"].startswith("第") for part in post.parts)
    assert all(len(part["content"].encode()) <= MAX_CONTENT for part in post.parts)
    assert [part["stream"] for part in post.parts] == ["token-0", "token-1", "token-2"]


def test_every_entry_is_told_whole(desk: Desk) -> None:
    asked = 0
    for entry in desk.book.entries.values():
        reply = answer(entry.name, desk, (), TODAY)
        bare = re.sub(r"\s", "", replies.markdown(reply))
        for block in reply.blocks:
            text = escape(block.text)
            assert re.sub(r"\s|^· ", "", text, flags=re.MULTILINE) in bare.replace("\n-", "\n"), block
        asked += 1
    assert asked > 150


def test_citizens_words_cannot_make_links(desk: Desk) -> None:
    reply = answer("[点我](http://evil.example) <@all> 有哪些改革", desk, (), TODAY)
    shown = replies.markdown(reply)
    assert "](" not in shown
    assert "<@" not in shown


@pytest.mark.parametrize(("status", "lead"), [(Status.CHOICES, True), (Status.NONE, True), (Status.ANSWER, False)])
def test_a_card_is_for_picking(status: Status, lead: bool) -> None:
    options = (*(Option(f"id-{number}", "很长的名字" * 5) for number in range(8)), Option("", "都不是"))
    card = replies.card(options, status, "task")
    assert (card is not None) == lead
    if card is not None:
        assert len(card["button_list"]) == 6
        assert all(0 < len(button["text"]) <= 10 for button in card["button_list"])
        pressed = replies.picked(card, "id-1", "很长的名字" * 5)
        assert [button["text"].startswith("✓") for button in pressed["button_list"]].index(True) == 1
        assert all(len(button["text"]) <= 10 for button in pressed["button_list"])
        assert pressed["task_id"] == card["task_id"]
        assert len(pressed["main_title"]["desc"]) <= 30


def test_nothing_to_pick_is_no_card() -> None:
    assert replies.card((), Status.NONE, "task") is None
    assert replies.card((Option("", "都不是"),), Status.CHOICES, "task") is None
