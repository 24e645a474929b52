"""Cores and syllables → tokens, as integers: single items, and pairs of neighbours that no space parts.

A text is first spelled so that each item is one character: a Chinese character is itself, a Latin word, a
number or a syllable becomes a private character. An item's token is its code point; a pair's is the left code
point shifted by 21 bits, plus the right one.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

SHIFT = 21
PAIR = 1 << SHIFT
"""Tokens from here on are pairs."""

_FIRST, _LAST = 0xF8000, 0x10FFFD
_UNHEARD = chr(_LAST)
_RUN = re.compile(r"[a-z]+|[0-9]+(?:\.[0-9]+)?")
_BREAK, _SPACE = 10, 32

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


class Alphabet:
    """Latin words, numbers and syllables, each with the private character that stands for it.

    Items that were never learnt all share one character, which no text of the bank has.
    """

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}

    def learn(self, texts: Iterable[str]) -> str:
        """Spell texts of the bank, one a line, giving new items a character of their own while there are any left."""
        lines = "\n".join(texts)
        for item in dict.fromkeys(_RUN.findall(lines)):
            self._add(stem(item))
        return self.spell(lines)

    def spell(self, text: str) -> str:
        """Spell a question; stop words vanish."""
        return _RUN.sub(self._letter, text)

    def learn_sounds(self, texts: Iterable[Sequence[str]]) -> str:
        """Spell the syllables of texts of the bank, one text a line."""
        letters, lines = self._letters, list[str]()
        for syllables in texts:
            try:
                lines.append("".join([letters[item] for item in syllables]))
            except KeyError:
                for item in syllables:
                    self._add(item)
                lines.append(self.spell_sounds(syllables))
        return "\n".join(lines)

    def spell_sounds(self, syllables: Sequence[str]) -> str:
        """Spell the syllables of a question."""
        return "".join([self._letters.get(item, _UNHEARD) for item in syllables])

    def _add(self, item: str) -> None:
        if item not in self._letters and _FIRST + len(self._letters) < _LAST:
            self._letters[item] = chr(_FIRST + len(self._letters))

    def _letter(self, found: re.Match[str]) -> str:
        word = found.group()
        return "" if word in STOP_WORDS else self._letters.get(stem(word), _UNHEARD)


def of(spelled: str) -> set[int]:
    """Distinct tokens of a spelled text."""
    found: set[int] = set()
    for segment in spelled.split():
        codes = list(map(ord, segment))
        found.update(codes)
        found.update([left << SHIFT | right for left, right in pairwise(codes)])
    return found


def explode(lines: str) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Tokens of spelled texts, one a line: (tokens, number of the line), with repeats, in no useful order."""
    codes = np.frombuffer(lines.encode("utf-32-le", "replace"), dtype=np.uint32)
    text = np.cumsum(codes == _BREAK, dtype=np.int32)
    solid = (codes != _BREAK) & (codes != _SPACE)
    both = solid[:-1] & solid[1:]
    pairs = codes[:-1][both].astype(np.int64)
    pairs <<= SHIFT
    pairs |= codes[1:][both]
    return np.concatenate([codes[solid].astype(np.int64), pairs]), np.concatenate([text[solid], text[:-1][both]])
