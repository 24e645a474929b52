"""Logged questions through the knowledge as it was and as it is: what changes, and for how many people.

Every question is asked by itself: what was said before it is not in the log.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.answer import answer
from bot.desk import Desk
from bot.errors import KnowledgeError, StoreError
from bot.gaps.collect import EMPTY, PICKED
from bot.gaps.wording import name_of
from bot.knowledge.book import parse, read_folder
from bot.model import Severity, Status
from bot.querylog.tables import query_log

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.model import Reply

GIVEN = (Status.ANSWER, Status.LIST)
CHANGES = {"gained": "新答上的", "lost": "答不上了的", "moved": "答得不一样的", "other": "仍没答上，但回得不一样的"}
_PAGE = 20_000
_GIT_SECONDS = 60


@dataclass(slots=True)
class Question:
    """One question of the log: how often, by whom, and the entries for which somebody said 👍."""

    text: str
    count: int = 0
    people: set[str] = field(default_factory=set)
    praised: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Change:
    """A question that gets another reply; `kind` is a key of `CHANGES`, `praised` tells that it was voted up."""

    text: str
    kind: str
    count: int
    people: int
    before: tuple[str, tuple[str, ...]]
    after: tuple[str, tuple[str, ...]]
    praised: bool


@dataclass(frozen=True, slots=True)
class Replayed:
    """What changes, most people first; `questions` and `rows` tell how much was asked."""

    questions: int
    rows: int
    changes: tuple[Change, ...]

    @property
    def praised(self) -> tuple[Change, ...]:
        """Answers that somebody said 👍 to, and that are others now."""
        return tuple(change for change in self.changes if change.praised)

    def stolen(self) -> list[tuple[str, str, int, int]]:
        """(entry before, entry after, questions, people at most), most people first."""
        found: dict[tuple[str, str], list[int]] = {}
        for change in self.changes:
            if change.kind == "moved" and change.before[1] and change.after[1]:
                sums = found.setdefault((change.before[1][0], change.after[1][0]), [0, 0])
                sums[0] += change.count
                sums[1] += change.people
        ordered = sorted(found.items(), key=lambda item: (-item[1][1], item[0]))
        return [(before, after, sums[0], sums[1]) for (before, after), sums in ordered if before != after]


async def questions(connection: AsyncConnection, since: dt.datetime | None, limit: int) -> tuple[list[Question], int]:
    """The different questions asked since then, the most frequent `limit` of them, and how many rows they are."""
    found: dict[str, Question] = {}
    after = 0
    columns = (query_log.c.id, query_log.c.text, query_log.c.user_key, query_log.c.entry, query_log.c.verdict)
    asked = query_log.c.status.in_(["answer", "list", "none", "choices"]) & (query_log.c.text != "")
    asked &= query_log.c.reason.not_in([*PICKED, *EMPTY])
    if since is not None:
        asked &= query_log.c.asked_at >= since
    while True:
        wanted = sa.select(*columns).where(asked & (query_log.c.id > after)).order_by(query_log.c.id).limit(_PAGE)
        page = (await connection.execute(wanted)).all()
        for row in page:
            question = found.setdefault(row.text, Question(row.text))
            question.count += 1
            question.people.add(row.user_key)
            if row.verdict == "up" and row.entry:
                question.praised.add(row.entry)
        if len(page) < _PAGE:
            break
        after = page[-1].id
    ordered = sorted(_merged(found.values()), key=lambda item: (-len(item.people), -item.count, item.text))[:limit]
    return ordered, sum(item.count for item in ordered)


def _merged(found: Iterable[Question]) -> list[Question]:
    """Texts that differ in marks and spaces alone are one question."""
    merged: dict[str, Question] = {}
    for item in found:
        first = merged.setdefault(name_of(item.text), item)
        if first is not item:
            first.count += item.count
            first.people |= item.people
            first.praised |= item.praised
    return list(merged.values())


def replay(
    asked: Sequence[Question],
    old: Desk,
    new: Desk,
    today: dt.date,
    watch: Callable[[Iterable[Any], int], Iterable[Any]],
) -> Replayed:
    """Ask both; `watch(questions, number of them)` passes them through, for a progress bar."""
    changes: list[Change] = []
    for question in watch(asked, len(asked)):
        before = answer(question.text, old, (), today)
        after = answer(question.text, new, (), today)
        kind = _kind(before, after)
        if kind is not None:
            lost = bool(question.praised.intersection(before.ids[:1])) and before.ids[:1] != after.ids[:1]
            told = (str(before.status), before.ids), (str(after.status), after.ids)
            changes.append(Change(question.text, kind, question.count, len(question.people), *told, lost))
    changes.sort(key=lambda change: (not change.praised, -change.people, -change.count, change.text))
    return Replayed(len(asked), sum(question.count for question in asked), tuple(changes))


def _kind(before: Reply, after: Reply) -> str | None:
    was, now = before.status in GIVEN, after.status in GIVEN
    if (before.status, before.ids) == (after.status, after.ids):
        return None
    return "gained" if now and not was else "lost" if was and not now else "moved" if was else "other"


def earlier(against: str, folder: Path) -> Desk:
    """The knowledge to compare with: a folder, or what `folder` was at a revision of git.

    Raises StoreError when it is neither, and KnowledgeError.
    """
    other = Path(against)
    files = read_folder(other) if other.is_dir() else _at_revision(against, folder)
    loaded = parse(files)
    if loaded.book is None:
        raise KnowledgeError([problem for problem in loaded.problems if problem.severity is Severity.ERROR])
    return Desk(loaded.book)


def _at_revision(revision: str, folder: Path) -> dict[str, bytes]:
    command = ["git", "-C", str(folder), "archive", "--format=tar", "--end-of-options", revision, "."]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        raise StoreError(f"{revision} 不是目录，也不是 {folder} 所在仓库的版本：请用 --against 指定") from None
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        names = {PurePosixPath(member.name): member for member in archive.getmembers() if member.isfile()}
        return {
            name.as_posix(): held.read()
            for name, member in sorted(names.items())
            if name.suffix in {".yaml", ".yml"}
            and not any(part.startswith((".", "_")) for part in name.parts)
            and (held := archive.extractfile(member)) is not None
        }
