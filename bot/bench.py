"""How long a question takes, and what building a big bank costs.

Timed are the whole way (`answer`), the matcher of the desk, which knows answers and topics outside as well, and a
matcher over nothing but questions, one an entry. Banks of other sizes than the shipped one join the first half of
one shipped phrasing to the second half of another. Building is measured in fresh processes, against a bare one.
"""

from __future__ import annotations

import gc
import json
import math
import os
import random
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from bot.answer import answer
from bot.desk import Desk
from bot.errors import QuestionSetError
from bot.knowledge.book import load_or_raise
from bot.knowledge.schema import Faq
from bot.match.bank import Bank, Item
from bot.match.build import build
from bot.match.matcher import Asked, Matcher
from bot.text import pinyin
from bot.text.expand import expand
from bot.text.normalise import normalise
from bot.understand.lexicon import Lexicon
from bot.understand.query import understand

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from bot.knowledge.book import Book
    from bot.model import Query

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 3
_BATCH = 1_000
_STATUS = Path("/proc/self/status")


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds a question: medians over the rounds, and the p99 of the best and the worst round."""

    p50: float
    p95: float
    p99: float
    p99_least: float
    p99_most: float

    def cells(self) -> list[str]:
        """The figures, short."""
        return [f"{self.p50:.2f}", f"{self.p95:.2f}", f"{self.p99:.2f}", f"{self.p99_least:.2f}–{self.p99_most:.2f}"]


@dataclass(frozen=True, slots=True)
class Speed:
    """One bank: the whole way, the matcher of the desk, and a matcher over its questions alone."""

    name: str
    entries: int
    whole: Latency
    matcher: Latency
    questions_only: Latency | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Medians over fresh processes: seconds by step, and memory beyond the bare process where it can be read."""

    what: str
    entries: int
    seconds: dict[str, float]
    extra_mb: float | None
    extra_peak_mb: float | None


@dataclass(frozen=True, slots=True)
class Bench:
    """Everything that one run measured."""

    rounds: int
    asked: int
    speeds: tuple[Speed, ...]
    costs: tuple[Cost, ...]

    def as_table(self) -> str:
        """The figures for a terminal."""
        speeds = Table("知识库", "条数", "量什么", "p50", "p95", "p99", "各轮的 p99")
        for item in self.speeds:
            parts = {"整条流程": item.whole, "匹配": item.matcher, "匹配，库里只有问题": item.questions_only}
            for part, latency in parts.items():
                if latency is not None:
                    speeds.add_row(item.name, f"{item.entries:,}", part, *latency.cells())
        costs = Table("建库", "条数", "用时", "内存（MB）", "峰值（MB）")
        for cost in self.costs:
            steps = "，".join(f"{step} {seconds:.2f} 秒" for step, seconds in cost.seconds.items())
            memory = ("—" if value is None else f"{value:.0f}" for value in (cost.extra_mb, cost.extra_peak_mb))
            costs.add_row(cost.what, f"{cost.entries:,}", steps, *memory)
        timing = f"一题多少毫秒：{self.asked} 个问题，{self.rounds} 轮的中位数"
        building = f"各在 {self.rounds} 个新进程里建，取中位数；内存是比只导入同样模块的进程多出来的"
        return "\n".join([timing, _drawn(speeds), building, _drawn(costs)])


def run(
    desk: Desk,
    folder: Path,
    today: dt.date,
    sizes: Sequence[int] = SIZES,
    rounds: int = ROUNDS,
    say: Callable[[str], object] = str,
) -> Bench:
    """Time the desk and desks of other sizes, then measure what building the biggest costs.

    `folder` is where the desk's knowledge stands. Raises QuestionSetError when it has no tests to ask.
    """
    tests = tuple(question for entry in desk.book.entries.values() for question in entry.tests)
    if not tests:
        raise QuestionSetError("知识里没有条目，也就没有它们的 tests 可问")
    say("自带的知识库")
    speeds = [_speed("自带", desk, tests, today, rounds)]
    for size in sizes:
        say(f"拼成的 {size:,} 条")
        large = Desk(made_book(desk.book, size))
        speed = _speed("拼成", large, tests, today, rounds)
        del large
        alone = Matcher(questions_only(desk.book, made_questions(desk.book, size))[0])
        queries = [asked(understand(question, desk.lexicon)) for question in tests]
        speeds.append(replace(speed, questions_only=timed(alone.rank, queries, rounds)))
        del alone
    costs = _costs(max(sizes), folder, rounds, say) if sizes else ()
    return Bench(rounds, len(tests), tuple(speeds), costs)


def _speed(name: str, desk: Desk, tests: Sequence[str], today: dt.date, rounds: int) -> Speed:
    queries = [understand(question, desk.lexicon) for question in tests]
    whole = timed(lambda question: answer(question, desk, (), today), tests, rounds)
    return Speed(name, desk.matcher.entries, whole, timed(desk.match, queries, rounds))


def asked(query: Query) -> Asked:
    """What a matcher without a desk needs of a query."""
    return Asked(query.text, query.core, query.syllables, query.latin, frozenset(query.regions))


def timed(call: Callable[[Any], object], questions: Sequence[Any], rounds: int = ROUNDS) -> Latency:
    """Wall-clock time of each call, after a round to warm up, with all that stands already out of the collector."""
    gc.collect()
    gc.freeze()
    try:
        _round(call, questions)
        found = [percentiles(_round(call, questions)) for _ in range(rounds)]
    finally:
        gc.unfreeze()
    p50, p95, p99 = (statistics.median(column) for column in zip(*found, strict=True))
    ends = [row[2] for row in found]
    return Latency(p50, p95, p99, min(ends), max(ends))


