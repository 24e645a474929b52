"""Buttons: what stands behind them fits into Telegram's 64 bytes by construction and needs nothing in memory."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from telegram import InlineKeyboardMarkup

MAX_BYTES = 64
_NAME = 40
"""Characters of an id that is written out; a longer one is hashed."""

Row = list[tuple[str, str]]
"""Buttons side by side: label and data."""

ENTRY, NONE_OF_THESE, EXAMPLE = "e", "x", "q"
UP, DOWN, REASON = "u", "d", "w"
FOLLOW, UNFOLLOW = "f", "g"
MORE, TOPICS, THEME, REGION, HOME, FORGET, NOTHING = "m", "t", "th", "rg", "h", "z", "-"


def pack(kind: str, *values: str | int) -> str:
    """The data of a button; long values are hashed. ValueError when it does not fit all the same."""
    data = ":".join((kind, *(short(str(value)) for value in values)))
    if len(data.encode()) > MAX_BYTES:
        raise ValueError("the data of a button is too long")
    return data


def unpack(data: str) -> tuple[str, list[str]]:
    """Kind and values of a button."""
    kind, *values = data.split(":")
    return kind, values


def short(name: str) -> str:
    """A name, or what stands for a long one."""
    return name if len(name) <= _NAME else "." + sha256(name.encode()).hexdigest()[:16]


def resolve(name: str, known: Iterable[str]) -> str | None:
    """The known name that a value stands for; None when there is none (any more)."""
    return next((one for one in known if short(one) == name), None)


def page_row(kind: str, values: tuple[str, ...], page: int, pages: int) -> list[Row]:
    """◀ 2/5 ▶, as far as there is more than one page."""
    if pages < 2:
        return []
    back = ("◀", pack(kind, *values, page - 1)) if page else ("　", NOTHING)
    on = ("▶", pack(kind, *values, page + 1)) if page + 1 < pages else ("　", NOTHING)
    return [[back, (f"{page + 1}/{pages}", NOTHING), on]]


def rows_of(markup: InlineKeyboardMarkup | None) -> list[Row]:
    """The buttons that stand under a message."""
    rows = markup.inline_keyboard if markup else ()
    return [[(button.text, str(button.callback_data)) for button in row] for row in rows]


def has(row: Row, *kinds: str) -> bool:
    """Whether one of these kinds of buttons stands in a row."""
    return any(unpack(data)[0] in kinds for _, data in row)
