"""Questions that failed, put together by what they ask: a list by state, and one gap with what helps to close it."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route
from yaml import YAMLError

from bot.channels.web.forms import form_fields
from bot.dashboard.panel import Page, actor, see
from bot.dashboard.search import MAX_ID
from bot.exchange.cells import one_line
from bot.gaps import store, table
from bot.gaps.collect import REASONS
from bot.gaps.draft import draft
from bot.gaps.model import KINDS, PROPOSALS, STATES
from bot.gaps.refresh import CURSOR, Cursor
from bot.knowledge.book import read_folder
from bot.knowledge.place import default_folder

if TYPE_CHECKING:
    from starlette.requests import Request

    from bot.dashboard.panel import Panel
    from bot.gaps.draft import Draft
    from bot.gaps.model import Gap, Refreshed

ACTIONS = {
    "open": {"drafted": "已起草", "done": "已解决", "outside": "不归这里"},
    "drafted": {"done": "已解决", "outside": "不归这里", "open": "放回待处理"},
    "done": {"open": "重新打开"},
    "outside": {"open": "重新打开"},
}
"""State → the states that a button leads to, and what the button says."""
_SHOWN = 100
_MEMBERS = 100
_EXPORTED = 10_000
_NOTE = 300
_TABLES = {
    "csv": (table.as_csv, "text/csv; charset=utf-8"),
    "xlsx": (table.as_xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


async def show(panel: Panel, request: Request) -> Response:
    """`GET /gaps`."""
    state, querylog = _state(request), panel.program.querylog
    found = await querylog.read(partial(store.gaps, states=(state,), limit=_SHOWN, now=panel.now()))
    counts = await querylog.read(store.counts)
    refreshed = Cursor.of(await querylog.get(CURSOR)).at
    return await panel.page(
        request,
        "gaps.html",
        state=state,
        states=STATES,
        gaps=found,
        counts=counts,
        rest=counts[state] - len(found),
        refreshed=refreshed,
        kinds=KINDS,
        proposals=PROPOSALS,
        name=panel.name,
    )


async def one(panel: Panel, request: Request) -> Response:
    """`GET /gaps/ID`."""
    gap = await _gap(panel, request)
    members = await panel.program.querylog.read(partial(store.members, identifier=gap.id, limit=_MEMBERS))
    made = await _draft(panel, gap)
    return await panel.page(
        request,
        "gap.html",
        gap=gap,
        members=members,
        draft=made.as_text() if made else None,
        is_entry=bool(made and made.skeleton),
        actions=ACTIONS[gap.state],
        states=STATES,
        kinds=KINDS,
        proposals=PROPOSALS,
        reasons=REASONS,
        name=panel.name,
    )


async def issue(panel: Panel, request: Request) -> Response:
    """`GET /gaps/ID/issue.md`: Markdown for an issue tracker."""
    gap = await _gap(panel, request)
    made = await _draft(panel, gap)
    if made is None:
        raise HTTPException(409, "知识文件现在读不了，改好以后再下载。")
    await panel.access.audit(actor(request), "导出", f"gap/{gap.id}", "issue.md")
    return _file(made.as_issue().encode(), f"gap-{gap.id}.md", "text/markdown; charset=utf-8")


async def export(panel: Panel, request: Request) -> Response:
    """`GET /gaps/export.csv` and `.xlsx`: the gaps of a state."""
    kind, state = request.path_params["kind"], _state(request)
    if kind not in _TABLES:
        raise HTTPException(404)
    make, media_type = _TABLES[kind]
    wanted = partial(store.gaps, states=(state,), limit=_EXPORTED, now=panel.now())
    found = await panel.program.querylog.read(wanted)
    await panel.access.audit(actor(request), "导出", f"gaps.{kind}", STATES[state])
    return _file(await asyncio.to_thread(make, found), f"gaps-{state}.{kind}", media_type)


async def treat(panel: Panel, request: Request) -> Response:
    """`POST /gaps/ID/state`: the fields `state` and `note`. The change and its line in the audit are one."""
    fields, gap = await form_fields(request), await _gap(panel, request)
    state, note = fields.get("state", ""), one_line(fields.get("note", ""))[:_NOTE]
    if state not in STATES:
        raise HTTPException(400, "没有这种状态。")
    who, now = actor(request), panel.now()
    await panel.program.querylog.run(
        partial(store.set_state, identifier=gap.id, state=state, actor=who, note=note, now=now)
    )
    return see(f"/gaps/{gap.id}?said=gap-{state}")


async def regroup(panel: Panel, request: Request) -> Response:
    """`POST /gaps/refresh`."""
    done = await panel.program.gaps.refresh(panel.program.desk)
    await panel.access.audit(actor(request), "重新归组", "gaps", _told(done))
    return see("/gaps?said=regrouped")


def _told(done: Refreshed) -> str:
    return (
        f"看了 {done.questions} 个没答好的问题；新的缺口 {len(done.new)} 个，"
        f"答得上了 {len(done.closed)} 个，重新打开 {len(done.reopened)} 个"
    )


def _state(request: Request) -> str:
    asked = request.query_params.get("state", "")
    return asked if asked in STATES else "open"


async def _gap(panel: Panel, request: Request) -> Gap:
    identifier = request.path_params["id"]
    if identifier > MAX_ID:
        raise HTTPException(404)
    found = await panel.program.querylog.read(partial(store.gap, identifier=identifier, now=panel.now()))
    if found is None:
        raise HTTPException(404)
    return found


async def _draft(panel: Panel, gap: Gap) -> Draft | None:
    """The draft against the files as they stand now; None while somebody's edit leaves them unreadable."""
    folder, desk, today = panel.program.settings.knowledge or default_folder(), panel.program.desk, panel.today()

    def make() -> Draft:
        return draft(gap, desk, read_folder(folder), today)

    try:
        return await asyncio.to_thread(make)
    except (OSError, ValueError, KeyError, YAMLError):
        return None


def _file(content: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="reformbot-{name}"', "Cache-Control": "no-store"}
    return Response(content, headers=headers, media_type=media_type)


PAGE = Page(
    "/gaps",
    "缺口",
    lambda panel: [
        Route("/gaps", partial(show, panel), methods=["GET"]),
        Route("/gaps/export.{kind:str}", partial(export, panel), methods=["GET"]),
        Route("/gaps/refresh", partial(regroup, panel), methods=["POST"]),
        Route("/gaps/{id:int}", partial(one, panel), methods=["GET"]),
        Route("/gaps/{id:int}/issue.md", partial(issue, panel), methods=["GET"]),
        Route("/gaps/{id:int}/state", partial(treat, panel), methods=["POST"]),
    ],
)
