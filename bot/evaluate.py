"""A question set run through the whole way, scored by the rules of the format."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.answer import answer
from bot.errors import QuestionSetError
from bot.model import Reply, Status, Turn
from bot.reliability import Bin, binned, calibration_error
from bot.render import plain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from bot.desk import Desk

NOWHERE = "—"
"""Theme and region of a question that expects no entry."""
Grouping = Literal["kind", "theme", "region"]
_CANDIDATES = 3


class Question(BaseModel):
    """One line of a question set."""

    model_config = ConfigDict(frozen=True)

    q: str
    kind: str = "question"
    expect: str
    ids: tuple[str, ...] = ()
    must: tuple[str, ...] = ()
    ctx: tuple[str, ...] = ()
    min: int = 1
    also: tuple[str, ...] | str = ()
    note: str = ""

    def accepted(self) -> tuple[str, ...]:
        """Every status that counts as right."""
        also = (self.also,) if isinstance(self.also, str) else self.also
        return (self.expect, *also)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question with what came of it; `why` says what was wrong, empty when right."""

    question: Question
    reply: Reply
    why: str
    took_ms: float
    theme: str = NOWHERE
    region: str = NOWHERE

    @property
    def expected(self) -> str:
        """What should have come: the entry for an answer, else the status."""
        return _named(self.question.expect, self.question.ids, self.question.kind == "multi")

    @property
    def got(self) -> str:
        """What came, in the same words; 「（不全）」 when it is the expected one and lacks something."""
        found = _named(self.reply.status.value, self.reply.ids, len(self.reply.ids) > 1)
        if self.why and self.reply.status is Status.ANSWER and self.reply.ids[0] in self.question.ids:
            return found + "（不全）"
        return found + "（不全）" if self.why and found == self.expected else found

    @property
    def candidates(self) -> tuple[tuple[str, float], ...]:
        """The first candidates with their scores."""
        return tuple((hit.id, hit.score) for hit in self.reply.hits[:_CANDIDATES])

    def group(self, by: Grouping) -> str:
        """The kind, the theme or the region of the question."""
        return {"kind": self.question.kind, "theme": self.theme, "region": self.region}[by]

    @property
    def right(self) -> bool:
        """Whether the reply is right."""
        return not self.why

    @property
    def false_answer(self) -> bool:
        """An answer to something that is not known."""
        return self.question.expect == "none" and self.reply.status in {Status.ANSWER, Status.LIST}


@dataclass(slots=True)
class Report:
    """All outcomes of a run."""

    outcomes: list[Outcome] = field(default_factory=list)

    def share(self, kind: str | None = None) -> tuple[int, int]:
        """(right, all) of one kind, or over all."""
        chosen = [item for item in self.outcomes if kind in (None, item.question.kind)]
        return sum(item.right for item in chosen), len(chosen)

    def shares(self, by: Grouping) -> dict[str, tuple[int, int]]:
        """(right, all) of every group, in the order of the file, those that expect no entry last."""
        groups: dict[str, list[bool]] = {}
        for item in self.outcomes:
            groups.setdefault(item.group(by), []).append(item.right)
        ordered = sorted(groups, key=lambda name: name == NOWHERE)
        return {name: (sum(groups[name]), len(groups[name])) for name in ordered}

    def wrong(self) -> list[Outcome]:
        """The questions that went wrong."""
        return [item for item in self.outcomes if not item.right]

    def confusions(self) -> Counter[tuple[str, str]]:
        """How often (expected, got) happened."""
        return Counter((item.expected, item.got) for item in self.wrong())

    def calibration(self) -> list[Bin]:
        """Scores of the questions that were answered, against whether rightly."""
        answered = (item for item in self.outcomes if item.reply.status is Status.ANSWER)
        return binned((item.reply.score, item.right) for item in answered)

    def latency_ms(self) -> dict[str, float]:
        """Percentiles by nearest rank; empty without questions."""
        took = sorted(item.took_ms for item in self.outcomes)
        ranks = {f"p{share}": math.ceil(share * len(took) / 100) - 1 for share in (50, 95, 99)}
        return {name: round(took[rank], 3) for name, rank in ranks.items()} if took else {}

    def refusals(self) -> tuple[int, int]:
        """(false answers, questions that must be refused)."""
        chosen = [item for item in self.outcomes if item.question.kind.startswith("out-of-scope")]
        return sum(item.false_answer for item in chosen), len(chosen)

    def ranked_first(self) -> tuple[int, int]:
        """(right entry ranked first, single-answer questions): ranking apart from the decision."""
        chosen = [item for item in self.outcomes if item.question.expect == "answer" and item.question.kind != "multi"]
        right = sum(bool(item.reply.hits) and item.reply.hits[0].id in item.question.ids for item in chosen)
        return right, len(chosen)

    def as_json(self) -> dict[str, Any]:
        """Figures, the questions that went wrong, and every outcome for a later comparison."""
        right, total = self.share()
        false, refused = self.refusals()
        first, single = self.ranked_first()
        bins = self.calibration()
        error = calibration_error(bins)
        return {
            "questions": total,
            "right": right,
            "share": round(right / total, 4) if total else None,
            "false_answers": false,
            "out_of_scope": refused,
            "ranked_first": first,
            "single_answer": single,
            "kinds": self._grouped("kind"),
            "themes": self._grouped("theme"),
            "regions": self._grouped("region"),
            "latency_ms": self.latency_ms(),
            "calibration": [item.as_json() for item in bins],
            "calibration_error": None if error is None else round(error, 4),
            "wrong": [_wrong(item) for item in self.wrong()],
            "confusions": [_confusion(item) for item in self.wrong()],
            "confusion_counts": {f"{a} → {b}": count for (a, b), count in self.confusions().most_common()},
            "outcomes": [_outcome(item) for item in self.outcomes],
        }

    def _grouped(self, by: Grouping) -> dict[str, dict[str, int]]:
        return {name: {"right": right, "questions": total} for name, (right, total) in self.shares(by).items()}


