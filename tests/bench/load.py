"""`POST /api/ask` under wrk beside a bare Starlette echo of JSON on the same server, as ratios.

    python -m tests.bench.load [--rounds 5] [--seconds 4] [--connections 32] [--questions 200000]

One process on one core each (`taskset`), the load generator on the other; needs `wrk` and two cores. The two servers
take turns and a ratio is the median over the rounds. The first counts requests a second; the second, which other
programs of the machine hardly change, counts processor time a request. Every reply's row is on the disk before it is
sent. Questions: no two the same, or drawn from 2,000 by Zipf's law, after 20,000 of them to warm up. Then: the 99th
percentile at half that load, memory every 20,000 questions, and what each part of a question costs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.knowledge.book import load_or_raise
from bot.text.expand import expand
from tests.bench import costs
from tests.conftest import KNOWLEDGE, ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

DIFFERENT, ZIPF = "all different", "Zipf, 2,000"
STEP = 20_000
"""Questions between two looks at the memory."""
ECHO = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def echo(request):
    return JSONResponse(await request.json())
app = Starlette(routes=[Route("/api/ask", echo, methods=["POST"])])
options = {"http": "httptools", "loop": "uvloop", "ws": "none", "lifespan": "off"}
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False, **options)
"""
SCRIPT = """
local texts, count, number, pause = {}, 0, NUMBER, PAUSE
for line in io.lines("FILE") do count = count + 1; texts[count] = line end
math.randomseed(number + 1)
local at = math.random(count)
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  at, number = at % count + 1, number + 1
  return wrk.format(nil, "/api/ask", nil, '{"text": "' .. texts[at] .. (DIFFERENT and " " .. number or "") .. '"}')
end
if pause > 0 then delay = function() return -math.log(1 - math.random()) * pause end end
done = function(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  local p99, seconds = latency:percentile(99) / 1000, summary.duration / 1e6
  print(string.format("RESULT %d %f %f %d", summary.requests, seconds, p99, bad))
end
"""


def bank() -> list[str]:
    """Every phrasing of the knowledge, shuffled, always the same."""
    book = load_or_raise(KNOWLEDGE)
    found = [wording for entry in book.entries.values() for template in entry.ask for wording in expand(template)]
    found += [text for entry in book.entries.values() for text in (*entry.tests, *entry.rejects)]
    found = sorted(set(found))
    random.Random(1).shuffle(found)
    return found


def zipf(count: int) -> list[str]:
    """Draws from 2,000 questions; the second is asked half as often as the first."""
    asked = bank()[:2000]
    return random.Random(2).choices(asked, [1 / rank for rank in range(1, len(asked) + 1)], k=count)


@dataclass(frozen=True)
class Load:
    """What one run of wrk saw: `p99` in milliseconds, `cpu` in microseconds of the server a request."""

    requests: int
    rate: float
    p99: float
    bad: int
    cpu: float = 0.0


def wrk(
    port: int, texts: Path, folder: Path, seconds: float, connections: int, number: int, different: bool, pause: float
) -> Load:
    """Ask the lines of a file, escaped for JSON. `number`: how many were asked so far, which tells them apart."""
    words = {
        "FILE": str(texts),
        "NUMBER": str(number),
        "PAUSE": str(pause),
        "DIFFERENT": str(different).lower(),
    }
    script = folder / "ask.lua"
    script.write_text(re.sub("|".join(words), lambda found: words[found[0]], SCRIPT), encoding="utf-8")
    options = ["-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "-s", str(script)]
    command = ["taskset", "-c", "1", "wrk", *options, f"http://127.0.0.1:{port}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = re.search(r"RESULT (\d+) ([\d.]+) ([\d.]+) (\d+)", done.stdout)
    assert found, done.stdout
    requests = int(found[1])
    return Load(requests, requests / float(found[2]), float(found[3]), int(found[4]))


class Server:
    """A server on the first core, reached at a port of its own."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.folder, self.asked = folder, 0
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        quiet = {"REFORMBOT_RATE_LIMIT_USER": "0", "REFORMBOT_RATE_LIMIT_ADDRESS": "0", "PYTHONPATH": str(ROOT)}
        quiet |= {"REFORMBOT_DATABASE_URL": f"sqlite+aiosqlite:///{folder}/log.db"}
        started = ["taskset", "-c", "0", sys.executable, *command, str(self.port)]
        environment = quiet | {"PATH": "/usr/bin:/bin"}
        self.process = subprocess.Popen(started, cwd=folder, env=environment, stdout=subprocess.DEVNULL)

    def wait(self) -> None:
        """Until it answers."""
        for _ in range(600):
            try:
                body, kind = json.dumps({"text": "你好"}).encode(), {"Content-Type": "application/json"}
                urllib.request.urlopen(
                    urllib.request.Request(f"http://127.0.0.1:{self.port}/api/ask", body, kind), timeout=2
                ).read()
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server did not start")

    def cpu(self) -> float:
        """Seconds of processor time so far, of all its threads."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Resident memory in MB."""
        found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found
        return int(found[1]) / 1024

    def load(self, texts: Path, different: bool, seconds: float, connections: int, pause: float = 0.0) -> Load:
        """One run of wrk. Each connection rests `pause` milliseconds on average, at random, before a question."""
        before = self.cpu()
        run = wrk(self.port, texts, self.folder, seconds, connections, self.asked, different, pause)
        self.asked += run.requests + connections
        return Load(run.requests, run.rate, run.p99, run.bad, (self.cpu() - before) / run.requests * 1e6)


@contextmanager
def served(*commands: list[str]) -> Iterator[list[Server]]:
    """Servers that answer, each with a folder of its own."""
    with ExitStack() as stack:
        servers = []
        for command in commands:
            server = Server(command, Path(stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True))))
            stack.callback(server.process.wait)
            stack.callback(server.process.terminate)
            servers.append(server)
        for server in servers:
            server.wait()
        yield servers


