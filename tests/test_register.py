"""Entries by what they stand under: the same as looking through all of them."""

from __future__ import annotations

import numpy as np
import pytest

from bot.desk import Desk
from bot.register import Register


def ids(desk: Desk, kind: str, *values: object) -> set[str]:
    register = desk.register
    return {register.ids[at] for at in np.flatnonzero(register.under(kind, values)).tolist()}


def test_entries_stand_under_what_they_say(desk: Desk) -> None:
    entries = desk.book.entries.values()
    told = {entry.id: [about for fact in entry.facts for about in fact.about] for entry in entries}
    years = {entry.id: [fact.as_of[:4] for fact in entry.facts] for entry in entries}
    assert ids(desk, "region", "江北区") == {entry.id for entry in entries if entry.region == "江北区"} != set()
    assert ids(desk, "theme", "住房", "交通") == {entry.id for entry in entries if entry.theme in {"住房", "交通"}}
    assert ids(desk, "audience", "企业") == {entry.id for entry in entries if "企业" in entry.audience} != set()
    assert ids(desk, "about", "荣誉") == {name for name, about in told.items() if "荣誉" in about} != set()
    assert ids(desk, "year", 2018) == {name for name, of in years.items() if "2018" in of} != set()
    assert desk.register.years == sorted({year for of in years.values() for year in of})


@pytest.mark.parametrize("values", [(), ("没有的",)])
def test_nothing_stands_under_no_heading(desk: Desk, values: tuple[str, ...]) -> None:
    assert ids(desk, "theme", *values) == set()


def test_links_lead_both_ways(desk: Desk) -> None:
    entries = desk.book.entries
    assert any(entry.related for entry in entries.values())
    for entry in entries.values():
        naming = [other.id for other in entries.values() if entry.id in other.related]
        assert desk.register.linked(entry) == list(dict.fromkeys((*entry.related, *naming)))


def test_the_best_come_first_then_those_of_home_then_by_id(desk: Desk) -> None:
    register = desk.register
    scores = np.arange(len(register.ids)) % 3 / 2.0
    found = register.best_first(scores, "江北区").tolist()
    home = {entry.id for entry in desk.book.entries.values() if entry.region == "江北区"}
    assert {scores[at] for at in found} == {0.5, 1.0}
    order = [(-scores[at], register.ids[at] not in home, register.ids[at]) for at in found]
    assert order == sorted(order)


def test_a_book_without_entries() -> None:
    empty = Register(())
    assert empty.best_first(np.zeros(0), "").tolist() == []
    assert empty.years == []
