"""Menus to browse with: themes, regions and their entries, page by page. Pure: what a button shows is in its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channels.telegram import words
from bot.channels.telegram.buttons import HOME, MORE, REGION, THEME, TOPICS, Row, pack, page_row, resolve
from bot.channels.telegram.render import PAGE, entry_button, pages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.desk import Desk

Menu = tuple[str, list[Row]]
"""Text and buttons."""

_WIDE = 2
"""Themes or regions in a row."""


def top() -> Menu:
    """How to browse."""
    by = [(words.BY_THEME, pack(TOPICS, THEME)), (words.BY_REGION, pack(TOPICS, REGION))]
    return words.TOPICS, [by]


def headings(kind: str, desk: Desk) -> Menu:
    """All themes, or all regions that have entries, each with how many."""
    counts = [(identifier, name, len(_entries(kind, name, desk))) for identifier, name in _registry(kind, desk)]
    items = [(f"{name} {count}", pack(kind, identifier, 0)) for identifier, name, count in counts if count]
    text = words.THEMES if kind == THEME else words.REGIONS
    return text, [*_rows(items), [(words.BACK, pack(TOPICS))]]


def entries(kind: str, value: str, page: int, desk: Desk) -> Menu | None:
    """One page of the entries under a theme or a region; None when there is no such thing (any more)."""
    registry = dict(_registry(kind, desk))
    identifier = resolve(value, registry)
    if identifier is None:
        return None
    ids = _entries(kind, registry[identifier], desk)
    if not ids:
        return None
    page = min(page, pages(len(ids)) - 1)
    rows = [*_page(ids, page, desk), *page_row(kind, (identifier,), page, pages(len(ids)))]
    return f"{registry[identifier]}（{len(ids)}）", [*rows, [(words.BACK, pack(TOPICS, kind))]]


def found(token: str, ids: Sequence[str], page: int, desk: Desk) -> list[Row]:
    """One page of the entries of a list; those that are gone are left out."""
    known = [identifier for identifier in ids if identifier in desk.book.entries]
    page = min(page, pages(len(known)) - 1)
    return [*_page(known, page, desk), *page_row(MORE, (token,), page, pages(len(known)))]


def homes(current: str, desk: Desk) -> list[Row]:
    """The regions to choose home from, the current one marked."""
    items = [
        (f"✅ {name}" if name == current else name, pack(HOME, identifier))
        for identifier, name in _registry(REGION, desk)
    ]
    return [*_rows(items), [(words.HOME_NONE, pack(HOME, ""))]]


def _registry(kind: str, desk: Desk) -> list[tuple[str, str]]:
    """(id, name) of the themes or the regions."""
    if kind == THEME:
        return [(theme.id, theme.name) for theme in desk.book.themes]
    return [(region.id, region.name) for region in desk.book.regions.values()]


def _entries(kind: str, name: str, desk: Desk) -> list[str]:
    every = desk.book.entries.values()
    return [entry.id for entry in every if name == (entry.theme if kind == THEME else entry.region)]


def _page(ids: Sequence[str], page: int, desk: Desk) -> list[Row]:
    return [[entry_button(identifier, desk.label(identifier))] for identifier in ids[page * PAGE : (page + 1) * PAGE]]


def _rows(items: list[tuple[str, str]]) -> list[Row]:
    return [items[at : at + _WIDE] for at in range(0, len(items), _WIDE)]
