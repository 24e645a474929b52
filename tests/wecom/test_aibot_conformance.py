"""The AI bot holds the conversations that every channel must hold."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.desk import Desk
from bot.settings import load_settings
from tests.conformance import CONVERSATIONS, Turn
from tests.wecom.aibot_driver import Driver, aibot


def bare(text: str) -> str:
    return "".join(text.split())


async def held(driver: Driver, turns: tuple[Turn, ...], database: Path) -> list[str]:
    """What went differently than the table says."""
    wrong = []
    await driver.begin()
    for turn in turns:
        reply = await (driver.say(turn.said) if isinstance(turn.said, str) else driver.pick(turn.said))
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
            newest = connection.execute("SELECT status, entries FROM query_log ORDER BY id DESC LIMIT 1").fetchone()
        found = (newest[0], tuple(json.loads(newest[1]))[: len(turn.ids)])
        if found != (turn.status, turn.ids) or not reply.strip() or bare(turn.told) not in bare(reply):
            wrong.append(f"{turn}: {found}, {reply[:80]}")
    return wrong


async def test_every_conversation(desk: Desk, tmp_path: Path) -> None:
    database = tmp_path / "log.db"
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{database}", rate_limit_user=0)
    assert len(CONVERSATIONS) >= 30
    async with aibot(settings, desk) as driver:
        wrong = {title: await held(driver, turns, database) for title, turns in CONVERSATIONS.items()}
    assert {title: found for title, found in wrong.items() if found} == {}
