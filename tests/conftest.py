"""Fixtures: the shipped knowledge, compiled once; a small book to bend."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from bot.desk import Desk
from bot.knowledge.book import Book, load_or_raise, read_folder

ROOT = Path(__file__).resolve().parent.parent
KNOWLEDGE = ROOT / "knowledge"
TODAY = dt.date(2026, 11, 20)


@pytest.fixture(scope="session")
def book() -> Book:
    return load_or_raise(KNOWLEDGE)


@pytest.fixture(scope="session")
def desk(book: Book) -> Desk:
    return Desk(book)


@pytest.fixture(scope="session")
def shipped() -> dict[str, bytes]:
    files = read_folder(KNOWLEDGE)
    assert files
    return files


@pytest.fixture
def today() -> dt.date:
    return TODAY
