"""Cores and syllables → tokens, as integers: single items, and pairs of neighbours that no space parts.

A text is first spelled so that each item is one character: a Chinese character is itself, a Latin word, a
number or a syllable becomes a private character. An item's token is its code point; a pair's is the left code
point shifted by 21 bits, plus the right one.
"""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from rapidfuzz import process
from rapidfuzz.distance import OSA
from snowballstemmer import stemmer

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
        a an the of to in on at for and or is are was were be been being am do does did doing done don doesn didn dont
        doesnt didnt isnt cant wont can could cannot i me my mine im you your u it its this that these those there then
        than any some somebody someone something anybody anyone anything what whats which who whos whom whose when where
        wheres why how hows with without from by about into out up as if so not no t s re ve ll m have has had having
        will would shall should may might must get gets got getting please pls tell know want wanna wants need we our us
        they their them he him his she her here much many more most very really just only also too even still ever
        already yet again well give gives given gave make makes made making take takes took taken go goes going gone
        went come comes came put let say says said see thing things stuff else while during because since though
        """,
    )
)


_AMERICAN = (
    (re.compile("(?<=[a-z]{3})is(?=(?:e[ds]?|ing|ations?)$)"), "iz"),
    (re.compile("(?<=[a-z]{2})our"), "or"),
    (re.compile("tre(?=s?$)"), "ter"),
    (re.compile("mme(?=s?$)"), "m"),
)
"""British endings: organise, neighbourhood, centre, programme."""
_TYPO_FROM = 6
"""Letters from which a word that is one slip from a known one is taken for it."""


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Merge the inflections and the spellings of English words: courts → court, organised → organiz."""
    for british, american in _AMERICAN:
        word = british.sub(american, word)
    stemmed: str = stemmer("english").stemWord(word)  # one each time: a stemmer is not for several threads
    return stemmed


class Alphabet:
    """Latin words, numbers and syllables, each with the private character that stands for it.

    Items that were never learnt all share one character, which no text of the bank has.
    """

    def __init__(self) -> None:
        self._letters: dict[str, str] = {}
        self._long: dict[str, dict[str, None]] = {}

    def learn(self, texts: Iterable[str]) -> str:
        """Spell texts of the bank, one a line, giving new items a character of their own while there are any left."""
        lines = "\n".join(texts)
        for item in dict.fromkeys(_RUN.findall(lines)):
            self._add(stem(item))
            if len(item) >= _TYPO_FROM:
                self._long.setdefault(item[0], {})[item] = None
        return self.spell(lines)

    def spell(self, text: str) -> str:
        """Spell a question; stop words vanish."""
        return _RUN.sub(self._letter, text)

    def learn_sounds(self, texts: Iterable[Sequence[str]]) -> str:
        """Spell the syllables of texts of the bank, one text a line."""
        letters, lines = self._letters, list[str]()
        for syllables in texts:
            try:
                lines.append("".join(map(letters.__getitem__, syllables)))
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
        if word in STOP_WORDS:
            return ""
        return self._letters.get(stem(word)) or self._letters.get(stem(self._meant(word)), _UNHEARD)

    def _meant(self, word: str) -> str:
        """The known word that an unknown one is a slip of (abandonned); the word itself when there is none."""
        near = self._long.get(word[0], {}) if len(word) >= _TYPO_FROM else {}
        best = process.extractOne(word, near.keys(), scorer=OSA.distance, score_cutoff=1)
        return best[0] if best else word


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
