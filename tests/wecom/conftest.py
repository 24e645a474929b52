"""A bot on loopback between an emulated WeCom and its callbacks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from bot.app import App, running
from bot.channels.channel import Channel, run_all
from bot.channels.registry import channels
from bot.channels.web.routes import create_web
from bot.desk import Desk
from bot.settings import load_settings
from tests.emulators.wecom import AES_KEY, AGENT, CORP, SECRET, TOKEN, Callbacks, Served
from tests.emulators.wecom_kf import KF_AES_KEY, KF_SECRET, KF_TOKEN, KfApi
from tests.waiting import until


@pytest.fixture
def wecom() -> KfApi:
    return KfApi()


@pytest.fixture
def base(wecom: KfApi) -> Iterator[str]:
    with Served(wecom.app()) as served:
        yield served.url


@dataclass
class Bot:
    """One running process, so to say."""

    app: App
    url: str
    channels: dict[str, Channel]
    callbacks: Callbacks
    kf: Callbacks

    async def rows(self) -> list[Any]:
        """Every logged question, oldest first."""
        return [item.row for item in reversed(await self.app.querylog.recent(10_000))]


@dataclass
class Starter:
    """Starts bots on one database; `given` are settings."""

    desk: Desk
    database: str
    base: str
    given: dict[str, Any] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        return {
            "database_url": self.database,
            "rate_limit_user": 0,
            "wecom_api_base": self.base,
            "wecom_corp_id": CORP,
            "wecom_agent_id": AGENT,
            "wecom_secret": SECRET,
            "wecom_token": TOKEN,
            "wecom_aes_key": AES_KEY,
            "wecom_kf_token": KF_TOKEN,
            "wecom_kf_aes_key": KF_AES_KEY,
            "wecom_kf_secret": KF_SECRET,
            **self.given,
        }

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Bot]:
        async with running(load_settings(**self.settings()), self.desk) as app:
            made = channels(app)
            routes = [route for channel in made for route in channel.routes()]
            stopping = asyncio.Event()
            working = asyncio.create_task(run_all(made, stopping, app))
            async with listening(create_web(app, more=routes)) as url:
                callbacks = Callbacks(f"{url}/wecom/callback")
                kf = Callbacks(f"{url}/wecom/kf", KF_TOKEN, KF_AES_KEY)
                try:
                    yield Bot(app, url, {channel.name: channel for channel in made}, callbacks, kf)
                finally:
                    await callbacks.close()
                    await kf.close()
                    stopping.set()
                    await working


@asynccontextmanager
async def listening(app: Any) -> AsyncIterator[str]:
    """Serve an application in this loop, on a free port."""
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment, method-assign]
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


@pytest.fixture
def start(desk: Desk, tmp_path: Path, base: str) -> Starter:
    return Starter(desk, f"sqlite+aiosqlite:///{tmp_path}/log.db", base)


@pytest.fixture
async def bot(start: Starter) -> AsyncIterator[Bot]:
    async with start() as started:
        yield started


@pytest.fixture(autouse=True)
def no_secrets_in_the_journal(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does, no secret and nobody's id is logged."""
    caplog.set_level(logging.INFO)
    yield
    told = "\n".join(record.getMessage() for record in caplog.records if not record.name.startswith("asyncio"))
    for secret in (SECRET, KF_SECRET, TOKEN, AES_KEY, KF_TOKEN, KF_AES_KEY, "access_token=", "wm-citizen", "member-"):
        assert secret not in told
