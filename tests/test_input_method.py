"""Pinyin that is typed becomes characters of the knowledge's own words."""

from __future__ import annotations

import datetime as dt

import pytest
from pypinyin import lazy_pinyin

from bot.answer import answer
from bot.desk import Desk
from bot.match.input_method import InputMethod
from bot.model import Status
from bot.text import pinyin
from bot.understand.query import understand

TODAY = dt.date(2026, 1, 2)


def test_pairs_that_are_known_choose_among_the_characters() -> None:
    method = InputMethod(["加装电梯", "电梯补贴", "家庭医生", "点题"])
    assert method.characters(pinyin.of_text("加装电梯")) == "加装电梯"
    assert method.characters(("dian", "ti", "3", "bu")) == "电梯3步".replace("步", "补")
    assert method.characters(("dian", "xiong")) is None
    assert InputMethod([]).characters(("dian",)) is None


def test_only_what_was_typed_in_pinyin_is_turned(desk: Desk) -> None:
    def spelled_out(text: str) -> str | None:
        return desk.spelled_out(understand(text, desk.lexicon))

    assert spelled_out("laoxiaoqu jiazhuang dianti") == "老小区加装电梯"
    assert spelled_out("镇海的 laoren chifan 怎么办") == "镇海的老人吃饭怎么办"
    assert spelled_out("江北 2019 年 GDP") is None
    assert spelled_out("老小区加装电梯") is None


def test_a_character_is_read_as_in_its_words_and_no_rarer(desk: Desk) -> None:
    assert InputMethod(["抵押贷款"]).characters(("zi", "jia")) is None
    assert InputMethod(["银行"]).characters(("yin", "han")) == "银行"
    assert InputMethod(["银行"]).characters(("yin", "xin")) == "银行"
    assert answer("laofangzi jia dianti", desk, (), TODAY).ids == ("nb-old-estate-lifts",)


@pytest.mark.sweep
def test_questions_in_pinyin_reach_their_entry_as_often_as_not_in_it(desk: Desk) -> None:
    questions = [
        (test, entry.id)
        for entry in desk.book.entries.values()
        for test in entry.tests
        if len(test) <= 14 and not any(char.isascii() or char in "，。？、“”" for char in test)
    ]
    assert len(questions) > 80
    for parted in (" ", ""):
        right = sum(entry in answer(parted.join(lazy_pinyin(test)), desk, (), TODAY).ids for test, entry in questions)
        assert right >= 0.85 * len(questions)


@pytest.mark.parametrize("text", ["gong ji jin zen me ti qu", "huzhaobanlixuyaoshenmecailiao", "nar you hao chi de"])
def test_a_topic_outside_stays_outside_in_pinyin(desk: Desk, text: str) -> None:
    assert answer(text, desk, (), TODAY).status is not Status.ANSWER
