"""Replies as messages of WeCom: within every limit, nothing lost at the borders."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.answer import answer
from bot.channels.wecom import render
from bot.channels.wecom.kf_budget import MOST, Budget
from bot.channels.wecom.pace import Pace
from bot.channels.wecom.render import TEXT_BYTES, app_parts, clip, kf_parts, pieces
from bot.desk import Desk
from bot.model import Block, Option, Reply, Status, Turn
from tests.emulators.wecom_kf import KfApi

TOKEN = "0123456789abcdef"
TEXTS = st.text(st.sampled_from("宁波改革。，！\n aé👍🏙️"), max_size=4000)


@settings(max_examples=60)
@given(TEXTS, st.integers(64, TEXT_BYTES))
def test_pieces_fit_and_lose_nothing(text: str, limit: int) -> None:
    found = pieces(text, limit)
    assert all(0 < len(piece.encode()) <= limit for piece in found)
    assert "".join(found).replace("\n", "") == text.replace("\n", "")


def test_pieces_end_where_sentences_do() -> None:
    lines = "\n".join(f"第{number}行，" + "说" * 90 + "。" for number in range(20))
    assert all(piece.endswith("。") and piece.startswith("第") for piece in pieces(lines))
    sentences = "这一句话有十个字呢。" * 200
    assert all(piece.endswith("。") for piece in pieces(sentences))
    assert [len(piece) for piece in pieces("说" * 1500)] == [682, 682, 136]


def test_clip() -> None:
    assert clip("宁波", 6) == "宁波"
    assert clip("宁波市", 8) == "宁…"
    assert clip("👍👍", 7) == "👍…"


def reply(status: Status, text: str = "好", options: int = 0, offered: bool = True) -> Reply:
    made = tuple(Option(f"e{number}", f"第{number}个名字很长的条目") for number in range(1, options + 1))
    turn = Turn("", offered=tuple(option.id for option in made) if offered else ())
    return Reply(status, (Block("summary", text),), options=made, turn=turn)


def accepted(parts: list[render.Part]) -> None:
    """The platform's own limits, as the emulator has them."""
    platform = KfApi()
    for part in parts:
        body = part["body"]
        if body["msgtype"] == "template_card":
            platform._card("u", body["template_card"])
        elif body["msgtype"] == "msgmenu":
            platform._check_menu(body["msgmenu"])
        else:
            platform.limit("text", body["text"]["content"], TEXT_BYTES, least=1)
    assert platform.violations == []


@pytest.mark.parametrize("status", list(Status))
@pytest.mark.parametrize("options", [0, 1, 5])
@pytest.mark.parametrize("text", ["好", "长句子。" * 40, "长句子。" * 90, "长句子。" * 2000])
def test_every_reply_is_within_the_limits(status: Status, options: int, text: str) -> None:
    made = reply(status, text, options)
    for parts in (app_parts(made, TOKEN, "12:00:00", cards) for cards in (True, False)):
        assert parts[0]["body"]["msgtype"] == "text"
        accepted(parts)
    found = kf_parts(made, TOKEN)
    assert 1 <= len(found) <= MOST
    accepted(found)


def test_every_entry_of_the_book_can_be_sent(desk: Desk) -> None:
    asked = [entry.name for entry in desk.book.entries.values()]
    assert len(asked) > 100
    for text in asked:
        made = answer(text, desk, (), dt.date(2026, 11, 20))
        accepted(app_parts(made, TOKEN, "12:00:00", cards=True))
        accepted(kf_parts(made, TOKEN))


def test_numbers_only_where_they_pick() -> None:
    def text(made: Reply) -> str:
        return str(app_parts(made, TOKEN, "12:00:00", cards=False)[0]["body"]["text"]["content"])

    assert text(reply(Status.CHOICES, options=2)).endswith("回复数字就能选。")
    assert text(reply(Status.LIST, options=2)).endswith(
        "回复数字看：\n1. 第 1 个名字很长的条目\n2. 第 2 个名字很长的条目"
    )
    assert "1." not in text(reply(Status.LIST, options=2, offered=False))
    assert text(reply(Status.ANSWER, options=2)).endswith("相关：第 1 个名字很长的条目、第 2 个名字很长的条目")


def test_ids_of_menus_have_a_limit() -> None:
    made = Reply(Status.CHOICES, (Block("summary", "好"),), options=(Option("e" * 60, "长"), Option("", "都不是")))
    items = kf_parts(made, TOKEN)[0]["body"]["msgmenu"]["list"]
    assert [item["click"]["id"] for item in items] == ["said", "pick:"]


def test_continuations_tell_the_question_apart() -> None:
    long = reply(Status.NONE, "一句话。" * 400)
    first, second = (
        [part["body"]["text"]["content"] for part in app_parts(long, TOKEN, at, cards=True)]
        for at in ("12:00:00", "12:00:07")
    )
    assert first[0] == second[0]
    assert not set(first[1:]) & set(second[1:])
    assert re.match(r"（续 2/\d+，接 12:00:00 的问题）\n", first[1])


def test_the_pace_of_one_member() -> None:
    pace = Pace()
    assert [pace.wait("a", float(second)) for second in range(30)] == [0.0] * 30
    assert pace.wait("a", 30.0) == 30.0
    assert pace.wait("b", 30.0) == 0.0
    assert pace.wait("a", 60.0) == 0.0
    moments = [90.0 + 3 * number for number in range(969)]
    assert {pace.wait("a", moment) for moment in moments} == {0.0}
    assert pace.wait("a", 2995.0) == 605.0
    for number in range(10_050):
        pace.wait(f"user{number}", 0.0)
    assert len(pace._sent) == 10_000


def test_the_budget_of_one_citizen() -> None:
    budget = Budget()
    budget.heard("a", 10.0)
    assert [budget.take("a", 12.0) for _ in range(7)] == [True] * 5 + [False] * 2
    budget.give_back("a")
    assert budget.take("a", 12.0)
    budget.heard("a", 9.0)
    assert not budget.take("a", 12.0)
    budget.heard("a", 13.0)
    assert budget.take("a", 13.5)
    budget.exhaust("a", 14.0)
    assert not budget.take("a", 14.5)
    assert budget.take("stranger", 1.0)
    for number in range(10_050):
        budget.heard(f"user{number}", 0.0)
    assert len(budget._sent) == 10_000
