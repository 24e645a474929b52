"""Questions through every channel at once, while the process is killed, its database gone, and the disk full."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from tests.chaos.bank import make_knowledge, questions
from tests.chaos.crowds import (
    FAILURES,
    ChatCrowd,
    CitizenCrowd,
    Crowd,
    MemberCrowd,
    Question,
    Tally,
    TelegramCrowd,
    WebCrowd,
    faults,
)
from tests.chaos.disasters import Database, Reader, database
from tests.chaos.program import Program
from tests.emulators import aibot, telegram, wecom, wecom_kf

SETTLE_SECONDS = 150.0
MOMENT = 0.5
"""Seconds from a reply that is shown to the note of it, where nobody can look which are noted."""
_BREATH = 2.0
_BLINK = 0.05
_SECRETS = (wecom.SECRET, wecom_kf.KF_SECRET, wecom.AES_KEY, telegram.TOKEN, aibot.SECRET, "access_token", "wm-citizen")
HOOK_SECRET = "secret-of-the-storm"
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """How much of everything. `gap` is the pause between two questions of one person, in seconds, at most;
    `bank` the number of different questions.
    """

    kills: int = 30
    away: float = 20.0
    full: float = 20.0
    users: int = 8
    gap: float = 6.0
    bank: int = 300
    mode: str = "polling"
    seed: int = 1
    thorough: bool = True
    """Also wait until the log knows of every reply, which takes until the leases of those it missed run out."""


@dataclass
class Line:
    """What came of one channel. Doubles are allowed when the platform's acknowledgement was `lost`, or the process was
    `killed` before it could note it.
    """

    asked: int = 0
    acknowledged: int = 0
    rows: int = 0
    replies: int = 0
    lost: int = 0
    killed: int = 0
    longest: float = 0.0
    wrong: list[str] = field(default_factory=list)


@dataclass
class Report:
    """The whole run."""

    engine: str
    plan: Plan
    lines: dict[str, Line] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def violations(self) -> list[str]:
        """Everything that must not be."""
        return [*self.wrong, *(f"{name}: {text}" for name, line in self.lines.items() for text in line.wrong)]

    def __str__(self) -> str:
        """A table, a line a channel."""
        plan = self.plan
        head = f"{self.engine}: {plan.kills} kills, database away {plan.away:.0f} s, disk full {plan.full:.0f} s"
        rows = [f"{head}, {FAILURES:.0%} of calls fail, Telegram by {plan.mode}"]
        rows.append(
            f"{'channel':<13}{'asked':>7}{'taken':>7}{'rows':>7}{'replies':>9}"
            f"{'twice: lost':>13}{'killed':>8}{'wrong':>7}"
        )
        for name, line in self.lines.items():
            counts = f"{line.asked:>7}{line.acknowledged:>7}{line.rows:>7}{line.replies:>9}"
            rows.append(f"{name:<13}{counts}{line.lost:>13}{line.killed:>8}{len(line.wrong):>7}")
        return "\n".join([*rows, *self.remarks, *(f"WRONG: {text}" for text in self.violations[:20])])


def settings(base: str, gateway: str, api: str) -> dict[str, str]:
    """Every channel, at its emulator."""
    return {
        "TELEGRAM_TOKEN": telegram.TOKEN,
        "TELEGRAM_API_BASE": base,
        "WECOM_API_BASE": api,
        "WECOM_CORP_ID": wecom.CORP,
        "WECOM_AGENT_ID": str(wecom.AGENT),
        "WECOM_SECRET": wecom.SECRET,
        "WECOM_TOKEN": wecom.TOKEN,
        "WECOM_AES_KEY": wecom.AES_KEY,
        "WECOM_KF_TOKEN": wecom_kf.KF_TOKEN,
        "WECOM_KF_AES_KEY": wecom_kf.KF_AES_KEY,
        "WECOM_KF_SECRET": wecom_kf.KF_SECRET,
        "WECOM_BOT_ID": aibot.BOT_ID,
        "WECOM_BOT_SECRET": aibot.SECRET,
        "WECOM_BOT_WS_URL": gateway,
    }


def hook(url: str) -> dict[str, str]:
    """Telegram by webhook, at this address of ours."""
    return {"TELEGRAM_WEBHOOK_URL": f"{url}/telegram/webhook", "TELEGRAM_WEBHOOK_SECRET": HOOK_SECRET}


@dataclass
class Platforms:
    """The emulators, failing now and then."""

    telegram: telegram.Telegram
    wecom: wecom_kf.KfApi
    gateway: aibot.Gateway
    api: str

    def settings(self) -> dict[str, str]:
        """What the program must know of them."""
        return settings(self.telegram.url, self.gateway.url, self.api)

    def crowds(self, url: str, bank: list[str], reader: Reader, seed: int) -> list[Crowd]:
        """People of all channels, who reach the program at this address."""
        return [
            WebCrowd(url, bank),
            TelegramCrowd(self.telegram, bank, seed),
            MemberCrowd(url, self.wecom, bank),
            CitizenCrowd(url, self.wecom, bank),
            ChatCrowd(self.gateway, bank, reader.taken),
        ]


@asynccontextmanager
async def platforms(seed: int) -> AsyncIterator[Platforms]:
    """All of them on loopback."""
    work = wecom_kf.KfApi()
    work.faults.rate, work.faults.rng = FAILURES, random.Random(seed)
    async with telegram.Telegram().running() as chat, aibot.Gateway(faults=faults(seed)) as gateway:
        with wecom.Served(work.app()) as served:
            yield Platforms(chat, work, gateway, served.url)


@dataclass(frozen=True)
class Kill:
    """When a process died, and which replies, as (channel, question), its log and its spool held for unsent then.

    None: the log was away, so that nobody can tell.
    """

    at: float
    waiting: frozenset[tuple[str, int]] | None

    def excuses(self, channel: str, place: int, shown: Sequence[float]) -> bool:
        """Whether it came before one of these replies could be noted, as far as one can tell."""
        if self.waiting is None:
            return any(0 <= self.at - at <= MOMENT for at in shown)
        return (channel, place) in self.waiting


@dataclass
class Storm:
    """People who ask until `over` is set."""

    crowds: Sequence[Crowd]
    plan: Plan
    bank: int
    reader: Reader
    over: asyncio.Event = field(default_factory=asyncio.Event)
    kills: list[Kill] = field(default_factory=list)
    pause: float = 0.0
    """Seconds that this process, which only waits, had to wait for a processor at most: what others take of the
    machine makes every step of a question so much longer.
    """

    async def ask(self) -> None:
        """Everybody at once; returns when the last question is acknowledged."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._feel_the_machine())
            for number, crowd in enumerate(self.crowds):
                for user in range(self.plan.users):
                    dice = random.Random(f"{self.plan.seed}-{number}-{user}")
                    group.create_task(self._one(crowd, user, dice))

    async def _one(self, crowd: Crowd, user: int, dice: random.Random) -> None:
        while not self.over.is_set():
            await asyncio.sleep(dice.uniform(0.1, self.plan.gap))
            await crowd.ask(user, dice.randrange(self.bank))

    async def _feel_the_machine(self) -> None:
        while not self.over.is_set():
            begun = time.monotonic()
            await asyncio.sleep(_BLINK)
            self.pause = max(self.pause, time.monotonic() - begun - _BLINK)

    async def kill(self, program: Program) -> None:
        """SIGKILL, and a look at what was not noted."""
        at = await program.kill()
        self.kills.append(Kill(at, await self.reader.unsent(program.spool)))

    async def settle(self, programs: Sequence[Program]) -> None:
        """Wait until everybody has every reply and the log knows of it: what it does not know would come again now."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < deadline:
            spooled = [(await program.health())["spooled"] for program in programs]
            unknown = await self.reader.waiting() if self.plan.thorough else 0
            if not any(spooled) and not unknown and not any(map(_waits, self.crowds)):
                return
            await asyncio.sleep(0.3)


def _waits(crowd: Crowd) -> bool:
    tally = crowd.tally()
    return any(len(tally.shown[question]) < count for question, count in tally.acknowledged.items())


async def disasters(storm: Storm, program: Program, db: Database, report: Report) -> None:
    """Kills at random moments, some of them while the database is away, some while the disk is full."""
    plan, dice = storm.plan, random.Random(storm.plan.seed)
    during = min(2, plan.kills // 3)
    in_full = during if db.disk.small else 0
    for _ in range(plan.kills - during - in_full):
        await asyncio.sleep(dice.uniform(0.05, 2.5))
        await kill(storm, program)
    away = [dice.uniform(0.2, 0.4) * plan.away for _ in range(during)]
    await killed_in(storm, program, db.away(plan.away), away)
    full = [dice.uniform(0.2, 0.4) * plan.full for _ in range(in_full)]
    if not await killed_in(storm, program, db.full(plan.full, program.child), full):
        report.remarks.append(f"disk full: left out, as no small disk can be mounted here ({db.disk.why})")
    elif not db.disk.small:
        report.remarks.append(f"disk full: by RLIMIT_FSIZE, as no small disk can be mounted here ({db.disk.why})")


async def killed_in(storm: Storm, program: Program, disaster: Coroutine[None, None, T], waits: Sequence[float]) -> T:
    """A disaster, what it returns, and SIGKILL after each of these waits (seconds) in its midst."""
    async with asyncio.TaskGroup() as group:
        striking = group.create_task(disaster)
        for seconds in waits:
            await asyncio.sleep(seconds)
            await kill(storm, program)
    await program.start()
    await asyncio.sleep(_BREATH)
    return striking.result()


async def kill(storm: Storm, program: Program) -> None:
    """SIGKILL, and begun again as soon as it can be; while its database is away it ends by itself again and again."""
    if not program.alive:
        await program.begin()
        await asyncio.sleep(0.2)
    await storm.kill(program)
    await program.answers(within=5)


async def run(engine: str, plan: Plan, folder: Path) -> Report:
    """The whole storm on one engine."""
    bank = questions(plan.bank)
    make_knowledge(folder / "knowledge", bank)
    report = Report(engine, plan)
    async with AsyncExitStack() as stack:
        db = await stack.enter_async_context(database(engine, folder))
        work = await stack.enter_async_context(platforms(plan.seed))
        own = {"DATABASE_URL": db.url, "KNOWLEDGE": str(folder / "knowledge"), "SPOOL": str(db.spool)}
        program = Program(folder, {**work.settings(), **own})
        if plan.mode == "webhook":
            program.add(hook(program.url))
        await stack.enter_async_context(program)
        await program.start()
        reader = Reader(db.url)
        storm = Storm(work.crowds(program.url, bank, reader, plan.seed), plan, len(bank), reader)
        asking = asyncio.create_task(storm.ask())
        await disasters(storm, program, db, report)
        storm.over.set()
        await asyncio.wait_for(asking, 120)
        await storm.settle([program])
        seconds = await program.stop()
        report.remarks.append(f"SIGTERM: exit code 0 after {seconds:.1f} s")
        await check(storm, work, reader, bank, report)
        await reader.close()
        for crowd in storm.crowds:
            await crowd.close()
        check_journal(program.journal, report)
    return report


async def check(storm: Storm, work: Platforms, reader: Reader, bank: list[str], report: Report) -> None:
    """Compare what people saw with what the log holds."""
    rows, places = await reader.rows(), {text: place for place, text in enumerate(bank)}
    ids = [(channel, name) for channel, name, _ in rows if name]
    if len(ids) != len(set(ids)):
        report.wrong.append("a message has two rows")
    for crowd in storm.crowds:
        counted = Counter(places[text] for channel, _, text in rows if channel == crowd.channel)
        tally = crowd.tally()
        if isinstance(crowd, ChatCrowd):  # it repeats questions; each that was taken is owed a reply
            taken = [crowd.messages[str(name)] for channel, name, _ in rows if channel == crowd.channel]
            tally.acknowledged = Counter(taken)
        report.lines[crowd.channel] = compare(crowd.channel, tally, counted, storm.kills)
        if isinstance(crowd, WebCrowd):
            check_ids(crowd, await reader.texts(), bank, report)
        if isinstance(crowd, MemberCrowd):
            cards, due = crowd.cards(), _by_user(tally.acknowledged)
            if cards - due or (report.plan.thorough and cards != due):
                report.wrong.append(f"wecom: cards {cards}, due {due}")
    report.wrong += work.gateway.violations + work.wecom.violations
    states = await reader.deliveries()
    if storm.plan.thorough and set(states) != {"done"}:
        report.wrong.append(f"deliveries: {states}")
    report.remarks.append(
        f"longest wait on the web: {report.lines['web'].longest:.1f} s; the test itself waited for a processor up to "
        f"{storm.pause:.1f} s, load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores"
    )


def _by_user(acknowledged: Counter[Question]) -> Counter[int]:
    found: Counter[int] = Counter()
    for (user, _), count in acknowledged.items():
        found[user] += count
    return found


def check_ids(crowd: WebCrowd, texts: Mapping[int, str], bank: list[str], report: Report) -> None:
    """The number that the web was given is that of the question's row."""
    false = [row for row, place in crowd.rows.items() if texts.get(row) != bank[place]]
    if false:
        report.wrong.append(f"web: rows {false[:5]} are not what was said")


