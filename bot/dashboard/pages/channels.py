"""What came by which channel."""

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
    """`GET /channels`."""
    await panel.fresh()
    period = panel.period(request)
    found = await panel.program.querylog.read(partial(reports.by_channel, first=period.first, last=period.last))
    return await panel.page(request, "channels.html", period=period, channels=found)


PAGE = Page("/channels", "渠道", lambda panel: [Route("/channels", partial(show, panel), methods=["GET"])])
