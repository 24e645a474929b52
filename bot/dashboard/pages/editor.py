"""One knowledge file as a draft: problems, previews, questions, the log once more, saving; also without JavaScript."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse
from starlette.routing import Route

from bot.answer import give
from bot.dashboard.drafts import Draft, content_now, items_of, read_draft
from bot.dashboard.panel import actor, see
from bot.dashboard.previews import by_channel
from bot.editing import keep, trial
from bot.editing.mend import diff
from bot.gaps.replay import CHANGES, questions, replay
from bot.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel
    from bot.desk import Desk
    from bot.model import Problem

_MOST_ASKED = 500
_MOST_SHOWN = 40
_LOG_DAYS = 90
_VERSION = re.compile("[0-9a-f]{12}")


async def edit(panel: Panel, request: Request) -> Response:
    """`GET /knowledge/edit`: a file to edit; one that is not there yet begins empty."""
    name = request.query_params.get("file", "")
    now = await content_now(panel, name)
    draft = Draft(name, now.decode("utf-8-sig", "replace"), keep.digest(now))
    return await _page(panel, request, draft, line=_line(request), wanted=_wanted(request))


async def check(panel: Panel, request: Request) -> Response:
    """`POST /knowledge/check`: problems of the draft, and its entries, as JSON."""
    draft = await read_draft(panel, request)
    problems = await panel.workroom.check(draft.name, draft.content)
    told = [
        {
            "file": "" if problem.file == draft.name else problem.file,
            "line": problem.line,
            "column": problem.column,
            "code": problem.code,
            "message": problem.message,
            "error": problem.severity is Severity.ERROR,
        }
        for problem in problems
    ]
    items = await asyncio.to_thread(items_of, draft)
    listed = [{"line": line, "id": identifier, "title": title} for line, identifier, title in items]
    return JSONResponse({"problems": told, "items": listed}, headers={"Cache-Control": "no-store"})


async def preview(panel: Panel, request: Request) -> Response:
    """`POST /knowledge/preview`: the chosen entry's answer in each channel."""
    draft = await read_draft(panel, request)
    desk = await panel.workroom.compile(draft.name, draft.content)
    shown = None
    known = [identifier for _, identifier, _ in items_of(draft)]
    if desk is not None and known:
        chosen = draft.entry if draft.entry in known else known[0]
        draft = replace(draft, entry=chosen)
        shown = by_channel(give(chosen, desk.label(chosen), desk, panel.today()))
    return await _page(panel, request, draft, refused=desk is None, shown=shown)


async def ask(panel: Panel, request: Request) -> Response:
    """`POST /knowledge/try`: a question to the draft and to the live knowledge."""
    draft = await read_draft(panel, request)
    desk = await panel.workroom.compile(draft.name, draft.content)
    tried = None
    if desk is not None and draft.question.strip():
        live = panel.program.desk
        change = await asyncio.to_thread(trial.compare, draft.question, live, desk, panel.today())
        tried = (("现在", change.before, _namer(live)), ("改了以后", change.after, _namer(desk)))
    return await _page(panel, request, draft, refused=desk is None, tried=tried)


async def what_if(panel: Panel, request: Request) -> Response:
    """`POST /knowledge/replay`: what the draft wins, takes and loses of the questions that were asked."""
    draft = await read_draft(panel, request)
    desk = await panel.workroom.compile(draft.name, draft.content)
    if desk is None:
        return await _page(panel, request, draft, refused=True)
    since = panel.now() - dt.timedelta(days=_LOG_DAYS)
    asked, _ = await panel.program.querylog.read(partial(questions, since=since, limit=_MOST_ASKED))
    live, today = panel.program.desk, panel.today()
    found = await asyncio.to_thread(replay, asked, live, desk, today, lambda items, _: items)
    changes = {
        title: [change for change in found.changes if change.kind == kind]
        for kind, title in CHANGES.items()
        if any(change.kind == kind for change in found.changes)
    }
    trees = await panel.workroom.trees(draft.name, draft.content)
    failed = await asyncio.to_thread(trial.failing, desk, trees, draft.name, today)
    replayed = {
        "found": found,
        "changes": changes,
        "failed": failed,
        "most": _MOST_SHOWN,
        "days": _LOG_DAYS,
        "before": _namer(live),
        "after": _namer(desk),
    }
    return await _page(panel, request, draft, replayed=replayed)


async def save(panel: Panel, request: Request) -> Response:
    """`POST /knowledge/save`."""
    return await put(panel, request, await read_draft(panel, request), "改知识", "saved")