BOT, BARE = ["-m", "bot", "serve", "--port"], ["-c", ECHO]


def compare(name: str, texts: Path, given: argparse.Namespace) -> float:
    """Print the two ratios and the p99 at half load of one kind of questions; processor time of a bare echo in µs."""
    different = name == DIFFERENT
    with served(BOT, BARE) as (bot, echo):
        while not different and bot.asked < STEP:  # a city asks the same things every day
            bot.load(texts, different, given.seconds, given.connections)
        pairs = []
        for number in range(given.rounds):
            base = echo.load(texts, different, given.seconds, given.connections)
            ours = bot.load(texts, different, given.seconds, given.connections)
            pairs.append((base, ours))
            print(
                f"{name:<14} {number + 1}  ours {ours.rate:6.0f}/s {ours.cpu:6.0f} µs  echo {base.rate:6.0f}/s "
                f"{base.cpu:5.0f} µs  p99 {ours.p99:6.1f} ms  errors {ours.bad}",
                flush=True,
            )
        rate = statistics.median(ours.rate / base.rate for base, ours in pairs)
        spent = statistics.median(base.cpu / ours.cpu for base, ours in pairs)
        print(f"{name:<14} ratio by requests a second {rate:.3f}, by processor time a request {spent:.3f}")
        usual = statistics.median(ours.rate for _, ours in pairs)
        half = bot.load(texts, different, given.seconds * 2, given.connections, given.connections / usual * 2000)
        print(f"{name:<14} at {half.rate:.0f}/s, about half: p99 {half.p99:.1f} ms, errors {half.bad}", flush=True)
        return statistics.median(base.cpu for base, _ in pairs)


def watch_memory(name: str, texts: Path, given: argparse.Namespace) -> None:
    """Print resident memory every 20,000 questions, and what it grew by after the first of these."""
    with served(BOT) as (bot,):
        sizes, counts, seconds = [bot.memory()], [0], 5.0
        while counts[-1] < given.questions:
            done = bot.load(texts, name == DIFFERENT, seconds, given.connections)
            assert done.bad == 0
            counts.append(counts[-1] + done.requests)
            sizes.append(bot.memory())
            print(f"{name:<14} {sizes[-1]:.1f} MB after {counts[-1]} questions", flush=True)
            seconds = STEP / done.rate
        print(f"{name:<14} grown by {sizes[-1] - sizes[0]:.1f} MB in all, {sizes[-1] - sizes[1]:.1f} after warming up")


def main() -> None:
    """Print all of it."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=int, default=4)
    options.add_argument("--connections", type=int, default=32)
    options.add_argument("--questions", type=int, default=200_000, help="of the memory's run; 0 leaves it out")
    given = options.parse_args()
    if shutil.which("wrk") is None or (os.cpu_count() or 1) < 2:
        raise SystemExit("wrk and two cores are needed")
    print(f"{given.connections} connections, load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as name:
        kinds = {DIFFERENT: bank(), ZIPF: zipf(100_000)}
        for place, (kind, texts) in enumerate(kinds.items()):
            file = Path(name) / f"{place}.txt"
            file.write_text("".join(json.dumps(text)[1:-1] + "\n" for text in texts), encoding="utf-8")
            bare = compare(kind, file, given)
            if given.questions:
                watch_memory(kind, file, given)
            costs.show(kind, [f"{text} {number}" for number, text in enumerate(texts)] if place == 0 else texts, bare)


if __name__ == "__main__":
    main()
