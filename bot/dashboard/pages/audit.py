"""Who did what, newest first."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from bot.dashboard import reports
from bot.dashboard.panel import Page
from bot.dashboard.search import MAX_ID

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel

_PER_PAGE = 50
_ID = re.compile("[1-9][0-9]{0,9}")


async def show(panel: Panel, request: Request) -> Response:
    """`GET /audit`."""
    asked = request.query_params.get("before", "")
    before = min(int(asked), MAX_ID) if _ID.fullmatch(asked) else MAX_ID
    lines = await panel.program.querylog.read(partial(reports.actions, before=before, limit=_PER_PAGE))
    onward = lines[-1].id if len(lines) == _PER_PAGE else None
    return await panel.page(request, "audit.html", lines=lines, onward=onward)


PAGE = Page("/audit", "操作记录", lambda panel: [Route("/audit", partial(show, panel), methods=["GET"])])
