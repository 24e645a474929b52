"""What is taken away: the same rows in three formats, and nothing that runs."""

from __future__ import annotations

import csv
import io
import json

import httpx
import openpyxl
import pytest

from bot.dashboard import export, search
from tests.dashboard.conftest import Site
from tests.dashboard.test_pages import HOSTILE


async def taken(client: httpx.AsyncClient, address: str) -> tuple[list[list[str]], list[list[str]], list[list[str]]]:
    """Rows with their heading from CSV, XLSX and JSON Lines, all as text."""
    replies = {
        kind: await client.get(f"/admin/export/{address.replace('*', kind)}") for kind in ("csv", "xlsx", "jsonl")
    }
    for kind, reply in replies.items():
        assert reply.status_code == 200
        assert reply.headers["content-disposition"].endswith(f'.{kind}"')
        assert reply.headers["cache-control"] == "no-store"
    lines = [json.loads(line) for line in replies["jsonl"].text.splitlines()]
    sheet = openpyxl.load_workbook(io.BytesIO(replies["xlsx"].content)).active
    assert sheet is not None
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    cells = [["" if value is None else str(value) for value in row] for row in sheet.iter_rows(values_only=True)]
    text = replies["csv"].content.decode("utf-8-sig")
    told = [list(lines[0])] + [["" if value is None else str(value) for value in line.values()] for line in lines]
    return list(csv.reader(io.StringIO(text))), cells, told


async def test_formulas_are_defused(site: Site, admin: httpx.AsyncClient) -> None:
    for text in HOSTILE:
        await site.ask(text, reason=text, entries=(text,), score=0.5, took_ms=1.5)
    as_csv, as_xlsx, as_json = await taken(admin, "questions.*")
    assert as_csv == as_xlsx
    column = as_csv[0].index("text")
    shown = [row[column] for row in as_csv[1:]]
    assert [text.removeprefix("'") for text in shown] == HOSTILE[::-1] == [row[column] for row in as_json[1:]]
    for row in as_csv[1:]:
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


async def test_the_filters_of_the_page_count(site: Site, admin: httpx.AsyncClient) -> None:
    await site.ask("有答案")
    await site.ask("没答案", status="none")
    for rows in await taken(admin, "questions.*?status=none"):
        assert len(rows) == 2
        assert "没答案" in rows[1]


async def test_nobody_can_be_told_from_an_export(site: Site, admin: httpx.AsyncClient) -> None:
    await site.ask("一句", user_key="feedc0defeedc0de")
    for rows in await taken(admin, "questions.*"):
        assert "feedc0defeedc0de" not in str(rows)


async def test_counts_are_taken_away_too(site: Site, admin: httpx.AsyncClient) -> None:
    await site.ask("一句", entries=("nb-mobile-micro-court",))
    await admin.get("/admin/")
    for rows in await taken(admin, "days.*?days=7"):
        assert len(rows) == 8
        assert rows[-1][:2] == ["2026-11-20", "1"]
    for rows in await taken(admin, "entries.*"):
        assert rows[1][:3] == ["nb-mobile-micro-court", "宁波移动微法院", "1"]


async def test_a_big_log_is_taken_piece_by_piece(
    site: Site, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "STRETCH", 7)
    monkeypatch.setattr(search, "BATCH", 3)
    monkeypatch.setattr(export, "XLSX_ROWS", 20)
    for number in range(40):
        await site.ask(f"第{number}问")
    as_csv, as_xlsx, as_json = await taken(admin, "questions.*")
    assert len(as_csv) == len(as_json) == 41
    assert len(as_xlsx) == 21
    assert [row[3] for row in as_csv[1:]] == [f"第{number}问" for number in range(39, -1, -1)]


@pytest.mark.parametrize("name", ["nothing.csv", "questions.exe", "questions.csv.exe", "..csv"])
async def test_there_is_nothing_else(site: Site, admin: httpx.AsyncClient, name: str) -> None:
    assert (await admin.get(f"/admin/export/{name}")).status_code == 404
