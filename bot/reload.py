"""New knowledge without a restart: watch the folder, have it examined and compiled by a worker, hand over the desk."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import pickle
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from bot.examine import Examined
from bot.knowledge.book import SUFFIXES
from bot.match.memory import uncollected

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable

    from bot.desk import Desk
    from bot.model import Problem

Signature = tuple[tuple[str, int, int, int], ...]

_POLL_SECONDS = 0.5
_QUIET_SECONDS = 0.7
_LONGEST_SECONDS = 5.0
"""Edits that never pause for so long are taken in all the same."""
_EXAMINE_SECONDS = 300.0
_WORK_SECONDS = 0.001
"""Of unpickling at a stretch."""
_REST = 1.0
"""Times as long a pause follows it."""
_SHOWN = 5
_ROOT = str(Path(__file__).resolve().parent.parent)
_PROGRAM = "from bot.examine import main; main()"

log = logging.getLogger("reformbot.reload")


@dataclass(frozen=True, slots=True)
class Reloaded:
    """What a reload came to. `desk` is the new one, None when the old one stays; `text` is for the admin."""

    desk: Desk | None
    ok: bool
    text: str
    problems: tuple[Problem, ...] = ()


class Reloader:
    """Makes desks of a folder, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked = asyncio.Event()
        """Set it to have the folder taken in now, changed or not."""
        self._one = asyncio.Lock()

    async def make(self, known: str, today: dt.date) -> Reloaded:
        """A desk of the folder as it stands, unless it is of the version that is `known` already. Never raises."""
        async with self._one:
            start = time.monotonic()
            try:
                found = await _examine(self.folder, known, today)
            except (OSError, TimeoutError, EOFError, pickle.UnpicklingError) as error:
                log.exception("the knowledge could not be examined")
                return Reloaded(None, False, f"检查知识的程序没有做完（{type(error).__name__}），旧的知识照用")
            if not found.changed:
                return Reloaded(None, True, f"知识没有变化（版本 {known}）")
            if found.desk is None:
                return Reloaded(None, False, _refused(found.problems), found.problems)
            took = time.monotonic() - start
            book = found.desk.book
            count = len(book.entries) + len(book.faqs)
            text = f"换上了新的知识：版本 {known} → {book.version}，{count} 条，"
            return Reloaded(found.desk, True, text + f"{found.questions} 个问题都答对，用了 {took:.1f} 秒")

    async def watch(self, changed: Callable[[], Awaitable[object]]) -> None:
        """Call `changed` once for each bout of edits, and when it is asked for, for ever."""
        seen = await asyncio.to_thread(signature, self.folder)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.asked.wait(), _POLL_SECONDS)
            now = await asyncio.to_thread(signature, self.folder)
            if now != seen or self.asked.is_set():
                self.asked.clear()
                seen = await self._quiet(now)
                await changed()

    async def _quiet(self, last: Signature) -> Signature:
        """Wait until nothing changes any more, though not for ever."""
        until = time.monotonic() + _LONGEST_SECONDS
        while True:
            await asyncio.sleep(_QUIET_SECONDS)
            now = await asyncio.to_thread(signature, self.folder)
            if now == last or time.monotonic() > until:
                return now
            last = now


def signature(folder: Path) -> Signature:
    """Name, time, size and inode of every knowledge file: changes when any of them does.

    Links to folders are not followed, as they are not when the files are read: they may lead back.
    """
    found: list[tuple[str, int, int, int]] = []
    waiting = [folder]
    while waiting:
        with contextlib.suppress(OSError), os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.name.startswith((".", "_")):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
                elif entry.name.lower().endswith(SUFFIXES):
                    with contextlib.suppress(OSError):  # gone since, or a link that leads nowhere
                        told = entry.stat()
                        found.append((entry.path, told.st_mtime_ns, told.st_size, told.st_ino))
    return tuple(sorted(found))


async def _examine(folder: Path, known: str, today: dt.date) -> Examined:
    """Run the worker; raises OSError, TimeoutError, EOFError or UnpicklingError when it breaks."""
    paths = os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH", ""))))
    with _room() as out:
        worker = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            _PROGRAM,
            str(folder),
            known,
            today.isoformat(),
            stdout=out,
            env={**os.environ, "PYTHONPATH": paths},
        )
        try:
            await asyncio.wait_for(worker.wait(), _EXAMINE_SECONDS)
        finally:
            if worker.returncode is None:
                worker.kill()
                await worker.wait()
        return await asyncio.to_thread(_take_over, out)


def _room() -> BinaryIO:
    """Room for what the worker hands over: in memory where it can be, for the log waits for the disk."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("desk"), "w+b")
    return tempfile.TemporaryFile()


class _Unhurried:
    """A file that is read with pauses, as long as the work between them: unpickling lets nobody else work."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._since = time.perf_counter()

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes, after a pause."""
        self._pause()
        return self._file.read(size)

    def readline(self) -> bytes:
        """One line; pickles of today have none."""
        return self._file.readline()

    def _pause(self) -> None:
        worked = time.perf_counter() - self._since
        if worked > _WORK_SECONDS:
            time.sleep(_REST * worked)
            self._since = time.perf_counter()


def _take_over(out: BinaryIO) -> Examined:
    """What the worker wrote, read beside the running desk."""
    out.seek(0)
    with uncollected():
        found = pickle.load(_Unhurried(out))
        assert isinstance(found, Examined)
        gc.freeze()
    return found


def _refused(problems: tuple[Problem, ...]) -> str:
    lines = [f"新的知识有 {len(problems)} 个错误，旧的知识照用："]
    lines += [str(problem) for problem in problems[:_SHOWN]]
    if len(problems) > _SHOWN:
        lines.append(f"……还有 {len(problems) - _SHOWN} 个，请运行 reformbot check")
    return "\n".join(lines)
