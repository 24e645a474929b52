"""How the program is: channels, alerts, knowledge, log; what is paused; and who may be logged in."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.routing import Route

from bot.channels.web.forms import form_fields
from bot.dashboard import reports
from bot.dashboard.panel import Page, actor, see
from bot.dashboard.search import bounds, look
from bot.exchange.cells import one_line
from bot.switch import EVERYTHING

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel

GOOD = "ok"
_RELOAD = "重新读入知识"
_WHY = 200
"""Characters of a reason."""


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
        reloaded=await panel.program.querylog.read(partial(reports.last_action, action=_RELOAD)),
        paused=panel.program.switch.paused,
        everything=EVERYTHING,
        name=panel.name,
        password=panel.access.password_hash is not None,
    )


async def reload(panel: Panel, request: Request) -> Response:
    """`POST /system/reload`."""
    if panel.reload is None:
        raise HTTPException(404)
    done = await panel.reload()
    await panel.access.audit(actor(request), _RELOAD, panel.program.desk.book.version, done.text)
    return see(f"/system?said={'reloaded' if done.ok else 'not-reloaded'}")


async def pause(panel: Panel, request: Request) -> Response:
    """`POST /system/pause`: the fields `subject`, an entry's id or `*`, and `why`, which citizens do not see."""
    subject, why = await _asked(request)
    book = panel.program.desk.book
    if subject != EVERYTHING and subject not in book.entries and subject not in book.faqs:
        raise HTTPException(400, "没有这个条目，请写条目的 id。")
    if not why:
        raise HTTPException(400, "请写为什么暂停。")
    await panel.program.switch.pause(subject, why, actor(request), panel.now())
    return see("/system?said=paused")


async def resume(panel: Panel, request: Request) -> Response:
    """`POST /system/resume`: the fields `subject` and, if one likes, `why`."""
    subject, why = await _asked(request)
    done = await panel.program.switch.resume(subject, why, actor(request), panel.now())
    return see(f"/system?said={'resumed' if done else 'not-paused'}")


async def _asked(request: Request) -> tuple[str, str]:
    fields = await form_fields(request)
    return fields.get("subject", "").strip(), one_line(fields.get("why", ""))[:_WHY]


PAGE = Page(
    "/system",
    "运行状态",
    lambda panel: [
        Route("/system", partial(show, panel), methods=["GET"]),
        Route("/system/reload", partial(reload, panel), methods=["POST"]),
        Route("/system/pause", partial(pause, panel), methods=["POST"]),
        Route("/system/resume", partial(resume, panel), methods=["POST"]),
    ],
)
