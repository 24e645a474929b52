"""Ours beside the engines that one could pick instead, on the same questions in one run.

    python -m tests.bench.peers [--faq DIR] [--size N ...] [--rounds N]

Always: the shipped knowledge; every engine gets each entry's wordings and facts. Asked are the entries' own `tests`,
which no engine holds (ours was edited until it found them: `reformbot check` demands it), then a quarter of the
phrasings, held out of every engine. Unknown questions are the words of `outside.yaml` of four characters and more, as
they stand and with a question word of `facets.yaml` after them; our desk is built without `outside.yaml`, so that they
are as new to it as to the others. `--faq`: a folder of `faq.jsonl` and `queries.jsonl` (text, id or null, kind, split),
imported as `reformbot import` would. `--size`: times alone, on made banks of so many questions.

An engine gets text and gives the first id and its score. "Correct at 5 % false" is the share of answerable questions
answered rightly with the threshold that lets 5 % of the unknown ones through.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rapidfuzz import fuzz

from bot import bench, decide
from bot.answer import answer
from bot.desk import Desk
from bot.exchange import plan, read
from bot.holdout import held, without
from bot.knowledge.book import Book, load_or_raise, parse
from bot.knowledge.place import default_folder
from bot.knowledge.schema import Entry
from bot.match.matcher import Matcher
from bot.model import Status
from bot.text.expand import expand
from bot.text.normalise import normalise
from bot.understand.lexicon import Lexicon
from bot.understand.query import understand
from tests.bench.engines import Ask, Document, Found, by_bm25s, by_fts5, by_rapidfuzz, by_tantivy

TODAY = dt.date(2026, 11, 20)
FALSE_SHARE = 0.05
TIMED = 400
OURS, WHOLE = "ours", "whole"


@dataclass(frozen=True)
class Question:
    """`id` is None when the documents do not answer it."""

    text: str
    id: str | None
    kind: str


@dataclass
class DataSet:
    """Documents, questions, and our own engine over the same documents. No `dev`: thresholds are chosen on `test`."""

    name: str
    documents: list[Document]
    desk: Desk
    test: list[Question]
    dev: list[Question] = field(default_factory=list)
    ours: dict[str, str] = field(default_factory=dict)
    """Our id → the document's, where an import respelt it."""


def by_matching(desk: Desk, names: dict[str, str]) -> Ask:
    """Our understanding and matching: the first entry with its confidence, without rules on what to reply."""

    def ask(question: str) -> Found:
        query = understand(question, desk.lexicon)
        ids = desk.exact(query)
        ranked = decide.rank(query, desk)
        if len(ids) == 1:
            return names.get(ids[0], ids[0]), 1.0
        first = ranked.own[0].id if ranked.own else None
        return names.get(first or "", first), ranked.confidence

    return ask


def by_whole_reply(desk: Desk, names: dict[str, str]) -> Ask:
    """Our whole way at its own threshold: score 1 for an answer or a list, else 0."""

    def ask(question: str) -> Found:
        reply = answer(question, desk, (), TODAY)
        first = reply.ids[0] if reply.ids else None
        return names.get(first or "", first), float(reply.status in {Status.ANSWER, Status.LIST})

    return ask


def engines(data: DataSet) -> dict[str, Ask]:
    """Every engine over the same documents; ours first."""
    return {
        OURS: by_matching(data.desk, data.ours),
        "rapidfuzz WRatio": by_rapidfuzz(data.documents, fuzz.WRatio),
        "rapidfuzz token_set_ratio": by_rapidfuzz(data.documents, fuzz.token_set_ratio),
        "bm25s, characters and bigrams": by_bm25s(data.documents),
        "tantivy, characters and bigrams": by_tantivy(data.documents),
        "SQLite FTS5 trigram": by_fts5(data.documents),
    }


def document(entry: Entry) -> Document:
    """An entry's wordings and facts."""
    wordings = (entry.name, *entry.aliases, *entry.english, *(text for ask in entry.ask for text in expand(ask)))
    return Document(entry.id, (*wordings, entry.summary, *(fact.text for fact in entry.facts)))


