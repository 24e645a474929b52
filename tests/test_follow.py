"""A few words after an answer: what they are about."""

from __future__ import annotations

import pytest

from bot.desk import Desk
from bot.model import Status
from bot.render import plain
from tests.test_answer import ask


@pytest.mark.parametrize(
    ("turns", "entry"),
    [
        (("微法院", "怎么用"), "nb-mobile-micro-court"),
        (("微法院", "老年人怎么用"), "nb-mobile-micro-court"),
        (("加装电梯", "那要交钱吗"), "nb-old-estate-lifts"),
        (("加装电梯", "最快多久能弄完"), "nb-old-estate-lifts"),
        (("爱心车轮食堂", "多少钱一餐"), "zh-love-wheel-canteen"),
        (("卤肉一件事", "以前呢"), "nb-braised-meat-one-thing"),
        (("加装电梯", "有什么好处"), "nb-old-estate-lifts"),
        (("加装电梯", "有哪些政策"), "nb-old-estate-lifts"),
        (("微法院", "访问量"), "nb-mobile-micro-court"),
        (("灵活保多少钱", "外地人可以参加吗"), "nb-flexible-work-insurance"),
        (("加装电梯", "镇海怎么样"), "nb-old-estate-lifts"),
    ],
)
def test_the_answer_before_is_meant(desk: Desk, turns: tuple[str, ...], entry: str) -> None:
    reply = ask(desk, *turns)
    assert (reply.status, reply.ids[0]) == (Status.ANSWER, entry)


def test_whether_somebody_may_is_answered_with_whom_it_is_for(desk: Desk) -> None:
    reply = ask(desk, "灵活保多少钱", "老人能买吗")
    assert reply.ids == ("nb-flexible-work-insurance",)
    assert "对象" in plain(reply) or "没有写" in plain(reply) or "资料没写" in plain(reply)


@pytest.mark.parametrize("text", ["狗证怎么办", "公积金可以提吗"])
def test_a_topic_outside_leans_on_nothing(desk: Desk, text: str) -> None:
    assert ask(desk, "加装电梯", text).status is Status.NONE


def test_a_few_words_that_lead_elsewhere_without_being_sure_are_asked_back(desk: Desk) -> None:
    reply = ask(desk, "僵尸车怎么处理", "罚款吗")
    assert reply.status is Status.CHOICES
    assert reply.ids[0] == "zh-zombie-cars"
    assert ask(desk, "僵尸车怎么处理", "罚款吗", "1").ids == ("zh-zombie-cars",)


def test_a_turn_on_purpose_is_no_follow_up(desk: Desk) -> None:
    assert "zh-zombie-cars" not in ask(desk, "僵尸车怎么处理", "那菜市场检测呢").ids


def test_another_place_without_the_thing_is_the_neighbours(desk: Desk) -> None:
    reply = ask(desk, "爱心车轮食堂", "江北有吗")
    assert reply.status is Status.NONE
    assert "镇海区" in plain(reply)
