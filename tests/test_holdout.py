"""Cross-validation on the knowledge itself: nothing that is asked may be in the index."""

from __future__ import annotations

import json
import sys
from dataclasses import replace

import pytest

from bot import cli, holdout
from bot.answer import answer
from bot.cli import measure
from bot.desk import Desk
from bot.holdout import Case, Holdout, Reach, Trial, held, reached, run, without
from bot.knowledge.book import Book
from bot.model import Reply, Status
from bot.report import holdout_table
from bot.text.expand import expand
from bot.text.normalise import normalise
from tests.conftest import TODAY

SOME = 24


@pytest.fixture(scope="module")
def small(book: Book) -> Desk:
    """A few entries of every region, standing alone."""
    step = max(1, len(book.entries) // SOME)
    some = {name: book.entries[name].model_copy(update={"related": ()}) for name in list(book.entries)[::step]}
    return Desk(replace(book, entries=some, faqs={}))


@pytest.fixture(scope="module")
def found(small: Desk) -> Holdout:
    return run(small, TODAY, folds=2)


def test_the_quarters_hold_out_everything_once(book: Book) -> None:
    for entry in book.entries.values():
        quarters = [held(entry, fold, 0) for fold in range(4)]
        assert sorted(at for quarter in quarters for at in quarter) == list(range(len(entry.ask)))
        assert max(map(len, quarters)) - min(map(len, quarters)) <= 1


def test_the_draw_depends_on_the_seed_and_the_entry_alone(book: Book) -> None:
    entries = list(book.entries.values())
    first = [held(entry, 0, 0) for entry in entries]
    assert first == [held(entry, 0, 0) for entry in entries]
    assert first != [held(entry, 0, 1) for entry in entries]
    assert held(entries[0].model_copy(update={"summary": "改了"}), 0, 0) == first[0]


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_a_template_stays(book: Book, count: int) -> None:
    entry = next(iter(book.entries.values()))
    few = entry.model_copy(update={"ask": entry.ask[:count]})
    for fold in range(4):
        kept = without(replace(book, entries={few.id: few}), fold, 0).entries[few.id].ask
        assert kept
        assert set(kept) == {template for at, template in enumerate(few.ask) if at not in held(few, fold, 0)}


def test_what_is_held_out_is_in_no_part_of_the_index(small: Desk) -> None:
    reduced = Desk(without(small.book, 0, 0))
    asked = by_heart = 0
    for entry in small.book.entries.values():
        out = [wording for at in held(entry, 0, 0) for wording in expand(entry.ask[at])]
        place = reduced.matcher.index.place[entry.id]
        texts = {normalise(wording.text) for wording in reduced.matcher.bank.items[place].wordings}
        for wording in out:
            trial = holdout._try(Case("ask", entry.id, entry.theme, wording), reduced, TODAY)
            if trial.reach is None:
                continue
            asked += 1
            assert normalise(wording) not in texts
            by_heart += answer(wording, small, (), TODAY).score == 1.0  # by the bank that holds it
            assert answer(wording, reduced, (), TODAY).reason != "和库里的问法一字不差"
    assert asked > SOME * 4
    assert by_heart > 0.9 * asked


def test_a_question_that_stays_indexed_is_not_asked(small: Desk) -> None:
    entry = next(iter(small.book.entries.values()))
    assert holdout._try(Case("tests", entry.id, entry.theme, f" {entry.name}？"), small, TODAY).reach is None
    other = Case("tests", "another-entry", entry.theme, entry.name)
    assert holdout._try(other, small, TODAY).reach is Reach.WRONG


@pytest.mark.parametrize(
    ("status", "ids", "reach"),
    [
        (Status.ANSWER, ("a",), Reach.REACHED),
        (Status.ANSWER, ("b", "a"), Reach.OFFERED),
        (Status.CHOICES, ("b", "a"), Reach.OFFERED),
        (Status.CHOICES, ("a", "b"), Reach.OFFERED),
        (Status.LIST, ("b", "a"), Reach.OFFERED),
        (Status.CHOICES, ("b", "c"), Reach.WRONG),
        (Status.ANSWER, ("b",), Reach.WRONG),
        (Status.SMALLTALK, (), Reach.WRONG),
        (Status.NONE, (), Reach.REFUSED),
    ],
)
def test_what_counts_as_reached(status: Status, ids: tuple[str, ...], reach: Reach) -> None:
    assert reached("a", Reply(status, (), ids)) is reach


def test_every_question_is_counted_once(small: Desk, found: Holdout) -> None:
    entries = small.book.entries.values()
    tests = sum(len(entry.tests) for entry in entries)
    asked = sum(len(expand(entry.ask[at])) for entry in entries for fold in range(2) for at in held(entry, fold, 0))
    kinds = [trial.case.kind for trial in found.trials]
    assert (kinds.count("tests"), kinds.count("tests_reduced"), kinds.count("ask")) == (tests, 2 * tests, asked)
    counted = sum(found.counts(kind).total() for kind in holdout.KINDS)
    assert counted + found.indexed() == len(found.trials)
    by_theme = sum(found.counts("ask", theme).total() for theme in found.themes())
    assert by_theme == found.counts("ask").total()


def test_most_questions_reach_their_entry(found: Holdout) -> None:
    for kind, least in (("tests", 0.9), ("tests_reduced", 0.8), ("ask", 0.6)):
        share = found.share(kind)
        assert share is not None
        assert least < share <= 1


def test_the_report(found: Holdout) -> None:
    figures = json.loads(json.dumps(found.as_json()))
    overall = figures["overall"]["ask"]
    outcomes = ("reached", "offered", "refused", "wrong")
    assert sum(overall[name] for name in outcomes) == overall["questions"]
    assert overall["share"] == round(overall["reached"] / overall["questions"], 4)
    missed = sum(figures["overall"][kind][name] for kind in holdout.KINDS for name in outcomes[1:])
    assert len(figures["missed"]) == missed
    assert set(figures["themes"]) == set(found.themes())
    table = holdout_table(found)
    assert "目标 85%" in table
    assert "2 轮，种子 0" in table
    assert f"{overall['share']:.1%}" in table
    for theme in found.themes():
        assert theme in table


def test_a_report_of_nothing() -> None:
    empty = Holdout(1, 0)
    assert empty.share("ask") is None
    assert "没有可问的" in holdout_table(empty)
    assert empty.as_json()["overall"]["ask"]["share"] is None
    indexed = Holdout(1, 0, [Trial(Case("ask", "a", "主题", "问"), None)])
    assert (indexed.indexed(), indexed.share("ask")) == (1, None)


def test_the_command(small: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(measure, "build_desk", lambda settings: small)
    monkeypatch.setattr(sys, "argv", ["reformbot", "eval", "--holdout", "--seed", "7", "--json"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code in {0, None}
    captured = capsys.readouterr()
    assert json.loads(captured.out)["seed"] == 7
    assert captured.err == ""


def test_progress_knows_how_much_there_is(small: Desk) -> None:
    seen: list[int] = []

    def shown(trials, total):
        rows = list(trials)
        seen.extend((total, len(rows)))
        return rows

    run(small, TODAY, shown=shown)
    assert seen[0] == seen[1] > 100
