"""What clerks may write to steer the matcher: names, and words that a question must or must not hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.desk import Desk
from bot.knowledge.book import Book
from bot.knowledge.schema import Entry, Faq, Rules
from bot.match.build import TALK
from bot.understand.query import understand

LIFTS, CARS = "nb-old-estate-lifts", "zh-zombie-cars"


def small(book: Book, **changed: object) -> Desk:
    """A bank of CARS and of LIFTS, changed."""
    entries = {name: book.entries[name].model_copy(update={"related": ()}) for name in (LIFTS, CARS)}
    entries[LIFTS] = entries[LIFTS].model_copy(update=changed)
    return Desk(replace(book, entries=entries, golden=(), outside=(), faqs={}))


def found(desk: Desk, text: str) -> list[str]:
    return [item.id for item in desk.match(understand(text, desk.lexicon)) if not item.decoy]


@pytest.mark.parametrize(
    ("rules", "with_it", "without"),
    [
        (Rules(all=("楼道",)), "楼道里怎么装", "楼房里怎么装"),
        (Rules(all=("楼道", "装")), "楼道里怎么装", "楼道里怎么弄"),
        (Rules(none=("扶梯",)), "楼房里怎么装", "楼房里怎么装扶梯"),
        (Rules(all=("楼道",), none=("扶梯",)), "楼道里怎么装", "楼道里怎么装扶梯"),
    ],
)
def test_a_question_must_hold_all_words_and_none_of_the_others(
    book: Book, rules: Rules, with_it: str, without: str
) -> None:
    desk = small(book, match=rules)
    assert LIFTS in found(desk, with_it)
    assert LIFTS not in found(desk, without)
    assert LIFTS in found(small(book, match=Rules()), without)


def test_whoever_says_the_name_is_answered_whatever_the_rules(book: Book) -> None:
    desk = small(book, name="旧楼加电梯", aliases=("装电梯",), match=Rules(all=("楼道",)))
    assert LIFTS in found(desk, "旧楼加电梯怎么弄")
    assert LIFTS not in found(desk, "装电梯怎么弄"), "a name of three characters does not settle it"


def test_a_name_of_one_character_names_nothing(book: Book) -> None:
    desk = small(book, aliases=("梯", "楼梯"))
    asked = desk.match(understand("梯子和楼房", desk.lexicon))
    assert all(item.name == "" for item in asked)
    assert [item.name for item in desk.match(understand("楼梯怎么装", desk.lexicon)) if item.id == LIFTS] == ["楼梯"]


def test_keywords_are_counted_once_each(book: Book) -> None:
    desk = small(book, match=Rules(any=("轮椅", "楼道")))
    told = {item.id: item for item in desk.match(understand("楼道里的轮椅，轮椅和楼道", desk.lexicon))}
    assert sorted(told[LIFTS].keywords) == ["楼道", "轮椅"]
    assert told[LIFTS].feature("keyword") == 0.75


def test_questions_with_one_wording_each_are_told_apart(book: Book) -> None:
    faqs = {
        f"q-{at}": Faq(id=f"q-{at}", question=text, answer="见说明。")
        for at, text in enumerate(("羽毛球拍怎么穿线", "乒乓球台多少钱", "网球场在哪里"))
    }
    desk = Desk(replace(book, entries={}, golden=(), outside=(), talk=(), faqs=faqs))
    assert found(desk, "网球场在啥地方")[0] == "q-2"
    assert found(desk, "羽毛球拍穿线")[0] == "q-0"
    assert found(desk, "今天天气") == []


def test_decoys_are_no_entries(desk: Desk) -> None:
    asked = desk.match(understand("你好", desk.lexicon))
    assert any(item.decoy and item.id.startswith(TALK) for item in asked)
    assert all(isinstance(desk.book.entries.get(item.id), Entry) is not item.decoy for item in asked)
