"""Tokens, inverted lists and the index of a small bank, beside the same worked out with sets and dictionaries."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest

from bot.match import tokens
from bot.match.bank import Bank, Item, Wording
from bot.match.index import Index, saturate, worth
from bot.match.postings import BACKGROUND_SHARE, PAIR_WEIGHT, Forward, Postings, Vocabulary, Weighed, numbered, spans
from bot.match.tokens import PAIR, SHIFT, Alphabet

SOUNDS = ("jia", "yi", "bing", "ding")


def pair(left: str, right: str) -> int:
    return ord(left) << SHIFT | ord(right)


# Tokens -------------------------------------------------------------------------------------------------------------


def test_tokens_are_items_and_pairs_that_no_space_parts() -> None:
    assert tokens.of("甲乙 丙甲") == {ord("甲"), ord("乙"), ord("丙"), pair("甲", "乙"), pair("丙", "甲")}
    assert tokens.of(" ") == set()
    assert tokens.explode("\ud800甲")[0].tolist()[1] == ord("甲"), "half a character is some character"


def test_lines_are_exploded_as_each_alone() -> None:
    lines = ["甲乙 丙甲", "", "丁", " 乙乙 "]
    token, line = tokens.explode("\n".join(lines))
    found: dict[int, set[int]] = {at: set() for at in range(len(lines))}
    for one, at in zip(token.tolist(), line.tolist(), strict=True):
        found[at].add(one)
    assert list(found.values()) == [tokens.of(text) for text in lines]
    assert Counter(token.tolist())[ord("乙")] == 3, "with repeats"


def test_words_and_numbers_are_one_item_each_and_stop_words_none() -> None:
    alphabet = Alphabet()
    first = alphabet.learn(["court 3.5", "甲courts乙", "the"])
    assert len(set(first) - set("甲乙 \n")) == 2
    assert first.split("\n")[1] == f"甲{first[0]}乙"
    assert first.endswith("\n")
    assert alphabet.spell("3.5 court") == f"{first[2]} {first[0]}"
    unheard = alphabet.spell("zebra")
    assert unheard == alphabet.spell("17") == alphabet.spell_sounds(["wu"])
    assert unheard not in first


def test_a_long_word_that_is_one_slip_off_is_the_known_one() -> None:
    alphabet = Alphabet()
    known = alphabet.learn(["abandoned neighbourhood permit short centre"])
    assert alphabet.spell("abandonned neighborhood") == " ".join(known.split()[:2])
    assert alphabet.spell("abamdoned permut") == f"{known.split()[0]} {known.split()[2]}"
    assert alphabet.spell("center") == known.split()[-1]
    strange = alphabet.spell("zzzzz")
    assert alphabet.spell("abamdonned") == strange, "two slips"
    assert alphabet.spell("shart") == strange, "too short for a slip"
    assert alphabet.spell("bbandoned") == strange, "slips do not change the first letter"


def test_syllables_are_learnt_line_by_line() -> None:
    alphabet = Alphabet()
    lines = alphabet.learn_sounds([("jia", "yi"), ("yi", "bing"), ("jia",)]).split("\n")
    assert [len(line) for line in lines] == [2, 2, 1]
    assert lines[0] == lines[2] + lines[1][0]
    assert alphabet.spell_sounds(("yi", "jia")) == lines[1][0] + lines[2]


def test_when_all_characters_are_taken_the_rest_share_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_FIRST", tokens._LAST - 2)
    found = Alphabet().learn(["one1 two2 three3"]).replace(" ", "")
    assert len(found) == 6
    assert len(set(found[:2])) == 2
    assert set(found[2:]) == {chr(tokens._LAST)}


# Inverted lists -----------------------------------------------------------------------------------------------------


def test_the_numbers_of_runs() -> None:
    assert spans(np.array([3, 0, 7]), np.array([5, 0, 8])).tolist() == [3, 4, 7]
    assert spans(np.array([], dtype=int), np.array([], dtype=int)).tolist() == []
    assert numbered(np.array([2, 0, 1])).tolist() == [0, 0, 2]


def test_weights_by_hand() -> None:
    single, other, both = ord("甲"), ord("乙"), pair("甲", "乙")
    vocabulary = Vocabulary(np.array([other, single, single, both]), 2)
    rare, common = math.log(3 / 0.7), math.log(3 / 1.7)
    expected = {other: rare, single: common, both: rare * PAIR_WEIGHT}
    assert vocabulary.tokens.tolist() == sorted(expected)
    assert vocabulary.weights.tolist() == pytest.approx([expected[token] for token in sorted(expected)])
    assert (vocabulary.singles, vocabulary.unknown) == (2, pytest.approx(rare))
    query = Weighed({single, both, ord("丙"), pair("丙", "丁"), pair("丁", "丙")}, vocabulary)
    assert vocabulary.tokens[query.places].tolist() == [single, both]
    assert (query.singles, query.strange_singles) == (1, 1)
    assert query.heaviest_stranger == pytest.approx(rare)
    assert query.mass == pytest.approx(common + rare * PAIR_WEIGHT + rare * (1 + 2 * PAIR_WEIGHT))
    assert Weighed({single, pair("丙", "丁")}, vocabulary).heaviest_stranger == pytest.approx(rare * PAIR_WEIGHT)
    assert Weighed({single}, vocabulary).heaviest_stranger == 0.0
    assert Weighed((), vocabulary).mass == pytest.approx(1e-6)
    assert query.numbers(np.array([2, 0, 1])).tolist() == [2, 0, 1]


def test_what_a_query_shares_with_units_by_hand() -> None:
    token, unit = np.array([10, 10, 20, 30]), np.array([0, 2, 2, 1])
    vocabulary = Vocabulary(token, 3)
    ten, twenty, thirty = vocabulary.weights.tolist()
    postings = Postings(vocabulary, token, unit, 4, np.array([1.0, 0.5, 0.25, 1.0]))
    assert postings.masses.tolist() == pytest.approx([ten, thirty, ten + twenty, 0.0])
    query = Weighed((10, 20, 40), vocabulary)
    assert postings.overlaps(query).tolist() == pytest.approx([ten, 0.0, ten + twenty, 0.0])
    assert postings.overlaps(query, scaled=True).tolist() == pytest.approx([ten, 0, ten / 2 + twenty / 4, 0])
    assert Postings(vocabulary, token, unit, 4).overlaps(query, scaled=True).tolist() == pytest.approx(
        [ten, 0.0, ten + twenty, 0.0]
    )
    assert postings.overlaps(Weighed((40,), vocabulary)).tolist() == [0.0] * 4
    known = Forward(vocabulary, token, unit, 4, np.array([1, 2, 4, 7]))
    assert known.marks(np.array([2, 1, 3]), np.array([0, 1, 2])).tolist() == [[2, 4, 0], [0, 0, 7], [0, 0, 0]]
    assert known.overlaps(query, np.array([2, 3, 1])).tolist() == pytest.approx([ten + twenty, 0.0, 0.0])
    few = known.several(np.array([2, 3, 1]))
    assert (few.places.tolist(), few.counts.tolist()) == ([0, 1, 2], [2, 0, 1])
    beside = few.beside(Weighed((10,), vocabulary), vocabulary)
    assert beside.numbers.tolist() == [1, 0, 0]
    assert beside.units.tolist() == [0, 0, 2]
    assert beside.extra.tolist() == pytest.approx([0.0, twenty, thirty])
    assert beside.heaviest().tolist() == pytest.approx([twenty, 0.0, thirty])
    assert Forward(vocabulary, token, unit, 4).marks(np.array([2]), np.array([1])).tolist() == [[3]]
    empty = Forward(vocabulary, token[:0], unit[:0], 2)
    assert empty.marks(np.array([0, 1]), np.array([0, 2, 1])).tolist() == [[0, 0, 0], [0, 0, 0]]


def test_an_empty_bank_knows_no_token() -> None:
    query = Weighed({ord("甲")}, Vocabulary(np.array([], dtype=np.int64), 0))
    assert (query.places.tolist(), query.strange_singles) == ([], 1)


# The index ----------------------------------------------------------------------------------------------------------


def wording(draw: random.Random, group: int) -> Wording:
    core = "".join(draw.choices("甲乙丙丁戊 ", k=draw.randint(1, 6)))
    syllables = tuple(draw.choices(SOUNDS, k=draw.randint(0, 4)))
    readings = syllables if draw.random() < 0.7 else tuple(draw.choices((*SOUNDS, "wu"), k=3))
    return Wording(core, core, syllables, "ask", group, readings)


def made(one_each: bool = False, background: bool = False) -> Bank:
    draw = random.Random(5)
    items = []
    for at in range(7):
        wordings = tuple(wording(draw, group) for group in range(1 if one_each else draw.randint(1, 4)))
        body = () if one_each else tuple("".join(draw.choices("甲乙己庚", k=4)) for _ in range(draw.randint(0, 2)))
        items.append(Item(f"q{at}", None, wordings, body))
    items[2] = items[2]._replace(names=("甲", "甲乙"), any=("丙",), none=("丁", "戊"))
    items[4] = items[4]._replace(names=("甲乙",), all=("丙",))
    phrases = tuple(wording(draw, group) for group in range(4)) if background else ()
    return Bank(tuple(items), {}, background=phrases)


def idf(holders: list[set[int]], phrases: list[set[int]], token: int) -> float:
    """The weight of a token, by the definition."""

    def alone(sets: list[set[int]]) -> float:
        return math.log((len(sets) + 1) / (max(1, sum(token in one for one in sets)) - 0.3))

    found = alone(holders)
    if phrases:
        found = (1 - BACKGROUND_SHARE) * found + BACKGROUND_SHARE * alone(phrases)
    return found * (PAIR_WEIGHT if token >= PAIR else 1.0)


@pytest.mark.parametrize("one_each", [False, True])
@pytest.mark.parametrize("background", [False, True])
def test_an_index_holds_what_its_bank_says(one_each: bool, background: bool) -> None:
    bank = made(one_each, background)
    index = Index(bank)
    cores = [[tokens.of(item.core) for item in entry.wordings] for entry in bank.items]
    bodies = [[tokens.of(core) for core in entry.body] for entry in bank.items]
    texts = [own + told for own, told in zip(cores, bodies, strict=True)]
    holders = [set().union(*sets) for sets in texts]
    phrases = [tokens.of(phrase.core) for phrase in bank.background]
    every = sorted(set().union(*holders, *phrases))
    assert index.vocabulary.tokens.tolist() == every
    weight = {token: idf(holders, phrases, token) for token in every}
    assert index.vocabulary.weights.tolist() == pytest.approx([weight[token] for token in every], rel=1e-5)
    never = [idf(holders, phrases, ord("壬")), idf(holders, phrases, ord("癸"))]
    assert [index.vocabulary.unknown] * 2 == pytest.approx(never)
    assert index.one_each is one_each
    assert [(int(a), int(b)) for a, b in zip(index.starts, index.ends, strict=True)] == [
        (sum(map(len, cores[:at])), sum(map(len, cores[: at + 1]))) for at in range(len(cores))
    ]

    query = index.weigh("甲乙丙 庚壬")
    asked = tokens.of("甲乙丙 庚壬")
    met = [token for token in every if token in asked]
    flat = [one for own in cores for one in own]
    common = index.chars.overlaps(query)
    assert common.tolist() == pytest.approx([sum(weight[t] for t in one & asked) for one in flat], rel=1e-5)
    assert index.chars.masses.tolist() == pytest.approx([sum(weight[t] for t in one) for one in flat], rel=1e-5)

    def rough(at: int) -> float:
        parts = ((token, sum(token in one for one in texts[at])) for token in holders[at] & asked)
        return sum(
            weight[t] * worth(float(any(t in one for one in cores[at])), 1.0, saturate(count)) for t, count in parts
        )

    assert index.rough(query, common).tolist() == pytest.approx([rough(at) for at in range(7)], rel=1e-5)
    if not one_each:
        marks = [[mark(texts[at], cores[at], token) for token in met] for at in range(7)]
        assert index.marks(np.arange(7), query).tolist() == marks
        assert any(mark > 3 for row in marks for mark in row)
        place = max(range(7), key=lambda at: len(cores[at]))
        left = [one for number, one in enumerate(cores[place]) if number not in (0, 2)]
        without = [mark(left + bodies[place], left, token) for token in met]
        gone = [int(index.starts[place]), int(index.starts[place]) + 2]
        assert index.marks_without(place, gone, query).tolist() == without


def test_every_share_raises_the_rough_score() -> None:
    assert worth(0, 0, 0) == 0
    for at in range(3):
        half, whole = ([share if place == at else 0.0 for place in range(3)] for share in (0.5, 1.0))
        assert worth(*whole) == pytest.approx(2 * worth(*half))
        assert worth(*half) > 0
    assert [saturate(number) for number in (0, 1.5)] == [0, 0.5]


def mark(texts: list[set[int]], wordings: list[set[int]], token: int) -> int:
    return 2 * sum(token in one for one in texts) + any(token in one for one in wordings)


@pytest.mark.parametrize("background", [False, True])
def test_sounds_are_found_by_both_readings_and_weighed_by_the_plain_one(background: bool) -> None:
    bank = made(background=background)
    index = Index(bank)

    def heard(syllables: tuple[str, ...]) -> set[int]:
        return tokens.of(index.alphabet.spell_sounds(syllables))

    every = [item for entry in bank.items for item in entry.wordings]
    both = [heard(item.syllables) | heard(item.readings) for item in every]
    assert any(item.readings != item.syllables for item in every)
    holders = [set().union(*(heard(w.syllables) | heard(w.readings) for w in entry.wordings)) for entry in bank.items]
    phrases = [heard(phrase.syllables) for phrase in bank.background]
    known = index.sound_vocabulary.tokens.tolist()
    assert known == sorted(set().union(*holders, *phrases))
    weight = {token: idf(holders, phrases, token) for token in known}
    query = index.weigh_sounds(("jia", "yi", "wu", "geng"))
    asked = heard(("jia", "yi", "wu", "geng"))
    shared = [sum(weight[token] for token in one & asked) for one in both]
    assert index.sounds.overlaps(query).tolist() == pytest.approx(shared, rel=1e-5)
    masses = [sum(weight[token] for token in heard(item.syllables)) for item in every]
    assert index.sounds.masses.tolist() == pytest.approx(masses, rel=1e-5)
    counts = index.spoken.several(np.arange(len(every))).counts
    assert counts.tolist() == [len(one) for one in both]


def test_names_and_rules_are_looked_up() -> None:
    index = Index(made())
    assert [(name, owners) for _, name, owners in index.names.find("甲乙")] == [("甲乙", [2, 4])]
    told = sorted((word, where) for _, word, found in index.rules.find("丙 丁 戊") for where in found)
    assert told == [("丁", (2, "none")), ("丙", (2, "any")), ("丙", (4, "all")), ("戊", (2, "none"))]
    assert index.demanding == [4]
    assert index.weights("丙壬") == pytest.approx(
        {ord("丙"): float(index.vocabulary.weights[index.vocabulary.find(np.array([ord("丙")]))[0]])}
    )
