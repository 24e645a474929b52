"""Banks of hardly more than one wording an entry: what their words weigh, and what tells neighbours apart."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.bench import questions_only
from bot.decide import rank
from bot.desk import Desk
from bot.knowledge.book import Book
from bot.knowledge.schema import Faq
from bot.match import closeness, tokens
from bot.match.evidence import evidence, lean_evidence
from bot.match.index import distinct
from bot.match.matcher import Asked, Matcher
from bot.match.postings import Background, Forward, Vocabulary, Weighed
from bot.understand.query import understand

QUESTIONS = (
    *("羽毛球拍怎么穿线", "羽毛球拍多少钱", "羽毛球拍哪里买", "羽毛球拍的线断了为什么", "羽毛球怎么选"),
    *("羽毛球鞋怎么选", "羽毛球鞋要多少钱", "羽毛球馆在哪里", "羽毛球馆几点开门", "羽毛球馆怎么预约"),
    *("乒乓球拍怎么选", "乒乓球台多少钱", "网球怎么发球", "网球场在哪里", "打羽毛球膝盖疼怎么办"),
)


@pytest.fixture(scope="module")
def desk(book: Book) -> Desk:
    faqs = {f"q-{at}": Faq(id=f"q-{at}", question=text, answer="见说明。") for at, text in enumerate(QUESTIONS)}
    return Desk(replace(book, entries={}, golden=(), outside=(), faqs=faqs))


def test_what_a_question_and_answer_says_is_both(desk: Desk) -> None:
    assert desk.body_text("q-0") == f"{QUESTIONS[0]} 见说明。"


def first(desk: Desk, question: str) -> tuple[str, float]:
    ranked = rank(understand(question, desk.lexicon), desk)
    return desk.book.faqs[ranked.own[0].id].question, ranked.confidence


def test_only_a_lean_bank_has_a_background_and_its_own_calibration(desk: Desk, book: Book) -> None:
    assert desk.matcher.lean
    assert desk.matcher.bank.background
    assert desk.calibration.evidence is lean_evidence
    full = Desk(replace(book, faqs={}))
    assert not full.matcher.lean
    assert not full.matcher.bank.background
    assert full.calibration.evidence is evidence
    assert not any(any(item.features[-6:]) for item in full.match(understand("加装电梯补多少钱", full.lexicon)))


def test_what_every_question_says_weighs_less_than_what_the_bank_is_about(desk: Desk) -> None:
    how = desk.lexicon.core("怎么")
    bare = Matcher(replace(desk.matcher.bank, background=()))
    blended, alone = (
        [matcher.index.weigh(char).mass for char in (how, "羽", "毛")] for matcher in (desk.matcher, bare)
    )
    assert blended[0] < min(blended[1:])
    assert alone[0] > max(alone[1:])


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("羽毛球馆啥地方有", "羽毛球馆在哪里"),
        ("球鞋选哪个好，打羽毛球的", "羽毛球鞋怎么选"),
        ("想问下乒乓球拍该如何挑选", "乒乓球拍怎么选"),
        ("网球咋发球", "网球怎么发球"),
    ],
)
def test_other_words_reach_the_entry(desk: Desk, question: str, expected: str) -> None:
    assert first(desk, question)[0] == expected


def test_a_neighbour_that_lacks_the_word_that_matters_is_less_sure(desk: Desk) -> None:
    assert first(desk, "羽毛球馆怎样预约")[1] > first(desk, "羽毛球馆怎样转让")[1]


def close(query: str, wordings: list[str], weights: dict[str, float], unknown: float) -> NDArray[np.floating[Any]]:
    """Compare texts whose characters weigh what `weights` says, in a bank of the wordings alone."""
    token, text = distinct(*tokens.explode("\n".join(wordings)), len(wordings))
    vocabulary = Vocabulary(token, len(wordings))
    vocabulary.unknown = unknown
    vocabulary.weights = np.array([weights.get(chr(code), 9.0) for code in vocabulary.tokens % tokens.PAIR])
    known = Forward(vocabulary, token, text, len(wordings)).several(np.arange(len(wordings)))
    weighed = Weighed(tokens.of(query), vocabulary)
    return closeness.closeness(query, wordings, weighed, known.beside(weighed, vocabulary), vocabulary).T


def test_closeness_by_hand() -> None:
    weights = {"甲": 3.0, "乙": 2.0, "丁": 1.0, "戊": 4.0, "己": 2.5}
    first, second, third = close("甲乙 丙", ["甲丁戊", "乙 甲甲", "己"], weights, 4.0)
    assert first == pytest.approx([2 * 3 / (9 + 8), 3 / 9, 3 / 8, 2 / 4, 1 / 4, 1 / 4])
    assert second == pytest.approx([2 * 5 / (9 + 5), 5 / 9, 1, 0, 0, 0])
    assert third == pytest.approx([0, 0, 0, 3 / 4, 0, 0])


def test_questions_without_answers_are_found_as_well(desk: Desk) -> None:
    bank, _ = questions_only(desk.book, QUESTIONS)
    matcher = Matcher(bank)
    for text, expected in (("羽毛球馆啥地方有", "羽毛球馆在哪里"), ("网球咋发球", "网球怎么发球")):
        query = understand(text, desk.lexicon)
        asked = Asked(query.text, query.core, query.syllables)
        first = matcher.rank(asked)[0]
        assert QUESTIONS[int(first.id)] == expected
        (alone,) = matcher.judge(asked, [first.place])
        assert (alone.id, alone.blend) == (first.id, pytest.approx(first.blend, abs=1e-4))


def test_a_bank_of_marks_alone_knows_nothing(desk: Desk) -> None:
    marks = Faq(id="marks", question="？？", answer="。")
    mute = Desk(replace(desk.book, faqs={"marks": marks}, talk=(), outside=(), facets=()))
    query = understand("羽毛球馆在哪里", mute.lexicon)
    assert mute.match(query) == []
    (judged,) = mute.matcher.judge(mute._asked(query), [0])
    assert (judged.held, judged.feature("told")) == (0.0, 0.0)


@pytest.mark.parametrize(("query", "wording"), [("", ""), ("", "甲"), ("甲", ""), (" ", "甲乙"), ("甲乙", "甲乙")])
def test_closeness_lies_between_0_and_1(query: str, wording: str) -> None:
    (found,) = close(query, [wording], {"甲": 0.5, "乙": 0.25}, 1.0)
    assert len(found) == len(closeness.NAMES)
    assert all(0.0 <= value <= 1.0 for value in found)
    assert bool(found[0] == 1.0) is (query == wording != "")


def test_tokens_of_the_background_belong_to_the_vocabulary() -> None:
    bank, phrases = np.array([1, 1, 2, 3]), np.array([2, 2, 2, 4])
    found = Vocabulary(bank, 2, Background(phrases, 3))
    assert found.tokens.tolist() == [1, 2, 3, 4]
    weights = dict(zip(found.tokens.tolist(), found.weights.tolist(), strict=True))
    assert weights[2] < weights[4] < found.unknown + 1e-6
    assert weights[2] < weights[1] < weights[3] == pytest.approx(found.unknown)
    plain = Vocabulary(bank, 2)
    assert plain.weights[1] == plain.weights[2]
