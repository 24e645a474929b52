"""The weekly digest for operators: how the week went, and what was asked in vain. Sent once, whatever restarts."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.errors import StoreError
from bot.model import Status
from bot.querylog.tables import query_log
from bot.robot import CHINA, MAX_BYTES
from bot.text.markdown import escape
from bot.text.normalise import key, normalise

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.querylog.store import QueryLog

Count = tuple[str, str | None, int]
"""Status, verdict, number."""

WEEK = dt.timedelta(days=7)
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_MARK = "digest-sent"
_LOOK_EVERY = 60.0
_SHOWN = 10
_ASKERS = 2
"""A question that one person alone asked is not quoted."""
_ANSWERED = frozenset({Status.ANSWER, Status.CHOICES, Status.LIST})
_UNANSWERED = frozenset({Status.NONE, Status.ERROR})

log = logging.getLogger("reformbot.alerts")


async def digest(querylog: QueryLog, since: dt.datetime, until: dt.datetime) -> str:
    """The week as markdown of at most 4,096 bytes; raises StoreError."""
    counts, missed = await querylog.read(partial(_week, since=since, until=until))
    head = f"**甬改问答一周小结** {since.astimezone(CHINA):%m-%d} 至 {until.astimezone(CHINA):%m-%d}"
    return _fitted([head, *_figures(counts), *_gaps(missed)])


async def _week(
    connection: AsyncConnection, since: dt.datetime, until: dt.datetime
) -> tuple[list[Count], list[tuple[str, str]]]:
    """How many rows of each status and verdict, and who asked what in vain as (text, user)."""
    log = query_log.c
    when = (log.asked_at >= since) & (log.asked_at < until)
    counted = sa.select(log.status, log.verdict, sa.func.count().label("number")).where(when)
    counts = await connection.execute(counted.group_by(log.status, log.verdict))
    in_vain = sa.select(log.text, log.user_key).where(when & (log.status == str(Status.NONE))).order_by(log.id)
    missed = await connection.execute(in_vain)
    return [(row.status, row.verdict, row.number) for row in counts], [(row.text, row.user_key) for row in missed]


def _figures(counts: list[Count]) -> list[str]:
    answered = sum(number for status, _, number in counts if status in _ANSWERED)
    asked = answered + sum(number for status, _, number in counts if status in _UNANSWERED)
    good, bad = (sum(number for _, verdict, number in counts if verdict == wanted) for wanted in ("up", "down"))
    share = f"，答上 {answered / asked:.0%}" if asked else ""
    return [f"> 问题 {asked} 个{share}", f"> 评价：有用 {good}，没用 {bad}"]


def _gaps(missed: list[tuple[str, str]]) -> list[str]:
    """From (text, user): what several people asked in vain, most often first."""
    times: defaultdict[str, int] = defaultdict(int)
    people: defaultdict[str, set[str]] = defaultdict(set)
    wording: dict[str, str] = {}
    for text, user in missed:
        name = key(normalise(text))
        wording.setdefault(name, text)
        times[name] += 1
        people[name].add(user)
    often = [name for name in sorted(times, key=lambda name: -times[name]) if name and len(people[name]) >= _ASKERS]
    if not often:
        return []
    listed = (f"{number}. {escape(wording[name])}（{times[name]} 次）" for number, name in enumerate(often[:_SHOWN], 1))
    return ["**几个人都问了，没有答案的**", *listed]


def _fitted(lines: list[str]) -> str:
    """As many lines as one message holds."""
    while len("\n".join(lines).encode()) > MAX_BYTES:
        lines = lines[:-1]
    return "\n".join(lines)


def last_due(schedule: str, now: dt.datetime) -> dt.datetime:
    """The newest moment of a schedule such as `mon 09:00` (Chinese time) that is not after `now`."""
    day, _, clock = schedule.partition(" ")
    local = now.astimezone(CHINA)
    at = local.replace(hour=int(clock[:2]), minute=int(clock[3:]), second=0, microsecond=0)
    at -= dt.timedelta(days=(local.weekday() - DAYS.index(day)) % 7)
    return at if at <= local else at - WEEK


async def send_due(querylog: QueryLog, schedule: str, say: Callable[[str], Awaitable[bool]], now: dt.datetime) -> bool:
    """Send the digest that is due and was not sent, and note that; the first one ever waits for its next moment."""
    due = last_due(schedule, now)
    sent = await querylog.get(_MARK)
    if sent is not None and dt.datetime.fromisoformat(sent) >= due:
        return False
    if sent is not None and not await say(await digest(querylog, due - WEEK, due)):
        return False
    await querylog.put(_MARK, due.isoformat())
    return sent is not None


async def keep_sending(
    stopping: asyncio.Event, querylog: QueryLog, schedule: str, say: Callable[[str], Awaitable[bool]]
) -> None:
    """Look every minute, until `stopping`."""
    while not stopping.is_set():
        try:
            await send_due(querylog, schedule, say, dt.datetime.now(dt.UTC))
        except StoreError as error:
            log.error("一周小结没有做成：%s", error)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _LOOK_EVERY)
