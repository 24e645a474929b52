"""English as people type it on a phone: inflected, spelled in two ways, misspelt, without the programme's name."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.answer import answer
from bot.desk import Desk
from bot.match.tokens import Alphabet, stem
from bot.model import Status
from bot.understand.query import understand

TODAY = dt.date(2026, 1, 2)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("running", "run"),
        ("stopped", "stops"),
        ("closing", "close"),
        ("factories", "factory"),
        ("organisation", "organizations"),
        ("modernised", "modernize"),
        ("neighbours", "neighbor"),
        ("centres", "center"),
        ("programme", "programs"),
    ],
)
def test_inflections_and_british_spellings_are_one_word(left: str, right: str) -> None:
    assert stem(left) == stem(right)


@pytest.mark.parametrize(("left", "right"), [("court", "county"), ("land", "loan"), ("market", "marker")])
def test_other_words_stay_apart(left: str, right: str) -> None:
    assert stem(left) != stem(right)


def test_a_slip_in_a_long_word_is_put_right_and_a_short_word_is_not() -> None:
    alphabet = Alphabet()
    abandoned, fair = alphabet.learn(["abandoned", "fair"]).split("\n")
    stranger = alphabet.spell("zebra")
    assert [alphabet.spell(word) for word in ("abandonned", "abandoneds", "abandon")] == [abandoned] * 3
    assert alphabet.spell("fare") == alphabet.spell("hair") == alphabet.spell("bandoned") == stranger
    assert alphabet.spell("fairs") == fair


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("abandonned cars in our parking lot", "zh-zombie-cars"),
        ("tear down unauthorised buildings", "jb-no-illegal-build"),
        ("are street hawkers fined on the spot", "jb-non-contact-enforcement"),
        ("fair for goods from hungary and poland", "nb-ceec-expo"),
        ("title for an empty farmhouse", "xs-homestead-three-rights"),
        ("courier got hurt who pays", "nb-flexible-work-insurance"),
        ("how do they innstall a lift in an old block", "nb-old-estate-lifts"),
        ("farm house deed xiangshan county", "xs-homestead-three-rights"),
    ],
)
def test_a_need_in_plain_words_is_found(desk: Desk, text: str, entry: str) -> None:
    assert answer(text, desk, [], TODAY).ids == (entry,)


def test_words_that_have_synonyms_count_as_words_told(desk: Desk) -> None:
    query = understand("cadres help firms", desk.lexicon)
    assert not query.core.isascii()
    assert desk.words_told(query, "nb-thousand-cadres-help") >= 2


@pytest.mark.parametrize(
    ("text", "region"), [("xiangshan county", "象山县"), ("in zhenhai district", "镇海区"), ("yinzhou's", "鄞州区")]
)
def test_districts_are_known_by_their_english_names(desk: Desk, text: str, region: str) -> None:
    assert understand(f"old people lunch {text}", desk.lexicon).regions == (region,)


@pytest.mark.parametrize(
    "text",
    [
        "work permit application documents",
        "where can i buy cheese and western food",
        "who is the mayor of ningbo",
        "second hand furniture market",
        "how much is the rent for a 2 bedroom apartment in yinzhou",
        "international school tuition fees",
        "pet import quarantine",
        "which hospital has english speaking doctors",
        "average salary in zhenhai",
    ],
)
def test_what_the_material_lacks_is_not_answered(desk: Desk, text: str) -> None:
    reply = answer(text, desk, [], TODAY)
    assert reply.status is Status.NONE
    assert reply.ids == ()
