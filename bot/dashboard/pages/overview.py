"""The first page: today beside yesterday, and the trend."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from bot.dashboard import reports
from bot.dashboard.charts import Chart, Series, columns, lines
from bot.dashboard.panel import Page
from bot.dashboard.search import Wanted, search
from bot.dashboard.words import milliseconds, percent
from bot.gaps import store
from bot.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel
    from bot.dashboard.reports import Tally

_FEW = 6
_SECONDS = 0.1


async def show(panel: Panel, request: Request) -> Response:
    """`GET /`."""
    await panel.fresh()
    period, querylog = panel.period(request), panel.program.querylog
    days = await querylog.read(partial(reports.by_day, first=period.first, last=period.last))
    channels = await querylog.read(partial(reports.by_channel, first=period.first, last=period.last))
    entries = await querylog.read(partial(reports.by_entry, first=period.first, last=period.last))
    missed = await search(querylog, Wanted(statuses=tuple(reports.MISSED)), _FEW, _SECONDS)
    return await panel.page(
        request,
        "overview.html",
        period=period,
        today=days[period.last],
        yesterday=days[period.last - dt.timedelta(days=1)],
        all=reports.total(days.values()),
        charts=charts(days),
        channels=channels,
        entries=[(panel.name(entry), entry, tally) for entry, tally in list(entries.items())[:_FEW]],
        missed=missed.rows,
        gaps=(await querylog.read(store.counts))["open"],
        health=panel.program.health(),
    )


def charts(days: Mapping[dt.date, Tally]) -> list[Chart]:
    """The trend: questions by outcome, people, share of answers, verdicts, time."""
    labels = [day.strftime("%m-%d") for day in days]
    tallies = list(days.values())
    shares = [Series("答上", "c1", [tally.share for tally in tallies])]
    return [
        columns("提问", "个", labels, outcomes(tallies)),
        lines("答上的比例", "%", labels, shares, 1.0, percent, percent),
        columns("提问的人", "人", labels, [Series("人数", "c2", [tally.people for tally in tallies])]),
        columns(
            "评价",
            "次",
            labels,
            [
                Series("有用", "c1", [tally.up.total() for tally in tallies]),
                Series("没用", "c4", [tally.down.total() for tally in tallies]),
            ],
        ),
        lines(
            "答一个问题的时间",
            "毫秒",
            labels,
            [
                Series("一半快于", "c2", [tally.p50_ms if tally.questions else None for tally in tallies]),
                Series("95% 快于", "c4", [tally.p95_ms if tally.questions else None for tally in tallies]),
            ],
            say=milliseconds,
        ),
    ]


def outcomes(tallies: Iterable[Tally]) -> list[Series]:
    """Questions by what they got."""
    counts = [tally.statuses for tally in tallies]
    return [
        Series("答了", "c1", [count[Status.ANSWER] for count in counts]),
        Series("给选项或清单", "c2", [count[Status.CHOICES] + count[Status.LIST] for count in counts]),
        Series("没答上", "c4", [count[Status.NONE] + count[Status.ERROR] for count in counts]),
        Series("寒暄", "c5", [count[Status.SMALLTALK] for count in counts]),
    ]


PAGE = Page("/", "概览", lambda panel: [Route("/", partial(show, panel), methods=["GET"])])
