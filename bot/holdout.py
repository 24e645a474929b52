"""Cross-validation on the knowledge itself: do questions that are not in the index still reach their entry?

Held out are every entry's `tests`, which are never indexed, and one random quarter of its `ask` templates, without
which the whole desk (bank, word weights, calibration) is built anew. A held-out question that is spelled like a
wording that stays is not asked. What this cannot take away: synonyms, keyword rules and the weights of the
features were made by people and a fit that had seen every phrasing, and `reformbot check` demands that `tests`
reach their entry, so `tests` show no more than that nothing broke.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from bot.answer import answer
from bot.desk import Desk
from bot.model import Reply, Status
from bot.text.expand import expand
from bot.text.normalise import normalise

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence

    from bot.knowledge.book import Book
    from bot.knowledge.schema import Entry

QUARTERS = 4
GOAL = 0.85
KINDS = {"tests": "tests（原库）", "tests_reduced": "tests（减库）", "ask": "拿掉的 ask（减库）"}
"""What is asked of which bank: the whole one, or the one without a quarter of its templates."""


class Reach(StrEnum):
    """What became of a held-out question."""

    REACHED = "reached"
    OFFERED = "offered"
    REFUSED = "refused"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Case:
    """One held-out question and the entry that it belongs to."""

    kind: str
    id: str
    theme: str
    q: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A held-out question with its reply; `reach` is None when the bank holds it letter for letter."""

    case: Case
    reach: Reach | None
    reply: Reply | None = None


@dataclass(slots=True)
class Holdout:
    """All trials of a run."""

    folds: int
    seed: int
    trials: list[Trial] = field(default_factory=list)

    def counts(self, kind: str, theme: str | None = None) -> Counter[Reach]:
        """How often each outcome came, for one theme or over all."""
        chosen = (item for item in self.trials if item.case.kind == kind and theme in (None, item.case.theme))
        return Counter(item.reach for item in chosen if item.reach is not None)

    def share(self, kind: str, theme: str | None = None) -> float | None:
        """Share that reached the entry; None when nothing was asked."""
        counts = self.counts(kind, theme)
        return counts[Reach.REACHED] / counts.total() if counts else None

    def themes(self) -> list[str]:
        """Themes in the order of the entries."""
        return list(dict.fromkeys(item.case.theme for item in self.trials))

    def indexed(self) -> int:
        """Questions that were not asked because the bank holds them letter for letter."""
        return sum(item.reach is None for item in self.trials)

    def as_json(self) -> dict[str, Any]:
        """Figures overall and by theme, and every question that missed its entry."""
        return {
            "folds": self.folds,
            "seed": self.seed,
            "goal": GOAL,
            "indexed": self.indexed(),
            "overall": self._figures(None),
            "themes": {theme: self._figures(theme) for theme in self.themes()},
            "missed": [_missed(item.case, item.reach, item.reply) for item in self.trials if item.reply is not None],
        }

    def _figures(self, theme: str | None) -> dict[str, dict[str, Any]]:
        figures: dict[str, dict[str, Any]] = {}
        for kind in KINDS:
            counts, share = self.counts(kind, theme), self.share(kind, theme)
            outcomes = {reach.value: counts[reach] for reach in Reach}
            figures[kind] = {
                "questions": counts.total(),
                **outcomes,
                "share": None if share is None else round(share, 4),
            }
        return figures


def _missed(case: Case, reach: Reach | None, reply: Reply) -> dict[str, Any]:
    return {
        "q": case.q,
        "kind": case.kind,
        "id": case.id,
        "outcome": reach,
        "status": reply.status.value,
        "ids": list(reply.ids[:4]),
        "score": round(reply.score, 4),
        "reason": reply.reason,
    }


class Shown(Protocol):
    """Wraps the trials to show how far they are."""

    def __call__(self, trials: Iterable[Trial], total: int) -> Iterable[Trial]:
        """The same trials, one by one."""


def run(desk: Desk, today: dt.date, folds: int = 1, seed: int = 0, shown: Shown | None = None) -> Holdout:
    """Ask `tests` of the desk, then `tests` and what was held out of one reduced desk a fold."""
    entries = tuple(desk.book.entries.values())
    tests = sum(len(entry.tests) for entry in entries)
    asked = sum(len(_held_cases(entry, fold, seed)) for fold in range(folds) for entry in entries)
    trials: Iterable[Trial] = _trials(desk, today, folds, seed)
    if shown is not None:
        trials = shown(trials, total=tests * (1 + folds) + asked)
    return Holdout(folds, seed, list(trials))


def _trials(desk: Desk, today: dt.date, folds: int, seed: int) -> Iterator[Trial]:
    entries = tuple(desk.book.entries.values())
    for entry in entries:
        yield from (_try(case, desk, today) for case in _test_cases(entry, "tests"))
    for fold in range(folds):
        reduced = Desk(without(desk.book, fold, seed))
        for entry in entries:
            for case in (*_test_cases(entry, "tests_reduced"), *_held_cases(entry, fold, seed)):
                yield _try(case, reduced, today)


def held(entry: Entry, fold: int, seed: int) -> frozenset[int]:
    """Places of the templates that a fold holds out: a quarter, drawn for each entry by itself.

    The four folds together hold out every template once. An only template stays.
    """
    order = list(range(len(entry.ask)))
    random.Random(f"{seed}:{entry.id}").shuffle(order)
    return frozenset(order[fold::QUARTERS]) if len(order) > 1 else frozenset()


def without(book: Book, fold: int, seed: int) -> Book:
    """The book without the templates that a fold holds out."""
    entries = {name: entry.model_copy(update={"ask": _kept(entry, fold, seed)}) for name, entry in book.entries.items()}
    return replace(book, version=f"{book.version}-{fold}", entries=entries)


def _kept(entry: Entry, fold: int, seed: int) -> Sequence[str]:
    out = held(entry, fold, seed)
    return tuple(template for at, template in enumerate(entry.ask) if at not in out)


def _test_cases(entry: Entry, kind: str) -> list[Case]:
    return [Case(kind, entry.id, entry.theme, question) for question in entry.tests]


def _held_cases(entry: Entry, fold: int, seed: int) -> list[Case]:
    templates = (entry.ask[at] for at in sorted(held(entry, fold, seed)))
    return [Case("ask", entry.id, entry.theme, wording) for template in templates for wording in expand(template)]


def _try(case: Case, desk: Desk, today: dt.date) -> Trial:
    """Ask one question; the reply is kept when it missed."""
    if case.id in map(desk.public, desk.matcher.exact(normalise(case.q))):
        return Trial(case, None)
    reply = answer(case.q, desk, (), today)
    found = reached(case.id, reply)
    return Trial(case, found, None if found is Reach.REACHED else reply)


def reached(identifier: str, reply: Reply) -> Reach:
    """What became of a question that belongs to an entry. Only its being answered first counts as reached."""
    if reply.status is Status.ANSWER and reply.ids[0] == identifier:
        return Reach.REACHED
    if identifier in reply.ids:
        return Reach.OFFERED
    return Reach.REFUSED if reply.status is Status.NONE else Reach.WRONG
