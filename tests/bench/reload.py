"""Questions while the knowledge is edited again and again: no failed reply, none from a mixed state, no long wait.

Run: python -m tests.bench.reload [--rate 200] [--edits 100] [--before 20]

Every third edit is broken. The folder is the shipped one; an edit changes one summary, and each good edit waits until
it is live, so that every edit is judged by itself. The same load without edits runs before, so that what a busy
machine costs stands beside what the edits cost.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bot.app import App, build_desk, running
from bot.model import Message
from bot.querylog.store import QueryLog
from bot.settings import load_settings

KNOWLEDGE = Path(__file__).resolve().parent.parent.parent / "knowledge"
FILE = Path("ningbo") / "justice.yaml"
QUESTION = "微法院"
_SWITCH_SECONDS = 0.0005


@dataclass
class Seen:
    """What the questions found: seconds each, and (row, text) of each reply."""

    took: list[float] = field(default_factory=list)
    replies: dict[int, str] = field(default_factory=dict)
    failed: int = 0


async def ask_on(app: App, rate: int, seen: Seen, stop: asyncio.Event) -> None:
    """Ask at an even rate, whatever the answers take; a late start counts as waiting."""
    start, number = time.perf_counter(), 0
    waiting: set[asyncio.Task[None]] = set()

    async def one(due: float) -> None:
        handled = await app.handle(Message(QUESTION, user="u"))
        seen.took.append(time.perf_counter() - due)
        seen.failed += handled.payload["status"] != "answer"
        if handled.row is not None:
            seen.replies[handled.row] = handled.payload["text"]

    while not stop.is_set():
        due = start + number / rate
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        task = asyncio.create_task(one(due))
        waiting.add(task)
        task.add_done_callback(waiting.discard)
        number += 1
    await asyncio.gather(*waiting)


async def edit(app: App, folder: Path, edits: int) -> dict[str, str]:
    """Edit so many times, every third time wrongly; the summary of each version that may answer."""
    original = (folder / FILE).read_text(encoding="utf-8")
    summary = next(line for line in original.splitlines() if line.startswith("  summary: "))
    passed = {app.desk.book.version: ""}
    for number in range(edits):
        text = original.replace(summary, f"  summary: 这是改到第{number}遍的说法。", 1)
        broken = number % 3 == 2
        (folder / FILE).write_text(text.replace("  ask:", "  aks:", 1) if broken else text, encoding="utf-8")
        found = await app.reload()
        assert found.ok is not broken, found.text
        if found.desk is not None:
            passed[found.desk.book.version] = f"这是改到第{number}遍的说法。"
    return passed


async def versions(querylog: QueryLog, count: int) -> dict[int, str]:
    """Row → version that the log says it was answered from."""
    return {row.id: row.row.knowledge_version for row in await querylog.recent(count)}


@dataclass
class Run:
    """What came of it: the load alone, the load with edits, the summary that each version says, the log's versions."""

    alone: Seen
    edited: Seen
    passed: dict[str, str]
    logged: dict[int, str]

    @property
    def mixed(self) -> list[int]:
        """Rows whose reply is not what their version says."""
        replies = self.edited.replies.items()
        return [row for row, text in replies if self.passed.get(self.logged[row], "-") not in text]


async def run(folder: Path, database: Path, rate: int, edits: int, before: float) -> Run:
    """All of it, after so many seconds of the load alone; the folder is changed."""
    url = f"sqlite+aiosqlite:///{database}"
    settings = load_settings(knowledge=folder, database_url=url, rate_limit_user=0, rate_limit_address=0)
    async with running(settings, build_desk(settings)) as app:
        alone, edited = Seen(), Seen()
        async with asking(app, rate, alone):
            await asyncio.sleep(before)
        async with asking(app, rate, edited):
            passed = await edit(app, folder, edits)
        return Run(alone, edited, passed, await versions(app.querylog, len(edited.took)))


@asynccontextmanager
async def asking(app: App, rate: int, seen: Seen) -> AsyncIterator[None]:
    """Questions at an even rate for as long as this is open."""
    stop = asyncio.Event()
    task = asyncio.create_task(ask_on(app, rate, seen, stop))
    yield
    stop.set()
    await task


def told(what: str, seen: Seen) -> str:
    """One line of waiting times."""
    took = sorted(seen.took)
    shares = ", ".join(f"p{share} {took[int(len(took) * share / 100)] * 1000:.1f} ms" for share in (50, 95, 99))
    return f"{what}: {len(took)} questions, failed {seen.failed}, {shares}, worst {took[-1] * 1000:.1f} ms"


def main() -> None:
    """Run, and say how it went."""
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=int, default=200)
    options.add_argument("--edits", type=int, default=100)
    options.add_argument("--before", type=float, default=20.0)
    given = options.parse_args()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(KNOWLEDGE, Path(place) / "knowledge"))
        start = time.perf_counter()
        found = asyncio.run(run(folder, Path(place) / "log.db", given.rate, given.edits, given.before))
        print(f"{given.edits} edits in {time.perf_counter() - start:.0f} s, {len(found.passed)} versions")
        print(told("without edits", found.alone))
        print(f"{told('with edits', found.edited)}, mixed {len(found.mixed)}")


if __name__ == "__main__":
    main()
