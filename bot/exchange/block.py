"""An entry or a FAQ → the YAML of one item, in a form that `nodes.read` gives back letter for letter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.exchange.cells import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.knowledge.schema import Entry, Faq

_HAN = r"\u4e00-\u9fff"
_PLAIN = re.compile(
    rf"[{_HAN}](?:[{_HAN}A-Za-z0-9，。！？、；（）《》“”…—·% ]*[{_HAN}A-Za-z0-9，。！？、；（）《》“”…%])?"
)
_PLAIN_ID = re.compile(r"[a-z]+(?:-[a-z0-9]+)+")
_DATE = re.compile(r"[12][0-9]{3}(?:-[0-9]{2}){0,2}")
FLOW = frozenset({"aliases", "audience", "about", "english", "related", "any", "all", "none"})
"""Lists that are written in one line."""
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n", "\t": r"\t"})
_LIKE_A_SLIP = re.compile(r"([:：]\s*)\[")


@dataclass(frozen=True, slots=True)
class Block:
    """The text of one item, how many YAML nodes it takes, and the comments that stand above it."""

    text: str
    nodes: int
    lead: str = ""

    def size(self) -> int:
        """Bytes in a file."""
        return len((self.lead + self.text).encode())


def render(item: Entry | Faq) -> Block:
    """One item of a file: a line a value, every value that needs it in double quotes; what is not set is left out."""
    data = item.model_dump(mode="json", exclude_defaults=True)
    head, *rest = _lines(data)
    text = "\n".join([f"- {head}", *(f"  {line}" for line in rest)]) + "\n"
    return Block(text, _count(data))


def _lines(data: Mapping[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        if isinstance(value, dict):
            parts = ", ".join(f"{key}: {_flow(part)}" for key, part in value.items())
            yield f"{name}: {{{parts}}}"
        elif isinstance(value, list) and name in FLOW:
            yield f"{name}: {_flow(value)}"
        elif isinstance(value, list):
            yield f"{name}:"
            for part in value:
                first, *more = _lines(part) if isinstance(part, dict) else (scalar(part),)
                yield f"  - {first}"
                yield from (f"    {line}" for line in more)
        else:
            yield f"{name}: {_typed(value)}"


def _flow(values: list[str]) -> str:
    return "[" + ", ".join(map(scalar, values)) + "]"


def _typed(value: str | bool) -> str:
    """A date stands without quotes, as people write it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if _DATE.fullmatch(value) else scalar(value)


def _count(data: Any) -> int:
    """YAML nodes of some data, keys included."""
    if isinstance(data, dict):
        return 1 + sum(1 + _count(value) for value in data.values())
    return 1 + sum(map(_count, data)) if isinstance(data, list) else 1


def plain(text: str) -> bool:
    """Whether a text needs no quotes."""
    return bool(_PLAIN.fullmatch(text) or _PLAIN_ID.fullmatch(text))


def scalar(text: str) -> str:
    """A YAML scalar of one line for `clean(text)`."""
    text = clean(text)
    if plain(text):
        return text
    return '"' + _LIKE_A_SLIP.sub(r"\1\\x5b", text.translate(_ESCAPES)) + '"'
