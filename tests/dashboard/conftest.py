"""A dashboard over a real log, with clocks to turn, and somebody who is logged in."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.app import App
from bot.channels.web.routes import create_web
from bot.dashboard import panel
from bot.dashboard.access import COOKIE, Access, hash_password
from bot.dashboard.site import dashboard
from bot.desk import Desk
from bot.querylog.rows import LogRow
from bot.querylog.store import QueryLog
from bot.reload import Reloaded, Reloader
from bot.settings import load_settings

PASSWORD = "correct horse battery"
NOW = dt.datetime(2026, 11, 20, 4, 0, tzinfo=dt.UTC)
"""Noon in the city."""


@dataclass
class Clock:
    """What both clocks show."""

    now: dt.datetime = NOW
    tick: float = 0.0

    def later(self, **span: float) -> None:
        moved = dt.timedelta(**span)
        self.now += moved
        self.tick += moved.total_seconds()


@dataclass
class Site:
    """A running dashboard."""

    app: App
    web: Any
    clock: Clock

    def client(self, cookie: str | None = None, **more: Any) -> httpx.AsyncClient:
        cookies = {COOKIE: cookie} if cookie else None
        transport = httpx.ASGITransport(self.web)
        return httpx.AsyncClient(transport=transport, base_url="http://bot", cookies=cookies, trust_env=False, **more)

    async def cookie(self) -> str:
        secret = self.app.settings.admin_password_hash
        hashed = None if secret is None else secret.get_secret_value()
        return await Access(self.app.querylog, hashed, lambda: self.clock.now).begin("测试")

    async def ask(self, text: str, **more: Any) -> int:
        """One row of the log."""
        values: dict[str, Any] = {"channel": "web", "user_key": "u1", "status": "answer", "asked_at": self.clock.now}
        return await self.app.querylog.write(LogRow(text=text, message_id=None, **(values | more)))


class Idle(Reloader):
    """Finds the knowledge as it was, without a worker: what a reload does is tested elsewhere."""

    async def make(self, known: str, today: dt.date) -> Reloaded:
        return Reloaded(None, True, f"知识没有变化（版本 {known}）")


@asynccontextmanager
async def opened(url: str, desk: Desk, **settings: Any) -> AsyncIterator[Site]:
    clock = Clock()
    querylog = await QueryLog.open(url)
    try:
        app = App(load_settings(database_url=url, **settings), desk, querylog, now=lambda: clock.now)
        app.reloader = Idle(app.reloader.folder)
        mounted = dashboard(app, now=lambda: clock.now, tick=lambda: clock.tick)
        yield Site(app, create_web(app, more=[mounted]), clock)
    finally:
        await querylog.close()


@pytest.fixture(scope="session")
def password_hash() -> str:
    return hash_password(PASSWORD)


@pytest.fixture(autouse=True)
def counts_are_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page waits for the newest counts however busy the machine is; that it need not is tested elsewhere."""
    monkeypatch.setattr(panel, "_FRESH_SECONDS", 30)


@pytest.fixture
async def site(tmp_path: Path, desk: Desk, password_hash: str) -> AsyncIterator[Site]:
    url = f"sqlite+aiosqlite:///{tmp_path}/log.db"
    async with opened(url, desk, admin_password_hash=password_hash) as made:
        yield made


@pytest.fixture
async def admin(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.client(await site.cookie()) as client:
        yield client
