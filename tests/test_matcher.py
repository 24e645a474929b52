"""The short ways of the matcher lead where the long ones do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bot.bench import made_book
from bot.desk import Desk
from bot.knowledge.book import Book
from bot.match import calibrate
from bot.match.highest import highest
from bot.match.index import Index
from bot.match.matcher import CANDIDATES, DECOYS, Candidate, HeldOut
from bot.match.postings import Weighed
from bot.match.tokens import _FIRST, PAIR, SHIFT
from bot.understand.query import understand

SOME = 12


@pytest.fixture(scope="module")
def made(book: Book) -> Desk:
    return Desk(made_book(book, 200))


def same(left: list[Candidate], right: list[Candidate]) -> bool:
    return [item[:2] + item[4:8] for item in left] == [item[:2] + item[4:8] for item in right] and np.allclose(
        [item.features for item in left], [item.features for item in right], atol=1e-6
    )


def chinese(query: Weighed, index: Index, marks: NDArray[Any]) -> dict[int, int]:
    """Marks by token, without Latin words and numbers: each index spells these in its own way."""
    found = zip(index.vocabulary.tokens[query.places].tolist(), marks.tolist(), strict=True)
    own = {token: mark for token, mark in found if mark and max(token >> SHIFT, token % PAIR) < _FIRST}
    assert len(own) > 50
    return own


@pytest.mark.parametrize("bank", ["desk", "made"])
def test_entries_are_judged_alone_as_among_all(bank: str, request: pytest.FixtureRequest, book: Book) -> None:
    desk = request.getfixturevalue(bank)
    judged = 0
    for entry in list(book.entries.values())[::SOME]:
        for question in (*entry.tests, *entry.english[:1]):
            asked = desk._asked(understand(question, desk.lexicon))
            ranked = desk.matcher.rank(asked)
            assert len(ranked) <= CANDIDATES + DECOYS
            if ranked:
                assert same(desk.matcher.judge(asked, [item.place for item in ranked]), ranked)
                judged += 1
    assert judged > 50


def test_what_is_held_out_counts_as_if_it_had_never_been_there(desk: Desk) -> None:
    bank, index, held = desk.matcher.bank, desk.matcher.index, 0
    for place in range(0, desk.matcher.entries, SOME):
        item = bank.items[place]
        held_out = HeldOut(place, item.wordings[len(item.wordings) // 2].group)
        kept = tuple(wording for wording in item.wordings if wording.group != held_out.group)
        reduced = Index(replace(bank, items=(item._replace(wordings=kept),)))
        every = " ".join((*(wording.core for wording in item.wordings), *item.body))
        asked, alone = index.weigh(every), reduced.weigh(every)
        marks = index.marks_without(place, desk.matcher._group(held_out), asked)
        assert chinese(asked, index, marks) == chinese(alone, reduced, reduced.marks(np.array([0]), alone)[0])
        held += len(item.wordings) - len(kept)
    assert held > 10


def test_the_best_of_a_long_row() -> None:
    draw = np.random.default_rng(0)
    for length in (0, 3, 12, 700, 5_000):
        scores = np.maximum(draw.random(length).astype(np.float32) - np.float32(0.3), 0)
        expected = [at for at in np.argsort(-scores, kind="stable")[:12].tolist() if scores[at] > 0]
        assert sorted(highest(scores, 12).tolist()) == sorted(expected)
    assert len(highest(np.ones(900, dtype=np.float32), 12)) == 12
    for length in (20, 5_000):
        scores = np.zeros(length, dtype=np.float32)
        scores[3:5] = 1e-8, 0.5
        assert highest(scores, 12).tolist() == [4]


def test_only_what_could_answer_is_ranked_again(desk: Desk, book: Book) -> None:
    entry = next(iter(book.entries.values()))
    rivals = desk.match(understand(entry.tests[0], desk.lexicon))
    named = understand(entry.name, desk.lexicon)
    assert desk.could_be(named, [entry.id], rivals, 0.99)
    asked = understand(entry.tests[0], desk.lexicon)
    assert desk.could_be(asked, [entry.id], rivals, 0.0)
    assert not desk.could_be(asked, [entry.id], rivals, 1.1)
    assert not desk.could_be(asked, [rivals[-1].id], rivals, 0.0)


def test_a_fit_that_does_not_settle_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(1)
    rows = draw.random((40, len(calibrate.PRIOR.weights)))
    given = rows, (rows[:, 0] > 0.5).astype(float), np.ones(40)
    settled = calibrate._fit(*given)
    monkeypatch.setattr(calibrate, "_ROUNDS", 1)
    begun = calibrate._fit(*given)
    assert np.isfinite(begun).all()
    assert begun != settled


def test_a_fit_that_steps_too_far_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Far from the prior a whole Newton step overshoots; what comes out fits no worse than the prior did."""
    draw = np.random.default_rng(3)
    rows = draw.normal(size=(60, len(calibrate.PRIOR.weights))) * 40
    right = (rows[:, 0] < 0).astype(float)
    found = calibrate._fit(rows, right, np.ones(60))
    assert np.isfinite(found).all()
    assert ((rows @ np.array(found) > 0) == (right > 0)).mean() > 0.9
