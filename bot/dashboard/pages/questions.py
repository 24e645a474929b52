"""The questions one by one: found by words and filters; one with all that is known of it."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.routing import Route

from bot.answer import answer
from bot.dashboard.panel import Page
from bot.dashboard.search import MAX_ID, Wanted, look, search
from bot.dashboard.words import CHANNELS, STATUSES
from bot.exchange.cells import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel

_PER_PAGE = 50
_SECONDS = 0.1
_MAX_TEXT = 100
_ID = re.compile("[1-9][0-9]{0,9}")
_CODE = re.compile("[a-z0-9-]{1,60}")
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")


async def show(panel: Panel, request: Request) -> Response:
    """`GET /questions`."""
    wanted = read_filters(request.query_params)
    found = await search(panel.program.querylog, wanted, _PER_PAGE, _SECONDS)
    filters = written(wanted)
    return await panel.page(
        request,
        "questions.html",
        wanted=wanted,
        rows=found.rows,
        reached=found.reached,
        full=len(found.rows) >= _PER_PAGE,
        filters=filters,
        query=urlencode(filters),
        statuses=STATUSES,
        channels=CHANNELS,
        name=panel.name,
    )


async def one(panel: Panel, request: Request) -> Response:
    """`GET /questions/ID`."""
    identifier = request.path_params["id"]
    seen = await panel.program.querylog.read(partial(look, row_id=identifier)) if identifier <= MAX_ID else None
    if seen is None:
        raise HTTPException(404)
    row = seen.question.row
    now = answer(row.text, panel.program.desk, (), panel.today(), explain=True) if row.text else None
    reasons = {said.id: "、".join(json.loads(said.reasons)) for said in seen.verdicts}
    return await panel.page(request, "question.html", seen=seen, now=now, reasons=reasons, name=panel.name)


def read_filters(given: Mapping[str, str]) -> Wanted:
    """What an address asks for; what makes no sense is left out."""
    status, verdict = given.get("status", ""), given.get("verdict", "")
    before = given.get("before", "")
    return Wanted(
        text=one_line(given.get("q", "")[:_MAX_TEXT]),
        statuses=(status,) if status in STATUSES else (),
        channel=_code(given.get("channel", "")),
        entry=_code(given.get("entry", "")),
        verdict=verdict if verdict in {"up", "down"} else "",
        first=_day(given.get("from", "")),
        last=_day(given.get("to", "")),
        before=min(int(before), MAX_ID) if _ID.fullmatch(before) else MAX_ID,
    )


def written(wanted: Wanted) -> dict[str, str]:
    """The filters as they stand in an address, without the place in the list."""
    given = asdict(wanted) | {"status": next(iter(wanted.statuses), ""), "q": wanted.text}
    given |= {"from": wanted.first or "", "to": wanted.last or ""}
    names = ("q", "status", "channel", "entry", "verdict", "from", "to")
    return {name: str(given[name]) for name in names if given[name]}


def _code(text: str) -> str:
    return text if _CODE.fullmatch(text) else ""


def _day(text: str) -> dt.date | None:
    if not _DAY.fullmatch(text):
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year <= 2999 else None


PAGE = Page(
    "/questions",
    "提问",
    lambda panel: [
        Route("/questions", partial(show, panel), methods=["GET"]),
        Route("/questions/{id:int}", partial(one, panel), methods=["GET"]),
    ],
)
