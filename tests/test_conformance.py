"""Every channel holds the conversations of the table."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from bot.app import running
from bot.channels.channel import run_all
from bot.channels.console import converse
from bot.channels.telegram.channel import make
from bot.channels.web.routes import create_web
from bot.desk import Desk
from bot.settings import Settings, load_settings
from tests.chaos.program import free_port
from tests.conformance import CONVERSATIONS, NONE_OF_THESE, Driver, Turn
from tests.emulators.telegram import TOKEN, Sent
from tests.emulators.telegram import Telegram as Emulator
from tests.wecom import drivers
from tests.wecom.aibot_driver import aibot

Channel = contextlib.AbstractAsyncContextManager[Driver]


class Console:
    """The terminal: one conversation a start; options are picked by number."""

    def __init__(self, settings: Settings, desk: Desk) -> None:
        self._settings, self._desk = settings, desk
        self._said: asyncio.Queue[str] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._write: Any = None

    async def begin(self) -> None:
        await self.end()
        reading, writing = os.pipe()
        self._write = os.fdopen(writing, "w", encoding="utf-8")
        lines = os.fdopen(reading, encoding="utf-8")
        self._task = asyncio.create_task(self._converse(lines))
        await self._said.get()  # the greeting

    async def _converse(self, lines: Any) -> None:
        with lines:
            await converse(self._settings, self._desk, lines, self._said.put_nowait)

    async def end(self) -> None:
        if self._task is not None:
            self._write.close()
            await self._task

    async def say(self, text: str) -> str:
        self._write.write(text + "\n")
        self._write.flush()
        return await asyncio.wait_for(self._said.get(), 20)

    async def pick(self, place: int) -> str:
        return await self.say("都不是" if place == NONE_OF_THESE else str(place + 1))


class Web:
    """The page: a session a conversation; a tapped option is sent as its label."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._sessions = itertools.count(1)
        self._session = ""
        self._options: list[str] = []

    async def begin(self) -> None:
        self._session = f"session-{next(self._sessions)}"

    async def say(self, text: str) -> str:
        response = await self._client.post("/api/ask", json={"text": text, "session": self._session})
        found = response.json()
        self._options = [option["label"] for option in found["options"]]
        return str(found["text"])

    async def pick(self, place: int) -> str:
        return await self.say(self._options[place])


class Telegram:
    """A private chat a conversation; options are buttons."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._chats = itertools.count(5001)
        self._chat = 0

    async def begin(self) -> None:
        self._chat = next(self._chats)

    async def say(self, text: str) -> str:
        count = len(self._emulator.of(self._chat))
        self._emulator.say(self._chat, text)
        return (await self._reply(count)).text

    async def pick(self, place: int) -> str:
        replies = self._emulator.of(self._chat)
        options = [data for data in replies[-1].buttons.values() if data.startswith(("e:", "x:"))]
        self._emulator.press(replies[-1], options[place])
        return (await self._reply(len(replies))).text

    async def _reply(self, count: int) -> Sent:
        return (await self._emulator.replies(self._chat, count + 1))[count]


@contextlib.asynccontextmanager
async def console(settings: Settings, desk: Desk) -> AsyncIterator[Driver]:
    driver = Console(settings, desk)
    yield driver
    await driver.end()


@contextlib.asynccontextmanager
async def web(settings: Settings, desk: Desk) -> AsyncIterator[Driver]:
    async with running(settings, desk) as app:
        port = free_port()
        server = uvicorn.Server(uvicorn.Config(create_web(app), port=port, log_level="critical", lifespan="off"))
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        serving = asyncio.create_task(server.serve())
        transport = httpx.AsyncHTTPTransport(retries=5)
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=20) as client:
            yield Web(client)
        server.should_exit = True
        await serving


@contextlib.asynccontextmanager
async def telegram(settings: Settings, desk: Desk) -> AsyncIterator[Driver]:
    async with Emulator().running() as emulator:
        given = {"telegram_token": TOKEN, "telegram_api_base": emulator.url}
        own = load_settings(**(settings.model_dump(exclude_defaults=True) | given))
        async with running(own, desk) as app:
            channel = make(app)
            assert channel is not None
            stopping = asyncio.Event()
            working = asyncio.create_task(run_all([channel], stopping, app))
            yield Telegram(emulator)
            stopping.set()
            await working


DRIVERS: dict[str, Callable[[Settings, Desk], Channel]] = {
    "console": console,
    "web": web,
    "telegram": telegram,
    "wecom": drivers.app,
    "wecom without a secret": drivers.passive,
    "wecom-kf": drivers.kf,
    "wecom-aibot": aibot,
}


def last(database: Path) -> tuple[str, list[str]]:
    """Status and entries of the newest question in the log."""
    with contextlib.closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        query = "SELECT status, entries FROM query_log ORDER BY id DESC LIMIT 1"
        status, entries = connection.execute(query).fetchone()
        return status, [name for name in entries.strip("[]").replace('"', "").split(", ") if name]


def bare(text: str) -> str:
    return "".join(text.split())


async def hold(driver: Driver, turns: tuple[Turn, ...], database: Path) -> list[str]:
    """What went differently than the table says."""
    wrong: list[str] = []
    await driver.begin()
    for turn in turns:
        reply = await (driver.say(turn.said) if isinstance(turn.said, str) else driver.pick(turn.said))
        status, ids = last(database)
        if (status, ids[: len(turn.ids)]) != (turn.status, list(turn.ids)):
            wrong.append(f"{turn.said}: {status} {ids[:3]}, not {turn.status} {turn.ids}")
        if not reply.strip() or bare(turn.told) not in bare(reply):
            wrong.append(f"{turn.said}: {turn.told!r} is not in {reply[:80]!r}")
    return wrong


@pytest.mark.parametrize("name", DRIVERS)
async def test_the_channel_holds_every_conversation(
    name: str, desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.telegram.listener.HOLD", 0.05)  # nobody here speaks in pieces
    database = tmp_path / "log.db"
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{database}", rate_limit_user=0, rate_limit_address=0)
    assert len(CONVERSATIONS) >= 30
    assert sum(map(len, CONVERSATIONS.values())) >= 45
    async with DRIVERS[name](settings, desk) as driver:
        wrong = {title: await hold(driver, turns, database) for title, turns in CONVERSATIONS.items()}
    assert {title: found for title, found in wrong.items() if found} == {}
