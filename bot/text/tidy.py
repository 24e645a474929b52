"""Typing slips in a sentence that citizens read, and how they are mended. Total over any string and idempotent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff"
_WIDE = {ord(wide): chr(ord(wide) - 0xFEE0) for wide in "０１２３４５６７８９％＋"}
_WIDE |= {code: chr(code - 0xFEE0) for code in (*range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))}
_WIDE[0x3000] = " "
_MARKS = {",": "，", ";": "；", ":": "：", "?": "？", "!": "！"}
_HALF_MARK = re.compile(rf"(?<=[{_HAN}”》）])([,;:?!])(?=[{_HAN}“《（]|$) *")
_BESIDE = re.compile(r"(?<=[，。；：！？、]) +| +(?=[，。；：！？、])")
_RUNS = re.compile(" {2,}")
_BOUNDARY = re.compile(rf"(?<=[{_HAN}])(?=[A-Za-z0-9])|(?<=[A-Za-z0-9%])(?=[{_HAN}])")
_HELD = "\ue000"
_QUOTED = rf"{_HELD}|“[^”]*”|《[^》]*》"


def wide(text: str) -> str:
    """Full-width letters, digits and spaces as half-width ones."""
    return text.translate(_WIDE)


def marks(text: str) -> str:
    """Half-width punctuation between Chinese characters as full-width."""
    return _HALF_MARK.sub(lambda found: _MARKS[found.group(1)], text)


def spaces(text: str) -> str:
    """One space between Chinese and Latin letters or digits, none beside Chinese punctuation, none twice."""
    return _BOUNDARY.sub(" ", _RUNS.sub(" ", _BESIDE.sub("", text)))


def slips(text: str, names: Iterable[str]) -> dict[str, str]:
    """Kind of slip ("wide", "marks", "spaces") → the text without it; quotations and names stay as they are."""
    suspect = [kind for kind, mend in KINDS.items() if mend(text) != text]
    if not suspect:
        return {}
    kept = _kept(names)
    found = {kind: _outside(KINDS[kind], text, kept) for kind in suspect}
    return {kind: mended for kind, mended in found.items() if mended != text}


def tidy(text: str, names: Iterable[str]) -> str:
    """The text without any of the slips."""
    kept = _kept(names)
    for mend in KINDS.values():
        text = _outside(mend, text, kept)
    return text


def _kept(names: Iterable[str]) -> re.Pattern[str]:
    longest_first = sorted(filter(None, names), key=len, reverse=True)
    return re.compile("|".join([_QUOTED, *map(re.escape, longest_first)]))


def _outside(mend: Callable[[str], str], text: str, kept: re.Pattern[str]) -> str:
    """Mend a text with what is to be kept taken out of it first."""
    held = kept.findall(text)
    if not held:
        return mend(text)
    parts = iter(held)
    return re.sub(_HELD, lambda _: next(parts), mend(kept.sub(_HELD, text)))


KINDS: dict[str, Callable[[str], str]] = {"wide": wide, "marks": marks, "spaces": spaces}
"""In the order in which they are mended."""
