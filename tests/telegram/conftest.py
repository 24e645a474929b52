"""A bot that runs beside the emulator in one loop, by polling and by webhook."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from bot.app import App, running
from bot.channels.channel import run_all
from bot.channels.telegram.channel import PATH, Telegram, make
from bot.channels.web.routes import create_web
from bot.desk import Desk
from bot.settings import load_settings
from tests.chaos.program import free_port
from tests.emulators.telegram import TOKEN
from tests.emulators.telegram import Telegram as Emulator

SECRET = "a-secret_of-the-tests"
ADMIN = 4242


@dataclass(slots=True)
class Bot:
    """A running bot: the program, its channel, and where its web server listens."""

    app: App
    channel: Telegram
    url: str


Start = Callable[..., contextlib.AbstractAsyncContextManager[Bot]]


@pytest.fixture
async def telegram() -> AsyncIterator[Emulator]:
    async with Emulator().running() as emulator:
        yield emulator


@pytest.fixture(params=["polling", "webhook"])
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def pace(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chats may get more in a second than Telegram likes, and nothing drains for long, so that the tests are quick."""
    monkeypatch.setattr("bot.channels.telegram.pace.CHAT", (50, 1.0))
    monkeypatch.setattr("bot.channels.telegram.channel._DRAIN_SECONDS", 0.5)


@pytest.fixture
def start(telegram: Emulator, desk: Desk, tmp_path: Path, mode: str, pace: None) -> Start:
    """Starts a bot; started again it goes on with the same database."""

    @contextlib.asynccontextmanager
    async def begin(**more: Any) -> AsyncIterator[Bot]:
        given = {
            "database_url": f"sqlite+aiosqlite:///{tmp_path}/log.db",
            "telegram_token": TOKEN,
            "telegram_api_base": telegram.url,
            "telegram_admins": str(ADMIN),
            "rate_limit_user": 0,
        }
        hook = f"http://127.0.0.1:{free_port()}"
        if mode == "webhook":
            given |= {"telegram_webhook_url": hook + PATH, "telegram_webhook_secret": SECRET}
        settings = load_settings(**(given | more))
        async with running(settings, desk) as app:
            await app.querylog.take_over()
            channel = make(app)
            assert channel is not None
            app.channels = {channel.name: channel.health}
            async with _on(hook, create_web(app, more=channel.routes())):
                stopping = asyncio.Event()
                task = asyncio.create_task(run_all([channel], stopping, app))
                try:
                    yield Bot(app, channel, hook)
                finally:
                    stopping.set()
                    await task

    return begin


@contextlib.asynccontextmanager
async def _on(url: str, app: Any) -> AsyncIterator[None]:
    config = uvicorn.Config(app, port=int(url.rpartition(":")[2]), log_level="critical", lifespan="off", ws="none")
    config.timeout_graceful_shutdown = 2
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve())
    try:
        yield
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def bot(start: Start) -> AsyncIterator[Bot]:
    async with start() as running_bot:
        yield running_bot
