"""Opposites are seen by rule."""

from __future__ import annotations

import pytest

from bot.answer import answer
from bot.desk import Desk
from bot.match.polarity import negated, opposed
from bot.model import Status
from tests.conftest import TODAY, parse


@pytest.mark.parametrize(
    ("question", "known", "against"),
    [
        ("营业执照怎么注销", "营业执照怎么办理", True),
        ("营业执照怎么办理", "营业执照怎么注销", True),
        ("营业执照怎么办理", "营业执照的办理和注销", False),
        ("怎么拆除电梯", "老小区加装电梯", True),
        ("装电梯找谁", "老小区加装电梯", False),
        ("今天天气", "老小区加装电梯", False),
        ("退保", "参保和退保", False),
        ("退保后再参保", "参保", False),
        ("关门了吗", "几点开门开馆", True),
    ],
)
def test_opposed(question: str, known: str, against: bool) -> None:
    assert opposed(question, known) is against


@pytest.mark.parametrize(
    ("question", "wording", "against"),
    [
        ("哪些东西不能吃", "哪些东西可以吃", True),
        ("能不能吃", "可以吃吗", False),
        ("不许停车", "禁止停车吗", False),
        ("可以停车吗", "不可以停车吗", True),
        ("不可以停车吗", "可以停车吗", True),
        ("不能停车吗", "今天天气", False),
        ("今天天气", "不能停车吗", False),
        ("今天天气", "可以停车吗", False),
    ],
)
def test_negated(question: str, wording: str, against: bool) -> None:
    assert negated(question, wording) is against


@pytest.mark.sweep
def test_the_opposite_is_offered_and_not_answered(shipped: dict[str, bytes]) -> None:
    files = dict(shipped)
    files["faq/licence.yaml"] = """
- id: licence-open
  question: 个体户营业执照怎么注册
  questions: [个体户营业执照注册流程, 个体户营业执照注册要多久]
  answer: 去窗口。
""".encode()
    loaded = parse(files)
    assert loaded.book is not None
    desk = Desk(loaded.book)
    assert answer("个体户营业执照注册怎么搞", desk, (), TODAY).ids == ("licence-open",)
    refused = answer("个体户营业执照注销怎么搞", desk, (), TODAY)
    assert refused.status is Status.NONE
