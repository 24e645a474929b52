"""`POST /api/ask` under wrk, beside a bare Starlette echo of JSON on the same server: requests a second, as a ratio.

    python -m tests.bench.load [--seconds 8] [--connections 32]

One process on one core each (`taskset`), the load generator on the other. Needs `wrk`. Every reply's row is on the
disk before it is sent. Questions: all different, or 2,000 of them by Zipf's law.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from bot.knowledge.book import load_or_raise
from bot.text.expand import expand
from tests.conftest import KNOWLEDGE, ROOT

ECHO = """
import sys, json, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def echo(request):
    return JSONResponse(await request.json())
app = Starlette(routes=[Route("/api/ask", echo, methods=["POST"])])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning", access_log=False)
"""
SCRIPT = """
local bodies, count = {}, 0
for line in io.lines("FILE") do count = count + 1; bodies[count] = line end
local at = math.random(count)
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function() at = at % count + 1; return wrk.format(nil, "/api/ask", nil, bodies[at]) end
done = function(summary, latency)
  local bad = summary.errors.status + summary.errors.connect + summary.errors.read + summary.errors.timeout
  local rate, p99 = summary.requests / summary.duration * 1e6, latency:percentile(99) / 1000
  print(string.format("RESULT %.1f %.2f %d", rate, p99, bad))
end
"""


def questions() -> list[str]:
    """Every phrasing of the knowledge, in a fixed order."""
    book = load_or_raise(KNOWLEDGE)
    found = [wording for entry in book.entries.values() for template in entry.ask for wording in expand(template)]
    found += [text for entry in book.entries.values() for text in (*entry.tests, *entry.rejects)]
    return sorted(set(found))


def different(count: int, seed: int) -> list[str]:
    """Questions that no two are the same of."""
    chance, bank = random.Random(seed), questions()
    return [f"{chance.choice(bank)} {number}" for number in range(count)]


def zipf(count: int, seed: int) -> list[str]:
    """Draws from 2,000 questions; the second is asked half as often as the first."""
    chance, bank = random.Random(seed), questions()
    chance.shuffle(bank)
    bank = bank[:2000]
    return chance.choices(bank, [1 / rank for rank in range(1, len(bank) + 1)], k=count)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start(command: list[str], port: int, folder: Path) -> subprocess.Popen[bytes]:
    """A server on the first core, once it answers."""
    quiet = {"REFORMBOT_RATE_LIMIT_USER": "0", "REFORMBOT_RATE_LIMIT_ADDRESS": "0", "PYTHONPATH": str(ROOT)}
    quiet["REFORMBOT_DATABASE_URL"] = f"sqlite+aiosqlite:///{folder}/log.db"
    process = subprocess.Popen(["taskset", "-c", "0", *command], cwd=folder, env=quiet | {"PATH": "/usr/bin:/bin"})
    body = json.dumps({"text": "你好"}).encode()
    for _ in range(300):
        try:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/api/ask", body, {"Content-Type": "application/json"}
            )
            urllib.request.urlopen(request, timeout=2).read()
            return process
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def load(port: int, texts: list[str], folder: Path, seconds: int, connections: int) -> tuple[float, float, int]:
    """Requests a second, p99 in milliseconds, and errors."""
    bodies = folder / "bodies.txt"
    lines = (json.dumps({"text": text}, ensure_ascii=False) for text in texts)
    bodies.write_text("\n".join(lines) + "\n", encoding="utf-8")
    script = folder / "ask.lua"
    script.write_text(SCRIPT.replace("FILE", str(bodies)), encoding="utf-8")
    options = ["-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(script), f"http://127.0.0.1:{port}"]
    done = subprocess.run(["taskset", "-c", "1", "wrk", *options], capture_output=True, text=True, check=True)
    found = re.search(r"RESULT ([\d.]+) ([\d.]+) (\d+)", done.stdout)
    assert found, done.stdout
    return float(found[1]), float(found[2]), int(found[3])


def memory(process: subprocess.Popen[bytes]) -> float:
    """Resident memory in MB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1]) / 1000  # type: ignore[index]


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=8)
    options.add_argument("--connections", type=int, default=32)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder, port, echo_port = Path(name), free_port(), free_port()
        bot = start([sys.executable, "-m", "bot", "serve", "--port", str(port)], port, folder)
        echo = start([sys.executable, "-c", ECHO, str(echo_port)], echo_port, folder)
        try:
            rows = {"all different": different(200_000, 1), "Zipf, 2,000": zipf(200_000, 1)}
            before = memory(bot)
            for label, texts in rows.items():
                base, _, _ = load(echo_port, texts, folder, given.seconds, given.connections)
                rate, p99, bad = load(port, texts, folder, given.seconds, given.connections)
                shares = f"echo {base:8.0f}/s  ratio {rate / base:.3f}"
                print(f"{label:<15}{rate:8.0f}/s  {shares}  p99 {p99:.1f} ms  errors {bad}")
            print(f"memory: {before:.0f} MB before, {memory(bot):.0f} MB after")
        finally:
            bot.terminate()
            echo.terminate()


if __name__ == "__main__":
    main()