def shipped(book: Book, held_out: bool) -> DataSet:
    """The shipped knowledge, asked its `tests`, or the quarter of its phrasings that no engine is given."""
    kept = replace(without(book, 0, 0) if held_out else book, outside=())
    desk, draw = Desk(kept), random.Random(0)
    asked: list[Question] = []
    for entry in book.entries.values():
        out = (text for at in sorted(held(entry, 0, 0)) for text in expand(entry.ask[at]))
        texts = out if held_out else entry.tests
        asked += [Question(text, entry.id, "in") for text in texts if not desk.matcher.exact(normalise(text))]
    ends = [word for facet in book.facets for word in facet.words if len(word) >= 3 and not word.isascii()]
    words = dict.fromkeys(word for topic in book.outside for word in topic.words if len(word) >= 4)
    asked += [Question(word, None, "words") for word in words]
    asked += [Question(word + draw.choice(ends), None, "asked") for word in words if not word.isascii()]
    name = "a held-out quarter of the phrasings" if held_out else "the entries' `tests`"
    return DataSet(f"Shipped knowledge, {name}", [document(entry) for entry in kept.entries.values()], desk, asked)


def lines(path: Path) -> list[dict[str, Any]]:
    """Rows of a JSON Lines file."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def imported(folder: Path) -> DataSet:
    """A public FAQ set, taken over as `reformbot import` does, without any tuning. Thresholds come from split dev."""
    with tempfile.TemporaryDirectory() as empty:
        made = plan.make(read.read(folder / "faq.jsonl"), Path(empty), default_folder())
    book = parse(made.files).book
    assert book is not None
    split: dict[str, list[Question]] = {"dev": [], "test": []}
    for row in lines(folder / "queries.jsonl"):
        split[row["split"]].append(Question(row["text"], row["id"], row["kind"]))
    documents = [Document(row["id"], (row["question"],)) for row in lines(folder / "faq.jsonl")]
    ours = dict(zip(made.new, (item.id for item in documents), strict=True))
    return DataSet(f"{len(documents)} imported questions, split test", documents, Desk(book), **split, ours=ours)


def threshold(scores: Iterable[float]) -> float:
    """Above it lie no more than 5 % of the scores."""
    ordered = sorted(scores, reverse=True)
    return ordered[int(FALSE_SHARE * len(ordered))]


def share(rows: Iterable[bool]) -> float:
    """Percent of the rows that hold."""
    found = list(rows)
    return 100 * sum(found) / len(found)


def accuracy(data: DataSet, ask: Ask) -> dict[str, float]:
    """Column → percent. Questions that are hard to tell from an entry's take no part in thresholds."""
    found = {question: ask(question.text) for question in data.test}
    asked = [question for question in data.test if question.id is not None]
    known = [(found[question][0] == question.id, found[question][1]) for question in asked]
    columns = {"top-1": share(right for right, _ in known)}
    if data.dev:
        limit = threshold(ask(question.text)[1] for question in data.dev if question.kind in {"near", "far"})
        strangers = [found[question][1] for question in data.test if question.kind in {"near", "far"}]
        here = threshold(strangers)
        columns["correct at dev's 5 %"] = share(right and score > limit for right, score in known)
        columns["false then"] = share(score > limit for score in strangers)
        columns["correct at 5 % false"] = share(right and score > here for right, score in known)
        return columns
    for kind, what in (("words", "words"), ("asked", "words with a question word")):
        limit = threshold(found[question][1] for question in data.test if question.kind == kind)
        columns[f"correct at 5 % false, {what}"] = share(right and score > limit for right, score in known)
    return columns


