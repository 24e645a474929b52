"""The channels of WeCom hold the conversations that every channel holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path

import pytest

from bot.desk import Desk
from bot.settings import Settings, load_settings
from tests.conformance import CONVERSATIONS, Driver, Turn
from tests.wecom import drivers

DRIVERS: dict[str, Callable[[Settings, Desk], AbstractAsyncContextManager[Driver]]] = {
    "wecom": drivers.app,
    "wecom without a secret": drivers.passive,
    "wecom-kf": drivers.kf,
}


def last(database: Path) -> tuple[str, list[str]]:
    """Status and entries of the newest question in the log."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as log:
        status, entries = log.execute("SELECT status, entries FROM query_log ORDER BY id DESC LIMIT 1").fetchone()
    return status, json.loads(entries)


async def hold(driver: Driver, turns: tuple[Turn, ...], database: Path) -> list[str]:
    """What went differently than the table says."""
    wrong = []
    await driver.begin()
    for turn in turns:
        reply = await (driver.say(turn.said) if isinstance(turn.said, str) else driver.pick(turn.said))
        status, ids = last(database)
        if (status, ids[: len(turn.ids)]) != (turn.status, list(turn.ids)):
            wrong.append(f"{turn.said}: {status} {ids[:3]}")
        if not reply or turn.told not in "".join(reply.split()):
            wrong.append(f"{turn.said}: {reply[:80]}")
    return wrong


@pytest.mark.parametrize("name", DRIVERS)
async def test_the_channel_holds_every_conversation(name: str, desk: Desk, tmp_path: Path) -> None:
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db")
    assert len(CONVERSATIONS) >= 30
    async with DRIVERS[name](settings, desk) as driver:
        wrong = {title: await hold(driver, turns, tmp_path / "log.db") for title, turns in CONVERSATIONS.items()}
    assert {title: found for title, found in wrong.items() if found} == {}
