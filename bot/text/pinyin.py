"""Pinyin: of Chinese text, and Chinese that was typed as pinyin. Readings by pypinyin."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from functools import cache, lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING

from ahocorasick_rs import AhoCorasick, MatchKind
from pypinyin import lazy_pinyin
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
from pypinyin.contrib.tone_convert import to_normal
from pypinyin.seg.simpleseg import seg

from bot.text.phrases import search

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_LATIN = re.compile(r"[a-z]+")
_UNUSUAL = re.compile("[^\n\u4e00-\u9fa50-9 ,.?!%:;()、。“”《》]+")
_MARKS = re.compile("[ ,.?!%:;()、。“”《》]+")
_ITEM = re.compile(r"[a-z]+|[0-9]+|[\u3400-\U0003ffff]")
_ALL_HAN = re.compile(r"[\u3400-\U0003ffff]*")
_HAN_OR_DIGITS = re.compile("[\u4e00-\u9fa50-9]*")
_MERGE = (("zh", "z"), ("ch", "c"), ("sh", "s"))
_SAME = {"lue": "lve", "nue": "nve"}
"""Syllables that are typed in two ways."""
_TONE_NUMBER = re.compile(r"(?<=[a-z])[1-5](?![0-9])")
_LONGEST = 6


def fold(syllable: str) -> str:
    """Merge what southern speakers and hurried typists mix up: zh/z, ch/c, sh/s, ing/in, eng/en, ang/an."""
    syllable = _SAME.get(syllable, syllable)
    for wide, narrow in _MERGE:
        if syllable.startswith(wide):
            syllable = narrow + syllable[2:]
            break
    if syllable.endswith(("ang", "eng", "ing")):
        syllable = syllable[:-1]
    return syllable


@cache
def syllable_table() -> frozenset[str]:
    """Every toneless syllable of Mandarin, from pypinyin's table."""
    read = {strip_tones(reading) for readings in PINYIN_DICT.values() for reading in readings.split(",")}
    return frozenset((read | _SAME.keys()) - {"m", "n", "ng", "hm", "hng", "r"})


def strip_tones(text: str) -> str:
    """`wēi fǎ yuàn` and `wei1 fa3 yuan4` → `wei fa yuan`; ü becomes v."""
    apart = unicodedata.normalize("NFD", text).replace("u\u0308", "v")
    bare = "".join(char for char in apart if not unicodedata.combining(char))
    return _TONE_NUMBER.sub("", bare)


@lru_cache(maxsize=4096)
def segment(run: str) -> tuple[str, ...] | None:
    """Cut one Latin run into syllables, the fewest possible; None when it cannot be cut."""
    table = syllable_table()
    best: list[tuple[str, ...] | None] = [(), *[None] * len(run)]
    for end in range(1, len(run) + 1):
        for start in range(max(0, end - _LONGEST), end):
            head = best[start]
            if head is None or run[start:end] not in table:
                continue
            now = best[end]
            if now is None or len(head) + 1 < len(now):
                best[end] = (*head, run[start:end])
    return best[len(run)]


@lru_cache(maxsize=50_000)
def _read_word(word: str) -> tuple[str, ...]:
    items: list[str] = []
    for piece in lazy_pinyin(word):
        sound = piece.strip().lower()
        if sound:
            items += [fold(sound)] if sound.isalpha() and sound.isascii() else re.findall(r"[a-z]+|[0-9]+", sound)
    return tuple(items)


def of_text(text: str) -> tuple[str, ...]:
    """Folded syllables of Chinese text; Latin and digit runs stay one item each, spaces vanish.

    Words decide between the readings of a character: 调解, 银行.
    """
    if "\n" in text:
        return _of_words(text)
    return of_all((text,))[0][1]


def of_all(texts: Sequence[str]) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """`of_characters` and `of_text` of many texts without line breaks; the same tuple twice where they agree."""
    lines = "\n".join(texts)
    ends = list(accumulate(len(text) + 1 for text in texts))
    plain = list(map(_by_character, texts, _MARKS.sub("", lines).split("\n")))
    read = plain.copy()
    for line, words in _odd_words_in(lines, ends).items():
        read[line] = _with_words(texts[line], plain[line], words)
    unusual = {bisect_right(ends, found.start()) for found in _UNUSUAL.finditer(lines)}
    for line in unusual.union(at for at, syllables in enumerate(plain) if not "".join(syllables).isascii()):
        read[line] = _of_words(texts[line])
    return [(one, one if other == one else other) for one, other in zip(plain, read, strict=True)]


