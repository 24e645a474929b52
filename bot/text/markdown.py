"""Text that WeCom's markdown shows as it stands."""

from __future__ import annotations

import re

_WIDE = str.maketrans("\\`*[]<>~|", "＼｀＊［］＜＞～｜")
"""Look-alikes instead of backslashes: whether the clients understand those is nowhere written."""
_UNDERSCORE = re.compile(r"(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_LINE_START = re.compile(r"^([#+=-])", re.MULTILINE)


def escape(text: str) -> str:
    """The text without anything that markdown would take for markup."""
    wide = _UNDERSCORE.sub("＿", text.translate(_WIDE))
    return _LINE_START.sub(lambda found: chr(ord(found.group(1)) + 0xFEE0), wide)
