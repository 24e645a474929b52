"""Cores and syllables → tokens: single items and neighbouring pairs."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_ITEM = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)?|[^\sa-z0-9]")

STOP_WORDS = frozenset(
    re.findall(
        "[a-z]+",
        """
        a an the of to in on at for and or is are was were be been do does did can could i me my you your it its this
        that there any some what which who whom whose when where why how with without from by as if so not no have has
        had will would should may about into out up get got please tell know want need we our us they their them he she
        """,
    )
)


def stem(word: str) -> str:
    """Merge the plain inflections of English words: courts → court, rented → rent."""
    for ending, least in (("ing", 6), ("ies", 5), ("ed", 5), ("es", 6), ("s", 4)):
        if word.endswith(ending) and len(word) >= least and not word.endswith("ss"):
            return word[: -len(ending)] + ("y" if ending == "ies" else "")
    return word


def items(segment: str) -> list[str]:
    """Characters, Latin words (stemmed, without stop words) and numbers of one segment, in order."""
    found = _ITEM.findall(segment)
    return [stem(item) if item.isascii() else item for item in found if item not in STOP_WORDS]


def of_core(core: str) -> list[str]:
    """Distinct tokens of a core: its items and the pairs of neighbours that no space parts."""
    tokens: dict[str, None] = {}
    for segment in core.split():
        row = items(segment)
        _add(tokens, row)
    return list(tokens)


def of_sounds(*readings: Sequence[str]) -> list[str]:
    """Distinct tokens of one pinyin sequence, or of several readings of the same text."""
    tokens: dict[str, None] = {}
    for syllables in readings:
        _add(tokens, syllables, "'")
    return list(tokens)


def _add(tokens: dict[str, None], row: Sequence[str], joint: str = "") -> None:
    for item in row:
        tokens[item] = None
    for left, right in pairwise(row):
        tokens[left + joint + right] = None
