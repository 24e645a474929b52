"""Add questions to an entry's lists in its file, and leave every other byte as it is, comments included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from bot.exchange.block import scalar
from bot.knowledge.nodes import Loader

if TYPE_CHECKING:
    from collections.abc import Sequence

_AFTER = {"ask": ("summary",), "rejects": ("tests", "ask"), "questions": ("question",)}
"""Where a list that is not there yet goes: behind the first of these that is."""


def insert(content: str, identifier: str, field: str, questions: Sequence[str]) -> str:
    """The file with the questions added at the end of a list of the entry; the list is made when there is none.

    The file is a sound one. Raises KeyError when it does not hold the entry.
    """
    item = _item(content, identifier)
    fields = {key.value: (key, value) for key, value in item.value}
    lines = content.splitlines(keepends=True)
    if field not in fields:
        key, value = next(fields[name] for name in _AFTER[field] if name in fields)
        indent = " " * key.start_mark.column
        new = [f"{indent}{field}:\n", *(f"{indent}  - {scalar(text)}\n" for text in questions)]
        return _with(lines, _last_line(value) + 1, new)
    value = fields[field][1]
    if value.flow_style:
        more = ", ".join(_in_brackets(text) for text in questions)
        end = value.end_mark
        line = lines[end.line]
        at = end.column - 1
        lines[end.line] = line[:at] + (", " if value.value else "") + more + line[at:]
        return "".join(lines)
    # a block's items stand behind "- "
    indent = " " * value.start_mark.column
    return _with(lines, _last_line(value) + 1, [f"{indent}- {scalar(text)}\n" for text in questions])


def _in_brackets(text: str) -> str:
    """A scalar between commas."""
    plain = scalar(text)
    return plain if plain.startswith('"') else f'"{plain}"'


def _item(content: str, identifier: str) -> Any:
    tree: Any = yaml.compose(content, Loader=Loader)
    for item in tree.value:
        if any(key.value == "id" and value.value == identifier for key, value in item.value):
            return item
    raise KeyError(identifier)


def _last_line(node: Any) -> int:
    """Number of the line that the last scalar of a node stands on."""
    while node.value and not isinstance(node.value, str) and not node.flow_style:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    line: int = node.end_mark.line
    return line


def _with(lines: list[str], at: int, new: list[str]) -> str:
    if at >= len(lines) and lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    return "".join([*lines[:at], *new, *lines[at:]])
