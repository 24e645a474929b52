"""A refresh in a process of its own: what it needs of memory goes with it, and it keeps no citizen waiting."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.desk import Desk
from bot.errors import ReformbotError, StoreError
from bot.gaps.model import Refreshed
from bot.gaps.refresh import refresh
from bot.knowledge.book import load_or_raise
from bot.match.memory import uncollected
from bot.querylog.store import QueryLog

if TYPE_CHECKING:
    from collections.abc import Mapping

_PROGRAM = "from bot.gaps.worker import main; main()"
_ROOT = str(Path(__file__).resolve().parents[2])
_SECONDS = 1800.0
"""A refresh that takes longer is given up; the next goes on where it was."""
_NICE = 10
"""Steps by which the worker stands back behind the process that answers."""


class Worker:
    """Refreshes the gaps of a log that other processes can open, with the knowledge of this folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def refresh(self, querylog: QueryLog, desk: Desk, now: dt.datetime) -> Refreshed:
        """As `refresh.refresh` does. StoreError also when the folder no longer holds the knowledge of the desk."""
        address = querylog.url.render_as_string(hide_password=False)
        asked = {"url": address, "folder": str(self._folder), "version": desk.book.version, "now": now.isoformat()}
        told = json.loads(await _run(json.dumps(asked).encode()) or "{}")
        if "done" not in told:
            raise StoreError(told.get("error", "归组的程序没有做完"))
        done = told["done"]
        return Refreshed(done["questions"], *(tuple(done[name]) for name in ("new", "closed", "reopened")))


async def _run(asked: bytes) -> bytes:
    """What the worker says; nothing when it breaks or takes too long."""
    paths = os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH", ""))))
    worker = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _PROGRAM),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": paths},
    )
    try:
        async with asyncio.timeout(_SECONDS):
            told, _ = await worker.communicate(asked)
    except TimeoutError:
        return b""
    finally:
        if worker.returncode is None:
            worker.kill()
            await worker.wait()
    return told


async def _refreshed(asked: Mapping[str, Any]) -> Refreshed:
    with uncollected():
        desk = Desk(load_or_raise(Path(asked["folder"])))
    if desk.book.version != asked["version"]:
        raise StoreError("知识文件夹里的已经不是正在用的那一版，换上新的以后再归组")
    querylog = await QueryLog.visit(asked["url"])
    try:
        return await refresh(querylog, desk, dt.datetime.fromisoformat(asked["now"]))
    finally:
        await querylog.close()


def main() -> None:
    """Do what standard input asks for, as JSON; the outcome goes to standard output."""
    if hasattr(os, "nice"):
        os.nice(_NICE)
    try:
        told: dict[str, Any] = {"done": asdict(asyncio.run(_refreshed(json.load(sys.stdin))))}
    except ReformbotError as error:
        told = {"error": str(error)}
    print(json.dumps(told))
