"""The worker of a reload: reads a folder until it stands still, checks it, asks its questions, hands back the Desk.

It runs in a process of its own, so that reading, compiling and asking keep no citizen waiting.
"""

from __future__ import annotations

import datetime as dt
import os
import pickle
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bot.check import regression
from bot.check.pages import pages_of
from bot.desk import Desk
from bot.knowledge.book import bind, read_folder, unreadable
from bot.match.memory import uncollected
from bot.model import Problem, Severity
from bot.spread import workers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.knowledge.book import Loaded

_STILL_SECONDS = 0.15
_WAIT_SECONDS = 30.0
_MOST_QUESTIONS = 5_000
"""The shipped knowledge has fewer; of a much larger one a sample is asked, for an edit is to be live soon."""
_MANY_FILES = 150
"""From so many on, every processor helps; with fewer, one is left to those who ask."""
_NICE = 10
"""Steps by which the worker stands back behind the process that answers."""


@dataclass(frozen=True, slots=True)
class Examined:
    """What came of it. `desk` is None when nothing is to go live: for the problems, or because nothing `changed`.

    `questions` is how many were asked.
    """

    desk: Desk | None
    problems: tuple[Problem, ...] = ()
    questions: int = 0
    changed: bool = True


def examine(folder: Path, known: str, today: dt.date) -> Examined:
    """Check a folder whole. A folder of the version that is `known` is not asked anything."""
    try:
        files = steady(folder)
    except OSError as error:
        return Examined(None, (unreadable(folder, error),))
    hands = workers() if len(files) >= _MANY_FILES else 1
    with uncollected():
        loaded = bind(pages_of(files, hands))
        errors = _errors(loaded.problems)
        if loaded.book is None:
            return Examined(None, errors)
        if loaded.book.version == known:
            return Examined(None, changed=False)
        return _asked(Desk(loaded.book, hands), loaded, today, hands)


def _asked(desk: Desk, loaded: Loaded, today: dt.date, hands: int) -> Examined:
    asked = regression.run(desk, loaded.trees, today, hands, most=_MOST_QUESTIONS)
    failed = _errors(asked.problems)
    return Examined(None if failed else desk, failed, sum(asked.counts.values()))


def _errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(problem for problem in problems if problem.severity is Severity.ERROR))


def steady(folder: Path) -> dict[str, bytes]:
    """The files of a folder once two readings agree and git is not at work there.

    Raises OSError when that takes longer than half a minute.
    """
    last: dict[str, bytes] = {}
    trouble = OSError("文件一直在变，或者一个也没有")
    until = time.monotonic() + _WAIT_SECONDS
    while time.monotonic() < until:
        try:
            found = read_folder(folder)
        except OSError as error:  # a file may vanish while they are read
            found, trouble = {}, error
        if found and found == last and not _git_at_work(folder):
            return found
        last = found
        time.sleep(_STILL_SECONDS)
    raise trouble


def _git_at_work(folder: Path) -> bool:
    return any((parent / ".git" / "index.lock").exists() for parent in (folder.resolve(), *folder.resolve().parents))


def main() -> None:
    """Examine what the arguments name (folder, known version, day); the outcome goes to standard output, pickled."""
    folder, known, today = sys.argv[1:]
    if hasattr(os, "nice"):
        os.nice(_NICE)
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    sys.stdout = sys.stderr  # nothing that a library prints gets in between
    found = examine(Path(folder), known, dt.date.fromisoformat(today))
    with out, uncollected():
        pickle.dump(found, out, protocol=pickle.HIGHEST_PROTOCOL)
    os._exit(0)  # taking apart what was made would take longer than it is worth
