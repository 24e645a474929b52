"""Scores → what to reply with: every line that is drawn, from both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.decide import (
    CHOICES_SHARE,
    CLEAR_AT,
    NEAR_SHARE,
    STRANGE_AT,
    SURE_AT,
    Ranked,
    ambiguous,
    by_heart,
    contradicts,
    decide,
    hits,
    rank,
)
from bot.desk import Desk
from bot.match.build import TALK
from bot.match.features import INDEX
from bot.match.matcher import Candidate
from bot.match.polarity import negated
from bot.model import Decision, Query, Status
from bot.understand.query import understand

ANSWER, CHOICES, NONE, SMALLTALK = Status.ANSWER, Status.CHOICES, Status.NONE, Status.SMALLTALK
QUESTION = "轮椅上不去怎么弄"
OWN = (
    "nb-old-estate-lifts",
    "nb-makeshift-hospital",
    "nb-mobile-micro-court",
    "nb-sti-2025",
    "nb-land-secondary-market",
)
CARS = "zh-zombie-cars"
JUST = 1e-6


@pytest.fixture
def query(desk: Desk) -> Query:
    return understand(QUESTION, desk.lexicon)


def candidate(desk: Desk, identifier: str, blend: float, **features: float) -> Candidate:
    place = desk.matcher.index.place[identifier]
    values = [0.0] * len(INDEX)
    for name, value in features.items():
        values[INDEX[name]] = value
    wording = int(desk.matcher.index.starts[place])
    return Candidate(place, identifier, blend, tuple(values), wording, decoy=identifier.startswith(TALK))


def ranked(desk: Desk, *blends: float, sure: float = 0.9, foreign: float | None = None, abroad: float = 0.0) -> Ranked:
    """Candidates of the city with these blends, and CARS of another district; the confidence in each."""
    own = tuple(candidate(desk, identifier, blend) for identifier, blend in zip(OWN, blends, strict=False))
    there = () if foreign is None else (candidate(desk, CARS, foreign),)
    return Ranked(own, there, sure, abroad)


def test_a_question_that_is_sure_enough_is_answered(desk: Desk, query: Query) -> None:
    at = desk.calibration.answer_at
    found = decide(query, ranked(desk, 5.0, 1.0, sure=at), desk)
    assert found == Decision(ANSWER, OWN[:1], at, "得分够高")
    near = decide(query, ranked(desk, 5.0, 1.0, sure=at - JUST), desk)
    assert near == Decision(NONE, score=at - JUST, reason="得分不够", near=OWN[:1])


def test_what_is_less_sure_is_offered_when_several_are_near(desk: Desk, query: Query) -> None:
    at = desk.calibration.answer_at
    offered = decide(query, ranked(desk, 5.0, 4.01, 4.0, sure=CHOICES_SHARE * at), desk)
    assert offered == Decision(CHOICES, OWN[:2], CHOICES_SHARE * at, "有点像，请市民自己挑")
    assert decide(query, ranked(desk, 5.0, 4.0, sure=at - JUST), desk).status is NONE
    assert decide(query, ranked(desk, *[5.0] * 5, sure=CHOICES_SHARE * at), desk).ids == OWN[:4]
    below = decide(query, ranked(desk, *[5.0] * 5, sure=CHOICES_SHARE * at - JUST), desk)
    assert (below.status, below.near) == (NONE, OWN[:3])
    named = decide(query, ranked(desk, 5.0, 4.5, sure=NEAR_SHARE * at), desk)
    assert (named.status, named.near) == (NONE, OWN[:2])
    assert decide(query, ranked(desk, 5.0, 4.5, sure=NEAR_SHARE * at - JUST), desk).near == ()


def test_two_that_are_as_good_as_equal_are_asked_about_unless_one_is_sure(desk: Desk, query: Query) -> None:
    at = desk.calibration.answer_at
    for sure in (at, SURE_AT - JUST):
        tied = decide(query, ranked(desk, 5.0, 4.76, sure=sure), desk)
        assert tied == Decision(CHOICES, OWN[:2], sure, "几条分不出高下")
        assert decide(query, ranked(desk, 5.0, 4.75, sure=sure), desk).status is ANSWER
    assert decide(query, ranked(desk, 5.0, 5.0, sure=SURE_AT), desk).status is ANSWER
    assert decide(query, ranked(desk, 5.0, sure=at), desk).status is ANSWER


def test_the_neighbours_entry_is_offered_where_ours_is_nothing_or_far_behind(desk: Desk, query: Query) -> None:
    at = desk.calibration.answer_at
    offered = decide(query, ranked(desk, 5.0, sure=at - JUST, foreign=6.0, abroad=at), desk)
    reason = "这个地区没有，别的地区有"
    assert offered == Decision(NONE, score=at - JUST, reason=reason, note="neighbour", near=(CARS,))
    for sure, abroad, offers in (
        (at - JUST, at - JUST, False),
        (at, SURE_AT, True),
        (at, SURE_AT - JUST, False),
        (SURE_AT, 0.99, False),
        (SURE_AT - JUST, 0.99, True),
    ):
        found = decide(query, ranked(desk, 5.0, sure=sure, foreign=6.0, abroad=abroad), desk)
        assert (found.note == "neighbour") is offers, (sure, abroad)
    assert decide(query, ranked(desk, sure=0.0, foreign=6.0, abroad=at), desk).note == "neighbour"
    city = replace(query, regions=(desk.lexicon.city,))
    for sure, abroad, offers in ((0.4 - JUST, SURE_AT, True), (0.4, 0.99, False), (0.4 - JUST, SURE_AT - JUST, False)):
        found = decide(city, ranked(desk, 5.0, sure=sure, foreign=6.0, abroad=abroad), desk)
        assert (found.note == "neighbour") is offers, (sure, abroad)


def test_nothing_that_is_like_it(desk: Desk, query: Query) -> None:
    assert decide(query, ranked(desk, sure=0.0), desk) == Decision(NONE, reason="没有相近的条目")


@pytest.mark.parametrize(
    ("text", "status", "reason", "score", "note"),
    [
        ("微法院", ANSWER, "和库里的问法一字不差", 1.0, ""),
        ("风领红帮", ANSWER, "读音和库里的问法一样", 0.95, ""),
        ("方舱", CHOICES, "几条都用这个叫法", 1.0, ""),
        ("食堂", CHOICES, "说法太短，几条都对得上", None, ""),
        ("你好", SMALLTALK, "寒暄", 1.0, ""),
        ("", NONE, "没有文字", 0.0, "empty"),
        ("？！", NONE, "没有文字", 0.0, "empty"),
        ("那个呢", NONE, "没说是哪件事", 0.0, "which"),
        ("绍兴", NONE, "问的是绍兴", None, "elsewhere"),
        ("索非亚", ANSWER, "得分够高", None, ""),
        ("杭州的微法院在哪", NONE, "问的是杭州", None, "elsewhere"),
        ("公积金怎么提取", NONE, "资料以外的话题：住房公积金", None, "outside"),
    ],
)
def test_each_decision_says_why(
    desk: Desk, text: str, status: Status, reason: str, score: float | None, note: str
) -> None:
    asked = understand(text, desk.lexicon)
    found = decide(asked, rank(asked, desk), desk)
    assert (found.status, found.reason, found.note) == (status, reason, note)
    assert score is None or found.score == score
    assert bool(found.ids) is (status in {ANSWER, CHOICES})


def test_a_topic_outside_is_outweighed_by_what_is_clear(desk: Desk, query: Query) -> None:
    def found(sure: float, name: str = "", text: str = QUESTION, word: str = "电梯", **known: object) -> Decision:
        asked = replace(query, outside="公积金", outside_words=(word,), text=text, **known)  # type: ignore[arg-type]
        given = ranked(desk, 5.0, sure=sure)
        return decide(asked, replace(given, own=(given.own[0]._replace(name=name),)), desk)

    refused = Decision(NONE, score=SURE_AT - JUST, reason="资料以外的话题：公积金", note="outside")
    assert found(SURE_AT - JUST) == refused
    assert found(SURE_AT).status is ANSWER
    assert found(STRANGE_AT - JUST, word="公积金").note == "outside"
    assert found(STRANGE_AT, word="公积金").status is ANSWER
    assert found(0.5, name="电梯").note == "outside"
    assert found(0.5, name="装电梯", word="公积金").status is ANSWER
    assert found(0.5, text="轮" * 24).note == "outside"
    assert found(0.5, text="轮" * 25, word="公积金").status is ANSWER
    for sure in (0.5, 0.99):
        assert found(sure, name="装电梯", text="轮" * 25, refuse=True).note == "outside"
    nothing = decide(replace(query, outside="公积金"), ranked(desk, sure=0.0), desk)
    assert nothing.note == "outside"


def test_another_city_is_refused_unless_the_entry_tells_of_it_and_of_the_rest(desk: Desk) -> None:
    place, told = next(
        (item.name, identifier)
        for item in desk.book.elsewhere
        for identifier in desk.book.entries
        if len(item.name) > 1
        and item.name in desk.body_text(identifier)
        and not desk.name_contains(identifier, item.name)
    )
    for identifier, refused in ((told, False), (CARS, True)):
        given = Ranked((candidate(desk, identifier, 5.0),), (), 0.9, 0.0)
        name, bare, other = (
            replace(understand(f"{place}的{word}", desk.lexicon), elsewhere=place)
            for word in (desk.label(identifier), "厂", "猫头鹰")
        )
        found = decide(name, given, desk)
        assert (found.note == "elsewhere") is refused
        assert found.score == 0.9
        assert decide(bare, given, desk).note == decide(other, given, desk).note == "elsewhere"
        assert decide(replace(bare, regions=(desk.lexicon.city,)), given, desk).status is ANSWER
        assert decide(name, replace(given, own=()), desk).note == "elsewhere"


def test_small_talk_in_other_words_when_nothing_is_near(desk: Desk) -> None:
    asked = understand("侬做人蛮好额真个", desk.lexicon)
    decoy = candidate(
        desk, next(item.id for item in desk.matcher.bank.items if item.id.startswith(TALK)), 5.0, told=0.5
    )
    limit = NEAR_SHARE * desk.calibration.answer_at

    def found(sure: float, decoy: Candidate, query: Query = asked) -> Decision:
        return decide(query, Ranked((candidate(desk, OWN[0], 1.0),), (), sure, 0.0, decoy), desk)

    assert found(limit - JUST, decoy) == Decision(SMALLTALK, score=1.0, reason="寒暄", talk=decoy.id.removeprefix(TALK))
    assert found(limit, decoy).status is NONE
    assert found(limit - JUST, candidate(desk, decoy.id, 5.0, told=0.44)).status is NONE
    assert found(limit - JUST, candidate(desk, OWN[1], 5.0, told=0.9)).status is NONE
    assert found(limit - JUST, decoy, replace(asked, regions=("镇海区",))).status is NONE


def test_small_talk_beside_something_else(desk: Desk) -> None:
    asked = understand("哎哟喂啊,你好呀", desk.lexicon)
    assert decide(asked, ranked(desk, 1.0, sure=0.0), desk).status is SMALLTALK
    assert decide(asked, ranked(desk, 1.0, sure=0.9), desk).status is ANSWER


def test_the_opposite_is_not_answered(desk: Desk) -> None:
    asked = understand("电梯拆掉找谁批", desk.lexicon)
    given = ranked(desk, 5.0, sure=0.9)
    assert contradicts(asked, given.own[0], desk)
    assert decide(asked, given, desk) == Decision(NONE, score=0.05, reason="意思正好相反", near=OWN[:1])
    assert decide(asked, replace(given, confidence=0.01), desk).score == 0.01
    named = given.own[0]._replace(name="装电梯")
    assert not contradicts(asked, named, desk)
    assert contradicts(asked, named._replace(name="电梯"), desk)


def test_in_a_lean_bank_what_is_forbidden_is_no_answer_to_what_is_allowed(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    wordings = desk.matcher.index.wordings
    at = next(number for number, wording in enumerate(wordings) if negated("禁止", wording.text))
    asked = understand("禁止", desk.lexicon)
    first = candidate(desk, CARS, 5.0)._replace(wording=at)
    assert not contradicts(asked, first, desk)
    monkeypatch.setattr(desk.matcher, "lean", True)
    assert contradicts(asked, first, desk)
    assert not contradicts(understand("可以", desk.lexicon), first, desk)


def test_a_word_or_two_that_several_names_hold_ask_back(desk: Desk) -> None:
    asked = understand("食堂", desk.lexicon)
    canteens = [candidate(desk, name, 5.0) for name in ("zh-love-wheel-canteen", "zh-elderly-meals")]
    other = candidate(desk, OWN[0], 6.0)
    ids = tuple(item.id for item in canteens)
    assert ambiguous(asked, canteens, desk) == ids
    assert ambiguous(asked, canteens[:1], desk) == ()
    assert ambiguous(asked, [other, *canteens], desk) == ids
    assert ambiguous(asked, [other._replace(name="电梯"), *canteens], desk) == ()
    assert ambiguous(asked, [other._replace(name="梯"), *canteens], desk) == ids
    assert ambiguous(asked, [canteens[0]._replace(name="食堂"), canteens[1]], desk) == ids
    assert ambiguous(asked, [*[other] * 9, *canteens], desk) == ()
    assert ambiguous(understand("多少钱", desk.lexicon), canteens, desk) == ()
    clear = Ranked((other, *canteens), (), CLEAR_AT, 0.0)
    assert decide(asked, clear, desk).status is ANSWER
    reason = "说法太短，几条都对得上"
    assert decide(asked, replace(clear, confidence=0.5), desk) == Decision(CHOICES, ids, 0.5, reason)
    assert decide(asked, replace(clear, confidence=CLEAR_AT - JUST), desk).ids == ids
    assert decide(asked, replace(clear, own=tuple(canteens)), desk).ids == ids
    ahead = (canteens[0]._replace(blend=6.0), canteens[1])
    assert decide(asked, replace(clear, own=ahead), desk).ids == ids[:1]
    assert decide(asked, replace(clear, own=(ahead[0]._replace(blend=5.99), ahead[1])), desk).ids == ids
    assert decide(asked, replace(clear, own=ahead, confidence=CLEAR_AT - JUST), desk).ids == ids


def test_the_home_region_comes_first_among_equals_only(desk: Desk) -> None:
    asked = replace(understand("食堂", desk.lexicon), home="镇海区")
    there, plain = rank(asked, desk), rank(replace(asked, home=""), desk)
    assert desk.region_of(there.own[0].id) == "镇海区"
    assert there.confidence == plain.confidence
    assert {item.id for item in there.own} == {item.id for item in plain.own}
    placed = replace(asked, regions=("江北区",))
    assert rank(placed, desk).own == rank(replace(placed, home=""), desk).own


def test_the_home_region_leads_among_equals_and_no_further(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = understand("轮椅上不去", desk.lexicon)
    for behind, leads in ((0.2, CARS), (0.3, OWN[0])):
        found = [candidate(desk, OWN[0], 5.0), candidate(desk, CARS, 5.0 - behind)]
        monkeypatch.setattr(desk, "match", lambda query, found=found: found)
        assert rank(replace(asked, home="镇海区"), desk).own[0].id == leads
        assert rank(asked, desk).own[0].id == OWN[0]


def test_of_what_several_districts_call_alike_the_home_regions_comes_first(desk: Desk) -> None:
    asked = understand("村里的账不公开", desk.lexicon)
    for home, first in (("鄞州区", "yz-nine-checks-two-lists"), ("宁海县", "nh-36-village-powers")):
        found = by_heart(replace(asked, home=home), desk)
        assert found is not None
        assert (found.status, found.ids[0], len(found.ids)) == (CHOICES, first, 2)


def test_by_heart_the_place_that_is_named_decides(desk: Desk) -> None:
    lifts = understand("老旧小区加装电梯", desk.lexicon)
    assert by_heart(lifts, desk) == Decision(ANSWER, OWN[:1], 1.0, "和库里的问法一字不差")
    cars = understand("僵尸车", desk.lexicon)
    assert by_heart(cars, desk) == Decision(ANSWER, (CARS,), 1.0, "和库里的问法一字不差")
    assert by_heart(replace(cars, regions=("余姚市",)), desk) is None
    assert by_heart(replace(cars, regions=("镇海区",)), desk) is not None
    several = by_heart(understand("方舱", desk.lexicon), desk)
    assert several is not None
    assert (several.status, several.score, len(several.ids)) == (CHOICES, 1.0, 2)


def test_a_word_or_two_of_english_prove_nothing(desk: Desk) -> None:
    asked = understand("how to install a lift in an old building", desk.lexicon)
    sure = rank(asked, desk)
    assert sure.confidence > 0.05
    lone = rank(understand("wooden lift chair", desk.lexicon), desk)
    assert lone.confidence <= 0.05
    assert lone.foreign_confidence <= 0.05


def test_candidates_are_shown_best_first_and_ours_before_the_neighbours(desk: Desk) -> None:
    assert hits(ranked(desk, sure=0.0), desk) == ()
    shown = hits(ranked(desk, 5.0, 4.0, foreign=6.0), desk)
    assert [hit.id for hit in shown] == [*OWN[:2], CARS]
    assert [hit.raw for hit in shown] == [5.0, 4.0, 6.0]
    assert [hit.id for hit in hits(ranked(desk, sure=0.0, foreign=6.0), desk)] == [CARS]
    many = Ranked(tuple(candidate(desk, name, 5.0) for name in list(desk.book.entries)[:14]), (), 0.9, 0.0)
    assert [hit.id for hit in hits(many, desk)] == sorted(item.id for item in many.own)[:10]
