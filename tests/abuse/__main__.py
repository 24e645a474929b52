"""Fuzzed requests over all routes, nonsense over bare sockets, slow clients: no 500, no leak.

    python -m tests.abuse [--count 20000] [--slow 300] [--seed 1]

Half of the requests are schemathesis' own, from the published OpenAPI file; the others go to every route that the
program has (also logged in), to WeCom's callbacks with right signatures, and over bare sockets. Exit code 1 when
anything was wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx

from bot.app import App
from bot.channels.registry import channels
from bot.channels.web.routes import create_web
from bot.dashboard.access import COOKIE, Access
from bot.dashboard.site import dashboard
from bot.desk import Desk
from bot.knowledge.book import load_or_raise
from bot.querylog.store import QueryLog
from bot.settings import load_settings
from tests.abuse import published, routes, wire
from tests.abuse.watch import VICTIM, Watch
from tests.chaos.bank import make_knowledge, questions
from tests.chaos.program import Program
from tests.chaos.storm import Platforms, hook, platforms
from tests.emulators.wecom import Callbacks
from tests.emulators.wecom_kf import KF_AES_KEY, KF_TOKEN
from tests.wecom import fuzz as callbacks


async def run(count: int, slow: int, seed: int, folder: Path) -> tuple[Watch, wire.Slow]:
    """All of it against one process with every channel on."""
    make_knowledge(folder / "knowledge", questions(60))
    async with platforms(seed) as work:
        work.wecom.faults.rate = 0.0
        own = {"DATABASE_URL": f"sqlite+aiosqlite:///{folder}/log.db", "KNOWLEDGE": str(folder / "knowledge")}
        program = Program(folder, {**work.settings(), **own})
        program.add(hook(program.url))
        async with program:
            await program.start()
            watch = Watch((str(folder), own["DATABASE_URL"]))
            attacking = attack(program, work, own, watch, count, seed)
            _, found = await asyncio.gather(attacking, wire.slowloris(program.url, slow, watch))
            await program.stop()
        if "Traceback" in program.journal.read_text(encoding="utf-8"):
            told = program.journal.read_text(encoding="utf-8")
            watch.wrong.append("a traceback in the journal: " + told[max(0, told.index("Traceback") - 300) :][:3000])
    return watch, found


async def attack(program: Program, work: Platforms, own: dict[str, str], watch: Watch, count: int, seed: int) -> None:
    """Every kind of request in its share."""
    known = await every_path(work, own)
    async with httpx.AsyncClient(base_url=program.url, trust_env=False, timeout=60) as client:
        await client.post("/api/ask", json={"text": VICTIM, "session": "victim"})
        await asyncio.to_thread(published.fuzz, program.url, count // 2, seed, watch)
        await routes.fuzz(client, known, count // 5, seed, watch)
        await signed(client, count // 10, seed, watch)
        client.cookies.set(COOKIE, await session(own["DATABASE_URL"]))
        await routes.fuzz(client, known, count // 10, seed + 1, watch, insider=True)
    await wire.nonsense(program.port, max(len(wire.SAMPLES), count // 10), seed, watch)


async def every_path(work: Platforms, own: dict[str, str]) -> list[str]:
    """The paths of all routes, as the program makes them."""
    given: dict[str, Any] = {name.lower(): value for name, value in {**work.settings(), **own}.items()}
    given |= {name.lower(): value for name, value in hook("http://127.0.0.1:1").items()}
    given["database_url"] = "sqlite+aiosqlite:///:memory:"
    settings = load_settings(**given)
    querylog = await QueryLog.open(settings.database_url)
    app = App(settings, Desk(load_or_raise(Path(own["KNOWLEDGE"]))), querylog)
    more = [route for channel in channels(app) for route in channel.routes()]
    found = sorted(set(routes.paths(create_web(app, more=[*more, dashboard(app)]).routes)))
    await querylog.close()
    named = {
        "/api/ask",
        "/telegram/webhook",
        "/wecom/callback",
        "/wecom/kf",
        "/admin/login",
        "/admin/questions/{id:int}",
    }
    assert named <= set(found), found
    return found


async def session(url: str) -> str:
    """The cookie of somebody who is logged in."""
    querylog = await QueryLog.visit(url)
    cookie = await Access(querylog, None, lambda: dt.datetime.now(dt.UTC)).begin("测试")
    await querylog.close()
    return cookie


async def signed(client: httpx.AsyncClient, count: int, seed: int, watch: Watch) -> None:
    """WeCom's callbacks, mutated after they were signed."""
    dice = random.Random(seed)
    paths = callbacks.PATHS
    senders = {paths[0]: Callbacks(""), paths[1]: Callbacks("", KF_TOKEN, KF_AES_KEY)}
    for _ in range(count):
        call = callbacks.made(dice, senders)
        try:
            watch.note("signed callbacks", call.path, await callbacks.check(client, call), "")
        except AssertionError as error:
            watch.wrong.append(f"signed callbacks: {error}")
    for sender in senders.values():
        await sender.close()


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--slow", type=int, default=300, help="slow clients")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="abuse") as folder:
        watch, slow = asyncio.run(run(given.count, given.slow, given.seed, Path(folder)))
    print(watch, slow, sep="\n")
    sys.exit(bool(watch.wrong))


if __name__ == "__main__":
    main()
