"""Questions while the knowledge is edited again and again: no failed reply, none from a mixed state, no long wait.

Run: python -m tests.bench.reload [--rate 200] [--edits 100]

Every third edit is broken. The folder is the shipped one; an edit changes one summary, and each good edit waits until
it is live, so that every edit is judged by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from bot.app import App, running
from bot.desk import Desk
from bot.knowledge.book import load_or_raise
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


async def run(folder: Path, database: Path, rate: int, edits: int) -> tuple[Seen, dict[str, str], dict[int, str]]:
    """All of it; the folder is changed."""
    url = f"sqlite+aiosqlite:///{database}"
    settings = load_settings(knowledge=folder, database_url=url, rate_limit_user=0, rate_limit_address=0)
    async with running(settings, Desk(load_or_raise(folder))) as app:
        seen, stop = Seen(), asyncio.Event()
        asking = asyncio.create_task(ask_on(app, rate, seen, stop))
        passed = await edit(app, folder, edits)
        stop.set()
        await asking
        return seen, passed, await versions(app.querylog, len(seen.took))


def main() -> None:
    """Run, and say how it went."""
    options = argparse.ArgumentParser()
    options.add_argument("--rate", type=int, default=200)
    options.add_argument("--edits", type=int, default=100)
    given = options.parse_args()
    sys.setswitchinterval(_SWITCH_SECONDS)
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(KNOWLEDGE, Path(place) / "knowledge"))
        start = time.perf_counter()
        seen, passed, logged = asyncio.run(run(folder, Path(place) / "log.db", given.rate, given.edits))
        took = sorted(seen.took)
        mixed = [row for row, text in seen.replies.items() if passed.get(logged[row], "-") not in text]
        print(
            f"{len(took)} questions in {time.perf_counter() - start:.0f} s, {given.edits} edits, {len(passed)} versions"
        )
        print(f"failed {seen.failed}, mixed {len(mixed)}")
        shares = ", ".join(f"p{share} {took[int(len(took) * share / 100)] * 1000:.1f} ms" for share in (50, 95, 99))
        print(f"{shares}, worst {took[-1] * 1000:.1f} ms")


if __name__ == "__main__":
    main()
