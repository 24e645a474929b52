"""How the program is: channels, alerts, knowledge, log; and who may be logged in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Route

from bot.dashboard.panel import Page, actor, see
from bot.dashboard.search import bounds, look

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel

GOOD = "ok"


async def show(panel: Panel, request: Request) -> Response:
    """`GET /system`."""
    health = panel.program.health()
    low, high = await panel.program.querylog.read(bounds)
    oldest = await panel.program.querylog.read(partial(look, row_id=low))
    book = panel.program.desk.book
    return await panel.page(
        request,
        "system.html",
        health=health,
        good=health.get("status") == GOOD and not health.get("alerts"),
        channels=health.get("channels", {}),
        alerts=health.get("alerts", {}),
        rows=high - low + 1 if high else 0,
        oldest=oldest.question.row.asked_at if oldest else None,
        retention=panel.program.settings.retention_days,
        book=book,
        can_reload=panel.reload is not None,
        password=panel.access.password_hash is not None,
    )


async def reload(panel: Panel, request: Request) -> Response:
    """`POST /system/reload`."""
    if panel.reload is None:
        raise HTTPException(404)
    done = await panel.reload()
    await panel.access.audit(actor(request), "重新读入知识", panel.program.desk.book.version, done.text)
    return see(f"/system?said={'reloaded' if done.ok else 'not-reloaded'}")


PAGE = Page(
    "/system",
    "运行状态",
    lambda panel: [
        Route("/system", partial(show, panel), methods=["GET"]),
        Route("/system/reload", partial(reload, panel), methods=["POST"]),
    ],
)