def _odd_words_in(lines: str, ends: Sequence[int]) -> dict[int, list[tuple[int, tuple[str, ...]]]]:
    """Line → where in it an odd word stands among its words, and the syllables of that."""
    odd, automaton = _odd_words()
    found: dict[int, list[tuple[int, tuple[str, ...]]]] = {}
    for line in {bisect_right(ends, start) for _, start, _ in search(automaton, lines)}:
        text = lines[ends[line - 1] if line else 0 : ends[line] - 1]
        words = ((start, text[start:end]) for _, start, end in search(_words(), text))
        found[line] = [(start, odd[word]) for start, word in words if word in odd]
    return found


def _with_words(text: str, plain: Sequence[str], odd: Iterable[tuple[int, tuple[str, ...]]]) -> tuple[str, ...]:
    """The syllables of a text, with some of its words put right."""
    read = list(plain)
    for start, syllables in odd:
        at = start if len(plain) == len(text) else len(of_characters(text[:start]))
        read[at : at + len(syllables)] = syllables
    return tuple(read)


def _of_words(text: str) -> tuple[str, ...]:
    return tuple(item for word in seg(text) for item in _read_word(word))


@cache
def _odd_words() -> tuple[dict[str, tuple[str, ...]], AhoCorasick]:
    """The syllables of every word in which a character is read otherwise than alone, and what finds one in a text."""
    plain = cache(lambda reading: fold(to_normal(reading)))
    odd: dict[str, tuple[str, ...]] = {}
    for word, readings in PHRASES_DICT.items():
        read = tuple([plain(found[0]) for found in readings])
        if read != tuple(map(_readings.__getitem__, word)):
            odd[word] = _read_word(word)
    return odd, AhoCorasick(odd)


@cache
def _words() -> AhoCorasick:
    """What cuts a text into words, the longest at each place."""
    return AhoCorasick(PHRASES_DICT, MatchKind.LeftmostLongest, store_patterns=False)


class _Readings(dict[str, str]):
    """The folded commonest reading of each character, looked up when it is first wanted."""

    def __missing__(self, char: str) -> str:
        self[char] = reading = fold(lazy_pinyin(char)[0])
        return reading


_readings = _Readings()


def of_characters(text: str) -> tuple[str, ...]:
    """Like `of_text`, but each character by its commonest reading, whatever word it stands in: much faster."""
    return _by_character(text, _MARKS.sub("", text))


def _by_character(text: str, bare: str) -> tuple[str, ...]:
    """The same, with the text without marks at hand."""
    if _ALL_HAN.fullmatch(bare):
        return tuple(map(_readings.__getitem__, bare))
    return tuple([_readings[item] if item > "\u3000" else fold(item) for item in _ITEM.findall(text)])


def of_typed(text: str) -> tuple[str, ...] | None:
    """Folded syllables of pinyin that was typed in Latin letters; None when the text is not pinyin.

    Chinese characters among it are read, digits kept, so `ninghai 36 tiao` gives four items.
    """
    bare = strip_tones(text)
    runs = _LATIN.findall(bare)
    if not runs or sum(map(len, runs)) < 4:
        return None
    items: list[str] = []
    for piece in re.findall(r"[a-z]+|[0-9]+|[^a-z0-9\s]+", bare):
        if not _LATIN.fullmatch(piece):
            items.extend(of_text(piece))
            continue
        syllables = segment(piece)
        if syllables is None:
            return None
        items.extend(fold(syllable) for syllable in syllables)
    return tuple(items)


def initials(text: str) -> str:
    """First letters of each character: 微法院 → wfy."""
    if _HAN_OR_DIGITS.fullmatch(text):
        return "".join(item[0] for item in of_text(text))
    return "".join(piece.strip()[:1] for piece in lazy_pinyin(text) if piece.strip()).lower()