def compare(channel: str, tally: Tally, rows: Counter[int], kills: Sequence[Kill]) -> Line:
    """One channel: rows by question of the bank, replies by question and person."""
    line = Line(tally.tried.total(), tally.acknowledged.total(), rows.total(), longest=tally.longest)
    least, most = _by_place(tally.acknowledged), _by_place(tally.tried)
    for place in least.keys() | rows.keys():
        if not least[place] <= rows[place] <= most[place]:
            line.wrong.append(f"question {place}: {rows[place]} rows, {least[place]} acknowledged")
    for question in tally.acknowledged.keys() | tally.shown.keys():
        shown, due = sorted(tally.shown[question]), tally.acknowledged[question]
        between = [one for one in kills if shown and shown[0] <= one.at <= shown[-1]]
        extra = max(0, len(shown) - due)
        lost = min(extra, tally.lost[question])
        killed = min(extra - lost, sum(one.excuses(channel, question[1], shown) for one in between))
        line.replies += len(shown)
        line.lost, line.killed = line.lost + lost, line.killed + killed
        if len(shown) != due + lost + killed:
            line.wrong.append(f"{question}: {len(shown)} replies, {due} due, shown at {shown}, kills {between}")
    return line


def _by_place(counts: Counter[Question]) -> Counter[int]:
    found: Counter[int] = Counter()
    for (_, place), count in counts.items():
        found[place] += count
    return found


def check_journal(journal: Path, report: Report) -> None:
    """No secret in it, and nobody's id; nothing broke."""
    told = journal.read_text(encoding="utf-8")
    report.wrong += [f"the journal tells {secret[:6]}…" for secret in _SECRETS if secret in told]
    if "Traceback" in told:
        at = told.index("Traceback")
        report.wrong.append("a traceback in the journal: " + told[max(0, at - 300) : at + 4000])
