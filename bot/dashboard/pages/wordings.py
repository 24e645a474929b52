"""The sentences that come most often."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from bot.dashboard import reports
from bot.dashboard.panel import Page
from bot.dashboard.search import Wanted
from bot.model import Status

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel

VIEWS = {
    "all": ("全部", reports.ANSWERED | reports.MISSED | {Status.SMALLTALK}),
    "missed": ("没答上的", reports.MISSED),
    "unsure": ("给选项的", frozenset({Status.CHOICES})),
}
_LIMIT = 100


async def show(panel: Panel, request: Request) -> Response:
    """`GET /wordings`."""
    period = panel.period(request)
    chosen = request.query_params.get("view", "")
    view = chosen if chosen in VIEWS else "all"
    wanted = Wanted(statuses=tuple(sorted(VIEWS[view][1])), first=period.first, last=period.last)
    work = partial(reports.wordings, wanted=wanted, limit=_LIMIT)
    return await panel.page(
        request,
        "wordings.html",
        period=period,
        view=view,
        views={name: title for name, (title, _) in VIEWS.items()},
        wordings=await panel.program.querylog.read(work),
        newest=reports.NEWEST,
        name=panel.name,
    )


PAGE = Page("/wordings", "热门问法", lambda panel: [Route("/wordings", partial(show, panel), methods=["GET"])])
