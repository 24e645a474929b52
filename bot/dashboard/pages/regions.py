"""Which regions and themes the answers were about."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from bot.dashboard import reports
from bot.dashboard.panel import Page

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel


async def show(panel: Panel, request: Request) -> Response:
    """`GET /regions`."""
    await panel.fresh()
    period, desk = panel.period(request), panel.program.desk
    entries = await panel.program.querylog.read(partial(reports.by_entry, first=period.first, last=period.last))
    book = desk.book
    regions = {identifier: desk.region_of(identifier) for identifier in (*book.entries, *book.faqs)}
    themes = {entry.id: entry.theme for entry in book.entries.values()}
    return await panel.page(
        request,
        "regions.html",
        period=period,
        groups=[
            ("地区", list(book.regions), reports.grouped(entries, regions)),
            ("主题", [theme.name for theme in book.themes], reports.grouped(entries, themes)),
        ],
    )


PAGE = Page("/regions", "地区和主题", lambda panel: [Route("/regions", partial(show, panel), methods=["GET"])])
