"""The knowledge's own questions: every name, alias, test, reject and golden question, through the whole way."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answer import answer, by_heart
from bot.model import Problem, Reply, Severity, Status
from bot.spread import spread
from bot.standing import is_open, target

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from bot.desk import Desk
    from bot.knowledge.nodes import Path, Tree
    from bot.knowledge.schema import Entry, Faq

_OWN = frozenset({"tests", "golden", "faq"})
"""Questions that should be answered outright; a name may stand for several things."""


@dataclass(frozen=True, slots=True)
class Case:
    """One question of the knowledge and where it stands. `reaches` is False for rejects."""

    file: str
    where: tuple[int, int]
    kind: str
    question: str
    entry: str
    reaches: bool


@dataclass(frozen=True, slots=True)
class Regression:
    """Counts of questions by kind, and the problems of those that failed."""

    counts: Mapping[str, int]
    problems: tuple[Problem, ...]


def cases(desk: Desk, trees: Mapping[str, Tree]) -> Iterator[Case]:
    """Every regression question of a book, with its position."""
    for name, tree in trees.items():
        if "/" in name and isinstance(tree.data, list):
            for index, raw in enumerate(tree.data):
                entry = desk.book.entries.get(raw["id"])
                if entry is not None:
                    yield from _of_entry(name, tree, index, entry)
                elif raw["id"] in desk.book.faqs:
                    yield from _of_faq(name, tree, index, desk.book.faqs[raw["id"]])
    golden = trees["golden.yaml"]
    for index, item in enumerate(desk.book.golden):
        for at, question in enumerate(item.questions):
            yield Case("golden.yaml", golden.at((index, "questions", at)), "golden", question, item.id, True)


def _of_entry(name: str, tree: Tree, index: int, entry: Entry) -> Iterator[Case]:
    rows: list[tuple[str, Path, str, bool]] = [("name", ("name",), entry.name, True)]
    rows += [("alias", ("aliases", at), text, True) for at, text in enumerate(entry.aliases)]
    rows += [("tests", ("tests", at), text, True) for at, text in enumerate(entry.tests)]
    rows += [("rejects", ("rejects", at), text, False) for at, text in enumerate(entry.rejects)]
    for kind, path, text, reaches in rows:
        yield Case(name, tree.at((index, *path)), kind, text, entry.id, reaches)


def _of_faq(name: str, tree: Tree, index: int, faq: Faq) -> Iterator[Case]:
    entry = faq.entry or faq.id
    yield Case(name, tree.at((index, "question")), "faq", faq.question, entry, True)
    for kind, questions in (("tests", faq.tests), ("rejects", faq.rejects)):
        for at, text in enumerate(questions):
            yield Case(name, tree.at((index, kind, at)), kind, text, entry, kind == "tests")


def run(desk: Desk, trees: Mapping[str, Tree], today: dt.date, workers: int = 1, most: int | None = None) -> Regression:
    """Ask every question; a test that misses its entry and a reject that reaches it are errors.

    Questions of entries that are closed on this day are left out. With several workers they are asked side by side.
    `most` limits how many are asked: the golden ones, and others evenly spread.
    """
    asked = [case for case in cases(desk, trees) if is_open(target(case.entry, desk.book), desk.book, today)]
    if most is not None and len(asked) > most:
        golden = [case for case in asked if case.kind == "golden"][:most]
        others = [case for case in asked if case.kind != "golden"]
        asked = golden + others[:: max(1, len(others) // max(1, most - len(golden)))]
    counts = Counter(case.kind for case in asked)
    found = spread(_ask, asked, (desk, today), workers)
    return Regression(counts, tuple(problem for problem in found if problem is not None))


def _ask(case: Case, shared: tuple[Desk, dt.date]) -> Problem | None:
    return ask(case, *shared)


def ask(case: Case, desk: Desk, today: dt.date) -> Problem | None:
    """What is wrong with the reply to one question, if anything."""
    known = by_heart(case.question, desk, today)
    reply = Reply(Status.ANSWER, (), (known,)) if known is not None else answer(case.question, desk, (), today)
    message = judge(case, reply, desk)
    if message:
        return Problem(case.file, *case.where, "K401" if case.reaches else "K402", message)
    if case.kind in _OWN and reply.status is Status.CHOICES:
        return Problem(case.file, *case.where, "K404", _rivals(case, desk, today), Severity.WARNING)
    return None


def _rivals(case: Case, desk: Desk, today: dt.date) -> str:
    """Which entries compete for a question, with their scores."""
    reply = answer(case.question, desk, (), today, explain=True)
    scores = {hit.id: hit.score for hit in reply.hits}
    told = "、".join(f"{name}（{scores.get(name, 0.0):.2f}）" for name in reply.ids)
    return f"“{case.question}”几条相争，只能请市民自己挑：{told}；请给该答的那一条补问法"


def judge(case: Case, reply: Reply, desk: Desk) -> str:
    """What is wrong with the reply to a case, with the mend; empty when it is right."""
    wanted = target(case.entry, desk.book)
    if not case.reaches:
        if reply.status is Status.ANSWER and case.entry in reply.ids:
            mend = "请把能区分的词写进 match 的 none，或给该答的条目补问法"
            return f"“{case.question}”不该答成本条，却答了；{mend}"
        return ""
    if reply.status in {Status.ANSWER, Status.CHOICES} and {case.entry, wanted} & set(reply.ids):
        return ""
    got = {
        Status.ANSWER: "答成了“{}”",
        Status.CHOICES: "给出的选项里没有本条：{}",
        Status.LIST: "被当成了浏览类问题",
        Status.SMALLTALK: "被当成了寒暄",
    }.get(reply.status, "没有找到")
    named = "、".join(desk.label(identifier) for identifier in reply.ids[:3])
    mend = "请在 ask 里补一句这样的问法，或在 match 的 any 里加特征词"
    return f"“{case.question}”应当找到“{case.entry}”，{got.format(named)}；{mend}"
