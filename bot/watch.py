"""What is watched for an operator beside the questions: errors, the disk, the log's file; and how they are told."""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from bot.digest import keep_sending
from bot.querylog.lead import lead
from bot.robot import Robot

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.alerts import Alerts
    from bot.querylog.store import QueryLog
    from bot.settings import Settings

LOW_BYTES = 1 << 30
FULL_BYTES = 64 << 20

_LOOK_EVERY = 60.0
_LAST_WORDS_SECONDS = 1.0
_LOW, _FULL, _LOST, _ERRORS = "disk-low", "disk-full", "log-lost", "errors"
_QUESTIONS, _MANY, _FEW = 50, 5, 1


class ErrorRate:
    """Five of the last 50 questions ended in an error: that is told, and that it is over when at most one did."""

    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts
        self._last: deque[bool] = deque(maxlen=_QUESTIONS)

    def note(self, failed: bool) -> None:
        """Count one question."""
        self._last.append(failed)
        errors = self._last.count(True)
        if errors >= _MANY:
            self._alerts.start(_ERRORS, f"最近 {_QUESTIONS} 个问题里有 {_MANY} 个以上因为程序出错没有回答，请看日志")
        elif errors <= _FEW:
            self._alerts.end(_ERRORS)


def check_disk(free: int, alerts: Alerts) -> None:
    """Tell what so many free bytes mean for the log; what was told ends with some bytes to spare."""
    if free < FULL_BYTES:
        alerts.start(_FULL, "查询日志所在的磁盘快满了，新的问题可能记不下来")
    elif free >= 2 * FULL_BYTES:
        alerts.end(_FULL)
    if free < LOW_BYTES:
        alerts.start(_LOW, "查询日志所在的磁盘剩不到 1 GB")
    elif free >= LOW_BYTES + FULL_BYTES:
        alerts.end(_LOW)


async def look(querylog: QueryLog, alerts: Alerts) -> None:
    """Look at the log's file and its disk every minute, until cancelled."""
    while querylog.file is not None:
        if querylog.lost():
            alerts.start(_LOST, "查询日志的文件被移走或换掉了，请重启服务")
        else:
            check_disk(shutil.disk_usage(querylog.file.parent).free, alerts)
        await asyncio.sleep(_LOOK_EVERY)


@asynccontextmanager
async def watching(settings: Settings, querylog: QueryLog, alerts: Alerts) -> AsyncIterator[None]:
    """Watch, and send what there is to tell to the group robot if one is set."""
    chores = [look(querylog, alerts)]
    robot = Robot(settings.alert_webhook_url.get_secret_value()) if settings.alert_webhook_url else None
    if robot is not None:
        alerts.listen(robot.take)
        chores.append(robot.run())
        if settings.alert_digest:
            sending = partial(keep_sending, querylog=querylog, schedule=settings.alert_digest, say=robot.say)
            chores.append(lead(querylog, "digest", asyncio.Event(), sending))
    tasks = [asyncio.create_task(chore) for chore in chores]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if robot is not None:
            await robot.close(_LAST_WORDS_SECONDS)
