"""The WeCom group robot: what an operator must know, put together and sent now and then. It never fails anybody."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx

from bot.text.markdown import escape

if TYPE_CHECKING:
    from bot.alerts import Notice

MAX_BYTES = 4096
"""UTF-8 bytes of one message."""

CHINA = dt.timezone(dt.timedelta(hours=8))
_TITLE = "**甬改问答**"
_WORDS = {
    "start": '<font color="warning">出问题了</font>',
    "end": '<font color="info">恢复了</font>',
    "tell": "提醒",
}
_BUSY = frozenset({45009, 45033, 130101})
_NO_SUCH_KEY = 93000
_MAX_WAITING = 100
_LONGEST = 500
"""Characters of one notice."""

log = logging.getLogger("reformbot.alerts")
for _library in ("httpx", "httpcore"):
    logging.getLogger(_library).setLevel(logging.WARNING)  # they tell addresses, and ours is a secret


@dataclass(frozen=True, slots=True)
class RobotPace:
    """Seconds: `gather` before a message, `gap` between two, `quiet` between two about the same key; when it fails
    `retry`, doubled up to `longest`; `busy` when the platform had too many, which blocks for ten minutes.
    """

    gather: float = 2.0
    gap: float = 20.0
    quiet: float = 300.0
    retry: float = 5.0
    longest: float = 600.0
    busy: float = 600.0
    patience: float = 5.0


@dataclass(frozen=True, slots=True)
class _News:
    """The last notice of a key that was not sent yet, and of how many."""

    notice: Notice
    at: dt.datetime
    times: int = 1

    def line(self) -> str:
        often = f"（{self.times} 次）" if self.times > 1 else ""
        clock = f"{self.at.astimezone(CHINA):%m-%d %H:%M}"
        return f"> {_WORDS[self.notice.kind]} {clock} {escape(self.notice.text[:_LONGEST])}{often}"


class Robot:
    """Takes notices at once and sends them when it may; the address is a secret and never logged."""

    def __init__(self, url: str, pace: RobotPace | None = None) -> None:
        self._url, self._pace = url, pace or RobotPace()
        self._client = httpx.AsyncClient(timeout=self._pace.patience)
        self._waiting: dict[str, _News] = {}
        self._told: dict[str, float] = {}
        self._news = asyncio.Event()
        self._failures = 0

    def take(self, notice: Notice) -> None:
        """Remember a notice; of a key that waits already only the newest is told, and how many there were."""
        now = dt.datetime.now(dt.UTC)
        before = self._waiting.get(notice.key)
        if before is None and len(self._waiting) >= _MAX_WAITING:
            return
        self._waiting[notice.key] = _News(notice, now, before.times + 1 if before else 1)
        self._news.set()

    async def run(self) -> None:
        """Send what was taken, until cancelled."""
        while True:
            await self._news.wait()
            await asyncio.sleep(self._pace.gather)
            due = self._due(time.monotonic())
            if not due:
                await asyncio.sleep(self._pace.gap)
                continue
            await asyncio.sleep(await self._send(due))

    async def close(self, seconds: float) -> None:
        """Say the last words, if there are any and it takes no longer than that, and hang up."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                if not self._failures and (due := self._due(time.monotonic())):
                    await self._send(due)
        await self._client.aclose()

    def _due(self, now: float) -> dict[str, _News]:
        """What may be told now, as much as one message holds, oldest first."""
        quiet_until = now - self._pace.quiet
        size, chosen = len(_TITLE.encode()), {}
        for key, news in self._waiting.items():
            length = len(news.line().encode()) + 1
            if size + length <= MAX_BYTES and self._told.get(key, quiet_until) <= quiet_until:
                chosen[key] = news
                size += length
        return chosen

    async def _send(self, due: dict[str, _News]) -> float:
        """One message; seconds to wait before the next."""
        try:
            wait = await self._post("\n".join([_TITLE, *(news.line() for news in due.values())]))
        except asyncio.CancelledError:
            self._settle(due)  # it may have got through: better untold than told twice
            raise
        if wait:
            return wait
        self._settle(due)
        return self._pace.gap

    def _settle(self, due: dict[str, _News]) -> None:
        for key, news in due.items():
            self._told[key] = time.monotonic()
            if self._waiting[key] is news:
                del self._waiting[key]
            else:  # more came meanwhile
                self._waiting[key] = replace(self._waiting[key], times=self._waiting[key].times - news.times)
        if not self._waiting:
            self._news.clear()

    async def say(self, content: str) -> bool:
        """Send one message of markdown now; whether that is settled."""
        return await self._post(content) == 0

    async def _post(self, content: str) -> float:
        """0 when the message is settled, else seconds to wait before it is tried again."""
        body = {"msgtype": "markdown", "markdown": {"content": content}}
        try:
            response = await self._client.post(self._url, json=body)
            response.raise_for_status()
            code = int(response.json()["errcode"])
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            return self._failed(type(error).__name__, self._pace.retry * 2.0 ** min(self._failures, 16))
        if code in _BUSY:
            return self._failed(str(code), self._pace.busy)
        if code == _NO_SUCH_KEY:
            return self._failed(f"{code}，请核对 REFORMBOT_ALERT_WEBHOOK_URL", self._pace.longest)
        if code:
            log.error("群机器人不收这条提醒（%d）", code)
        self._failures = 0
        return 0.0

    def _failed(self, reason: str, wait: float) -> float:
        if not self._failures:
            log.error("提醒没有发到群机器人（%s），稍后再试", reason)
        self._failures += 1
        return min(wait, self._pace.longest)
