"""A question set run through the whole way, scored by the rules of the format."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, ValidationError

from bot.answer import answer
from bot.errors import QuestionSetError
from bot.model import Reply, Status, Turn
from bot.render import plain

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable
    from pathlib import Path

    from bot.desk import Desk


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

    def kinds(self) -> list[str]:
        """Kinds in the order of the file."""
        return list(dict.fromkeys(item.question.kind for item in self.outcomes))

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
        """Figures and the questions that went wrong."""
        right, total = self.share()
        false, refused = self.refusals()
        first, single = self.ranked_first()
        return {
            "questions": total,
            "right": right,
            "share": round(right / total, 4) if total else None,
            "false_answers": false,
            "out_of_scope": refused,
            "ranked_first": first,
            "single_answer": single,
            "kinds": {kind: dict(zip(("right", "questions"), self.share(kind), strict=True)) for kind in self.kinds()},
            "wrong": [_wrong(item) for item in self.outcomes if not item.right],
        }


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
    """Ask every question and judge its reply."""
    report = Report()
    for question in questions:
        turns: list[Turn] = []
        for earlier in question.ctx:
            turns.append(answer(earlier, desk, turns, today).turn)
        start = time.perf_counter()
        reply = answer(question.q, desk, turns, today, explain=True)
        took = (time.perf_counter() - start) * 1000
        report.outcomes.append(Outcome(question, reply, judge(question, reply), took))
    return report


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
