"""Counts by day on both databases: right, kept up to date, and there after the purge."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.dashboard import reports
from bot.dashboard.reports import Tally
from bot.dashboard.search import Wanted, look, search
from bot.desk import Desk
from bot.querylog.rows import LogRow
from bot.querylog.store import QueryLog
from tests.dashboard.conftest import NOW, opened
from tests.dashboard.test_pages import PAGES, checked
from tests.postgres import url_for

TODAY = NOW.date()
DAY = dt.timedelta(days=1)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return url_for(request.param, tmp_path)


@pytest.fixture
async def querylog(url: str) -> AsyncIterator[QueryLog]:
    opened_log = await QueryLog.open(url)
    yield opened_log
    await opened_log.close()


async def ask(querylog: QueryLog, **more: Any) -> int:
    values: dict[str, Any] = {"channel": "web", "user_key": "u1", "status": "answer", "asked_at": NOW, "text": "问"}
    return await querylog.write(LogRow(message_id=None, **(values | more)))


async def day(querylog: QueryLog, date: dt.date) -> Tally:
    return (await querylog.read(partial(reports.by_day, first=date, last=date)))[date]


async def test_a_day_is_counted_as_it_was(querylog: QueryLog) -> None:
    for number in range(1, 21):
        await ask(querylog, took_ms=float(number), entries=("nb-a",), user_key=f"u{number % 4}")
    await ask(querylog, channel="telegram", status="none", user_key="t1", took_ms=100.0)
    await ask(querylog, status="limited", user_key="t2", text="")
    judged = await ask(querylog, channel="telegram", user_key="t1", entries=("nb-b",), took_ms=100.0)
    await querylog.verdict(judged, "down", "t1")
    await querylog.tally()
    found = await day(querylog, TODAY)
    assert (found.questions, found.answered, found.missed, found.people) == (22, 21, 1, 6)
    assert (found.p50_ms, found.p95_ms) == (11.0, 100.0)
    assert (found.judged, found.wrong, found.wrong_share) == (1, 1, 1.0)
    channels = await querylog.read(partial(reports.by_channel, first=TODAY, last=TODAY))
    assert [(name, tally.questions, tally.people) for name, tally in channels.items()] == [
        ("web", 20, 5),
        ("telegram", 2, 1),
    ]
    entries = await querylog.read(partial(reports.by_entry, first=TODAY, last=TODAY))
    assert [(name, tally.questions, tally.wrong) for name, tally in entries.items()] == [
        ("nb-a", 20, 0),
        ("nb-b", 1, 1),
    ]


async def test_days_are_those_of_the_city(querylog: QueryLog) -> None:
    await ask(querylog, asked_at=dt.datetime(2026, 11, 19, 15, 59, 59, tzinfo=dt.UTC))
    await ask(querylog, asked_at=dt.datetime(2026, 11, 19, 16, 0, tzinfo=dt.UTC))
    await querylog.tally()
    assert (await day(querylog, TODAY - DAY)).questions == 1
    assert (await day(querylog, TODAY)).questions == 1


async def test_late_verdicts_and_withdrawals_are_counted(querylog: QueryLog) -> None:
    row = await ask(querylog, asked_at=NOW - 3 * DAY)
    await querylog.tally()
    for verdict, expected in (("down", 1), ("up", 0)):
        await querylog.verdict(row, verdict, "u1")
        await querylog.tally()
        assert (await day(querylog, TODAY - 3 * DAY)).wrong == expected


async def test_counts_outlive_the_purge(querylog: QueryLog) -> None:
    old = NOW - 10 * DAY
    row = await ask(querylog, asked_at=old, entries=("nb-a",))
    for _ in range(2):
        await ask(querylog, asked_at=old + dt.timedelta(hours=2), status="none")
    assert await querylog.purge(old + dt.timedelta(hours=1)) == 1  # in the middle of a day, and nothing counted yet
    assert (await day(querylog, old.date())).questions == 3
    await querylog.verdict(row + 1, "down", "u1")  # the day is not counted again: a row of it is gone
    await querylog.tally()
    assert (await day(querylog, old.date())).questions == 3
    assert await querylog.purge(NOW - DAY) == 2
    assert (await day(querylog, old.date())).questions == 3
    await ask(querylog)
    await querylog.tally()
    assert (await day(querylog, TODAY)).questions == 1


async def test_counting_again_changes_nothing(querylog: QueryLog) -> None:
    await ask(querylog)
    for _ in range(3):
        await querylog.tally()
    assert (await day(querylog, TODAY)).questions == 1


async def test_search_and_wordings(querylog: QueryLog) -> None:
    rows = [await ask(querylog, text=text) for text in ("ABC 甲", "甲", "甲", "乙%")]
    found = await search(querylog, Wanted(text="abc"), 10, 1)
    assert [one.id for one in found.rows] == [rows[0]]
    assert found.reached is None
    found = await search(querylog, Wanted(statuses=("answer",), first=TODAY, last=TODAY), 2, 1)
    assert [one.id for one in found.rows] == [rows[3], rows[2]]
    assert found.reached == rows[2]
    wordings = await querylog.read(partial(reports.wordings, wanted=Wanted(), limit=2))
    assert [(one.text, one.questions, one.people) for one in wordings] == [("甲", 2, 1), ("乙%", 1, 1)]
    seen = await querylog.read(partial(look, row_id=rows[2], before=1, after=1))
    assert seen is not None
    assert [[one.id for one in part] for part in (seen.earlier, seen.later)] == [[rows[1]], [rows[3]]]


async def test_an_empty_log_has_nothing_to_find(querylog: QueryLog) -> None:
    assert (await search(querylog, Wanted(first=TODAY), 5, 1)).rows == []
    assert await querylog.read(partial(reports.wordings, wanted=Wanted(), limit=5)) == []
    assert await querylog.read(partial(look, row_id=1)) is None


async def test_every_page_works_on_either_database(url: str, desk: Desk) -> None:
    async with opened(url, desk) as site:
        await site.ask("微法院怎么用", entries=("nb-mobile-micro-court",))
        async with site.client(await site.cookie()) as client:
            for path in PAGES:
                response: httpx.Response = await client.get("/admin" + path)
                assert response.status_code == (404 if path in {"/nothing", "/gaps/1"} else 200), path
                checked(response.text)
            for kind in ("csv", "jsonl", "xlsx"):
                assert (await client.get(f"/admin/export/questions.{kind}")).status_code == 200
