"""The program: one desk, one log, one gate. Takes a message from any channel and never lets it fail."""

from __future__ import annotations

import asyncio
import datetime as dt
import gc
import logging
import secrets
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.alerts import Alerts
from bot.answer import give
from bot.channels.service import Handled
from bot.desk import Desk
from bot.errors import StoreError
from bot.following import after_reload
from bot.gaps.keeper import Keeper
from bot.gate import Duplicates, Verdict
from bot.handling import fixed, posted
from bot.handling import payload as payload_of
from bot.knowledge.book import load_or_raise
from bot.knowledge.place import default_folder
from bot.memory import Memory
from bot.metrics import Metrics
from bot.model import Reply, Status
from bot.querylog import backup as backups
from bot.querylog import privacy
from bot.querylog.arrivals import Arrival
from bot.querylog.deliveries import unstored
from bot.querylog.recorder import Recorder
from bot.querylog.spool import Spool
from bot.querylog.store import QueryLog
from bot.record import row as row_of
from bot.redact import redact
from bot.reload import Reloaded, Reloader
from bot.replies import Made, Replies
from bot.switch import Switch
from bot.watch import ErrorRate, watching

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from bot.channels.service import Draft, Mailbox
    from bot.model import Message, Turn
    from bot.settings import Settings

_PURGE_EVERY = 6 * 3600.0
_FEEDBACK_CHARACTERS = 400
_KEY_SECONDS = 1.0
"""With what the recorder takes after it, less than the patience of a platform: what it takes back must be stored."""
_MOST_IN_HAND = 500
"""Questions that are answered and written at once, of all users together; further ones get a polite word."""
_NOBODY = "unknown"
"""Stands for a user while the key to hash users with cannot be had."""

log = logging.getLogger("reformbot")


