"""The benchmark runs and prints figures; how fast is not asserted, since that depends on the machine."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from bot import bench, cli
from bot.bench import Bench, Latency, made_book, made_questions, percentiles, questions_only
from bot.cli import measure
from bot.desk import Desk
from bot.errors import QuestionSetError
from bot.knowledge.book import Book
from bot.match.matcher import Matcher
from bot.text.normalise import normalise
from tests.conftest import KNOWLEDGE, TODAY

SIZE = 30
BENCHES = sorted(path.stem for path in (Path(__file__).parent / "bench").glob("*.py"))
assert BENCHES


@pytest.mark.parametrize("name", BENCHES)
def test_every_bench_can_be_started(name: str) -> None:
    try:
        module = importlib.import_module(f"tests.bench.{name}")
    except ModuleNotFoundError as missing:
        if str(missing.name).split(".")[0] in {"bot", "tests"}:
            raise
        pytest.skip(f"{missing.name} comes with the extra `bench`")
    assert module.__doc__


@pytest.fixture(scope="module")
def small(book: Book) -> Desk:
    """A few entries of every region, standing alone."""
    some = {name: book.entries[name].model_copy(update={"related": ()}) for name in list(book.entries)[::20]}
    return Desk(replace(book, entries=some, faqs={}))


@pytest.fixture(scope="module")
def found(small: Desk) -> Bench:
    return bench.run(small, KNOWLEDGE, TODAY, sizes=(SIZE,), rounds=1)


def test_made_questions_are_many_different_and_the_same_for_a_seed(book: Book) -> None:
    made = made_questions(book, 500)
    assert len(set(made)) == len(made) == 500
    assert made == made_questions(replace(book, entries=dict(reversed(book.entries.items()))), 500)
    assert made[:200] == made_questions(book, 200)
    assert made != made_questions(book, 500, seed=1)


def test_made_questions_never_run_out(book: Book) -> None:
    entry = next(iter(book.entries.values())).model_copy(update={"ask": ("怎么办",)})
    assert len(set(made_questions(replace(book, entries={entry.id: entry}), 10))) == 10


def test_a_made_book_has_questions_with_answers(book: Book) -> None:
    made = made_book(book, SIZE)
    assert not made.entries
    assert len(made.faqs) == SIZE
    assert made.outside == book.outside
    assert len({text for faq in made.faqs.values() for text in (faq.question, faq.answer)}) == 2 * SIZE


def test_a_bank_of_questions_only(book: Book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_BATCH", 7)
    made = made_questions(book, SIZE)
    bank, seconds = questions_only(book, made)
    assert seconds > 0
    assert [item.wordings[0].text for item in bank.items] == made
    assert not any(item.body or item.decoy for item in bank.items)
    matcher, owned = Matcher(bank), {item.id: item.wordings[0].text for item in bank.items}
    assert len(owned) == SIZE
    assert sorted(identifier for ids in bank.exact.values() for identifier in ids) == sorted(owned)
    assert all(text in {owned[name] for name in matcher.exact(normalise(text))} for text in made)


def test_percentiles_are_by_nearest_rank() -> None:
    assert percentiles([float(ms) for ms in range(200, 0, -1)]) == (100.0, 190.0, 198.0)
    assert percentiles([3.0]) == (3.0, 3.0, 3.0)


def positive(latency: Latency) -> bool:
    return 0 < latency.p50 <= latency.p95 <= latency.p99 == latency.p99_least == latency.p99_most


def test_every_figure_is_there(small: Desk, found: Bench) -> None:
    assert [speed.entries for speed in found.speeds] == [len(small.book.entries), SIZE]
    assert found.asked == sum(len(entry.tests) for entry in small.book.entries.values())
    for speed in found.speeds:
        assert positive(speed.whole)
        assert positive(speed.matcher)
    assert found.speeds[0].questions_only is None
    assert found.speeds[1].questions_only is not None
    assert positive(found.speeds[1].questions_only)
    assert [cost.entries for cost in found.costs] == [SIZE, SIZE]
    for cost in found.costs:
        assert cost.seconds
        assert all(seconds > 0 for seconds in cost.seconds.values())
        if sys.platform == "linux":
            assert cost.extra_mb is not None
            assert cost.extra_peak_mb is not None


def test_the_table(found: Bench) -> None:
    table = found.as_table()
    for text in ("p50", "p99", "整条流程", "匹配，库里只有问题", "建索引", f"{found.asked} 个问题，1 轮"):
        assert text in table
    assert "\x1b" not in table
    unknown = replace(found, costs=tuple(replace(cost, extra_mb=None, extra_peak_mb=None) for cost in found.costs))
    assert "—" in unknown.as_table()


def test_nothing_to_ask(small: Desk) -> None:
    empty = Desk(replace(small.book, entries={}))
    with pytest.raises(QuestionSetError, match="tests"):
        bench.run(empty, KNOWLEDGE, TODAY, sizes=())


def test_the_command(
    small: Desk, found: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given: list[object] = []

    def run(*arguments: object) -> Bench:
        given.extend(arguments)
        return found

    monkeypatch.setattr(measure, "build_desk", lambda settings: small)
    monkeypatch.setattr(bench, "run", run)
    for options, shown in ((["--json"], json.dumps(asdict(found), ensure_ascii=False, indent=1)), ([], "整条流程")):
        monkeypatch.setattr(
            sys, "argv", ["reformbot", "bench", "--size", "5", "--size", "7", "--rounds", "2", *options]
        )
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert ended.value.code in {0, None}
        captured = capsys.readouterr()
        assert shown in captured.out
        assert captured.err == ""
        assert given[3:5] == [[5, 7], 2]