def _round(call: Callable[[Any], object], questions: Sequence[Any]) -> list[float]:
    """Milliseconds of each call; nothing is remembered of the texts of the round before."""
    normalise.cache_clear()
    pinyin.segment.cache_clear()
    took: list[float] = []
    for question in questions:
        start = time.perf_counter()
        call(question)
        took.append((time.perf_counter() - start) * 1000)
    return took


def percentiles(took: Sequence[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 by nearest rank."""
    ordered = sorted(took)
    at50, at95, at99 = (math.ceil(share * len(ordered) / 100) - 1 for share in (50, 95, 99))
    return ordered[at50], ordered[at95], ordered[at99]


def made_questions(book: Book, number: int, seed: int = 0) -> list[str]:
    """So many different questions, each from the halves of two shipped phrasings; the same for the same seed."""
    draw = random.Random(seed)
    phrasings = sorted({text for entry in book.entries.values() for ask in entry.ask for text in expand(ask)})
    found: dict[str, None] = {}
    while len(found) < number:
        left, right = draw.choice(phrasings), draw.choice(phrasings)
        text = left[: (len(left) + 1) // 2] + right[len(right) // 2 :]
        found[f"{text}{len(found)}" if text in found else text] = None
    return list(found)


def made_book(book: Book, number: int) -> Book:
    """The registries of a book with so many made questions, each with a made answer, in the place of its entries."""
    texts = made_questions(book, 2 * number)
    return _with(book, texts[:number], texts[number:])


def _with(book: Book, questions: Sequence[str], answers: Sequence[str]) -> Book:
    pairs = enumerate(zip(questions, answers, strict=True))
    faqs = {f"q-{at:06}": Faq(id=f"q-{at:06}", question=question, answer=reply) for at, (question, reply) in pairs}
    return replace(book, version=f"{book.version}-{len(faqs)}", entries={}, golden=(), faqs=faqs)


def questions_only(book: Book, questions: Sequence[str]) -> tuple[Bank, float]:
    """A bank of one wording an entry, without answers and topics outside; and the seconds that spelling it took."""
    lexicon, bare = Lexicon(book), replace(book, outside=(), talk=(), facets=())
    seconds = 0.0
    items: list[Item] = []
    exact: dict[str, tuple[str, ...]] = {}
    for start in range(0, len(questions), _BATCH):  # what it is made from is never all in memory
        batch = questions[start : start + _BATCH]
        part_of = _with(bare, batch, ["—"] * len(batch))
        begin = time.perf_counter()
        part = build(part_of, lexicon)
        seconds += time.perf_counter() - begin
        items += [item._replace(id=f"{start + at}", body=()) for at, item in enumerate(part.items)]
        exact |= {text: tuple(items[start + int(name[2:])].id for name in ids) for text, ids in part.exact.items()}
    background = build(_with(book, questions[:1], ["—"]), lexicon).background
    return Bank(tuple(items), exact, background=background), seconds


def _costs(number: int, folder: Path, rounds: int, say: Callable[[str], object]) -> tuple[Cost, ...]:
    """What the matcher alone and a whole desk cost."""
    runs: dict[str, list[dict[str, Any]]] = {"bare": [], "matcher": [], "desk": []}
    for turn in range(rounds):
        for what, rows in runs.items():
            say(f"建 {number:,} 条：{what}，第 {turn + 1} 次")
            rows.append(_in_a_fresh_process(what, number, folder))
    bare = runs.pop("bare")
    names = {"matcher": "匹配，库里只有问题", "desk": "整个程序，问题带答案"}
    return tuple(_cost(names[what], number, rows, bare) for what, rows in runs.items())


def _cost(what: str, number: int, rows: list[dict[str, Any]], bare: list[dict[str, Any]]) -> Cost:
    seconds = {step: statistics.median(row["seconds"][step] for row in rows) for step in rows[0]["seconds"]}
    return Cost(what, number, seconds, *(_beyond(rows, bare, name) for name in ("VmRSS", "VmHWM")))


def _beyond(rows: list[dict[str, Any]], bare: list[dict[str, Any]], name: str) -> float | None:
    """Difference of the medians; None where the system does not tell."""
    if not all(row["memory"] for row in (*rows, *bare)):
        return None
    full, empty = ([float(row["memory"][name]) for row in side] for side in (rows, bare))
    return statistics.median(full) - statistics.median(empty)


def _in_a_fresh_process(what: str, number: int, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bot.bench", what, str(number), str(folder)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))


def _measured(what: str, number: int, folder: Path) -> dict[str, Any]:
    """Build what is asked for, in this process, and tell what it took."""
    seconds: dict[str, float] = {}
    kept: object = None
    if what == "matcher":
        bank, seconds["读写法和拼音"] = questions_only(book := load_or_raise(folder), made_questions(book, number))
        del book
        start = time.perf_counter()
        kept = Matcher(bank)
        seconds["建索引"] = time.perf_counter() - start
    elif what == "desk":
        made = made_book(load_or_raise(folder), number)
        start = time.perf_counter()
        kept = Desk(made)
        seconds["全部"] = time.perf_counter() - start
    gc.collect()
    return {"seconds": seconds, "memory": _memory(), "built": kept is not None}


def _memory() -> dict[str, float]:
    """Resident memory now and at its highest, in MB; empty where the system has no such file."""
    if not _STATUS.exists():
        return {}
    found = re.findall("^(VmRSS|VmHWM):\\s*([0-9]+)", _STATUS.read_text(errors="replace"), re.MULTILINE)
    return {name: int(number) / 1024 for name, number in found}


def _drawn(table: Table) -> str:
    console = Console(width=110, color_system=None, force_terminal=False, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip()


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))))
