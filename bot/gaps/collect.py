"""Which rows of the log tell of a gap: not answered, choices that nobody picked from, voted down, asked again at once,
answered by a hair. Reads the log once, in order, a page at a time."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import sqlalchemy as sa
from rapidfuzz.fuzz import ratio

from bot.decide import SURE_AT
from bot.model import Status
from bot.querylog.columns import utc_text
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
_PAGE = 500
"""Rows that are looked at in one go: a question that comes meanwhile waits for no more."""
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


class _Row(NamedTuple):
    """A row as the pass reads it; `at` is ISO 8601 text of fixed length, which sorts."""

    id: int
    at: str
    user: str
    text: str
    status: str
    score: float
    runner_up: str | None
    reason: str
    verdict: str | None


async def collect(connection: AsyncConnection, since: dt.datetime | None, feedback_after: int) -> Collected:
    """Every failed row asked since that moment (None: ever), and the rows judged after that verdict."""
    found = Collected(feedback=feedback_after)
    last: dict[str, _Row] = {}
    crowd = _PAGE
    after = await _before(connection, since)
    while page := [_Row(*told) for told in await connection.execute(_rows(since, after))]:
        for row in page:
            before = last.get(row.user)
            if before is not None:
                _look_back(before, row, found.findings)
            last[row.user] = row
            reason = _reason(row)
            if reason is not None:
                found.findings[row.id] = Finding(row.id, row.text, reason)
        newest, after = page[-1], page[-1].id
        found.scanned_from = found.scanned_from or page[0].id
        found.seen = dt.datetime.fromisoformat(newest.at)
        if len(last) > crowd:
            recent = utc_text(found.seen - PICK_WITHIN)
            last = {user: item for user, item in last.items() if item.at > recent}
            crowd = max(_PAGE, 2 * len(last))
    await _judged(connection, found)
    return found


def _columns() -> tuple[sa.ColumnElement[Any], ...]:
    row = query_log.c
    at = sa.type_coerce(row.asked_at, sa.Text)
    return row.id, at, row.user_key, row.text, row.status, row.score, row.runner_up, row.reason, row.verdict


async def _before(connection: AsyncConnection, since: dt.datetime | None) -> int:
    """The number that every row asked since then is above."""
    if since is None:
        return 0
    first = await connection.scalar(sa.select(sa.func.min(query_log.c.id)).where(query_log.c.asked_at >= since))
    return (first or 1) - 1


def _rows(since: dt.datetime | None, after: int) -> sa.Select[Any]:
    """A page, read by a statement of its own: one that lasted would keep SQLite from folding its log away."""
    asked = sa.select(*_columns()).where(query_log.c.id > after)
    asked = asked.where(query_log.c.status.in_([str(status) for status in _QUESTIONS]))
    if since is not None:
        asked = asked.where(query_log.c.asked_at >= since)
    return asked.order_by(query_log.c.id).limit(_PAGE)


def _passed(before: _Row, row: _Row) -> dt.timedelta:
    return dt.datetime.fromisoformat(row.at) - dt.datetime.fromisoformat(before.at)


def _look_back(before: _Row, row: _Row, findings: dict[int, Finding]) -> None:
    """Judge the row before by the same user in the light of this one."""
    if row.reason in PICKED:
        if before.status == CHOICES and _passed(before, row) <= PICK_WITHIN:
            findings.pop(before.id, None)
    elif row.reason not in EMPTY and _is_again(before, row):
        known = findings.get(before.id)
        if known is None or known.reason == TIE:
            findings[before.id] = Finding(before.id, before.text, REPHRASED)


def _is_again(before: _Row, row: _Row) -> bool:
    """Whether somebody who got an answer asks nearly the same at once."""
    if before.status not in {"answer", "list"} or before.text == row.text or _passed(before, row) > AGAIN:
        return False
    return ratio(before.text, row.text) >= ALIKE


def _reason(row: _Row) -> str | None:
    """Why the row by itself tells of a gap."""
    if not row.text or row.reason in EMPTY:
        return None
    if row.verdict == "down":
        return DOWN
    if row.reason in PICKED:
        return None
    if row.status in {NONE, CHOICES}:
        return row.status
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
        for row in [_Row(*row) for row in await connection.execute(sa.select(*_columns()).where(chosen))]:
            reason = _reason(row)
            found.verdicts.add(row.id)
            if reason is not None:
                found.findings[row.id] = Finding(row.id, row.text, reason)
    found.feedback = max((row.id for row in rows), default=found.feedback)
