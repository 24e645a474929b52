"""The lines that `ask --stdin` reads: a question each, plain or as JSON with the turns before it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Asked:
    """One line; `wrong` says what is the matter with one that holds no question."""

    text: str
    earlier: tuple[str, ...] = ()
    wrong: str = ""


def read(lines: Iterable[bytes]) -> Iterator[Asked]:
    """Every line, in order; an empty one is an empty question."""
    for number, line in enumerate(lines, 1):
        yield _parsed(number, line.decode("utf-8", "replace").rstrip("\r\n"))


def _parsed(number: int, line: str) -> Asked:
    """A JSON object with `q`, or the question itself."""
    if not line.lstrip().startswith("{"):
        return Asked(line)
    try:
        found: Any = json.loads(line)
    except (ValueError, RecursionError):
        return Asked(line)
    if not isinstance(found.get("q"), str):
        return Asked(line, wrong=f"第 {number} 行是 JSON，却没有写成文字的 q")
    earlier = found.get("ctx") or []
    turns = earlier if isinstance(earlier, list) else []
    return Asked(found["q"], tuple(text for text in turns if isinstance(text, str)))
