"""Chinese numerals in questions: 三十六条 and 36 条 are the same number."""

from __future__ import annotations

import re

_DIGITS = {"零": 0, "〇": 0, "一": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5, "六": 6, "七": 7, "八": 8, "九": 9}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_RUN = re.compile(
    "[零〇一二两三四五六七八九十百千]*[十百千][零〇一二两三四五六七八九十百千]*|[零〇一二三四五六七八九]{3,}"
)


def parse(run: str) -> int | None:
    """Value of a numeral below ten thousand, or None when it is not well formed."""
    if all(char in _DIGITS for char in run):
        return int("".join(str(_DIGITS[char]) for char in run))
    total, digit, last = 0, None, 10_000
    for char in run:
        if char in _DIGITS:
            if digit not in (None, 0):
                return None
            digit = _DIGITS[char]
            continue
        unit = _UNITS[char]
        if unit >= last or (digit is None and unit != 10):
            return None
        total += (1 if digit is None else digit) * unit
        digit, last = None, unit
    spoken = _UNITS.get(run[-2:-1], 10) // 10  # 二百五 is 250, 二百零五 is 205
    return total + (digit or 0) * spoken


def to_arabic(text: str) -> str:
    """Write the Chinese numerals of ten and more as digits; single ones (一站式) stay words."""

    def replace(match: re.Match[str]) -> str:
        value = parse(match.group())
        return match.group() if value is None or value < 11 else str(value)

    return _RUN.sub(replace, text)
