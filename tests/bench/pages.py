"""How long each page of the dashboard takes over a big log: `python -m tests.bench.pages --rows 1000000`.

The log is made of plain rows over 90 days, in a file of its own that `--file` keeps for a second run. Beside the time
stands that of the processor, which other programs on the machine do not lengthen as much.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.app import App, build_desk
from bot.channels.web.routes import create_web
from bot.dashboard.access import COOKIE, Access
from bot.dashboard.site import dashboard
from bot.querylog.store import QueryLog
from bot.querylog.tables import feedback, query_log
from bot.settings import load_settings
from bot.text.expand import expand

PAGES = (
    "/",
    "/?days=365",
    "/channels?days=365",
    "/regions?days=365",
    "/entries?days=365",
    "/entries?view=never&days=90",
    "/entries?view=down&days=90",
    "/entries?view=old&days=90",
    "/questions",
    "/questions?q=没有人问过的字",
    "/questions?status=none&verdict=down&channel=telegram",
    "/questions?from={early}&to={early}",
    "/questions?entry={entry}&before={half}",
    "/questions/{half}",
    "/wordings?days=365",
    "/wordings?view=missed&days=7",
    "/system",
    "/audit",
)
DAYS = 90
BATCH = 20_000


def rows(count: int, wordings: list[tuple[str, str]], seed: int = 1) -> Iterator[dict[str, Any]]:
    """Rows in the order of time; a tenth is unanswered, three of a hundred are judged."""
    chance, now = random.Random(seed), dt.datetime.now(dt.UTC)
    start = now - dt.timedelta(days=DAYS)
    for number in range(count):
        text, entry = wordings[min(int(chance.paretovariate(0.4)) - 1, len(wordings) - 1)]
        missed = chance.random() < 0.1
        verdict = chance.choice(("up", "up", "down")) if chance.random() < 0.03 else None
        at = start + (now - start) * (number / count)
        yield {
            "id": number + 1,
            "asked_at": at,
            "channel": chance.choice(("web", "web", "telegram", "wecom", "wecom-kf")),
            "user_key": f"{chance.randrange(200_000):016x}",
            "message_id": f"bench-{number}",
            "text": f"{text} {chance.randrange(1000)}" if missed or chance.random() < 0.5 else text,
            "status": "none" if missed else "answer",
            "entry": None if missed else entry,
            "entries": json.dumps([] if missed else [entry]),
            "score": round(chance.random(), 4),
            "runner_up": entry,
            "knowledge_version": "bench",
            "took_ms": chance.lognormvariate(0, 0.6),
            "reason": "得分够高",
            "verdict": verdict,
            "verdict_at": at if verdict else None,
        }


async def fill(querylog: QueryLog, count: int, wordings: list[tuple[str, str]]) -> None:
    """Insert the rows, and a line of feedback for each verdict."""
    batch: list[dict[str, Any]] = []

    async def store(connection: AsyncConnection, some: list[dict[str, Any]]) -> None:
        await connection.execute(sa.insert(query_log), some)
        judged = [
            {"query_id": row["id"], "at": row["asked_at"], "verdict": row["verdict"], "reasons": "[]", "text": ""}
            for row in some
            if row["verdict"]
        ]
        await connection.execute(sa.insert(feedback), judged)

    for row in rows(count, wordings):
        batch.append(row)
        if len(batch) == BATCH:
            await querylog.run(partial(store, some=batch))
            batch = []
    if batch:
        await querylog.run(partial(store, some=batch))


async def measure(url: str, count: int, rounds: int) -> None:
    """Fill the log if it is empty, then time every page."""
    settings = load_settings(database_url=url)
    desk = build_desk(settings)
    entries = list(desk.book.entries.values())
    wordings = [(wording, entry.id) for entry in entries for template in entry.ask for wording in expand(template)]
    querylog = await QueryLog.open(url)
    try:
        if not await querylog.count():
            began = time.perf_counter()
            await fill(querylog, count, wordings)
            print(f"{count} rows written in {time.perf_counter() - began:.0f} s")
        began = time.perf_counter()
        await querylog.tally()
        print(f"counted by day in {time.perf_counter() - began:.1f} s")
        app = App(settings, desk, querylog)
        cookie = await Access(querylog, None, lambda: dt.datetime.now(dt.UTC)).begin("bench")
        web = create_web(app, more=[dashboard(app)])
        early = (dt.datetime.now(dt.UTC) - dt.timedelta(days=DAYS - 5)).date()
        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(web), base_url="http://bench", cookies={COOKIE: cookie}
        ) as client:
            for page in PAGES:
                address = "/admin" + page.format(early=early, half=max(count // 2, 1), entry=entries[7].id)
                took, worked = [], []
                for _ in range(rounds):
                    began, busy = time.perf_counter(), time.process_time()
                    response = await client.get(address)
                    took.append((time.perf_counter() - began) * 1000)
                    worked.append((time.process_time() - busy) * 1000)
                    assert response.status_code == 200, (address, response.status_code)
                middle, busy = statistics.median(took), statistics.median(worked)
                print(f"{middle:6.0f} ms (worst {max(took):5.0f}, processor {busy:5.0f})  {address}")
    finally:
        await querylog.close()


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--file", type=Path, help="keep the log here; filled when it is empty")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = given.file or Path(folder) / "log.db"
        asyncio.run(measure(f"sqlite+aiosqlite:///{file.absolute()}", given.rows, given.rounds))
        print(f"{file.stat().st_size / given.rows:.0f} bytes a row")


if __name__ == "__main__":
    main()
