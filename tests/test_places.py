"""A town or village in a question says where, and never what."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.answer import answer, settle
from bot.desk import Desk
from bot.model import Decision, Reply, Status
from bot.understand.query import understand

TODAY = dt.date(2026, 1, 2)


def asked(desk: Desk, rest: str) -> dict[str, Reply]:
    """The reply to a question, with each place of the registry before it."""
    places = [place for region in desk.book.regions.values() for place in region.places]
    assert len(places) > 20
    return {place: answer(place + rest, desk, (), TODAY) for place in places}


def test_a_measure_of_the_whole_city_is_found_from_anywhere(desk: Desk) -> None:
    for place, reply in asked(desk, "的老小区加装电梯要跑几个部门").items():
        assert reply.ids == ("nb-old-estate-lifts",), place
        region = next(region for region in desk.book.regions.values() if place in region.places)
        apart = any("没有单独写" in block.text for block in reply.blocks if block.kind == "note")
        assert apart is (region.name != "宁波市"), place


@pytest.mark.parametrize("rest", ["办护照", "公积金怎么提取", "身份证丢了怎么补"])
def test_a_topic_outside_stays_outside(desk: Desk, rest: str) -> None:
    for place, reply in asked(desk, rest).items():
        assert reply.status is Status.NONE, place


def test_a_place_does_not_lead_to_whatever_mentions_it(desk: Desk) -> None:
    names = " ".join(name for entry in desk.book.entries.values() for name in (entry.name, *entry.aliases))
    replies = {place: reply for place, reply in asked(desk, "有没有消防站").items() if place not in names}
    assert len(replies) > 10
    assert {place for place, reply in replies.items() if reply.status is not Status.NONE} == set()


def test_what_an_entry_tells_of_the_place_is_still_found(desk: Desk) -> None:
    assert answer("庄桥的先进典型是谁", desk, (), TODAY).ids == ("jb-six-contests",)
    assert answer("招宝山的食堂车什么时候来", desk, (), TODAY).ids == ("zh-love-wheel-canteen",)
    assert answer("达人村", desk, (), TODAY).ids == ("jb-daren-village",)


def test_a_place_that_leads_to_no_candidate_breaks_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "match", lambda query: [])
    query = understand("庄桥 wfy", desk.lexicon)
    found: Decision = settle(query, desk)[2]
    assert found.ids == ("nb-mobile-micro-court",)
