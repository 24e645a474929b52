"""Text of one cell: cleaned, kept from being a formula, cut into questions, made an id. Pure functions."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

from pypinyin import lazy_pinyin

if TYPE_CHECKING:
    from collections.abc import Iterable

ID_LENGTH = 60
_IDENTIFIER = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_DROP = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)
_SPACES = re.compile(r"\s+")
_ARMED = re.compile(r"'*[=+\-@\t\r]")
_DEFUSED = re.compile(r"'+[=+\-@\t\r]")


def clean(text: str) -> str:
    """Text that a knowledge file can hold: `\\n` ends its lines, no control characters, no space around it."""
    return _DROP.sub("", _BREAKS.sub("\n", text)).strip()


def one_line(text: str) -> str:
    """A cleaned question: line ends and runs of spaces become one space."""
    return _SPACES.sub(" ", clean(text))


def distinct(question: str, others: Iterable[str]) -> tuple[str, ...]:
    """The other questions, one line each, without blanks, repeats and the question itself."""
    found = dict.fromkeys(one_line(text) for text in others)
    return tuple(text for text in found if text and text != question)


def defuse(text: str) -> str:
    """A cell that no spreadsheet takes for a formula. `restore` gives the text back, whatever it is."""
    return "'" + text if _ARMED.match(text) else text


def restore(cell: str) -> str:
    """The text of a cell that may have been defused."""
    return cell[1:] if _DEFUSED.match(cell) else cell


def join_questions(questions: Iterable[str]) -> str:
    """One cell for questions of one line each; a line end makes plain that `|` separates nothing here."""
    lines = list(questions)
    return lines[0] + "\n" if len(lines) == 1 and "|" in lines[0] else "\n".join(lines)


def split_questions(cell: str) -> list[str]:
    """Questions of a cell: its lines, or what stands between `|` when it has only one line."""
    text = _BREAKS.sub("\n", cell)
    return text.split("\n" if "\n" in text else "|")


def is_identifier(text: str) -> bool:
    """Whether an id can stand in the knowledge as it is."""
    return len(text) <= ID_LENGTH and _IDENTIFIER.fullmatch(text) is not None


def slug(text: str, length: int = ID_LENGTH) -> str:
    """Lower-case letters, digits and single hyphens: `常见 FAQ_1` → `chang-jian-faq-1`; may come out empty."""
    plain = unicodedata.normalize("NFKC", text).lower()
    read = plain if plain.isascii() else "-".join(lazy_pinyin(plain))
    bare = "".join(char for char in unicodedata.normalize("NFD", read) if not unicodedata.combining(char))
    return "-".join(re.findall("[a-z0-9]+", bare))[:length].strip("-")
