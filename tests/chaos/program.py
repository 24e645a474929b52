"""`reformbot serve` as a process of its own, for runs that kill it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from tests.conftest import ROOT

START_SECONDS = 90.0
_AGAIN_SECONDS = 0.3


def free_port() -> int:
    """A port of loopback that nobody uses just now."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as free:
        return int(free.getsockname()[1])


def environment(settings: Mapping[str, str]) -> dict[str, str]:
    """What a process gets: settings without their prefix, and nothing of ours from outside."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REFORMBOT_")}
    given = {f"REFORMBOT_{name}": value for name, value in settings.items()}
    return inherited | given | {"PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"}


class Program:
    """The program on one set of settings, begun as often as one likes: the knowledge is built once.

    What it writes on standard error goes to `journal`.
    """

    def __init__(self, folder: Path, settings: Mapping[str, str], name: str = "journal") -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.journal = folder / name
        self._folder = folder
        self.spool = Path(settings.get("SPOOL", folder / f"{name}.spool"))
        own = {"PORT": str(self.port), "RATE_LIMIT_USER": "0", "RATE_LIMIT_ADDRESS": "0", "SPOOL": str(self.spool)}
        self._settings = {**own, **settings}
        self._ended: asyncio.Task[str] | None = None
        self.child = 0

    async def __aenter__(self) -> Self:
        with self.journal.open("wb") as journal:
            self._stem = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.emulators.stem"),
                cwd=self._folder,
                env=environment(self._settings),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=journal,
                start_new_session=True,
            )
        assert await asyncio.wait_for(self._line(), START_SECONDS) == "ready"
        return self

    async def __aexit__(self, *_: object) -> None:
        os.killpg(self._stem.pid, signal.SIGKILL)
        await self._stem.wait()

    def add(self, settings: Mapping[str, str]) -> None:
        """More settings, before it is entered: those that tell of `url`."""
        self._settings |= settings

    @property
    def alive(self) -> bool:
        """Whether it was begun and has not ended."""
        return self._ended is not None and not self._ended.done()

    async def begin(self) -> None:
        """Begin anew."""
        assert self._stem.stdin is not None
        assert not self.alive
        self._stem.stdin.write(b"\n")
        self.child = int(await self._line())
        self._ended = asyncio.create_task(self._line())

    async def start(self) -> None:
        """Begin anew and wait until it answers."""
        assert await self.answers(START_SECONDS), "it does not start"

    async def answers(self, within: float) -> bool:
        """Whether it answers within so many seconds; one that ends by itself is begun again, as systemd would."""
        deadline = time.monotonic() + within
        async with httpx.AsyncClient(trust_env=False) as client:
            while time.monotonic() < deadline:
                if not self.alive:
                    await self.begin()
                try:
                    await client.get(f"{self.url}/healthz")
                except httpx.HTTPError:
                    await asyncio.sleep(0.05 if self.alive else _AGAIN_SECONDS)
                else:
                    return True
        return False

    async def health(self) -> dict[str, Any]:
        """What it says of itself."""
        async with httpx.AsyncClient(trust_env=False, timeout=20) as client:
            found: dict[str, Any] = (await client.get(f"{self.url}/healthz")).json()
        return found

    async def end(self, number: signal.Signals) -> int:
        """Send a signal and wait; the exit code, negative for a signal."""
        assert self._ended is not None
        if not self._ended.done():
            with contextlib.suppress(ProcessLookupError):  # it may just have ended by itself
                os.kill(self.child, number)
        return int(await asyncio.wait_for(self._ended, 30))

    async def kill(self) -> float:
        """SIGKILL; when it was gone, in monotonic seconds."""
        await self.end(signal.SIGKILL)
        return time.monotonic()

    async def stop(self) -> float:
        """SIGTERM, to which it must answer with exit code 0; the seconds that took."""
        begun = time.monotonic()
        assert await self.end(signal.SIGTERM) == 0
        return time.monotonic() - begun

    async def _line(self) -> str:
        assert self._stem.stdout is not None
        return (await self._stem.stdout.readline()).decode().strip()
