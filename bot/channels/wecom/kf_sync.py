"""One 微信客服 account: fetches what is new, in order, and remembers how far it came."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.channels.wecom.errors import FREQUENCY, ApiError
from bot.errors import StoreError
from bot.querylog.lead import alone

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.alerts import Alerts
    from bot.channels.wecom.api import Api
    from bot.querylog.store import QueryLog

_PAGE = 1000
_BAD_TOKEN = 95007
_ON_FIRST_START = 600.0
"""Seconds: what is older was meant for somebody before us."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
_EMPTY_WAITS = (0.0, 0.1, 0.5, 1.0)
_TROUBLE_AFTER = 3

log = logging.getLogger("reformbot.wecom")


@dataclass(frozen=True, slots=True)
class _Place:
    """How far an account was read: the platform's cursor, and the send time (seconds) from which on we answer."""

    cursor: str
    since: float


class KfAccount:
    """Calls `take(account, item)` for every message and event, one after the other; an item may come twice.

    The cursor is stored when all items of a page were taken. `take` raises StoreError or ApiError to be asked again.
    """

    def __init__(
        self,
        account: str,
        api: Api,
        querylog: QueryLog,
        alerts: Alerts,
        take: Callable[[str, dict[str, Any]], Awaitable[None]],
    ) -> None:
        self._account, self._api, self._log, self._alerts = account, api, querylog, alerts
        self._take = take
        self._key = f"wecom-kf/place/{account}"
        self._news = asyncio.Event()
        self._token = ""
        self._unstored: _Place | None = None
        self.failures = 0

    def wake(self, token: str) -> None:
        """There is something new; the token of the callback lets us fetch it."""
        self._token = token
        self._news.set()

    async def run(self, stopping: asyncio.Event) -> None:
        """Catch up now and after every wake, until `stopping`."""
        self._news.set()  # what came while nobody listened
        while not stopping.is_set():
            await _first_of(stopping, self._news)
            self._news.clear()
            try:
                async with alone(self._log, self._key):
                    await self._catch_up(stopping)
            except (ApiError, StoreError) as error:
                self._failed(error)
                await _first_of(stopping, self._news, seconds=self._wait(error))
                self._news.set()
            else:
                self._fine()

    async def _catch_up(self, stopping: asyncio.Event) -> None:
        """Page by page, until there is no more; a page that is cut short by `stopping` is read again next time."""
        place = self._unstored or await self._stored()
        empty = 0
        while not stopping.is_set():
            page = await self._fetch(place.cursor)
            for item in page["msg_list"]:
                if stopping.is_set():
                    return
                if item["send_time"] >= place.since:
                    await self._take(self._account, item)
            place = _Place(page.get("next_cursor") or place.cursor, place.since)
            await self._store(place)
            if not page.get("has_more"):
                return
            empty = 0 if page["msg_list"] else empty + 1
            await _first_of(stopping, seconds=_EMPTY_WAITS[min(empty, len(_EMPTY_WAITS) - 1)])

    async def _fetch(self, cursor: str) -> dict[str, Any]:
        body = {"open_kfid": self._account, "limit": _PAGE, "cursor": cursor, "token": self._token}
        token = self._token
        try:
            return await self._page({name: value for name, value in body.items() if value})
        except ApiError as error:
            if error.code != _BAD_TOKEN or not token:
                raise
        self._token = "" if self._token == token else self._token
        return await self._fetch(cursor)

    async def _page(self, body: dict[str, Any]) -> dict[str, Any]:
        """One page; what is no item at all is left out."""
        answer = await self._api.call("kf/sync_msg", body)
        items = answer.get("msg_list") or []
        dated = [item for item in items if isinstance(item, dict) and isinstance(item.get("send_time"), int)]
        return {**answer, "msg_list": dated}

    async def _stored(self) -> _Place:
        found = await self._log.get(self._key)
        if found is None:
            return _Place("", time.time() - _ON_FIRST_START)
        return _Place(**json.loads(found))

    async def _store(self, place: _Place) -> None:
        """Remember how far we came; a log that is away does not make us answer a second time."""
        try:
            await self._log.put(self._key, json.dumps({"cursor": place.cursor, "since": place.since}))
            self._unstored = None
        except StoreError as error:
            log.error("the cursor of a 微信客服 account could not be stored: %s", error)
            self._unstored = place

    def _wait(self, error: Exception) -> float:
        if isinstance(error, ApiError) and error.code == FREQUENCY:
            return _LONGEST_WAIT
        return min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(self.failures, 10))

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        log.info("messages of 微信客服 could not be fetched: %s", error)
        if self.failures == _TROUBLE_AFTER:
            self._alerts.start("wecom-kf-sync", "微信客服的消息取不到，正在重试")

    def _fine(self) -> None:
        if self.failures:
            self.failures = 0
            self._alerts.end("wecom-kf-sync")


async def _first_of(*events: asyncio.Event, seconds: float | None = None) -> None:
    """Wait until one of the events is set, at most so long."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    try:
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in waiting:
            task.cancel()
