"""A new entry from a clerk's answers: checked one by one, put into the file where it belongs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError

from bot.exchange.block import render
from bot.exchange.cells import ID_LENGTH, slug
from bot.exchange.plan import shelf_of
from bot.exchange.shelf import ENTRY_HEAD
from bot.knowledge.schema import Entry
from bot.text import pinyin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.knowledge.book import Book


def suggested_id(name: str, region: str, book: Book) -> str:
    """An id that is free: initials of the region, then the name in pinyin."""
    short = (*book.regions[region].short, region)[0]
    wanted = slug(f"{pinyin.initials(short)}-{slug(name)}", ID_LENGTH - 3)
    known = {*book.entries, *book.faqs}
    numbers = ("", *(f"-{number}" for number in range(2, 100)))
    return next(wanted + number for number in numbers if wanted + number not in known)


def wrong(field: str, value: Any) -> str:
    """What is wrong with the value of one field of an entry; empty when it will do."""
    rule = Entry.model_fields[field]
    adapter: TypeAdapter[Any] = TypeAdapter(rule.rebuild_annotation())
    try:
        adapter.validate_python(value)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        if found["type"] in {"string_too_long", "too_long"}:
            return f"太长了，最多 {found['ctx']['max_length']} 个字"
        if found["type"] in {"string_too_short", "too_short"}:
            return f"太少了，至少要有 {found['ctx']['min_length']} 个"
        return str(found.get("ctx", {}).get("error", "写得不对，请照 knowledge/README.md 写"))
    return ""


def placed(entry: Entry, book: Book, files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """The file that the entry belongs in, and its content with the entry at the end."""
    name = shelf_of(entry, book)
    assert name is not None
    before = files.get(name, ENTRY_HEAD.encode())
    gap = b"" if before.endswith(b"\n") else b"\n"
    return name, before + gap + render(entry).text.encode()
