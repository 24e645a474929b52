"""One row of a FAQ file: its values checked and cleaned, or told what is wrong with its line."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bot.errors import ReformbotError
from bot.exchange import fields
from bot.exchange.cells import clean, distinct, one_line, split_questions
from bot.knowledge.schema import Faq

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

COLUMNS = ("id", "question", "questions", "answer")
NAMES = {
    **{name: name for name in (*COLUMNS, *fields.COLUMNS)},
    "编号": "id",
    "问题": "question",
    "其它问法": "questions",
    "其他问法": "questions",
    "答案": "answer",
}
"""What a column may be called → what it is."""


def _limit(name: str) -> int:
    """The most characters that the schema allows a field."""
    return next(int(rule.max_length) for rule in Faq.model_fields[name].metadata if hasattr(rule, "max_length"))


MAX_QUESTION, MAX_ANSWER = _limit("question"), _limit("answer")


class ExchangeError(ReformbotError):
    """A file cannot be imported or exported; one line a problem in `problems`."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Row:
    """One question and answer of a file, cleaned. None is what the file does not tell."""

    line: int
    id: str | None
    question: str
    questions: tuple[str, ...] | None
    answer: str | None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Values of the further columns; `kind` is there when the file was written by `export`."""


@dataclass(slots=True)
class Sheet:
    """What came of reading a file: `problems` are errors and `notes` are not, one line each."""

    name: str
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def at(self, line: int) -> str:
        """A place in the file, as messages name it."""
        return f"{self.name}:{line}"

    def add(self, line: int, message: str) -> None:
        """Note a problem at a line."""
        self.problems.append(f"{self.at(line)}: {message}")

    def take(self, line: int, values: Mapping[str, Any]) -> None:
        """Check one row, given by column, and keep it. Values are texts, numbers, None or, for questions, a list."""
        before = len(self.problems)
        more = self._more(line, values)
        if more.get(fields.KIND) == fields.ENTRY:  # its further questions and its answer are made of the other columns
            values = {**values, "questions": None, "answer": None}
        identifier = self._text(line, "id", values.get("id"), MAX_QUESTION)
        question = one_line(self._text(line, "question", values.get("question")))
        others = self._questions(line, question, values.get("questions"))
        answer = clean(self._text(line, "answer", values.get("answer"), MAX_ANSWER))
        if len(self.problems) > before:
            return
        self._question(line, question)
        for other in others or ():
            self._question(line, other)
        if len(self.problems) == before:
            self.rows.append(Row(line, one_line(identifier) or None, question, others, answer or None, more))

    def _more(self, line: int, values: Mapping[str, Any]) -> dict[str, Any]:
        """The further columns, for what `export` wrote; other systems' columns of these names are not ours."""
        if values.get(fields.KIND) not in {fields.ENTRY, fields.FAQ}:
            return {}
        found: dict[str, Any] = {}
        for name in fields.COLUMNS:
            try:
                found[name] = fields.value(name, values.get(name))
            except ValueError:
                self.add(line, f"“{name}”这一格要每行一个 JSON 对象")
        return found

    def _text(self, line: int, name: str, value: Any, limit: int | None = None) -> str:
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            self.add(line, f"“{name}”要写成一段文字")
            return ""
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        length = len(clean(text))
        if limit is not None and length > limit:
            self.add(line, f"“{name}”太长了：最多 {limit} 个字，现在 {length} 个，请缩短或拆成几条")
        return text

    def _questions(self, line: int, question: str, value: Any) -> tuple[str, ...] | None:
        if value is None:
            return None
        if not isinstance(value, list):
            return distinct(question, split_questions(self._text(line, "questions", value)))
        if not all(isinstance(item, str) for item in value):
            self.add(line, "“questions”要写成一个列表，里面都是文字")
            return None
        return distinct(question, value)

    def _question(self, line: int, text: str) -> None:
        """A question has words in it and is not too long."""
        if not text:
            self.add(line, "没有问题，请写在“question”（问题）里")
        elif len(text) > MAX_QUESTION:
            message = f"问题太长了：最多 {MAX_QUESTION} 个字，现在 {len(text)} 个：“{text[:20]}…”"
            self.add(line, message)
        elif not any(char.isalnum() for char in text):
            self.add(line, f"这句问题里没有文字：“{text}”")
