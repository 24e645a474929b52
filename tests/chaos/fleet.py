"""Three replicas on one PostgreSQL behind one address, killed and started again in turn.

    python -m tests.chaos.fleet [--questions 2000] [--seconds 8] [--seed 1]

Each acknowledged question must have one row and one reply, and what only one replica may do must move to another
within 15 seconds. Then the throughput of one, two and three replicas (needs `wrk`). Exit code 1 on any violation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.load import bank, wrk
from tests.chaos.balancer import balanced
from tests.chaos.bank import make_knowledge, questions
from tests.chaos.disasters import Reader
from tests.chaos.program import Program, free_port
from tests.chaos.storm import Plan, Platforms, Report, Storm, check, check_journal, hook, platforms
from tests.emulators.wecom import Callbacks, message
from tests.postgres import Stoppable

REPLICAS = 3
MOVES_WITHIN = 15.0
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Fleet:
    """The replicas, and how they fared. `moves` are the seconds until the AI bot's line was held again."""

    programs: Sequence[Program]
    port: int
    work: Platforms
    moves: list[float] = field(default_factory=list)

    async def kill_in_turn(self, storm: Storm, seed: int) -> None:
        """One after the other, until the storm is over."""
        dice = random.Random(seed)
        while not storm.over.is_set():
            for program in self.programs:
                await asyncio.sleep(dice.uniform(0.5, 2.0))
                subscriptions, begun = self.work.gateway.subscriptions, time.monotonic()
                await storm.kill(program)
                await asyncio.sleep(0.5)
                if not self.work.gateway.connected or self.work.gateway.subscriptions > subscriptions:
                    await self.work.gateway.ready(subscriptions + 1)
                    self.moves.append(time.monotonic() - begun)
                await program.start()

    async def duplicates(self, reader: Reader, question: str) -> list[str]:
        """One message at every replica at once: one row, one reply."""
        envelope = message("member-999", question, 987_654_321)
        callers = [Callbacks(f"{program.url}/wecom/callback") for program in self.programs]
        outcomes = await asyncio.gather(*(caller.push(envelope) for caller in callers))
        for caller in callers:
            await caller.close()
        rows = [one for one in await reader.rows() if one[1] == "987654321"]
        texts = {outcome.text for outcome in outcomes if outcome.text}
        return [] if (len(rows), len(texts)) == (1, 1) else [f"a message at all replicas: {rows}, {texts}"]


async def until_asked(storm: Storm, count: int) -> None:
    """Let everybody ask until there are so many questions in all."""
    while sum(crowd.tally().acknowledged.total() for crowd in storm.crowds) < count:  # noqa: ASYNC110 - no event
        await asyncio.sleep(0.5)
    storm.over.set()


async def run(count: int, plan: Plan, folder: Path) -> tuple[Report, Fleet]:
    """The storm on three replicas."""
    bank = questions(plan.bank)
    make_knowledge(folder / "knowledge", bank)
    async with AsyncExitStack() as stack:
        work = await stack.enter_async_context(platforms(plan.seed))
        server = Stoppable(folder / "pgdata")
        stack.callback(server.stop)
        given = {**work.settings(), "KNOWLEDGE": str(folder / "knowledge")}
        programs, url, port = replicas(folder, server, given)
        for program in programs:
            await stack.enter_async_context(program)
        await asyncio.gather(*(program.start() for program in programs))
        balancer = await stack.enter_async_context(balanced(folder, port, [program.port for program in programs]))
        reader, fleet = Reader(url), Fleet(programs, port, work)
        storm = Storm(work.crowds(f"http://127.0.0.1:{port}", bank, reader, plan.seed), plan, len(bank), reader)
        asking, counting = asyncio.create_task(storm.ask()), asyncio.create_task(until_asked(storm, count))
        await fleet.kill_in_turn(storm, plan.seed)
        await asyncio.wait_for(asyncio.gather(asking, counting), 120)
        await storm.settle(programs)
        report = Report("postgresql", plan)
        await check(storm, work, reader, bank, report)
        report.wrong += await fleet.duplicates(reader, bank[0])
        report.plan = Plan(len(storm.kills), 0, 0, mode="webhook")
        stops = await asyncio.gather(*(program.stop() for program in programs))
        report.remarks.append(
            f"{len(programs)} replicas behind {balancer}; SIGTERM: exit code 0 after {max(stops):.1f} s"
        )
        judge_moves(fleet, report)
        for crowd in storm.crowds:
            await crowd.close()
        await reader.close()
        for program in programs:
            check_journal(program.journal, report)
    return report, fleet


