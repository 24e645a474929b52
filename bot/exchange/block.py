"""A Faq → the YAML of one item, in a form that `nodes.read` gives back letter for letter."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.exchange.cells import clean

if TYPE_CHECKING:
    from bot.knowledge.schema import Faq

_HAN = r"\u4e00-\u9fff"
_PLAIN = re.compile(
    rf"[{_HAN}](?:[{_HAN}A-Za-z0-9，。！？、；（）《》“”…—·% ]*[{_HAN}A-Za-z0-9，。！？、；（）《》“”…%])?"
)
_PLAIN_ID = re.compile(r"[a-z]+(?:-[a-z0-9]+)+")
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


def render(faq: Faq) -> Block:
    """One item of a FAQ file: a line a value, every value that needs it in double quotes."""
    lines: list[str] = []
    nodes = 1
    for name in type(faq).model_fields:
        value = getattr(faq, name)
        if isinstance(value, tuple) and value:
            lines += [f"{name}:", *(f"  - {scalar(text)}" for text in value)]
            nodes += 2 + len(value)
        elif value is not None and value != ():
            lines.append(f"{name}: {scalar(value)}")
            nodes += 2
    head, *rest = lines
    return Block("\n".join([f"- {head}", *(f"  {line}" for line in rest)]) + "\n", nodes)


def scalar(text: str) -> str:
    """A YAML scalar of one line for `clean(text)`."""
    text = clean(text)
    if _PLAIN.fullmatch(text) or _PLAIN_ID.fullmatch(text):
        return text
    return '"' + _LIKE_A_SLIP.sub(r"\1\\x5b", text.translate(_ESCAPES)) + '"'