def _named(status: str, ids: Sequence[str], every: bool) -> str:
    """A status; an answer is named by its entry, or by all of them."""
    return " + ".join(ids if every else ids[:1]) if status == Status.ANSWER and ids else status


def _wrong(item: Outcome) -> dict[str, Any]:
    return {
        "q": item.question.q,
        "kind": item.question.kind,
        "expect": item.question.expect,
        "expect_ids": list(item.question.ids),
        "status": item.reply.status.value,
        "ids": list(item.reply.ids[:4]),
        "score": round(item.reply.score, 3),
        "why": item.why,
        "reason": item.reply.reason,
    }


def _confusion(item: Outcome) -> dict[str, Any]:
    return {
        "q": item.question.q,
        "kind": item.question.kind,
        "expected": item.expected,
        "got": item.got,
        "why": item.why,
        "reason": item.reply.reason,
        "candidates": [{"id": identifier, "score": score} for identifier, score in item.candidates],
    }


def _outcome(item: Outcome) -> dict[str, Any]:
    return {
        "q": item.question.q,
        "kind": item.question.kind,
        "right": item.right,
        "status": item.reply.status.value,
        "ids": list(item.reply.ids),
        "score": round(item.reply.score, 4),
    }


def read_questions(path: Path) -> list[Question]:
    """Read a JSON Lines question set; raise QuestionSetError naming the line that is wrong."""
    questions: list[Question] = []
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetError(f"打不开题目文件 {path.name}：{error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            questions.append(Question.model_validate(json.loads(line)))
        except (ValueError, ValidationError) as error:
            first = str(error).splitlines()[0]
            raise QuestionSetError(f"{path.name}:{number}: 这一行不是题目：{first}") from error
    if not questions:
        raise QuestionSetError(f"{path.name} 里没有题目")
    return questions


def run(questions: Iterable[Question], desk: Desk, today: dt.date) -> Report:
    """Ask every question and judge its reply. Timed as a citizen's question, without the candidates."""
    report = Report()
    for question in questions:
        turns: list[Turn] = []
        for earlier in question.ctx:
            turns.append(answer(earlier, desk, turns, today).turn)
        start = time.perf_counter()
        answer(question.q, desk, turns, today)
        took = (time.perf_counter() - start) * 1000
        reply = answer(question.q, desk, turns, today, explain=True)
        report.outcomes.append(Outcome(question, reply, judge(question, reply), took, *_placed(question, desk)))
    return report


def _placed(question: Question, desk: Desk) -> tuple[str, str]:
    """Theme and region of the first expected entry."""
    if question.expect == Status.NONE or not question.ids:
        return NOWHERE, NOWHERE
    first = question.ids[0]
    faq = desk.book.faqs.get(first)
    entry = desk.book.entries.get(first if faq is None else faq.entry or "")
    theme = entry.theme if entry else NOWHERE
    return theme, desk.region_of(first) if entry or faq else NOWHERE


def judge(question: Question, reply: Reply) -> str:
    """Why a reply is wrong, in Chinese; empty when it is right."""
    status = reply.status.value
    if question.expect == "choices" and status == "answer":
        return "" if reply.ids[0] in question.ids else "直接答了，但不是可接受的条目"
    if status not in question.accepted():
        hostile = question.expect == "smalltalk" and question.kind == "hostile" and status == "none"
        return "" if hostile else f"应为 {question.expect}，得到 {status}"
    if status == "list":
        found = len(set(reply.ids) & set(question.ids))
        return "" if found >= question.min else f"列表里只有 {found} 条是要的，至少 {question.min} 条"
    if status == "answer":
        return _judge_answer(question, reply)
    return ""


def _judge_answer(question: Question, reply: Reply) -> str:
    if question.kind == "multi":
        lacking = [identifier for identifier in question.ids if identifier not in reply.ids]
        if lacking:
            return "少答了 " + "、".join(lacking)
    elif reply.ids[0] not in question.ids:
        return "答成了 " + reply.ids[0]
    text = "".join(plain(reply).split())
    absent = [must for must in question.must if "".join(must.split()) not in text]
    return "回答里没有 " + "、".join(absent) if absent else ""
