"""Raw text → one clean spelling. Total over any string and idempotent."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

import opencc

MAX_CHARS = 200
"""A query is cut here before it is scored: fuzzy scoring grows with length."""

_BLANK = frozenset({"Cc", "Zl", "Zp", "Cs", "Co", "Cn"})
"""Categories of characters that count as a space."""
_RAW_CAP = 4_000
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_SPACES = re.compile(r"\s+")
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_HAN_SPACE = re.compile(rf"(?<=[{_HAN}]) +(?=[{_HAN}])")
_KEY_DROP = re.compile(r"[\W_]+")
_CJK_DIGIT_SPACE = re.compile(
    rf"(?<=[{_HAN}（）“”《》、，。；：]) (?!12345)(?=[0-9])|(?<=[0-9%])(?<!12345) (?=[{_HAN}])"
)
_CJK_LATIN = re.compile(rf"(?<=[{_HAN}])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9%+])(?=[{_HAN}])")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")


@cache
def _converter() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def _clean(text: str) -> str:
    text = unicodedata.normalize("NFKC", text)
    text = _INVISIBLE.sub("", text)
    if not text.isprintable():
        text = "".join(" " if unicodedata.category(char) in _BLANK else char for char in text)
    text = _converter().convert(text).lower()
    return _SPACES.sub(" ", text).strip()


@lru_cache(maxsize=256)  # the stages ask for the same text again and again
def normalise(raw: str, cap: int | None = MAX_CHARS) -> str:
    """Return `raw` as NFKC, simplified, lower case, without control characters, at most `cap` characters.

    Traditional characters follow OpenCC's t2s table. Any string is accepted, lone surrogates included.
    """
    text = _clean(raw[:_RAW_CAP])
    for _ in range(3):  # lower() and NFKC can feed each other; three rounds settle every code point
        again = _clean(text)
        if again == text:
            break
        text = again
    return text if cap is None else text[:cap].rstrip()


def key(text: str) -> str:
    """The spelling by which two wordings count as the same: letters and digits only."""
    return _KEY_DROP.sub("", text)


def join_han(text: str) -> str:
    """Drop the spaces that people type between Chinese characters."""
    return _HAN_SPACE.sub("", text)


def tight(text: str) -> str:
    """Figures stand tight against their unit (`1238项`), so that a reader can search for them."""
    return _CJK_DIGIT_SPACE.sub("", text)


def spaced(text: str) -> str:
    """Chinese typography: a space between Chinese and Latin letters or digits."""
    return _CJK_LATIN.sub(" ", text)


def plain_digits(text: str) -> str:
    """Drop thousands separators: `3,000` → `3000`."""
    return _THOUSANDS.sub("", text)
