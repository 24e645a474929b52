"""When the weekly digest is sent to the operators' group: once, whatever restarts."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
from typing import TYPE_CHECKING

from bot.errors import StoreError
from bot.gaps.digest import WEEK, digest
from bot.robot import CHINA

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.querylog.store import QueryLog

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_MARK = "digest-sent"
_LOOK_EVERY = 60.0

log = logging.getLogger("reformbot.alerts")


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
    if sent is not None and not await say(await digest(querylog, due)):
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
