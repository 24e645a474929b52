"""Questions through the app and 微信客服 while the server is killed again and again and its API fails one time in ten.

    python -m tests.wecom.chaos --kills 30 --messages 400 --seed 1

A question counts as taken when the platform got its 200 (the app) or when it was written (微信客服): each must have
one row in the log and one reply, and no push may come twice.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import signal
import socket
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.conftest import ROOT
from tests.emulators.wecom import AES_KEY, AGENT, CORP, SECRET, TOKEN, Callbacks, Served, message
from tests.emulators.wecom_kf import KF_AES_KEY, KF_SECRET, KF_TOKEN, KfApi

QUESTIONS = ("灵活保一天多少钱", "老小区装电梯要跑几个部门？", "镇海的老人能送饭上门吗？", "小区里没人要的破车谁来拖？")
"""Each with one answer, so that each brings one card, and one message of 微信客服."""
START_SECONDS = 90.0
SETTLE_SECONDS = 90.0
STOP_SECONDS = 10.0


@dataclass
class Server:
    """`reformbot serve` in a process of its own, on one database."""

    folder: Path
    api: str
    port: int = 0
    process: asyncio.subprocess.Process | None = None

    def __post_init__(self) -> None:
        with closing(socket.socket()) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it and wait until it answers."""
        settings = {
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.folder}/log.db",
            "PORT": str(self.port),
            "RATE_LIMIT_USER": "0",
            "WECOM_API_BASE": self.api,
            "WECOM_CORP_ID": CORP,
            "WECOM_AGENT_ID": str(AGENT),
            "WECOM_SECRET": SECRET,
            "WECOM_TOKEN": TOKEN,
            "WECOM_AES_KEY": AES_KEY,
            "WECOM_KF_TOKEN": KF_TOKEN,
            "WECOM_KF_AES_KEY": KF_AES_KEY,
            "WECOM_KF_SECRET": KF_SECRET,
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("REFORMBOT_")}
        env = {**kept, **{f"REFORMBOT_{name}": value for name, value in settings.items()}, "PYTHONPATH": str(ROOT)}
        with (self.folder / "serve.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "serve", cwd=self.folder, env=env, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_SECONDS
        async with httpx.AsyncClient(trust_env=False) as client:
            while True:
                assert self.process.returncode is None, (self.folder / "serve.log").read_text()
                assert time.monotonic() < deadline
                try:
                    await client.get(f"{self.url}/healthz")
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                else:
                    return

    async def end(self, number: int) -> int:
        """Send a signal and wait; the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return await self.process.wait()


@dataclass
class Storm:
    """What was asked, and what became of it."""

    server: Server
    wecom: KfApi
    rng: random.Random
    messages: int
    gap: float
    """Seconds between two questions, at most."""
    taken: set[int] = field(default_factory=set)
    written: set[str] = field(default_factory=set)

    async def members(self) -> None:
        """Ask the app; the platform gives up after three tries, a member does not."""
        async with asyncio.TaskGroup() as group:
            for number in range(self.messages):
                group.create_task(self._member(number))
                await asyncio.sleep(self.rng.uniform(0, self.gap))

    async def _member(self, number: int) -> None:
        callbacks = Callbacks(f"{self.server.url}/wecom/callback")
        question = message(f"member-{number}", QUESTIONS[number % len(QUESTIONS)], number)
        while number not in self.taken:
            outcome = await callbacks.push(question)
            if outcome.statuses[-1] == 200:
                self.taken.add(number)
                assert outcome.text, "nothing was slow, so the reply comes with the response"
            await asyncio.sleep(0.2)
        await callbacks.close()

    async def citizens(self) -> None:
        """Ask through WeChat; a notice that finds nobody is lost."""
        callbacks = Callbacks(f"{self.server.url}/wecom/kf", KF_TOKEN, KF_AES_KEY)
        for number in range(self.messages):
            user = f"wm-citizen-{number}"
            self.wecom.says(user, QUESTIONS[number % len(QUESTIONS)])
            self.written.add(user)
            await callbacks.push(self.wecom.notice(), tries=1)
            await asyncio.sleep(self.rng.uniform(0, self.gap))
        await callbacks.close()

    async def kills(self, times: int) -> None:
        """Kill and restart."""
        for _ in range(times):
            await asyncio.sleep(self.rng.uniform(0.1, 1.5))
            assert await self.server.end(signal.SIGKILL) == -signal.SIGKILL
            await self.server.start()

    def settled(self) -> bool:
        """Whether every question has all it should get."""
        shown = {item.user for item in self.wecom.shown}
        cards = {item.user for item in self.wecom.sent if item.kind == "template_card"}
        return shown >= self.written and cards >= {f"member-{number}" for number in self.taken}

    def check(self) -> None:
        """Nothing lost, nothing twice."""
        with closing(sqlite3.connect(self.server.folder / "log.db")) as log:
            rows = log.execute("SELECT channel, message_id, count(*) FROM query_log GROUP BY 1, 2").fetchall()
        assert {count for _, _, count in rows} == {1}
        channels = Counter(channel for channel, _, _ in rows)
        assert channels == {"wecom": self.messages, "wecom-kf": self.messages}
        assert {int(name) for channel, name, _ in rows if channel == "wecom"} == self.taken
        assert Counter(item.user for item in self.wecom.shown) == dict.fromkeys(self.written, 1)
        assert Counter((item.user, item.kind) for item in self.wecom.sent) == {
            (f"member-{number}", "template_card"): 1 for number in self.taken
        }
        assert self.wecom.violations == []


async def run(folder: Path, kills: int, messages: int, seed: int) -> str:
    """The whole storm; AssertionError when anything was lost or came twice. Returns what happened in a line."""
    wecom, rng = KfApi(), random.Random(seed)
    wecom.faults.rate, wecom.faults.rng = 0.1, random.Random(seed)
    with Served(wecom.app()) as served:
        server = Server(folder, served.url)
        await server.start()
        storm = Storm(server, wecom, rng, messages, gap=max(0.1, 10 * kills / messages))
        try:
            await asyncio.gather(storm.members(), storm.citizens(), storm.kills(kills))
            deadline = time.monotonic() + SETTLE_SECONDS
            while not storm.settled():
                assert time.monotonic() < deadline, "some replies never came"
                await asyncio.sleep(0.1)
            wecom.says("wm-citizen-last", QUESTIONS[0])
            start = time.monotonic()
            assert await server.end(signal.SIGTERM) == 0
            stopped = time.monotonic() - start
        finally:
            if server.process and server.process.returncode is None:
                await server.end(signal.SIGKILL)
        assert stopped < STOP_SECONDS
        storm.check()
    calls = f"{wecom.calls.total()} calls, {wecom.duplicates} messages repeated"
    return f"{2 * messages} questions, {kills} kills, {calls}; stopped in {stopped:.1f} s"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        print(asyncio.run(run(Path(made), given.kills, given.messages, given.seed)))
