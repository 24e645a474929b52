"""Questions through the app and 微信客服 while the server is killed again and again and its API fails one time in ten.

    python -m tests.chaos.wecom --kills 30 --messages 400 --seed 1

A question counts as taken when the platform got its 200 (the app) or when it was written (微信客服): each must have
one row in the log and one reply, and no push may come twice.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import tempfile
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.program import Program
from tests.emulators.wecom import AES_KEY, AGENT, CORP, SECRET, TOKEN, Callbacks, Served, message
from tests.emulators.wecom_kf import KF_AES_KEY, KF_SECRET, KF_TOKEN, KfApi

QUESTIONS = ("灵活保一天多少钱", "老小区装电梯要跑几个部门？", "镇海的老人能送饭上门吗？", "小区里没人要的破车谁来拖？")
"""Each with one answer, so that each brings one card, and one message of 微信客服."""
SETTLE_SECONDS = 90.0
STOP_SECONDS = 10.0


def server(folder: Path, api: str) -> Program:
    """`reformbot serve` with the app and 微信客服 alone."""
    given = {
        "DATABASE_URL": f"sqlite+aiosqlite:///{folder}/log.db",
        "WECOM_API_BASE": api,
        "WECOM_CORP_ID": CORP,
        "WECOM_AGENT_ID": str(AGENT),
        "WECOM_SECRET": SECRET,
        "WECOM_TOKEN": TOKEN,
        "WECOM_AES_KEY": AES_KEY,
        "WECOM_KF_TOKEN": KF_TOKEN,
        "WECOM_KF_AES_KEY": KF_AES_KEY,
        "WECOM_KF_SECRET": KF_SECRET,
    }
    return Program(folder, given)


@dataclass
class Storm:
    """What was asked, and what became of it."""

    server: Program
    log: Path
    wecom: KfApi
    rng: random.Random
    messages: int
    gap: float
    """Seconds between two questions, at most."""
    taken: set[int] = field(default_factory=set)
    written: set[str] = field(default_factory=set)
    longest_stop: float = 0.0

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
        """Kill and restart; one time in four it is asked to stop, and must be gone in time."""
        for _ in range(times):
            await asyncio.sleep(self.rng.uniform(0.1, 1.5))
            if self.rng.random() < 0.25:
                await self.stop()
            else:
                await self.server.kill()
            await self.server.start()

    async def stop(self) -> None:
        """SIGTERM."""
        self.longest_stop = max(self.longest_stop, await self.server.stop())
        assert self.longest_stop < STOP_SECONDS

    def settled(self) -> bool:
        """Whether every question has all it should get."""
        shown = {item.user for item in self.wecom.shown}
        cards = {item.user for item in self.wecom.sent if item.kind == "template_card"}
        return shown >= self.written and cards >= {f"member-{number}" for number in self.taken}

    def check(self) -> None:
        """Nothing lost, nothing twice."""
        with closing(sqlite3.connect(self.log)) as log:
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
        async with server(folder, served.url) as program:
            await program.start()
            storm = Storm(program, folder / "log.db", wecom, rng, messages, gap=max(0.1, 4 * kills / messages))
            await asyncio.gather(storm.members(), storm.citizens(), storm.kills(kills))
            deadline = time.monotonic() + SETTLE_SECONDS
            while not storm.settled():
                assert time.monotonic() < deadline, "some replies never came"
                await asyncio.sleep(0.1)
            await storm.stop()
    storm.check()
    told = (folder / "journal").read_text(encoding="utf-8")
    assert not [secret for secret in (SECRET, KF_SECRET, AES_KEY, "access_token", "wm-citizen") if secret in told]
    assert "Traceback" not in told
    calls = f"{wecom.calls.total()} calls, {wecom.duplicates} messages repeated"
    return f"{2 * messages} questions, {kills} kills, {calls}; stopped within {storm.longest_stop:.1f} s"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        print(asyncio.run(run(Path(made), given.kills, given.messages, given.seed)))
