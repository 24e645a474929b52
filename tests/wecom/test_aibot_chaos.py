"""The AI bot as a process that is killed again and again: nothing that was taken is lost, nothing is said twice.

`AIBOT_CHAOS=full python -m pytest -s tests/wecom/test_aibot_chaos.py`: 300 questions of 20 people, 15 times killed.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import itertools
import os
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from bot.answer import answer
from bot.channels.wecom.aibot.replies import markdown
from bot.desk import Desk
from bot.model import Status
from tests.chaos.program import Program, environment, free_port
from tests.emulators.aibot import BOT_ID, SECRET, Gateway
from tests.waiting import until

FULL = os.environ.get("AIBOT_CHAOS") == "full"
PEOPLE, EACH, KILLS = (20, 15, 15) if FULL else (5, 6, 3)
PATIENCE = 2.0
"""Seconds after which a person looks whether the question was taken, and asks again if not."""


def faults(seed: int) -> Iterator[str]:
    """Every tenth reply goes wrong."""
    dice = random.Random(seed)
    while True:
        yield dice.choice(("busy", "close")) if dice.random() < 0.1 else ""


def settings(folder: Path, url: str, secret: str = SECRET) -> dict[str, str]:
    return {
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/log.db",
        "WECOM_BOT_ID": BOT_ID,
        "WECOM_BOT_SECRET": secret,
        "WECOM_BOT_WS_URL": url,
    }


def is_taken(folder: Path, message: str) -> bool:
    """Whether a message stands in the log; a log that cannot be read just now may hold it."""
    with closing(sqlite3.connect(f"file:{folder}/log.db?mode=ro", uri=True, timeout=1)) as connection:
        try:
            return bool(connection.execute("SELECT 1 FROM query_log WHERE message_id = ?", [message]).fetchall())
        except sqlite3.OperationalError:
            return True


class Person:
    """Asks one question after the other, each until it is answered."""

    def __init__(self, name: str, gateway: Gateway, folder: Path, questions: dict[str, str]) -> None:
        self.name, self._gateway, self._folder, self._questions = name, gateway, folder, questions
        self._dice = random.Random(name)
        self.asked: list[str] = []

    def shown(self, reply: str) -> list[float]:
        """When this reply was shown."""
        chat = self._gateway.chats.get(f"single:{self.name}", [])
        return [bubble.at for bubble in chat if bubble.text == reply]

    async def ask_all(self) -> None:
        for number, (text, reply) in enumerate(self._questions.items()):
            for attempt in itertools.count():
                message = f"{self.name}-{number}-{attempt}"
                await asyncio.sleep(self._dice.uniform(0, 0.3))
                await self._gateway.until(lambda: self._gateway.connected, 60)
                if not await self._gateway.said(text, self.name, message):
                    continue
                self.asked.append(message)
                while not await self._heard(reply, PATIENCE):
                    if not await asyncio.to_thread(is_taken, self._folder, message):
                        break
                else:
                    break

    async def _heard(self, reply: str, seconds: float) -> bool:
        with suppress(AssertionError):
            await until(lambda: self.shown(reply), seconds)
        return bool(self.shown(reply))


def questions(desk: Desk, count: int) -> dict[str, str]:
    """Questions with the one message that answers them; no two share it."""
    found: dict[str, str] = {}
    for entry in desk.book.entries.values():
        for text in entry.tests[:1]:
            reply = answer(text, desk, (), dt.date.today())
            said = markdown(reply)
            if reply.status is Status.ANSWER and reply.score > 0.9 and said not in found.values():
                found[text] = said
    assert len(found) >= count
    return dict(itertools.islice(found.items(), count))


async def test_killed_again_and_again_it_loses_nothing(tmp_path: Path, desk: Desk) -> None:
    kills: list[float] = []
    dice = random.Random(5)
    async with Gateway(faults=faults(3)) as gateway, Program(tmp_path, settings(tmp_path, gateway.url)) as program:
        wordings = questions(desk, EACH)
        people = [Person(f"user{number}", gateway, tmp_path, wordings) for number in range(PEOPLE)]
        await program.begin()
        asking = asyncio.gather(*(person.ask_all() for person in people))
        for number in range(KILLS):
            await gateway.ready(number + 1)
            due = PEOPLE * EACH * (number + 1) // (KILLS + 1)
            await until(lambda due=due: sum(len(person.asked) for person in people) >= due)  # type: ignore[misc]
            await asyncio.sleep(dice.uniform(0, 0.3))
            assert not asking.done()
            kills.append(time.monotonic())
            await program.kill()
            await program.begin()
        await asyncio.wait_for(asking, 300)
        assert await program.stop() < 10
    assert gateway.violations == []
    with closing(sqlite3.connect(tmp_path / "log.db")) as connection:
        rows = [name for (name,) in connection.execute("SELECT message_id FROM query_log")]
        states = connection.execute("SELECT state, count(*) FROM delivery GROUP BY state").fetchall()
    doubles = 0
    for person in people:
        for number, reply in enumerate(wordings.values()):
            times = person.shown(reply)
            taken = [name for name in rows if name.startswith(f"{person.name}-{number}-")]
            assert len(times) >= len(taken) >= 1
            if len(times) == len(taken):  # a message that seemed lost was asked again, and both were answered
                continue
            for first, again in itertools.pairwise(times):
                doubles += 1  # shown, and killed before that could be noted
                assert any(first <= kill <= again for kill in kills), (person.name, reply)
    assert len(set(rows)) == len(rows)
    assert set(rows) <= {message for person in people for message in person.asked}
    assert states == [("done", len(rows))]
    assert len(rows) >= PEOPLE * EACH
    never = sum(len(person.asked) for person in people) - len(rows)
    counts = {"answered": PEOPLE * EACH, "killed": len(kills), "doubles": doubles, "asked again": never}
    print(f"\nin the log {len(rows)}", *(f"{name} {count}" for name, count in counts.items()), sep=", ")


async def test_wrong_credentials_end_the_start_in_one_line(tmp_path: Path) -> None:
    async with Gateway() as gateway:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot", "serve"),
            cwd=tmp_path,
            env=environment({**settings(tmp_path, gateway.url, "wrong-secret"), "PORT": str(free_port())}),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode == 2
    assert said.decode().count("\n") == 1
    assert "853000" in said.decode()
    assert "wrong-secret" not in said.decode()


if not hasattr(os, "fork"):
    pytest.skip("needs fork", allow_module_level=True)
