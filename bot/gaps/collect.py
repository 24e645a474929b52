"""Which rows of the log tell of a gap: not answered, choices that nobody picked from, voted down, asked again at once,
answered by a hair. Reads the log once, in order, a page at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from rapidfuzz.fuzz import ratio

from bot.decide import SURE_AT
from bot.model import Status
from bot.querylog.tables import feedback, query_log

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

NONE, CHOICES, DOWN, REPHRASED, TIE = "none", "choices", "down", "rephrased", "tie"
REASONS = {NONE: "没答上", CHOICES: "给了选项没人选", DOWN: "被踩", REPHRASED: "马上换个说法再问", TIE: "差点答成别的"}
"""Why a row is here, and what a maintainer reads."""
PICKED = ("点选的", "按序号选的")
"""Reasons of replies to a choice that was offered."""
EMPTY = ("没有文字", "没说是哪件事", "给的选项都不是", "点选的条目已经没有了")
"""Reasons of replies to what is no question by itself."""
AGAIN = dt.timedelta(minutes=2)
"""Who asks nearly the same again so soon was not helped."""
PICK_WITHIN = dt.timedelta(minutes=10)
ALIKE = 65
"""Likeness in percent, by rapidfuzz, from which a question is the one before in other words."""
_PAGE = 20_000
_QUESTIONS = (Status.ANSWER, Status.LIST, Status.NONE, Status.CHOICES)


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of the log that failed; `reason` is a key of `REASONS`."""

    query_id: int
    text: str
    reason: str


@dataclass(slots=True)
class Collected:
    """What a pass found. `scanned_from` is the first row that it read (None: no row), `seen` its last row's moment,
    `verdicts` the rows whose verdict changed, `feedback` the last verdict that it knows."""

    findings: dict[int, Finding] = field(default_factory=dict)
    scanned_from: int | None = None
    seen: dt.datetime | None = None
    verdicts: set[int] = field(default_factory=set)
    feedback: int = 0


@dataclass(frozen=True, slots=True)
class _Last:
    """The last question of a user."""

    id: int
    at: dt.datetime
    text: str
    status: str
    answered: bool


async def collect(connection: AsyncConnection, since: dt.datetime | None, feedback_after: int) -> Collected:
    """Every failed row asked since that moment (None: ever), and the rows judged after that verdict."""
    found = Collected(feedback=feedback_after)
    last: dict[str, _Last] = {}
    after = 0
    while True:
        page = (await connection.execute(_page(since, after))).all()
        for row in page:
            _look(row, last, found)
        if len(page) < _PAGE:
            break
        after = page[-1].id
        last = {user: item for user, item in last.items() if page[-1].asked_at - item.at < PICK_WITHIN}
    await _judged(connection, found)
    return found


def _columns() -> tuple[sa.ColumnElement[Any], ...]:
    table = query_log.c
    known = table.id, table.asked_at, table.user_key, table.text, table.status, table.entry, table.score
    return (*known, table.runner_up, table.reason, table.verdict)


def _page(since: dt.datetime | None, after: int) -> sa.Select[Any]:
    wanted = query_log.c.status.in_([str(status) for status in _QUESTIONS]) & (query_log.c.id > after)
    if since is not None:
        wanted &= query_log.c.asked_at >= since
    return sa.select(*_columns()).where(wanted).order_by(query_log.c.id).limit(_PAGE)


def _look(row: sa.Row[Any], last: dict[str, _Last], found: Collected) -> None:
    """Judge one row, and the one before it by the same user in the light of this one."""
    if found.scanned_from is None:
        found.scanned_from = row.id
    found.seen = row.asked_at
    before = last.get(row.user_key)
    if before is not None and row.reason not in EMPTY:
        _look_back(before, row, found)
    last[row.user_key] = _Last(row.id, row.asked_at, row.text, row.status, row.status in {"answer", "list"})
    reason = _reason(row)
    if reason is not None:
        found.findings[row.id] = Finding(row.id, row.text, reason)


def _look_back(before: _Last, row: sa.Row[Any], found: Collected) -> None:
    passed = row.asked_at - before.at
    if row.reason in PICKED:
        if before.status == "choices" and passed <= PICK_WITHIN:
            found.findings.pop(before.id, None)
    elif before.answered and passed <= AGAIN and before.text != row.text and ratio(before.text, row.text) >= ALIKE:
        known = found.findings.get(before.id)
        if known is None or known.reason == TIE:
            found.findings[before.id] = Finding(before.id, before.text, REPHRASED)


def _reason(row: sa.Row[Any]) -> str | None:
    """Why the row by itself tells of a gap."""
    if row.reason in EMPTY or row.reason in PICKED or not row.text:
        return DOWN if row.verdict == "down" and row.text and row.reason in PICKED else None
    if row.verdict == "down":
        return DOWN
    if row.status in {NONE, CHOICES}:
        return str(row.status)
    if row.status == "answer" and row.runner_up is not None and row.score < SURE_AT:
        return TIE
    return None


async def _judged(connection: AsyncConnection, found: Collected) -> None:
    """The rows whose verdict changed since the last pass."""
    wanted = sa.select(feedback.c.id, feedback.c.query_id).where(feedback.c.id > found.feedback)
    rows = (await connection.execute(wanted.order_by(feedback.c.id))).all()
    ids = sorted({row.query_id for row in rows} - found.findings.keys())
    for at in range(0, len(ids), 500):
        chosen = query_log.c.id.in_(ids[at : at + 500])
        for row in await connection.execute(sa.select(*_columns()).where(chosen)):
            reason = _reason(row)
            found.verdicts.add(row.id)
            if reason is not None:
                found.findings[row.id] = Finding(row.id, row.text, reason)
    found.feedback = max((row.id for row in rows), default=found.feedback)
