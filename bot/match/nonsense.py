"""Questions about nothing, put together from snatches of what a bank holds: they sound like it and mean none of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_PIECES, _LENGTHS, _ENDINGS = (2, 3), (1, 2), (2, 3, 4)
"""How many snatches make up a topic, their characters, and those of a question's ending."""


def nonsense(texts: Iterable[str], number: int) -> list[str]:
    """So many questions about nothing, the same for the same texts in any order; every other one ends like a text.

    English texts take no part; none without any other.
    """
    known = sorted({text for text in texts if not text.isascii()})
    draw = random.Random(0)
    return [_one(known, draw, ends=bool(at % 2)) for at in range(number if known else 0)]


def _one(known: list[str], draw: random.Random, ends: bool) -> str:
    pieces = [_snatch(draw.choice(known), draw) for _ in range(draw.choice(_PIECES))]
    return "".join(pieces) + (draw.choice(known)[-draw.choice(_ENDINGS) :] if ends else "")


def _snatch(text: str, draw: random.Random) -> str:
    length = draw.choice(_LENGTHS)
    start = draw.randrange(max(1, len(text) - length + 1))
    return text[start : start + length]