async def put(panel: Panel, request: Request, draft: Draft, action: str, said: str) -> Response:
    """Save a draft that has no errors over the file that it was made from, and have it taken in.

    `action` is for the audit, `said` the notice. What cannot be saved comes back as it was typed.
    """
    problems = await panel.workroom.check(draft.name, draft.content)
    if _errors(problems):
        return await _page(panel, request, draft, 422, unsaved="还有错误，没有保存：改好下面标“错误”的地方再存。")
    desk = await panel.workroom.compile(draft.name, draft.content)
    assert desk is not None
    trees = await panel.workroom.trees(draft.name, draft.content)
    failed = await asyncio.to_thread(trial.failing, desk, trees, draft.name, panel.today())
    if failed:
        unsaved = "有必须答对的问题会答错，没有保存。"
        return await _page(panel, request, draft, 422, unsaved=unsaved, failed=failed)
    who = draft.who.strip()[:40] or actor(request)
    why = " ".join(draft.why.split())[:200] or f"改 {draft.name}"
    work = partial(keep.save, panel.workroom.folder, draft.name, draft.content, draft.opened, who, why)
    try:
        await asyncio.to_thread(work)
    except keep.ConflictError as error:
        return await _conflict(panel, request, draft, error.theirs)
    except keep.SaveError as error:
        return await _page(panel, request, draft, 500, unsaved=f"没有保存：{error}")
    await panel.access.audit(actor(request), action, draft.name, f"{who}：{why}")
    panel.program.reloader.asked.set()
    return see(f"/knowledge/edit?file={draft.name}&said={said}&version={desk.book.version}")


async def _conflict(panel: Panel, request: Request, draft: Draft, theirs: bytes) -> Response:
    """Both versions. The form is made anew over theirs: saving once more replaces what was shown, and nothing newer."""
    other = {
        "text": theirs.decode("utf-8-sig", "replace"),
        "changes": diff(draft.name, theirs, draft.content).splitlines()[2:],
    }
    unsaved = "您打开以后，别人存过这个文件，所以没有保存。两边都在下面，请对照着改好再存。"
    again = replace(draft, opened=keep.digest(theirs))
    return await _page(panel, request, again, 409, unsaved=unsaved, other=other)


async def live(panel: Panel, request: Request) -> Response:
    """`GET /knowledge/live`: whether a saved version is in use by now, as JSON."""
    state, text = _state(panel, _wanted(request))
    return JSONResponse({"state": state, "text": text}, headers={"Cache-Control": "no-store"})


def _state(panel: Panel, version: str) -> tuple[str, str]:
    if panel.program.desk.book.version == version:
        return "live", f"已经换上，市民问到的就是这一版（{version}）。"
    refused = panel.program.health().get("alerts", {}).get("knowledge")
    if refused and not panel.program.reloader.asked.is_set():
        return "refused", f"没有换上，原来的还在用：{refused}"
    return "waiting", "正在换上，要等几秒到几十秒，其间照旧回答……"


async def _page(panel: Panel, request: Request, draft: Draft, status: int = 200, **outcome: Any) -> Response:
    """The editor with what came of the last button."""
    problems = await panel.workroom.check(draft.name, draft.content)
    values: dict[str, Any] = {
        "line": 0,
        "wanted": "",
        "unsaved": "",
        "refused": False,
        "shown": None,
        "tried": None,
        "replayed": None,
        "failed": (),
        "other": None,
    }
    values |= outcome
    state = _state(panel, values["wanted"]) if values["wanted"] else None
    shown = {"draft": draft, "problems": problems, "items": await asyncio.to_thread(items_of, draft), "state": state}
    return await panel.page(request, "editor.html", status, **shown, **values)


def _namer(desk: Desk) -> Any:
    """What an entry is called in one version of the knowledge."""
    book = desk.book
    return lambda entry: desk.label(entry) if entry in book.entries or entry in book.faqs else entry


def _errors(problems: Iterable[Problem]) -> Sequence[Problem]:
    return [problem for problem in problems if problem.severity is Severity.ERROR]


def _line(request: Request) -> int:
    asked = request.query_params.get("line", "")
    return int(asked) if re.fullmatch("[0-9]{1,6}", asked) else 0


def _wanted(request: Request) -> str:
    asked = request.query_params.get("version", "")
    return asked if _VERSION.fullmatch(asked) else ""


def routes(panel: Panel) -> list[Route]:
    """The editor's addresses."""
    return [
        Route("/knowledge/edit", partial(edit, panel), methods=["GET"]),
        Route("/knowledge/live", partial(live, panel), methods=["GET"]),
        Route("/knowledge/check", partial(check, panel), methods=["POST"]),
        Route("/knowledge/preview", partial(preview, panel), methods=["POST"]),
        Route("/knowledge/try", partial(ask, panel), methods=["POST"]),
        Route("/knowledge/replay", partial(what_if, panel), methods=["POST"]),
        Route("/knowledge/save", partial(save, panel), methods=["POST"]),
    ]
