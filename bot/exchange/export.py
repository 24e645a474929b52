"""A Book → a FAQ file for other systems: every entry and every question and answer, one row each."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import openpyxl

from bot.exchange import fields, foreign
from bot.exchange.cells import clean, defuse, distinct, join_questions, one_line
from bot.exchange.rows import COLUMNS, ExchangeError
from bot.exchange.store import write
from bot.text.expand import expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from bot.knowledge.book import Book
    from bot.knowledge.schema import Entry, Fact

    Item = tuple[str, str, tuple[str, ...], str, Mapping[str, Any]]

_CELL = 32_767
"""Characters that a cell of an XLSX file can hold."""


def export(book: Book, path: Path) -> int:
    """Write all rows in the format of the file's ending, one of `FORMATS`; return how many.

    Raises ExchangeError when the file cannot be written or the format cannot hold a row.
    """
    items = list(rows(book))
    write(path.parent, {path.name: FORMATS[path.suffix.lower()](items)})
    return len(items)


def rows(book: Book) -> Iterator[Item]:
    """(id, question, other questions, answer, further columns): entries first, each kind by id."""
    for entry in book.entries.values():
        name = one_line(entry.name)
        wordings = (wording for template in entry.ask for wording in expand(template))
        yield entry.id, name, distinct(name, (*entry.aliases, *wordings)), _told(entry, book), fields.of(entry)
    for faq in book.faqs.values():
        question = one_line(faq.question)
        yield faq.id, question, distinct(question, faq.questions), clean(faq.answer), fields.of(faq)


def _told(entry: Entry, book: Book) -> str:
    """Summary, facts and caution, a line each."""
    facts = (f"{fact.text}（{_origin(fact, book)}）" for fact in entry.facts)
    lines = (entry.summary, *facts, *([f"注意：{entry.caution}"] if entry.caution else []))
    return "\n".join(one_line(line) for line in lines)


def _origin(fact: Fact, book: Book) -> str:
    """Period, title and date, without brackets of their own."""
    source = book.sources[fact.source]
    title = f"《{source.title}》" if source.title else str(source.description)
    told = f"{fact.period}；{title}，{source.date_text}"
    return told.replace("（", "，").replace("）", "")


def _jsonl(items: Sequence[Item]) -> bytes:
    lines = (
        json.dumps(
            {
                "id": identifier,
                "question": question,
                **({"questions": list(others)} if others else {}),
                "answer": answer,
                **more,
            },
            ensure_ascii=False,
        )
        for identifier, question, others, answer, more in items
    )
    return "".join(line + "\n" for line in lines).encode()


def _cells(item: Item) -> list[str]:
    """One row of a table."""
    identifier, question, others, answer, more = item
    told = (fields.cell(name, more.get(name)) for name in fields.COLUMNS)
    return [defuse(cell) for cell in (identifier, question, join_questions(others), answer, *told)]


def _csv(items: Sequence[Item]) -> bytes:
    """With the mark by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow((*COLUMNS, *fields.COLUMNS))
    writer.writerows(map(_cells, items))
    return text.getvalue().encode("utf-8-sig")


def _xlsx(items: Sequence[Item]) -> bytes:
    table = [_cells(item) for item in items]
    long = [row[0] for row in table if max(map(len, row)) > _CELL]
    if long:
        raise ExchangeError([f"“{name}”的问法太多，XLSX 的一格放不下，请导出成 .csv 或 .jsonl" for name in long])
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("FAQ")
    page.append([*COLUMNS, *fields.COLUMNS])
    for row in table:
        page.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


FORMATS = {".jsonl": _jsonl, ".csv": _csv, ".xlsx": _xlsx, **foreign.WRITERS}
"""Ending of a file → what writes it."""
