"""The columns beyond question and answer, by which entries and FAQs leave and come back without loss."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from bot.knowledge.schema import Entry, Faq

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND = "kind"
ENTRY, FAQ = "entry", "faq"
_RULES = ("any", "all", "none")
_TOLD = {"id", "name", "question", "questions", "answer", "match"}
COLUMNS = (
    KIND,
    *dict.fromkeys(name for model in (Entry, Faq) for name in model.model_fields if name not in _TOLD),
    *_RULES,
)
"""After `id`, `question`, `questions` and `answer`."""
_LISTS = {"aliases", "audience", "ask", "english", "related", "tests", "rejects", *_RULES}


def of(item: Entry | Faq) -> dict[str, Any]:
    """The values of an item by column, as JSON has them; what is not set is left out."""
    data = item.model_dump(mode="json", exclude_defaults=True)
    rules = data.pop("match", {})
    kind = ENTRY if isinstance(item, Entry) else FAQ
    return {KIND: kind, **{name: value for name, value in (data | rules).items() if name in COLUMNS}}


def cell(name: str, value: Any) -> str:
    """One value as the text of a cell: a list has a line each, a fact is a JSON object."""
    if value is None:
        return ""
    if name == "facts":
        return "\n".join(json.dumps(fact, ensure_ascii=False) for fact in value)
    if name in _LISTS:
        return "\n".join(text.replace("\\", "\\\\").replace("\n", "\\n") for text in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def value(name: str, given: Any) -> Any:
    """The value of a cell, or of a JSON field as it is; None for an empty one. Raises ValueError for broken JSON."""
    if not isinstance(given, str):
        return given
    if name == "facts":
        return [json.loads(line) for line in given.splitlines() if line.strip()] or None
    if name in _LISTS:
        return [_unescaped(line) for line in given.split("\n") if line.strip()] or None
    return given.strip() or None


def _unescaped(line: str) -> str:
    return "\\".join(part.replace("\\n", "\n") for part in line.split("\\\\"))


def entry(identifier: str, name: str, values: Mapping[str, Any]) -> Entry:
    """An entry of its columns. Raises ValueError that names the column which is wrong."""
    rules = {rule: values[rule] for rule in _RULES if values.get(rule)}
    rest = {column: given for column, given in values.items() if column not in {KIND, *_RULES} and given is not None}
    data = {"id": identifier, "name": name, **rest, **({"match": rules} if rules else {})}
    try:
        return Entry.model_validate(data)
    except ValidationError as error:
        raise ValueError(_first(error)) from None


def faq(base: Faq, values: Mapping[str, Any]) -> Faq:
    """A FAQ with its further columns set. Raises ValueError that names the column which is wrong."""
    rest = {column: given for column, given in values.items() if column != KIND and given is not None}
    told = {"id": base.id, "question": base.question, "questions": base.questions, "answer": base.answer}
    try:
        return Faq.model_validate(rest | told)
    except ValidationError as error:
        raise ValueError(_first(error)) from None


def shown(value: Any) -> list[str]:
    """A value as lines for a person."""
    if isinstance(value, tuple):
        return [line for part in value for line in shown(part)]
    if isinstance(value, BaseModel):
        told = value.model_dump(mode="json", exclude_defaults=True)
        return ["，".join(f"{name}: {part}" for name, part in told.items())]
    return [] if value in (None, "") else str(value).splitlines()


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)[0]
    where = ".".join(str(step + 1) if isinstance(step, int) else step for step in found["loc"])
    what = {"missing": "缺少", "extra_forbidden": "这一类没有这一列"}.get(found["type"], "写得不对")
    return f"“{where}”{what}"
