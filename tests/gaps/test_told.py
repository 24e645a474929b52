"""What leaves the program: the digest, tables, the terminal. Hostile questions do nothing there."""

from __future__ import annotations

import asyncio
import csv
import datetime as dt
import io
import json
from functools import partial
from pathlib import Path

import openpyxl
import pytest

from bot.cli import review
from bot.desk import Desk
from bot.gaps import store, table
from bot.gaps.digest import digest
from bot.gaps.refresh import refresh
from bot.gaps.stats import newest, stats
from bot.querylog.reading import reading
from bot.querylog.store import QueryLog
from tests.conftest import Command
from tests.gaps.conftest import BUS, NOW, ask
from tests.test_cli import run

HOSTILE = [
    "=cmd()|' /C calc'!A0 钓鱼岛门票",
    "<img src=x onerror=alert(1)> 海钓",
    "\x1b[31m红\u202e字 潮汐表\x07",
    "@SUM(A1) 月亮",
]


async def test_the_week_in_a_few_lines(querylog: QueryLog, desk: Desk) -> None:
    await ask(querylog, desk, ["宁波动物园几点开门"] * 3, NOW - dt.timedelta(days=9))
    await ask(querylog, desk, [*BUS, "灵活保一天多少钱", *HOSTILE], NOW - dt.timedelta(hours=1))
    await refresh(querylog, desk, NOW)
    text = await digest(querylog, NOW)
    assert "提问 45 次（上周 3）" in text
    assert "**这周新问的**\n· 宁波有没有无人驾驶公交车（" in text
    assert "**问得最多、还没处理的**\n· 宁波动物园几点开门（3 人 3 次" in text
    assert len(text.encode()) < 2_000
    assert "\x1b" not in text


async def test_a_week_without_questions(querylog: QueryLog) -> None:
    assert "提问 0 次" in await digest(querylog, NOW)


async def test_no_cell_is_a_formula(querylog: QueryLog, desk: Desk) -> None:
    await ask(querylog, desk, HOSTILE)
    await refresh(querylog, desk, NOW)
    found = await querylog.read(store.gaps)
    assert len(found) == len(HOSTILE)
    rows = list(csv.reader(io.StringIO(table.as_csv(found).decode("utf-8-sig"))))
    sheet = openpyxl.load_workbook(io.BytesIO(table.as_xlsx(found))).worksheets[0]
    cells = [str(cell.value or "") for row in sheet.iter_rows() for cell in row]
    assert len(rows) == len(HOSTILE) + 1
    assert sheet.max_row == len(rows)
    for cell in [cell for row in rows for cell in row] + cells:
        assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
        assert "\x1b" not in cell
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert [item["id"] for item in json.loads(json.dumps(table.as_objects(found)))] == [item.id for item in found]


async def test_counts_and_rows_for_readers(querylog: QueryLog, desk: Desk, tmp_path: Path) -> None:
    ids = await ask(querylog, desk, ["宁波哪里好钓鱼", "灵活保一天多少钱", "你好"], user="a")
    await querylog.verdict(ids[1], "up", "a")
    async with reading(f"sqlite+aiosqlite:///{tmp_path}/log.db") as connection:
        found = await stats(connection, None)
        last = await newest(connection, 5, status="answer", contains="灵活保")
    assert (found.rows, found.questions, found.answered, found.people, found.share) == (3, 2, 1, 1, 0.5)
    assert found.verdicts == {"up": 1}
    assert sum(day[0] for day in found.days.values()) == 2
    assert [item.id for item in last] == [ids[1]]


async def test_commands_beside_an_open_log(
    querylog: QueryLog, desk: Desk, tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What writes is a process of its own."""
    monkeypatch.setattr(review, "build_desk", lambda settings: desk)
    await ask(querylog, desk, [*BUS[:6], *HOSTILE], dt.datetime.now(dt.UTC))
    settings = {"REFORMBOT_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path}/log.db"}
    shown = run("gaps", cwd=tmp_path, **settings)
    assert shown.returncode == 0, shown.stderr
    assert "宁波有没有无人驾驶公交车" in shown.stdout.splitlines()[0]
    here = partial(asyncio.to_thread, command, **settings)
    found = json.loads((await here("gaps", "--json")).stdout)
    bus = found[0]["id"]
    assert run("gaps", "dismiss", str(bus), "--note", "不归这里", cwd=tmp_path, **settings).returncode == 0
    assert json.loads((await here("gaps", "--json", "--state", "outside")).stdout)[0]["id"] == bus
    made = await here("gaps", "draft", str(found[1]["id"]))
    assert made.stdout.startswith("# 缺口")
    log = await here("log", "-n", "20")
    assert len(log.stdout.splitlines()) == 10
    for done in (shown, log):
        assert all(char.isprintable() or char in "\n\u3000" for char in done.stdout)
    assert "10 个问题" in (await here("stats")).stdout
    assert (await here("gaps", "done", "999")).returncode == 1
    assert (await here("gaps", "--state", "nope")).returncode == 2
    assert await querylog.count() == 10


def test_readers_make_no_database(tmp_path: Path, command: Command) -> None:
    done = command("stats")
    assert done.returncode == 1
    assert "还没有问答记录" in done.stderr
    assert list(tmp_path.iterdir()) == []
