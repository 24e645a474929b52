"""Typed pinyin → characters, as an input method does that knows the words of one bank and no others.

A bigram model of the bank's wordings chooses among the characters of each syllable (Viterbi's algorithm, pruned).
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from heapq import nlargest
from itertools import pairwise
from math import log
from typing import TYPE_CHECKING

from bot.text import pinyin

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HAN = re.compile("[\u3400-\u9fff]+")
_START = "^"
_PAIRED = 0.9
"""Weight of how often a character follows the one before it, beside how often it stands at all."""
_KEPT = 12
"""Readings that are followed at each syllable."""

_Way = tuple[float, str]
"""Logarithm of the likelihood of a text, and the text."""


class InputMethod:
    """The characters of a bank by their sound, and how often each follows which."""

    def __init__(self, texts: Iterable[str]) -> None:
        runs = [run for text in texts for run in _HAN.findall(text)]
        self._single = Counter(char for run in runs for char in _START + run)
        self._pairs = Counter(pair for run in runs for pair in pairwise(_START + run))
        self._all = sum(self._single.values()) or 1
        self._characters: dict[str, dict[str, None]] = defaultdict(dict)
        distinct = list(dict.fromkeys(runs))
        for run, readings in zip(distinct, pinyin.of_all(distinct), strict=True):
            for reading in readings:  # of each character alone, and as it is read in its words
                for char, syllable in zip(run, reading, strict=True):
                    self._characters[syllable][char] = None

    def characters(self, syllables: Sequence[str]) -> str | None:
        """The likeliest text that sounds like some folded syllables; digits stay. None when a sound is unknown."""
        ways: list[_Way] = [(0.0, _START)]
        for syllable in syllables:
            choice = self._characters.get(syllable) or ([syllable] if syllable.isdecimal() else [])
            ways = nlargest(_KEPT, (self._longer(ways, char) for char in choice))
            if not ways:
                return None
        return ways[0][1].removeprefix(_START)

    def _longer(self, ways: Sequence[_Way], char: str) -> _Way:
        """The likeliest of some texts that this character is put to."""
        single, pairs = self._single, self._pairs
        alone = (1 - _PAIRED) * (single[char] + 1) / self._all
        score, text = max(
            (score + log(_PAIRED * pairs[text[-1], char] / (single[text[-1]] + 1) + alone), text)
            for score, text in ways
        )
        return score, text + char
