"""Which entries may be answered today, and what is said in the place of those that may not."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from bot.knowledge.book import Book
from bot.knowledge.schema import Faq
from bot.model import Decision, Status
from bot.standing import find, is_open, settled, target
from tests.conftest import TODAY

COURT, LIFTS, CARS = "nb-mobile-micro-court", "nb-old-estate-lifts", "zh-zombie-cars"
ANSWER, CHOICES, LIST, NONE = Status.ANSWER, Status.CHOICES, Status.LIST, Status.NONE


def bent(book: Book, **changed: dict[str, object]) -> Book:
    """The book with some fields of some entries changed; `court={...}` for COURT and so on."""
    ids = {"court": COURT, "lifts": LIFTS, "cars": CARS}
    entries = {ids[name]: book.entries[ids[name]].model_copy(update=fields) for name, fields in changed.items()}
    return replace(book, entries=book.entries | entries)


@pytest.mark.parametrize(
    "decision",
    [
        Decision(ANSWER, (COURT,), 0.7, "r"),
        Decision(CHOICES, (COURT, LIFTS), 0.7, "r"),
        Decision(LIST, (COURT, LIFTS), 0.7, "r", note="city"),
        Decision(NONE, score=0.3, reason="r", near=(COURT,), note="neighbour"),
        Decision(NONE, score=0.3, reason="r", note="outside"),
    ],
)
def test_what_is_open_stays_as_it_was_decided(book: Book, decision: Decision) -> None:
    assert settled(decision, book, TODAY) is decision
    assert settled(decision, book, TODAY, {CARS}) is decision


def test_a_paused_entry_is_named_and_not_answered(book: Book) -> None:
    found = settled(Decision(ANSWER, (COURT,), 0.7), book, TODAY, {COURT})
    assert (found.status, found.ids, found.near, found.note, found.score) == (NONE, (), (COURT,), "paused", 0.7)
    assert found.reason == "这一条暂停回答"


@pytest.mark.parametrize(
    "fields", [{"disabled": True}, {"valid_until": "2026-11-19"}, {"valid_from": "2026-11-21"}], ids=str
)
def test_a_closed_entry_is_named_and_not_answered(book: Book, fields: dict[str, object]) -> None:
    found = settled(Decision(ANSWER, (COURT,), 0.7), bent(book, court=fields), TODAY)
    assert (found.status, found.ids, found.near, found.note, found.score) == (NONE, (), (COURT,), "closed", 0.7)
    assert found.reason == "这一条停用了或不在有效期"


def test_of_several_the_first_is_named_when_none_is_open(book: Book) -> None:
    closed = bent(book, court={"disabled": True}, lifts={"disabled": True})
    for ids, note in (((COURT, LIFTS), "closed"), ((LIFTS, COURT), "paused")):
        found = settled(Decision(CHOICES, ids, 0.7), closed, TODAY, {LIFTS})
        assert (found.status, found.near, found.note) == (NONE, ids[:1], note)


def test_choices_of_which_one_is_left_become_its_answer(book: Book) -> None:
    some = Decision(CHOICES, (COURT, LIFTS, CARS), 0.7, "r")
    assert settled(some, book, TODAY, {LIFTS}) == replace(some, ids=(COURT, CARS))
    assert settled(some, book, TODAY, {COURT, LIFTS}) == replace(some, status=ANSWER, ids=(CARS,))
    listed = replace(some, status=LIST)
    assert settled(listed, book, TODAY, {COURT, LIFTS}) == replace(listed, ids=(CARS,))


def test_two_that_are_sent_on_to_the_same_are_one(book: Book) -> None:
    merged = bent(book, court={"redirect": LIFTS})
    assert settled(Decision(CHOICES, (COURT, LIFTS), 0.7), merged, TODAY).ids == (LIFTS,)
    assert settled(Decision(ANSWER, (COURT,), 0.7), merged, TODAY).ids == (LIFTS,)
    assert settled(Decision(ANSWER, (COURT,), 0.7), merged, TODAY, {LIFTS}).near == (LIFTS,)
    assert settled(Decision(ANSWER, (COURT,), 0.7), merged, TODAY, {COURT}).status is ANSWER


def test_what_is_only_near_is_left_out_when_it_is_closed(book: Book) -> None:
    near = Decision(NONE, score=0.3, reason="r", near=(COURT, LIFTS))
    assert settled(near, book, TODAY, {COURT}) == replace(near, near=(LIFTS,))
    neighbour = replace(near, near=(CARS,), note="neighbour")
    assert settled(neighbour, book, TODAY, {CARS}) == replace(near, near=())
    kept = replace(neighbour, near=(CARS, COURT))
    assert settled(kept, book, TODAY, {COURT}) == neighbour


def test_what_was_offered_and_is_no_more_is_said_to_be_gone(book: Book) -> None:
    for ids in (("was-here",), ("was-here", COURT)):
        found = settled(Decision(ANSWER, ids, 1.0), book, TODAY)
        assert (found.status, found.ids, found.score, found.note) == (NONE, (), 0.0, "gone")
        assert found.reason == "点选的条目已经没有了"
    assert settled(Decision(CHOICES, (COURT, "was-here"), 0.7), book, TODAY).ids == (COURT,)


def test_redirects_are_followed_as_far_as_they_lead(book: Book) -> None:
    chain = bent(book, court={"redirect": LIFTS}, lifts={"redirect": CARS})
    assert [target(name, chain) for name in (COURT, LIFTS, CARS, "no-such")] == [CARS, CARS, CARS, "no-such"]
    assert target(COURT, bent(book, court={"redirect": "no-such"})) == COURT
    circle = bent(book, court={"redirect": LIFTS}, lifts={"redirect": COURT})
    assert [target(name, circle) for name in (COURT, LIFTS)] == [COURT, LIFTS]


def test_both_days_count(book: Book) -> None:
    dated = bent(book, court={"valid_from": "2026-11-20", "valid_until": "2026-11-21"})
    days = [dt.date(2026, 11, day) for day in (19, 20, 21, 22)]
    assert [is_open(COURT, dated, day) for day in days] == [False, True, True, False]
    assert is_open(COURT, book, TODAY)
    assert not is_open(COURT, book, TODAY, {COURT})
    assert not is_open("no-such", book, TODAY)
    assert find("no-such", book) is None
    card = Faq(id="card", question="借书证怎么办", answer="带身份证来。")
    assert find("card", replace(book, faqs={"card": card})) is card
