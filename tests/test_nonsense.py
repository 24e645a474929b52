"""A bank without a list of topics outside tells what it does not know by questions about nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.answer import answer
from bot.desk import Desk
from bot.knowledge.book import Book
from bot.match.nonsense import nonsense
from bot.model import Status
from tests.conftest import TODAY

TEXTS = ("加装电梯怎么申请", "老年食堂几点开门", "微法院是什么")


@pytest.fixture(scope="module")
def unlisted(book: Book) -> Desk:
    return Desk(replace(book, outside=()))


def answered(desk: Desk, question: str) -> str | None:
    reply = answer(question, desk, (), TODAY)
    return reply.ids[0] if reply.status in {Status.ANSWER, Status.LIST} else None


def test_nonsense_is_made_of_snatches_of_the_texts() -> None:
    made = nonsense(TEXTS, 50)
    assert len(made) == 50
    assert len(set(made)) > 40
    assert {char for text in made for char in text} <= set("".join(TEXTS))
    assert not set(made) & set(TEXTS)


def test_nonsense_hangs_on_no_order_and_needs_chinese_texts() -> None:
    assert nonsense(TEXTS, 20) == nonsense((*reversed(TEXTS), TEXTS[0], "what is it"), 20)
    assert nonsense(("what is it",), 20) == []


def test_topics_that_no_list_names_are_refused(unlisted: Desk, book: Book) -> None:
    words = sorted({word for topic in book.outside for word in topic.words if len(word) >= 4})[::4]
    assert len(words) > 100
    false = sum(answered(unlisted, word) is not None for word in words)
    assert false / len(words) < 0.15


def test_what_the_bank_knows_is_answered_without_a_list(unlisted: Desk, book: Book) -> None:
    asked = [(question, entry.id) for entry in book.entries.values() for question in entry.tests][::8]
    assert len(asked) > 100
    right = sum(answered(unlisted, question) == identifier for question, identifier in asked)
    assert right / len(asked) > 0.9