class App:
    """Implements `channels.service.Service`. `now` is the wall clock, `tick` a monotonic one in seconds."""

    def __init__(
        self,
        settings: Settings,
        desk: Desk,
        querylog: QueryLog,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.desk = desk
        self.querylog = querylog
        self.duplicates: Duplicates[Handled] = Duplicates()
        self.memory = Memory(querylog, settings.rate_limit_user, settings.rate_limit_address)
        self.replies = Replies()
        self.in_hand = 0
        self.alerts = Alerts()
        self.errors = ErrorRate(self.alerts)
        self.channels: dict[str, Callable[[], dict[str, Any]]] = {}
        self.recorder = Recorder(querylog, Spool(settings.spool_file()), self.alerts)
        self.metrics = Metrics(self.health)
        self.mailboxes: dict[str, Mailbox] = {}
        self.switch = Switch(querylog)
        self.reloader = Reloader(settings.knowledge or default_folder())
        self.gaps = Keeper(querylog, now)
        self.after_swap: list[Callable[[App], Awaitable[object]]] = [after_reload, self.gaps.after_swap]
        self._now, self._tick = now, tick

    async def handle(self, message: Message, draft: Draft | None = None, reply: Reply | None = None) -> Handled:
        """Answer one message; a second delivery of it gets the same reply, also while the first is being made."""
        if self.in_hand >= _MOST_IN_HAND:
            return self._turned_away(message, draft)
        self.in_hand += 1
        try:
            return await self._once(message, draft, reply)
        finally:
            self.in_hand -= 1

    async def _once(self, message: Message, draft: Draft | None, reply: Reply | None) -> Handled:
        if not message.message_id:
            return await self._handle(message, draft, reply)
        made = False

        async def make() -> Handled:
            nonlocal made
            made = True
            return await self._handle(message, draft, reply)

        handled = await self.duplicates.once(message.channel, message.message_id, self._tick(), make)
        return handled if made else replace(handled, fresh=False)

    async def _handle(self, message: Message, draft: Draft | None, said: Reply | None) -> Handled:
        """Gate, answer, record. Whatever goes wrong becomes a polite reply, and a row wherever that is possible."""
        begun = time.perf_counter()
        user, now, tick = await self._user_key(message), self._now(), self._tick()
        verdict = await self.memory.admit(message, user, now, tick)
        earlier = await self.memory.turns(message, user, now, tick) if verdict is Verdict.OK else ()
        start = time.perf_counter()
        desk = self.desk  # one to the end, whatever is swapped meanwhile
        admitted = verdict is Verdict.OK
        if not admitted:
            made = Made(fixed(Status.LIMITED, "limited", desk))
        else:
            made = self._made(message, earlier, desk) if said is None else Made(said)
        reply = made.reply
        took_ms = (time.perf_counter() - start) * 1000
        self.errors.note(reply.status is Status.ERROR)
        payload = payload_of(message, reply, took_ms)
        if verdict is Verdict.LIMITED_SILENT:  # one row a minute tells of a flood
            return Handled(payload, reply)
        post = None if draft is None else posted(reply, draft)
        turns = self.memory.add(message, earlier, reply.turn, tick) if admitted else ()
        row = row_of(message, user, reply, desk.book.version, took_ms, now, made.words)
        taken = await self.recorder.take(Arrival(row, message.also, post, turns))
        self.metrics.asked(message.channel, str(reply.status), took_ms / 1000, time.perf_counter() - begun)
        if taken is None:
            return Handled(payload, reply, delivery=unstored(message.channel, post, now))
        payload["id"] = taken.id or None
        return Handled(payload, reply, taken.fresh, taken.delivery)

    def _turned_away(self, message: Message, draft: Draft | None) -> Handled:
        """Too many questions are in hand: one polite word a minute to each user, and no work beyond that."""
        reply = fixed(Status.LIMITED, "limited", self.desk)
        self.metrics.happened("crowd", "limited")
        payload = payload_of(message, reply, 0.0)
        verdict = self.memory.gate.refuse(f"{message.channel}:{message.user}", self._tick())
        if draft is None or verdict is Verdict.LIMITED_SILENT:
            return Handled(payload, reply)
        return Handled(payload, reply, delivery=unstored(message.channel, posted(reply, draft), self._now()))

    def _made(self, message: Message, turns: tuple[Turn, ...], desk: Desk) -> Made:
        today, paused = self._now().date(), self.switch.paused
        if paused.everything:
            return Made(replace(fixed(Status.NONE, "paused_all", desk), reason="机器人暂停回答"))
        try:
            if message.entry is not None:
                return Made(give(message.entry, message.text, desk, today, paused.entries))
            return self.replies.made(message.text, desk, turns, today, message.home, paused.entries)
        except Exception:
            log.exception("a question could not be answered")
            return Made(fixed(Status.ERROR, "error", desk))

    async def _user_key(self, message: Message) -> str:
        if message.passing:
            return secrets.token_hex(8)  # as good as a key of somebody who comes once
        try:
            async with asyncio.timeout(_KEY_SECONDS):
                return await self.querylog.user_key(message.channel, message.user)
        except (StoreError, TimeoutError):
            return _NOBODY

    async def preview(self, message: Message) -> Reply:
        """The reply that a message would get now; nothing is counted, remembered or stored."""
        user, now, tick = await self._user_key(message), self._now(), self._tick()
        return self._made(message, await self.memory.turns(message, user, now, tick), self.desk).reply

    async def feedback(self, row_id: int, verdict: str, message: Message) -> bool:
        """Store 👍 or 👎 with its row; false when the row is not this user's."""
        now = self._now()
        try:
            for moment in (now, now.replace(day=1) - dt.timedelta(days=1)):  # keys change with the month
                user = await self.querylog.user_key(message.channel, message.user, moment)
                if await self.querylog.verdict(row_id, verdict, user):
                    self.metrics.judged(verdict)
                    return True
            return False
        except StoreError:
            log.error("a verdict could not be stored")
            return False

    async def judge(self, token: str, verdict: str | None, reasons: tuple[str, ...] = (), text: str = "") -> bool:
        """Store 👍 or 👎, or take it back (None), with the row that this token stands for."""
        try:
            known = await self.querylog.judge(token, verdict, reasons, redact(text[:_FEEDBACK_CHARACTERS]))
        except StoreError:
            log.error("a verdict could not be stored")
            return False
        if known:
            self.metrics.judged(verdict)
        return known

    def metrics_text(self) -> bytes:
        """The numbers for Prometheus."""
        return self.metrics.exposition()

    def ready(self) -> bool:
        """Whether this process should get questions: its knowledge is loaded, and it can keep what is asked."""
        return not self.querylog.lost() and not self.recorder.full

    async def forget(self, channel: str, user: str) -> int:
        """Delete everything stored or remembered of a user; how many questions that were. Raises StoreError."""
        self.memory.forget(channel, user)
        self.replies.clear()
        return await privacy.forget(self.querylog, channel, user)

    def health(self) -> dict[str, Any]:
        """State of the process: knowledge version, entries, rows that wait for the log or are lost, and why."""
        lost = self.querylog.lost()
        return {
            "status": "degraded" if lost else "ok",
            "knowledge": self.desk.book.version,
            "entries": len(self.desk.book.entries),
            "in_hand": self.in_hand,
            **self.recorder.health(),
            **({"reason": "查询日志的文件被移走或换掉了，请重启"} if lost else {}),
            **({"channels": {name: tell() for name, tell in self.channels.items()}} if self.channels else {}),
            **({"paused": self.switch.paused.as_lines()} if self.switch.paused.pauses else {}),
            **({"alerts": self.alerts.states} if self.alerts.states else {}),
        }

    def welcome(self) -> tuple[str, list[str]]:
        """Greeting and example questions."""
        texts = self.desk.book.texts
        return texts["welcome"], [texts[name] for name in sorted(texts) if name.startswith("example_")]

    async def swap(self, desk: Desk) -> None:
        """Answer from another desk from now on, and tell those who wait for it; questions in hand keep theirs."""
        self.desk = desk
        self.replies.clear()
        for hook in self.after_swap:
            try:
                await hook(self)
            except Exception:
                log.exception("a hook after the swap failed")

    async def reload(self) -> Reloaded:
        """Take in the knowledge folder as it stands; on any error the old knowledge stays and the admin is told."""
        found = await self.reloader.make(self.desk.book.version, self._now().date())
        if not found.ok:
            log.error("%s", found.text)
            self.alerts.start("knowledge", found.text)
            self.metrics.happened("reload", "refused")
            return found
        self.alerts.end("knowledge")
        if found.desk is not None:
            log.warning("%s", found.text)
            await self.swap(found.desk)
        self.metrics.happened("reload")
        return found

    async def purge_for_ever(self) -> None:
        """Delete what is older than the retention, at start and every six hours."""
        while True:
            before = self._now() - dt.timedelta(days=self.settings.retention_days)
            try:
                await self.querylog.tally()
                await self.querylog.purge(before)
                folder = backups.folder_for(self.settings.database_url)
                await asyncio.to_thread(backups.prune, folder, self._now(), self.settings.retention_days)
            except StoreError:
                log.error("old questions could not be purged")
            await asyncio.sleep(_PURGE_EVERY)


def build_desk(settings: Settings) -> Desk:
    """Load and compile the knowledge; raise KnowledgeError with the whole report."""
    desk = Desk(load_or_raise(settings.knowledge or default_folder()))
    gc.collect()
    gc.freeze()  # the index lives as long as the process: no collection need walk it
    return desk


@asynccontextmanager
async def running(settings: Settings, desk: Desk) -> AsyncIterator[App]:
    """An App with its log open and its purge running; closes both."""
    querylog, damaged = await QueryLog.open_or_set_aside(settings.database_url)
    app = App(settings, desk, querylog)
    await app.switch.refresh()
    refreshing = app.gaps.keep(lambda: app.desk)
    works = (app.purge_for_ever(), app.recorder.keep_draining(), app.switch.follow(), refreshing)
    chores = [asyncio.create_task(work) for work in works]
    try:
        async with watching(settings, querylog, app.alerts):
            if damaged:
                app.alerts.tell("log-damaged", f"查询日志损坏，已改名为 {damaged.name}，另建了新的；请从备份恢复")
            yield app
    finally:
        for chore in chores:
            chore.cancel()
        await asyncio.gather(*chores, return_exceptions=True)
        await app.recorder.settle()
        await querylog.close()
