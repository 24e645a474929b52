"""The whole check of a folder: read, validate, ask its questions, compare with its sources."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from bot.check import duplicates, freshness, links, phrasings, regression, sources
from bot.check.pages import read_pages
from bot.desk import Desk
from bot.knowledge.book import bind, load, unread
from bot.match.memory import uncollected
from bot.model import Problem, Severity

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check found. `questions` counts the regression questions by kind; empty when they could not run."""

    problems: tuple[Problem, ...]
    entries: int = 0
    questions: Mapping[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """Number of problems that keep the knowledge from being used."""
        return sum(problem.severity is Severity.ERROR for problem in self.problems)


def check(folder: Path, today: dt.date, source_folder: Path | None = None, workers: int = 1) -> Outcome:
    """Check a knowledge folder. Questions run only when the files themselves are sound."""
    if not folder.is_dir():
        return Outcome(load(folder).problems)
    with uncollected():
        loaded = bind(read_pages(folder, workers))
        problems = [*loaded.problems, *unread(folder)]
        if loaded.book is None:
            return Outcome(tuple(sorted(problems)))
        desk = Desk(loaded.book, workers)
    asked = regression.run(desk, loaded.trees, today, workers)
    problems += asked.problems
    problems += phrasings.unreached(desk, loaded.trees, today, workers)
    problems += duplicates.alike(loaded.book, loaded.trees)
    problems += freshness.dated(loaded.book, loaded.trees, today)
    if source_folder is not None:
        problems += sources.check_sources(loaded.book, loaded.trees, source_folder)
    return Outcome(tuple(sorted(problems)), len(loaded.book.entries) + len(loaded.book.faqs), asked.counts)


def with_links(outcome: Outcome, folder: Path) -> Outcome:
    """The outcome with the sources whose address does not answer any more; needs a network."""
    loaded = load(folder)
    if loaded.book is None:
        return outcome
    found = asyncio.run(links.dead(loaded.book, loaded.trees))
    return replace(outcome, problems=tuple(sorted((*outcome.problems, *found))))


def only(outcome: Outcome, folder: Path, paths: Sequence[Path]) -> Outcome:
    """The same outcome with the problems of some files or folders alone, each named as `paths` name it."""
    root = folder.resolve()
    kept = []
    for problem in outcome.problems:
        file = root / problem.file
        typed = next((path for path in paths if file.is_relative_to(path.resolve())), None)
        if typed is not None:
            kept.append(replace(problem, file=(typed / file.relative_to(typed.resolve())).as_posix()))
    return Outcome(tuple(kept), outcome.entries, outcome.questions)


def as_text(outcome: Outcome) -> str:
    """One line a problem, and a summary."""
    lines = [str(problem) for problem in outcome.problems]
    warnings = len(outcome.problems) - outcome.errors
    counts = outcome.questions
    own = counts.get("tests", 0) + counts.get("rejects", 0)
    head = f"{outcome.errors} 个错误，{warnings} 个提醒；"
    if outcome.entries:
        asked = f"跑了 {sum(counts.values())} 个问题（tests 和 rejects {own} 个）"
        lines.append(f"{head}{outcome.entries} 个条目，{asked}")
    else:
        lines.append(f"{head}知识还不能用，问题没有跑")
    return "\n".join(lines)


def as_github(outcome: Outcome) -> str:
    """Workflow commands: an annotation a problem."""
    return "\n".join(_annotation(problem) for problem in outcome.problems)


def _annotation(problem: Problem) -> str:
    place = f"file={problem.file},line={problem.line},col={problem.column},title={problem.code}"
    message = problem.message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::{problem.severity.value} {place}::{message}"


def as_json(outcome: Outcome) -> str:
    """One JSON object with counts and problems."""
    rows = [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "code": problem.code,
            "severity": problem.severity.value,
            "message": problem.message,
        }
        for problem in outcome.problems
    ]
    found = {
        "errors": outcome.errors,
        "entries": outcome.entries,
        "questions": dict(outcome.questions),
        "problems": rows,
    }
    return json.dumps(found, ensure_ascii=False, indent=1)
