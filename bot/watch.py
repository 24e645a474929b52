"""What is watched for an operator: the disk under the log, and how many questions end in an error. No clock is asked."""

from __future__ import annotations

import asyncio
import shutil
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bot.alerts import Alerts

LOW_BYTES = 1 << 30
FULL_BYTES = 64 << 20
LOOK_EVERY = 60.0
"""Seconds."""

_LOW, _FULL = "disk-low", "disk-full"
_ERRORS = "errors"
_QUESTIONS, _MANY, _FEW = 50, 5, 1


class ErrorRate:
    """Of the last 50 questions five ended in an error: that is told, and that it is over when at most one did."""

    def __init__(self, alerts: Alerts) -> None:
        self._alerts = alerts
        self._last: deque[bool] = deque(maxlen=_QUESTIONS)

    def note(self, failed: bool) -> None:
        """Count one question."""
        self._last.append(failed)
        errors = sum(self._last)
        if errors >= _MANY:
            self._alerts.start(_ERRORS, f"最近 {_QUESTIONS} 个问题里有 {_MANY} 个以上没能回答（程序出错），请看日志")
        elif errors <= _FEW:
            self._alerts.end(_ERRORS)


def check_disk(free: int, alerts: Alerts) -> None:
    """Tell what so many free bytes mean for the log."""
    if free < FULL_BYTES:
        alerts.start(_FULL, "查询日志所在的磁盘快满了，新的问题可能记不下来")
    elif free >= 2 * FULL_BYTES:
        alerts.end(_FULL)
    if free < LOW_BYTES:
        alerts.start(_LOW, "查询日志所在的磁盘剩不到 1 GB")
    elif free >= LOW_BYTES + FULL_BYTES:
        alerts.end(_LOW)


async def watch_disk(folder: Path, alerts: Alerts) -> None:
    """Look every minute, until cancelled."""
    while True:
        check_disk(shutil.disk_usage(folder).free, alerts)
        await asyncio.sleep(LOOK_EVERY)
