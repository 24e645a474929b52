"""How long a big knowledge folder takes: `check`, a reload, and an edit until its problems are known.

Run: python -m tests.bench.editing [--entries 10000] [--files 400]
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import re
import resource
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.bench import made_questions
from bot.check.run import check
from bot.editing.workbook import Workbook
from bot.exchange.block import scalar
from bot.knowledge.book import Book, load_or_raise, read_folder
from bot.knowledge.schema import RegionItem
from bot.reload import Reloader
from bot.spread import workers
from bot.understand.filler import strip

KNOWLEDGE = Path(__file__).resolve().parent.parent.parent / "knowledge"
TODAY = dt.date(2026, 11, 20)
_ASKS = 5
_SHORTEST = 4
_NOT_HAN = re.compile("[^\u4e00-\u9fff]")


def make(folder: Path, entries: int, files: int) -> None:
    """A knowledge folder of so many entries in so many files, with the shipped registries."""
    shipped = read_folder(KNOWLEDGE)
    for name, content in shipped.items():
        if "/" not in name:
            (folder / name).write_bytes(b"[]\n" if name == "golden.yaml" else content)
    book = load_or_raise(KNOWLEDGE)
    called = sorted((word for region in book.regions.values() for word in _called(region)), key=len, reverse=True)
    places = re.compile("|".join(map(re.escape, called)))
    made = (strip(_NOT_HAN.sub("", places.sub("", text))) for text in made_questions(book, entries * (_ASKS + 2)))
    asks = [text for text in made if len(text) >= _SHORTEST]
    regions, themes = list(book.regions.values()), book.themes
    per_file = -(-entries // files)
    for number in range(files):
        region, theme = regions[number % len(regions)], themes[number % len(themes)]
        texts = [
            _entry(at, region.name, theme.name, asks[at * (_ASKS + 1) : (at + 1) * (_ASKS + 1)], book)
            for at in range(number * per_file, min(entries, (number + 1) * per_file))
        ]
        path = folder / region.id / f"made-{number:04}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(texts), encoding="utf-8")


def _called(region: RegionItem) -> Iterator[str]:
    """What a region is called: no made wording names one, for it would be another one than its entry's."""
    yield from (region.name, *region.short, *region.aliases, *region.places)


def _entry(at: int, region: str, theme: str, asks: list[str], book: Book) -> str:
    name, *rest = asks
    source = next(iter(book.sources))
    lines = [f"- id: made-{at}", f"  name: {name[:50]}编号{at}", f"  region: {region}", f"  theme: {theme}"]
    lines += ["  audience: [市民]", f"  summary: {scalar('这件事说的是' + name)}", "  facts:"]
    lines += [f"    - text: {scalar(name + '已经办好了')}", "      about: [内容]", "      as_of: 2019"]
    lines += ["      period: 2019 年", f"      source: {source}", "  ask:"]
    lines += [f"    - {scalar(text)}" for text in rest]
    return "\n".join([*lines, "  tests:", f"    - {scalar('请问' + rest[0] + '呢')}"]) + "\n"


def main() -> None:
    """Measure, and say it."""
    options = argparse.ArgumentParser()
    options.add_argument("--entries", type=int, default=10_000)
    options.add_argument("--files", type=int, default=400)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        make(folder, given.entries, given.files)
        print(f"{given.entries} entries in {given.files} files", flush=True)
        start, before = time.perf_counter(), spent()
        outcome = check(folder, TODAY, workers=workers())
        took, (own, theirs) = time.perf_counter() - start, spent()
        shares = f"processor {own - before[0]:.1f} s itself, {theirs - before[1]:.1f} s in {workers()} workers"
        told = f"{sum(outcome.questions.values())} questions, {outcome.errors} errors"
        print(f"check: {took:.1f} s ({shares}; {told})", flush=True)
        print(*outcome.problems[:5], sep="\n")
        _edits(folder)
        start = time.perf_counter()
        found = asyncio.run(Reloader(folder).make("", TODAY))
        print(f"reload: {time.perf_counter() - start:.1f} s, {found.text.splitlines()[0]}", flush=True)


def spent() -> tuple[float, float]:
    """Processor seconds of this process and of its workers so far: on a busy machine they tell more than the clock."""
    own, theirs = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return own.ru_utime + own.ru_stime, theirs.ru_utime + theirs.ru_stime


def _edits(folder: Path) -> None:
    files = read_folder(folder)
    start = time.perf_counter()
    workbook = Workbook(files)
    print(f"opening the workbook: {time.perf_counter() - start:.1f} s", flush=True)
    names = [name for name in files if "/" in name][:20]
    took = []
    for name in names:
        start = time.process_time()
        assert any(found.code == "K202" for found in workbook.check(name, files[name] + b"  sumary: x\n"))
        took.append(time.process_time() - start)
        start = time.process_time()
        workbook.check(name, files[name] + b"# sound\n")
        took.append(time.process_time() - start)
    median = sorted(took)[len(took) // 2]
    print(f"edit to problem, processor time: median {median * 1000:.0f} ms, worst {max(took) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