def replicas(folder: Path, server: Stoppable, settings: dict[str, str]) -> tuple[list[Program], str, int]:
    """The programs, their database, and the port of the address before them."""
    url, port = server.new_database("fleet"), free_port()
    own = {**settings, "DATABASE_URL": url, "TRUSTED_PROXY": "127.0.0.1"}
    if "TELEGRAM_TOKEN" in own:
        own |= hook(f"http://127.0.0.1:{port}")
    made = [Program(folder, own, f"journal-{number}") for number in range(REPLICAS)]
    return made, url, port


def judge_moves(fleet: Fleet, report: Report) -> None:
    """What only one may do must move, and soon."""
    if not fleet.moves:
        report.wrong.append("no leader was ever killed")
        return
    report.remarks.append(f"the AI bot's line moved {len(fleet.moves)} times, within {max(fleet.moves):.1f} s at most")
    report.wrong += [f"the line took {seconds:.0f} s" for seconds in fleet.moves if seconds > MOVES_WITHIN]


# --- throughput ------------------------------------------------------------------------------------------------------


def spent(program: Program) -> float:
    """Seconds of processor time that a replica has used."""
    fields = Path(f"/proc/{program.child}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def idle() -> float:
    """Seconds that the machine's cores were idle so far."""
    fields = Path("/proc/stat").read_text().split("\n")[0].split()
    return (int(fields[4]) + int(fields[5])) / _TICKS


async def throughput(folder: Path, seconds: int) -> None:
    """Print the questions a second that one, two and three replicas take, one after the other in the same run."""
    server = Stoppable(folder / "pgdata")
    cores = os.cpu_count() or 1
    async with AsyncExitStack() as stack:
        stack.callback(server.stop)
        programs, _, _ = replicas(folder, server, {})
        for program in programs:
            await stack.enter_async_context(program)
        await asyncio.gather(*(program.start() for program in programs))
        texts, asked = folder / "texts.txt", 0
        texts.write_text("".join(json.dumps(text)[1:-1] + "\n" for text in bank()), encoding="utf-8")
        for count in range(1, REPLICAS + 1):
            used, port = programs[:count], free_port()
            async with balanced(folder, port, [program.port for program in used]):
                before, free, begun = sum(map(spent, used)), idle(), time.monotonic()
                run = await asyncio.to_thread(wrk, port, texts, folder, seconds, 32, asked, True, 0.0)
                asked += run.requests + 32
                wall = time.monotonic() - begun
                cost = (sum(map(spent, used)) - before) / run.requests * 1000
                share = (idle() - free) / (wall * cores)
            print(
                f"{count} replica(s): {run.rate:6.0f} questions/s, p99 {run.p99:6.1f} ms, errors {run.bad}, "
                f"{cost:.2f} ms of a replica's processor time a question, machine idle {share:.0%}"
            )
    print(f"{cores} cores carry the replicas, PostgreSQL, the balancer and the load: what is not idle is the limit")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=int, default=2000)
    parser.add_argument("--seconds", type=int, default=8, help="of load for each number of replicas; 0: none")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    plan = Plan(users=16, gap=5.0, seed=given.seed, mode="webhook")
    with tempfile.TemporaryDirectory(prefix="fleet") as folder:
        Path(folder).chmod(0o755)
        report, _ = asyncio.run(run(given.questions, plan, Path(folder)))
    print(report)
    if given.seconds and shutil.which("wrk"):
        with tempfile.TemporaryDirectory(prefix="fleet") as folder:
            Path(folder).chmod(0o755)
            asyncio.run(throughput(Path(folder), given.seconds))
    elif given.seconds:
        print("throughput: left out, as wrk is not installed")
    sys.exit(bool(report.violations))


if __name__ == "__main__":
    main()
