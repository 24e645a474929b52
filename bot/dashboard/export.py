"""Tables to take away as CSV, XLSX or JSON Lines; no cell of theirs is a formula, and none tells who asked."""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

import openpyxl
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from starlette.routing import Route

from bot.dashboard import reports
from bot.dashboard.pages.questions import read_filters, written
from bot.dashboard.panel import actor
from bot.dashboard.search import every
from bot.dashboard.words import moment
from bot.exchange.cells import clean, defuse

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel

Cell = str | int | float | None
Rows = AsyncIterator[list[Cell]]

XLSX_ROWS = 100_000
"""A workbook takes no more questions; the other formats take them all."""
_CHUNK = 1 << 16
_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson; charset=utf-8",
}


@dataclass(frozen=True, slots=True)
class Report:
    """A table: its columns, and what yields its rows, at most so many."""

    columns: tuple[str, ...]
    rows: Callable[[Panel, Request, int], Rows]


async def download(panel: Panel, request: Request) -> Response:
    """`GET /export/NAME.FORMAT`, with the filters of the page."""
    name, kind = request.path_params["name"], request.path_params["kind"]
    if name not in REPORTS or kind not in _TYPES:
        raise HTTPException(404)
    filters = json.dumps(written(read_filters(request.query_params)), ensure_ascii=False)
    await panel.access.audit(actor(request), "导出", f"{name}.{kind}", filters)
    report = REPORTS[name]
    rows = report.rows(panel, request, XLSX_ROWS if kind == "xlsx" else 2**31)
    body = {"csv": _csv, "xlsx": _xlsx, "jsonl": _jsonl}[kind](report.columns, rows)
    headers = {"Content-Disposition": f'attachment; filename="reformbot-{name}.{kind}"', "Cache-Control": "no-store"}
    return StreamingResponse(body, headers=headers, media_type=_TYPES[kind])


async def _questions(panel: Panel, request: Request, limit: int) -> Rows:
    async for found in every(panel.program.querylog, read_filters(request.query_params), limit):
        row = found.row
        name = panel.name(row.entry) if row.entry else ""
        told: list[Cell] = [found.id, moment(row.asked_at), row.channel, row.text, row.status, row.entry, name]
        yield [*told, row.score, row.reason, found.verdict, row.took_ms, row.knowledge_version]


async def _days(panel: Panel, request: Request, limit: int) -> Rows:
    period = panel.period(request)
    days = await panel.program.querylog.read(partial(reports.by_day, first=period.first, last=period.last))
    for day, tally in list(days.items())[:limit]:
        counts: list[Cell] = [str(day), tally.questions, tally.people, tally.answered, tally.missed]
        yield [*counts, tally.up.total(), tally.down.total(), tally.p50_ms, tally.p95_ms]


async def _entries(panel: Panel, request: Request, limit: int) -> Rows:
    period = panel.period(request)
    entries = await panel.program.querylog.read(partial(reports.by_entry, first=period.first, last=period.last))
    for entry, tally in list(entries.items())[:limit]:
        yield [entry, panel.name(entry), tally.questions, tally.up.total(), tally.down.total()]


REPORTS = {
    "questions": Report(
        (
            "id",
            "time",
            "channel",
            "text",
            "status",
            "entry",
            "name",
            "score",
            "reason",
            "verdict",
            "took_ms",
            "knowledge",
        ),
        _questions,
    ),
    "days": Report(("day", "questions", "people", "answered", "missed", "up", "down", "p50_ms", "p95_ms"), _days),
    "entries": Report(("entry", "name", "questions", "up", "down"), _entries),
}


def _safe(cell: Cell) -> Cell:
    """Text that no spreadsheet takes for a formula, without control characters."""
    return defuse(clean(cell)) if isinstance(cell, str) else cell


async def _jsonl(columns: tuple[str, ...], rows: Rows) -> AsyncIterator[bytes]:
    async for row in rows:
        yield (json.dumps(dict(zip(columns, row, strict=True)), ensure_ascii=False) + "\n").encode()


async def _csv(columns: tuple[str, ...], rows: Rows) -> AsyncIterator[bytes]:
    """With the mark by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    text.write("\ufeff")
    writer.writerow(columns)
    async for row in rows:
        writer.writerow(map(_safe, row))
        if text.tell() > _CHUNK:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()


async def _xlsx(columns: tuple[str, ...], rows: Rows) -> AsyncIterator[bytes]:
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("reformbot")
    sheet.append(columns)
    async for row in rows:
        sheet.append([_safe(cell) for cell in row])
    with SpooledTemporaryFile(max_size=1 << 22) as held:
        await asyncio.to_thread(book.save, held)
        held.seek(0)
        while chunk := held.read(_CHUNK):
            yield chunk


def routes(panel: Panel) -> list[Route]:
    """The one route of all exports."""
    return [Route("/export/{name:str}.{kind:str}", partial(download, panel), methods=["GET"])]
