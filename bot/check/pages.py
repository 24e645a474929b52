"""The files of a folder, read side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.knowledge.book import read_folder
from bot.knowledge.page import Page, read_page
from bot.spread import spread

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_WORTH = 40
"""Files from which it is worth forking."""


def read_pages(folder: Path, workers: int) -> dict[str, Page]:
    """Every file of a folder, validated by itself, by name."""
    return pages_of(read_folder(folder), workers)


def pages_of(files: Mapping[str, bytes], workers: int) -> dict[str, Page]:
    """The same of files given as bytes."""
    pages = spread(_read, tuple(files.items()), None, workers, worth=_WORTH)
    return dict(zip(files, pages, strict=True))


def _read(file: tuple[str, bytes], _: None) -> Page:
    return read_page(*file)
