"""The AI bot as a channel: callbacks in, replies out on the same connection, or pushed when that is gone."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import secrets
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.channels.outbox import Outbox
from bot.channels.wecom.aibot import frames, replies
from bot.channels.wecom.aibot.connection import LostError, NotAcceptedError, SilentError, Timing
from bot.channels.wecom.aibot.lanes import Lanes
from bot.channels.wecom.aibot.line import Line, State
from bot.channels.wecom.aibot.sender import Sender
from bot.errors import StoreError
from bot.gate import Duplicates
from bot.model import Block, Message, Reply, Status
from bot.querylog import deliveries
from bot.querylog.deliveries import Delivery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute

    from bot.channels.service import Draft, Service
    from bot.channels.wecom.aibot.connection import Connection
    from bot.channels.wecom.aibot.frames import Body, Frame

NAME = "wecom-aibot"
_TAKE_SECONDS, _SEND_SECONDS = 1.5, 4.0
_VERDICTS = {1: "up", 2: "down", 3: None}
_REASONS = {"1": "与问题无关", "2": "内容不完整", "3": "内容有错误", "4": "数据分析错误"}
_ONLY_WORDS = Reply(Status.SMALLTALK, (Block("summary", "我只看得懂文字和语音，请打字问我。"),))

log = logging.getLogger("reformbot")


def make(service: Service, timing: Timing | None = None) -> AiBot | None:
    """The channel, when its settings are set."""
    settings = service.settings
    if settings.wecom_bot_id is None or settings.wecom_bot_secret is None:
        return None
    credentials = settings.wecom_bot_id, settings.wecom_bot_secret.get_secret_value()
    return AiBot(service, settings.wecom_bot_ws_url, credentials, timing or Timing())


class AiBot:
    """Implements `channels.channel.Channel`."""

    name = NAME
    singleton = True

    def __init__(self, service: Service, url: str, credentials: tuple[str, str], timing: Timing) -> None:
        self._service = service
        self._line = Line(url, credentials, self._receive, service.alerts, timing)
        self._sender = Sender(self._line)
        self._outbox = Outbox(service.recorder, NAME, self._sender.send, service.alerts)
        self._lanes = Lanes()
        self._heard: Duplicates[None] = Duplicates()

    def routes(self) -> Sequence[BaseRoute]:
        """None: the bot calls the platform, never the other way round."""
        return ()

    def health(self) -> dict[str, Any]:
        """The line's state, how often it was made, and the replies that wait."""
        state = self._line.state
        status = "ok" if state in {State.CONNECTED, State.STANDBY} else "degraded"
        return {"status": status, "line": str(state), "connections": self._line.connections, **self._outbox.health()}

    async def run(self, stopping: asyncio.Event) -> None:
        """Hold the line until `stopping`; then answer what was taken and hang up. The next start sends what is left."""
        line = asyncio.create_task(self._line.run())
        claiming = asyncio.create_task(self._outbox.run())
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait({line, claiming, stop}, return_when=asyncio.FIRST_COMPLETED)
            await self._lanes.settle(_TAKE_SECONDS)
            if self._line.connection is not None:
                await self._outbox.drain(_SEND_SECONDS)
        finally:
            ended = [task.exception() for task in (line, claiming) if task.done()]
            for task in (line, claiming, stop):
                task.cancel()
            await asyncio.wait({line, claiming, stop})
            await self._lanes.settle(_TAKE_SECONDS)
            await self._outbox.drain(0)
        for error in ended:
            if error is not None:
                raise error

    # --- in ------------------------------------------------------------------------------------------------------

    def _receive(self, connection: Connection, frame: Frame) -> None:
        """In order within a chat; a callback that comes twice is worked on once."""
        once = partial(self._once, connection, frame)
        self._lanes.add(frame.body.chat, once)

    async def _once(self, connection: Connection, frame: Frame) -> None:
        work = partial(self._work, connection, frame)
        await self._heard.once(NAME, frame.body.msgid or None, time.monotonic(), work)

    async def _work(self, connection: Connection, frame: Frame) -> None:
        kind = frame.body.event.eventtype
        if frame.cmd == frames.MESSAGE:
            await self._asked(connection, frame)
        elif kind == frames.ENTER:
            await self._entered(connection, frame)
        elif kind == frames.CLICK:
            await self._clicked(connection, frame)
        elif kind == frames.FEEDBACK:
            await self._judged(frame.body)

    async def _asked(self, connection: Connection, frame: Frame) -> None:
        body, draft = frame.body, replies.draft(frame.body.chat, connection.id, frame.headers.req_id)
        if body.words or body.msgtype in {"text", "voice"}:
            await self._answer(body, body.words, None, draft)
        else:
            self._outbox.add(_unstored(draft))

    async def _answer(self, body: Body, text: str, entry: str | None, draft: Draft) -> None:
        """Take one question: it is in the log, with its reply, before anything is sent."""
        user = body.sender.userid if not body.in_group else f"{body.sender.userid}@{body.chatid}"
        message = Message(text, channel=NAME, user=user, message_id=body.msgid or None, entry=entry)
        handled = await self._service.handle(message, draft)
        if handled.fresh and handled.delivery is not None:
            self._outbox.add(handled.delivery)

    async def _entered(self, connection: Connection, frame: Frame) -> None:
        greeting, examples = self._service.welcome()
        await self._at_once(connection, frames.WELCOME, replies.welcome(greeting, examples), frame)

    async def _clicked(self, connection: Connection, frame: Frame) -> None:
        """Show at once what was picked, then answer it; a click cannot be replied to, so the answer is pushed."""
        click = frame.body.event.template_card_event
        entry = "" if click.event_key == replies.NOT_THESE else click.event_key
        label = self._label(entry)
        shown = await self._card(click.task_id)
        card = (
            replies.picked(shown, click.event_key, label)
            if shown
            else replies.lone(click.event_key, label, click.task_id)
        )
        update = {"response_type": "update_template_card", "template_card": card}
        await self._at_once(connection, frames.UPDATE, update, frame)
        await self._answer(frame.body, label, entry, replies.draft(frame.body.chat))

    def _label(self, entry: str) -> str:
        book = self._service.desk.book
        if not entry:
            return book.texts["not_these"]
        return self._service.desk.label(entry) if entry in book.entries or entry in book.faqs else "已经撤下的条目"

    async def _card(self, task: str) -> dict[str, Any] | None:
        """The card as it was sent, unless that is too long ago."""
        try:
            found = await self._service.querylog.read(partial(deliveries.by_token, token=task))
        except StoreError:
            return None
        return next((part["card"] for part in (found.parts if found else ()) if "card" in part), None)

    async def _judged(self, body: Body) -> None:
        opinion = body.event.feedback_event
        if opinion.type not in _VERDICTS:
            return
        reasons = tuple(_REASONS.get(str(code), str(code)) for code in opinion.inaccurate_reason_list)
        known = await self._service.judge(opinion.id, _VERDICTS[opinion.type], reasons, opinion.content)
        if not known:
            log.info("企业微信智能机器人：有一条评价找不到它的答复")

    # --- out -----------------------------------------------------------------------------------------------------

    async def _at_once(self, connection: Connection, cmd: str, said: dict[str, Any], frame: Frame) -> None:
        """What is worth saying within seconds, or not at all."""
        self._sender.count(frame.body.chat)
        try:
            await connection.request(cmd, said, frame.headers.req_id)
        except (LostError, SilentError, NotAcceptedError) as error:
            log.warning("企业微信智能机器人：%s 没有成功（%s %s）", cmd, type(error).__name__, error)


def _unstored(draft: Draft) -> Delivery:
    """What is said to a picture: no question, so nothing for the log."""
    token = secrets.token_urlsafe(12)
    post = draft(_ONLY_WORDS, token)
    now = dt.datetime.now(dt.UTC)
    return Delivery(0, None, NAME, token, post.target, post.parts, (), deliveries.WAITING, now)
