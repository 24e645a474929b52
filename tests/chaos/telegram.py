"""A bot that is killed at random moments while Telegram fails now and then: nothing lost, nothing twice.

`python -m tests.chaos.telegram` runs the full count and prints the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.bank import make_knowledge, questions
from tests.chaos.program import Program
from tests.emulators.telegram import TOKEN, Call, Fault
from tests.emulators.telegram import Telegram as Emulator

SECRET = "secret-of-the-chaos"
FAILURES = 0.10
_NOTED_WITHIN = 2.0
"""Seconds that noting takes at most; what is not noted by then is no victim of the kill."""


@dataclass(slots=True)
class Figures:
    """What came of a run. `doubles` are questions with two replies, `unexplained` those that must not be."""

    asked: int
    users: int
    kills: int
    calls: int = 0
    failed: int = 0
    logged: int = 0
    answered: int = 0
    doubles: list[str] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    out_of_order: int = 0
    exit_code: int | None = None
    exit_seconds: float = 0.0

    def __str__(self) -> str:
        """One line a figure."""
        return "\n".join(
            (
                f"questions asked               {self.asked}, by {self.users} users",
                f"kills (SIGKILL)               {self.kills}",
                f"calls of the Bot API          {self.calls}, of which failed {self.failed}",
                f"questions in the log          {self.logged}",
                f"questions answered            {self.answered}",
                f"answered twice                {len(self.doubles)}",
                f"… accepted, killed before it could be noted  {len(self.doubles) - len(self.unexplained)}",
                f"… not explained               {len(self.unexplained)}",
                f"replies out of order          {self.out_of_order}",
                f"SIGTERM: exit code            {self.exit_code}, after {self.exit_seconds:.1f} s",
            )
        )


class Chaos:
    """One run in a folder of its own."""

    def __init__(self, folder: Path, telegram: Emulator, mode: str, seed: int) -> None:
        self.telegram, self.random = telegram, random.Random(seed)
        self.database = folder / "log.db"
        self.accepted_unnoted: Counter[str] = Counter()
        telegram.fault = self.fault
        given = {
            "TELEGRAM_TOKEN": TOKEN,
            "TELEGRAM_API_BASE": telegram.url,
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "KNOWLEDGE": str(folder / "knowledge"),
        }
        self.program = Program(folder, given)
        if mode == "webhook":
            url = f"{self.program.url}/telegram/webhook"
            self.program.add({"TELEGRAM_WEBHOOK_URL": url, "TELEGRAM_WEBHOOK_SECRET": SECRET})

    def fault(self, call: Call) -> Fault | None:
        """One call in ten fails, before anything is done."""
        if self.random.random() >= FAILURES:
            return None
        kind = self.random.choice(["status", "status", "flood", "close", "hang"])
        return Fault(kind, self.random.choice([500, 502, 503]), 0.5 if kind == "hang" else 1.0)

    async def live(self, moments: float) -> None:
        """A process that is killed so many seconds after it has begun to work."""
        known = len(self.telegram.calls)
        await self.program.begin()
        try:
            await self.telegram.until(lambda: len(self.telegram.calls) > known, 60)
            await asyncio.sleep(moments)
        finally:
            died = await self.program.kill()
        self.look_after_a_kill(died)

    def look_after_a_kill(self, now: float) -> None:
        """Note the questions whose reply Telegram had just accepted and the dead process could not note."""
        if not self.database.exists():
            return
        sent = {question_of(sent.text) for sent in self.telegram.sent if sent.at > now - _NOTED_WITHIN}
        with contextlib.closing(sqlite3.connect(self.database)) as connection, contextlib.suppress(sqlite3.Error):
            for (parts,) in connection.execute("SELECT parts FROM delivery WHERE state = 'waiting'"):
                self.accepted_unnoted.update({question_of(part["html"]) for part in json.loads(parts)} & sent)

    def logged(self) -> Counter[str]:
        """How often each question stands in the log."""
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            return Counter(text for (text,) in connection.execute("SELECT text FROM query_log"))


def question_of(text: str) -> str:
    """The question in the first line of a reply, which is its title."""
    return text.split("\n")[0].removeprefix("<b>").removesuffix("</b>")


async def run(count: int, users: int, kills: int, folder: Path, mode: str = "polling", seed: int = 1) -> Figures:
    """Ask, kill and count."""
    asked = questions(count)
    make_knowledge(folder / "knowledge", asked)
    figures = Figures(count, users, kills)
    async with Emulator().running() as telegram:
        chaos = Chaos(folder, telegram, mode, seed)
        share = -(-count // (kills + 1))
        async with chaos.program:
            for life in range(kills + 1):
                asking = asyncio.create_task(ask(telegram, chaos.random, asked, life * share, share, users))
                if life < kills:
                    await chaos.live(chaos.random.uniform(0.0, 2.5))
                await asking
            await finish(chaos, figures, asked)
    figures.calls = len(telegram.calls)
    figures.failed = sum(call.outcome in {"status", "flood", "close", "hang"} for call in telegram.calls)
    count_up(chaos, figures, asked, users)
    return figures


async def ask(telegram: Emulator, dice: random.Random, asked: list[str], start: int, share: int, users: int) -> None:
    """Some of the questions, at random moments of about two seconds."""
    for at in range(start, min(start + share, len(asked))):
        telegram.say(1000 + at % users, asked[at])
        await asyncio.sleep(dice.uniform(0, 4.0 / share))


async def finish(chaos: Chaos, figures: Figures, asked: list[str]) -> None:
    """The last process answers all that is left, and ends on SIGTERM."""
    await chaos.program.begin()
    try:
        await chaos.telegram.until(
            lambda: len({question_of(sent.text) for sent in chaos.telegram.sent}) >= len(asked), 120
        )
        await asyncio.sleep(3)  # a double would come now
    finally:
        begun = time.monotonic()
        figures.exit_code = await chaos.program.end(signal.SIGTERM)
        figures.exit_seconds = time.monotonic() - begun


def count_up(chaos: Chaos, figures: Figures, asked: list[str], users: int) -> None:
    """Fill in the figures."""
    times = Counter(question_of(sent.text) for sent in chaos.telegram.sent)
    logged = chaos.logged()
    figures.logged = sum(logged[text] == 1 for text in asked)
    figures.answered = sum(times[text] >= 1 for text in asked)
    figures.doubles = [text for text in asked if times[text] > 1]
    figures.unexplained = [text for text in asked if times[text] > 1 + chaos.accepted_unnoted[text]]
    order = {text: at for at, text in enumerate(asked)}
    for user in range(users):
        first = list(dict.fromkeys(order[question_of(text)] for text in chaos.telegram.texts(1000 + user)))
        figures.out_of_order += sum(later < earlier for earlier, later in itertools.pairwise(first))


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--kills", type=int, default=15)
    parser.add_argument("--mode", choices=["polling", "webhook"], default="polling")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(run(given.questions, given.users, given.kills, Path(folder), given.mode, given.seed))
    print(found)
    sys.exit(bool(found.unexplained or found.logged < found.asked or found.answered < found.asked))


if __name__ == "__main__":
    main()
