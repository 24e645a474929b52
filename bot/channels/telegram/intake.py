"""Updates in, by polling or by webhook: confirmed to Telegram only when they are taken."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import json
import logging
import random
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from starlette.responses import JSONResponse, Response
from telegram import Update
from telegram.error import BadRequest, Conflict, InvalidToken, TelegramError

from bot.channels.telegram.updates import ALLOWED, lane
from bot.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.requests import Request
    from telegram import Bot

    from bot.alerts import Alerts

LONG_POLL = 25
"""Seconds that Telegram waits for news."""

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
_SECRET = "X-Telegram-Bot-Api-Secret-Token"
_ALERT = "telegram-intake"

log = logging.getLogger("reformbot.telegram")


class Intake:
    """Takes updates in the order of each chat, chats side by side. `problem` says, in Chinese, what is wrong now."""

    def __init__(self, bot: Bot, take: Callable[[Update], Awaitable[None]], alerts: Alerts) -> None:
        self._bot, self._take, self._alerts = bot, take, alerts
        self._lanes: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._wait = _FIRST_WAIT
        self.problem = ""

    async def one(self, update: Update) -> None:
        """Take one update, after those of its chat that came before; raises StoreError when it is to come again."""
        lock = self._lanes.setdefault(lane(update), asyncio.Lock())
        async with lock:
            await self._take(update)

    async def _all(self, updates: Sequence[Update]) -> bool:
        """Take several updates; False, after a while, when the log does not take them: they come again."""
        taken = await asyncio.gather(*(self.one(update) for update in updates), return_exceptions=True)
        errors = [error for error in taken if isinstance(error, BaseException)]
        if errors:
            await asyncio.sleep(self.trouble(errors[0]))
        return not errors

    async def poll(self, stopping: asyncio.Event) -> None:
        """Ask for updates until `stopping`. The next request, at the end a last one, confirms what was taken."""
        offset: int | None = None
        while not stopping.is_set():
            updates = await self._until(stopping, self._ask(offset, LONG_POLL))
            if updates and await self._all(updates):
                offset = updates[-1].update_id + 1
        if offset is not None:
            with contextlib.suppress(TelegramError):
                await self._bot.get_updates(offset, limit=1, timeout=0, read_timeout=1, allowed_updates=ALLOWED)

    async def _until(self, stopping: asyncio.Event, asking: Awaitable[Sequence[Update]]) -> Sequence[Update]:
        """The updates, or none when it is time to stop."""
        asked, stopped = asyncio.ensure_future(asking), asyncio.ensure_future(stopping.wait())
        await asyncio.wait({asked, stopped}, return_when=asyncio.FIRST_COMPLETED)
        stopped.cancel()
        if not asked.done():
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            return ()
        return asked.result()

    async def _ask(self, offset: int | None, seconds: int) -> Sequence[Update]:
        """The next updates; none, after a while, when Telegram does not answer."""
        try:
            found = await self._bot.get_updates(offset, timeout=seconds, allowed_updates=ALLOWED)
        except Exception as error:
            await asyncio.sleep(self.trouble(error))
            return ()
        self.fine()
        return found

    def trouble(self, error: BaseException) -> float:
        """Say what is wrong; returns the seconds to wait, more each time, with jitter."""
        self.problem = meaning(error)
        log.info("telegram: %s", type(error).__name__)
        self._alerts.start(_ALERT, f"Telegram：{self.problem}，正在重试")
        wait, self._wait = self._wait * random.uniform(0.5, 1.0), min(_LONGEST_WAIT, self._wait * 2)
        return wait

    def fine(self) -> None:
        """It works."""
        self.problem, self._wait = "", _FIRST_WAIT
        self._alerts.end(_ALERT)


def meaning(error: BaseException) -> str:
    """What an error means for an operator, without anything secret."""
    if isinstance(error, StoreError):
        return "收到的消息记不下来"
    if isinstance(error, Conflict):
        return "另一个程序在用同一个机器人收消息"
    if isinstance(error, InvalidToken):
        return "令牌被拒绝"
    if isinstance(error, BadRequest):
        return f"请求被拒绝（{error.message}）"
    return "连不上，或者对方出错"


class Webhook:
    """`POST /telegram/webhook`: 200 means that the update is taken."""

    def __init__(self, bot: Bot, secret: str, one: Callable[[Update], Awaitable[None]], ready: asyncio.Event) -> None:
        self._bot, self._secret, self._one, self._ready = bot, secret.encode(), one, ready

    async def receive(self, request: Request) -> Response:
        """Take one update; 403 without the secret, 400 for what is no update, 503 before the start."""
        given = request.headers.get(_SECRET, "").encode("utf-8", "replace")
        if not hmac.compare_digest(given, self._secret):
            return JSONResponse({"error": "没有权限。"}, 403)
        update = self._parsed(await request.body())
        if update is None:
            return JSONResponse({"error": "内容不是 Telegram 的更新。"}, 400)
        if not self._ready.is_set():
            return JSONResponse({"error": "还没准备好。"}, 503, {"Retry-After": "1"})
        try:
            await self._one(update)
        except StoreError:
            return JSONResponse({"error": "现在记不下来。"}, 503, {"Retry-After": "1"})
        return JSONResponse({"ok": True})

    def _parsed(self, body: bytes) -> Update | None:
        try:
            data = json.loads(body)
            return Update.de_json(data, self._bot) if isinstance(data.get("update_id"), int) else None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
