"""`check --fix`: slips that have one mend only. The mended file says the same as was meant, or it is left alone."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from bot.knowledge import habits, nodes, schema
from bot.knowledge.page import Page, is_faq, read_page
from bot.model import Severity
from bot.text.tidy import tidy

if TYPE_CHECKING:
    from bot.knowledge.nodes import Tree
    from bot.model import Problem

_ROUNDS = 200
_INDENTS = str.maketrans({"\u3000": "  ", "\u00a0": " ", "\t": "  "})
_BRACKETS = str.maketrans("【［〔】］〕｛｝，、", "[[[]]]{},,")
_TIGHT = re.compile(r",(?=\S)")


def mend(name: str, content: bytes) -> bytes:
    """The file without the slips that can be mended; the same bytes when there are none."""
    content = _mend_lines(name, content)
    page = read_page(name, content)
    if page.part is None or "/" not in name:
        return content
    return _in_order(name, _tidy(page, content))


def diff(name: str, before: bytes, after: bytes) -> str:
    """What changes, as a unified diff."""
    old, new = (content.decode("utf-8-sig", "replace").splitlines(keepends=True) for content in (before, after))
    return "".join(difflib.unified_diff(old, new, fromfile=name, tofile=name))


def _errors(tree: Tree) -> list[Problem]:
    return [problem for problem in tree.problems if problem.severity is Severity.ERROR]


def _mend_lines(name: str, content: bytes) -> bytes:
    """Mend what keeps YAML from reading a line; a mend stays only when the file can be read in the end."""
    tree = nodes.read(name, content)
    if not tree.problems or tree.data is not None:
        return content
    text = content
    for _ in range(_ROUNDS):
        found = next((problem for problem in tree.problems if problem.code in _MENDS), None)
        if found is None:
            break
        lines = text.decode("utf-8-sig").splitlines(keepends=True)
        before = lines[found.line - 1]
        lines[found.line - 1] = _MENDS[found.code](before, found.column - 1)
        if lines[found.line - 1] == before:
            return content
        text = "".join(lines).encode()
        tree = nodes.read(name, text)
    return content if _errors(tree) else text


def _colon(line: str, at: int) -> str:
    return line[:at] + ": " + line[at + 1 :].lstrip(" \u3000\u00a0")


def _indent(line: str, _at: int) -> str:
    body = line.lstrip(" \t\u3000\u00a0")
    return line[: len(line) - len(body)].translate(_INDENTS) + body


def _dash(line: str, at: int) -> str:
    return line[:at] + "- " + line[at + 1 :].lstrip(" \u3000\u00a0")


def _brackets(line: str, at: int) -> str:
    head, _, value = line.partition(": ")
    return f"{head}: " + _TIGHT.sub(", ", value.translate(_BRACKETS)) if at >= len(head) else line


_MENDS = {"K010": _colon, "K011": _indent, "K012": _indent, "K013": _dash, "K014": _colon, "K017": _brackets}


def _tidy(page: Page, content: bytes) -> bytes:
    """Mend the sentences that citizens read, each where it stands in its line."""
    lines = content.decode("utf-8-sig").splitlines(keepends=True)
    expected = page.tree.data
    items: tuple[schema.Entry | schema.Faq, ...] = (*page.entries, *page.faqs)
    for index, item in enumerate(items):
        for path, text in habits.read_by_citizens(index, item):
            tidied = tidy(text, habits.names(item))
            line, column = page.tree.at(path)
            rest = lines[line - 1][column - 1 :]
            if tidied != text and rest.count(text) == 1:
                lines[line - 1] = lines[line - 1][: column - 1] + rest.replace(text, tidied)
                expected = _with(expected, path, tidied)
    mended = "".join(lines).encode()
    return mended if nodes.read(page.name, mended).data == expected else content


def _with(data: Any, path: nodes.Path, value: str) -> Any:
    """The same data with another value at a path."""
    if not path:
        return value
    copy: Any = list(data) if isinstance(data, list) else dict(data)
    copy[path[0]] = _with(data[path[0]], path[1:], value)
    return copy


def _in_order(name: str, content: bytes) -> bytes:
    """Put the keys of each item in the order of the guide, with the comments above them."""
    tree = nodes.read(name, content)
    order = list((schema.Faq if is_faq(name) else schema.Entry).model_fields)
    lines = content.decode("utf-8-sig").splitlines(keepends=True)
    for index, item in enumerate(tree.data):
        keys = list(item)
        starts = [tree.keys[index, key][0] - 1 for key in keys]
        if keys == sorted(keys, key=order.index) or len(set(starts)) < len(starts):
            continue
        heads = [starts[0], *(_above(lines, start) for start in starts[1:])]
        end = _above(lines, tree.at((index + 1,))[0] - 1) if index + 1 < len(tree.data) else len(lines)
        parts = {key: lines[head:tail] for key, head, tail in zip(keys, heads, [*heads[1:], end], strict=True)}
        column = tree.keys[index, keys[0]][1] - 1
        dash, pad = lines[starts[0]][:column], " " * column
        parts[keys[0]][0] = pad + parts[keys[0]][0][column:]
        moved = [line for key in sorted(keys, key=order.index) for line in parts[key]]
        first = next(at for at, line in enumerate(moved) if not line.lstrip().startswith("#"))
        moved[first] = dash + moved[first][column:]
        lines[heads[0] : end] = moved
    ordered = "".join(lines).encode()
    return ordered if nodes.read(name, ordered).data == tree.data else content


def _above(lines: list[str], start: int) -> int:
    """Where the comments begin that stand right above a line."""
    while start > 0 and lines[start - 1].lstrip().startswith("#"):
        start -= 1
    return start