def latencies(asks: dict[str, Ask], texts: Sequence[str], rounds: int) -> dict[str, dict[str, float]]:
    """p50 and p99 of each engine: medians over rounds in which the engines take turns."""
    rows: dict[str, list[bench.Latency]] = {name: [] for name in asks}
    for _ in range(rounds):
        for name, ask in asks.items():
            rows[name].append(bench.timed(ask, texts, 1))
    middle = statistics.median
    return {
        name: {"p50 ms": middle(row.p50 for row in found), "p99 ms": middle(row.p99 for row in found)}
        for name, found in rows.items()
    }


def table(heading: str, rows: dict[str, dict[str, float]]) -> str:
    """Markdown: each figure, and in brackets how many times ours it is."""
    ours = rows[OURS]
    lines = [f"### {heading}", "", "| | " + " | ".join(ours) + " |", "|---|" + "---|" * len(ours)]
    for name, row in rows.items():
        cells = (
            f"{row[column]:.{3 if 'ms' in column else 1}f}"
            + (f" (×{row[column] / ours[column]:.2f})" if name != OURS else "")
            for column in ours
            if column in row
        )
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def measure(data: DataSet, rounds: int) -> str:
    """Accuracy and latency of every engine on one data set, then ours at its own threshold."""
    asks = engines(data)
    rows = {name: accuracy(data, ask) for name, ask in asks.items()}
    step = max(1, len(data.test) // TIMED)
    texts = [question.text for question in data.test[::step]]
    whole = by_whole_reply(data.desk, data.ours)
    times = latencies(asks | {WHOLE: whole}, texts, rounds)
    took = times.pop(WHOLE)
    found = {question: whole(question.text) for question in data.test}
    asked = share(found[item] == (item.id, 1.0) for item in data.test if item.id is not None)
    kinds = dict.fromkeys(item.kind for item in data.test if item.id is None)
    false = (f"{kind} {share(found[item][1] > 0 for item in data.test if item.kind == kind):.1f}" for kind in kinds)
    own = (
        f"Our whole reply at its own threshold: {asked:.1f} % right; answered although unknown, %: {', '.join(false)}; "
        f"p50 {took['p50 ms']:.3f} ms, p99 {took['p99 ms']:.3f} ms.\n"
    )
    return table(data.name, {name: row | times[name] for name, row in rows.items()}) + "\n" + own


def of_size(book: Book, size: int, rounds: int) -> str:
    """Building and latency on made questions; asked are the shipped `tests`."""
    lexicon = Lexicon(book)
    made = bench.made_questions(book, size)
    documents = [Document(str(at), (text,)) for at, text in enumerate(made)]

    def by_matcher(_: Sequence[Document]) -> Ask:
        matcher = Matcher(bench.questions_only(book, made)[0])

        def ask(question: str) -> Found:
            ranked = matcher.rank(bench.asked(understand(question, lexicon)))
            return (ranked[0].id, ranked[0].blend) if ranked else (None, 0.0)

        return ask

    makers = {OURS: by_matcher, "bm25s": by_bm25s, "tantivy": by_tantivy, "SQLite FTS5": by_fts5}
    asks: dict[str, Ask] = {}
    rows: dict[str, dict[str, float]] = {}
    for name, make in makers.items():
        start = time.perf_counter()
        asks[name] = make(documents)
        rows[name] = {"build s": time.perf_counter() - start}
    tests = [question for entry in book.entries.values() for question in entry.tests]
    times = latencies(asks, tests[:: max(1, len(tests) // TIMED)], rounds)
    return table(f"{size:,} made questions", {name: times[name] | row for name, row in rows.items()})


def main() -> None:
    """Measure and print as Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--faq", type=Path)
    parser.add_argument("--size", type=int, nargs="*", default=[])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    book = load_or_raise(default_folder())
    print(f"Medians of {given.rounds} rounds; in brackets how many times ours. Times are for one question.\n")
    for held_out in (False, True):
        print(measure(shipped(book, held_out), given.rounds), flush=True)
    if given.faq:
        print(measure(imported(given.faq), given.rounds), flush=True)
    for size in given.size:
        print(of_size(book, size, given.rounds), flush=True)


if __name__ == "__main__":
    main()
