"""Names with one wrong character: 信仿超市, 放心莱市场.

The character sounds or rhymes like the right one, and makes no pair with its neighbours that the bank knows:
第一医院 is no slip for 第九医院, nor 体育公司 for 体育公园.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from bot.match import tokens
from bot.text import pinyin

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.match.index import Index

LEAST, MOST = 4, 12
"""Characters of names that are looked for."""
_ANY = "\0"
_KEPT = LEAST // 2
"""Characters of which one slip leaves the first or the last ones as they are."""
_INITIAL = re.compile("^[bpmfdtnlgkhjqxzcsryw]+")


class NearNames:
    """Every name with each of its characters left open, one at a time."""

    def __init__(self, names: Iterable[str], index: Index) -> None:
        self._index = index
        self._names = {name for name in names if LEAST <= len(name) <= MOST and not name.isascii()}
        self._open: dict[str, set[str]] = {}
        for name in self._names:
            for at in range(len(name)):
                self._open.setdefault(name[:at] + _ANY + name[at + 1 :], set()).add(name)
        self._ends = {(len(name), end) for name in self._names for end in (name[:_KEPT], name[-_KEPT:])}
        self._lengths = sorted({len(name) for name in self._names}, reverse=True)

    def correct(self, text: str) -> tuple[str, str, str] | None:
        """(text with the name put right, what was typed, the name); None when nothing is one slip from one name."""
        for length in self._lengths:
            for start in range(len(text) - length + 1):
                typed = text[start : start + length]
                if (length, typed[:_KEPT]) not in self._ends and (length, typed[-_KEPT:]) not in self._ends:
                    continue
                name = self._meant(typed)
                if name is not None:
                    return text[:start] + name + text[start + length :], typed, name
        return None

    def _meant(self, typed: str) -> str | None:
        if typed in self._names:
            return None
        for at in range(len(typed)):
            found = self._open.get(typed[:at] + _ANY + typed[at + 1 :])
            if found is None or len(found) > 1 or not self._is_slip(typed, at):
                continue
            name = next(iter(found))
            if rhymes(typed[at], name[at]):
                return name
        return None

    def _is_slip(self, typed: str, at: int) -> bool:
        """Whether the character makes no known pair with its neighbours."""
        around = [typed[max(0, at - 1) : at + 1], typed[at : at + 2]]
        pairs = [ord(pair[0]) << tokens.SHIFT | ord(pair[1]) for pair in around if len(pair) == 2]
        known = self._index.vocabulary.tokens
        places = np.minimum(np.searchsorted(known, pairs), len(known) - 1)
        return not bool((known[places] == pairs).any())


def rhymes(left: str, right: str) -> bool:
    """Whether two characters end alike; look-alikes often do, as they share the part that tells the sound."""
    finals = [_INITIAL.sub("", "".join(pinyin.of_characters(char))) for char in (left, right)]
    return bool(finals[0]) and finals[0] == finals[1]
