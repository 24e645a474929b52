"""The self-built app: messages of members come in at the callback, the reply goes back with it, the rest is pushed."""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bot.channels.outbox import Outbox
from bot.channels.service import Post
from bot.channels.wecom import render
from bot.channels.wecom.callback import Callback
from bot.channels.wecom.xml import text_of
from bot.errors import StoreError
from bot.model import Message
from bot.querylog import deliveries
from bot.querylog.arrivals import known

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence

    from starlette.routing import BaseRoute

    from bot.channels.service import Handled, Service
    from bot.channels.wecom.api import Api
    from bot.channels.wecom.crypto import Crypto
    from bot.channels.wecom.push import Pusher
    from bot.channels.wecom.xml import Tree
    from bot.model import Reply
    from bot.querylog.deliveries import Delivery

NAME = "wecom"
PATH = "/wecom/callback"
ANSWER_SECONDS = 4.5
"""WeCom hangs up after five."""

_DRAIN_SECONDS = 3.5
_MAX_GREETED = 10_000
_BEIJING = dt.timezone(dt.timedelta(hours=8))
_GREETING_KEY = "welcome"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A message on its way in. `before` is pushed before the reply, and the reply with it."""

    message: Message
    at: str
    unread: bool = False
    before: tuple[render.Part, ...] = ()

    @property
    def id(self) -> str:
        return str(self.message.message_id)


class AppChannel:
    """Implements `channels.channel.Channel`. Without a pusher (no secret) there are passive replies alone.

    `elsewhere` takes the events that belong to another channel, by name.
    """

    name = NAME
    singleton = False

    def __init__(
        self,
        service: Service,
        crypto: Crypto,
        api: Api | None = None,
        pusher: Pusher | None = None,
        elsewhere: Mapping[str, Callable[[Tree], Awaitable[None]]] = MappingProxyType({}),
        answer_seconds: float = ANSWER_SECONDS,
    ) -> None:
        self._service, self._api, self._pusher = service, api, pusher
        self._elsewhere = elsewhere
        self._answer_seconds = answer_seconds
        self._callback = Callback(PATH, crypto, self._receive, self._known)
        self._outbox = Outbox(service.recorder, NAME, pusher.send, service.alerts) if pusher else None
        self._greeted: OrderedDict[str, tuple[str, str]] = OrderedDict()
        self._late: set[str] = set()
        self._tasks: set[asyncio.Task[Any]] = set()

    def routes(self) -> Sequence[BaseRoute]:
        """The callback."""
        return self._callback.routes()

    def health(self) -> dict[str, Any]:
        """Replies that wait to be pushed, and that were given up."""
        return {
            "status": "ok",
            "push": self._outbox is not None,
            **({} if self._outbox is None else self._outbox.health()),
        }

    async def run(self, stopping: asyncio.Event) -> None:
        """Push what waits until `stopping`, then what is in hand; raises ChannelRefusedError for a bad secret."""
        if self._api is None or self._outbox is None:
            await stopping.wait()
            return
        async with self._api:
            await self._api.log_in("REFORMBOT_WECOM_SECRET")
            pushing = asyncio.create_task(self._outbox.run())
            try:
                await stopping.wait()
                if self._tasks:
                    await asyncio.wait(self._tasks, timeout=_DRAIN_SECONDS)
                await self._outbox.drain(_DRAIN_SECONDS)
            finally:
                pushing.cancel()
                await asyncio.gather(pushing, return_exceptions=True)

    # --- what comes in -------------------------------------------------------------------------------------------

    async def _known(self, tree: Tree) -> bool:
        """Whether a message was taken already."""
        return await self._service.querylog.read(partial(known, channel=NAME, message_id=_id_of(tree)))

    async def _receive(self, tree: Tree) -> dict[str, object] | None:
        user, kind, event = (text_of(tree, name) for name in ("FromUserName", "MsgType", "Event"))
        if event in self._elsewhere:
            await self._elsewhere[event](tree)
        if not user:
            return None
        content = await (self._event(tree, user) if kind == "event" else self._message(tree, user))
        if content is None:
            return None
        head = {"ToUserName": user, "FromUserName": text_of(tree, "ToUserName"), "CreateTime": int(time.time())}
        return {**head, "MsgType": "text", "Content": content}

    async def _message(self, tree: Tree, user: str) -> str | None:
        message_id, readable = text_of(tree, "MsgId"), text_of(tree, "MsgType") == "text"
        if not message_id:
            return None
        message = Message(text_of(tree, "Content") if readable else "", NAME, user, message_id)
        return await self._ask(_Asked(message, _clock_time(tree), unread=not readable))

    async def _event(self, tree: Tree, user: str) -> str | None:
        """Welcome, menu or card; what comes again gets the same reply."""
        kind, key = text_of(tree, "Event"), text_of(tree, "EventKey")
        greeted = kind == "subscribe" or (kind == "click" and key == _GREETING_KEY)
        if greeted or (kind == "enter_agent" and self._is_new(user, text_of(tree, "CreateTime"))):
            return render.greeting(*self._service.welcome())
        if kind == "click":
            return await self._ask(_Asked(self._menu_item(key, tree, user), _clock_time(tree)))
        if kind == "template_card_event":
            return await self._button(key, tree, user)
        return None

    def _menu_item(self, key: str, tree: Tree, user: str) -> Message:
        """What an item of the app's menu stands for: an entry, or words to ask."""
        label = self._label(key)
        return Message(label or key, NAME, user, _id_of(tree), entry=key if label else None)

    async def _button(self, key: str, tree: Tree, user: str) -> str | None:
        """A button of a card: a verdict, or an entry to be told of. The buttons go, the reply is pushed."""
        code = text_of(tree, "ResponseCode")
        action, _, rest = key.partition(":")
        if action == "pick":
            label = self._label(rest) or rest or self._service.desk.book.texts["not_these"]
            message = Message(label, NAME, user, _id_of(tree), entry=rest)
            return await self._ask(_Asked(message, _clock_time(tree), before=(render.card_done(code, label),)))
        if action in {"up", "down"} and await self._service.judge(rest, action) and self._pusher:
            self._keep(self._pusher.update(render.card_done(code, render.THANKS), user))
        return None

    def _label(self, entry: str) -> str | None:
        """What an entry is called; None when there is none of this id."""
        desk = self._service.desk
        return desk.label(entry) if entry in desk.book.entries or entry in desk.book.faqs else None

    def _is_new(self, user: str, created: str) -> bool:
        """Whether this is the first entry of the day, or its retry."""
        today = dt.datetime.now(_BEIJING).date().isoformat()
        if self._greeted.get(user, ("", ""))[0] != today:
            self._greeted[user] = today, created
            self._greeted.move_to_end(user)
            while len(self._greeted) > _MAX_GREETED:
                self._greeted.popitem(last=False)
        return self._greeted[user][1] == created

    # --- what goes out -------------------------------------------------------------------------------------------

    async def _ask(self, asked: _Asked) -> str | None:
        """Have a message answered; the text for the response, or None when there is none in time."""
        answering = asyncio.create_task(self._service.handle(asked.message, partial(self._post, asked=asked)))
        if self._outbox is None:
            return self._passive(await answering)  # when it takes too long, one of the two retries finds it done
        await asyncio.wait({answering}, timeout=self._answer_seconds)
        if not answering.done():
            if asked.id not in self._late:
                self._late.add(asked.id)
                self._keep(self._push_late(answering, asked, self._outbox))
            return None
        handled = answering.result()
        if handled.fresh and handled.delivery is not None:
            self._outbox.add(handled.delivery)
        return None if asked.id in self._late else self._passive(handled)

    async def _push_late(self, answering: asyncio.Task[Handled], asked: _Asked, outbox: Outbox) -> None:
        """The response went out empty: push the whole reply as soon as it is there."""
        try:
            delivery = (await answering).delivery
            if delivery is None:
                return
            if _is_passive(delivery):
                delivery = await self._reopened(delivery, asked.message.user)
            outbox.add(delivery)
        finally:  # a retry that is on its way shall still find it here
            asyncio.get_running_loop().call_later(2 * self._answer_seconds, self._late.discard, asked.id)

    async def _reopened(self, delivery: Delivery, user: str) -> Delivery:
        """The reply with all its parts to be pushed."""
        whole = replace(delivery, target=user, receipts=(), state=deliveries.WAITING)
        if not delivery.id:
            return whole
        querylog, now = self._service.querylog, dt.datetime.now(dt.UTC)
        work = partial(deliveries.reopen, delivery_id=delivery.id, target=user, owner=querylog.owner, now=now)
        try:
            return await querylog.run(work)
        except StoreError:  # better pushed and not noted than never
            return whole

    def _passive(self, handled: Handled) -> str | None:
        """The text that goes back with the response: that of the stored reply, also for a retry."""
        delivery = handled.delivery
        if delivery is None or not _is_passive(delivery):
            return None
        return str(delivery.parts[0]["body"]["text"]["content"])

    def _post(self, reply: Reply, token: str, *, asked: _Asked) -> Post:
        if asked.unread:
            return Post(asked.message.user, (render.text(render.UNREAD),), passive=1)
        parts = render.app_parts(reply, token, asked.at, cards=self._outbox is not None)
        return Post(asked.message.user, (*asked.before, *parts), passive=0 if asked.before else 1)

    def _keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _is_passive(delivery: Delivery) -> bool:
    """Whether the first part goes back with the response; one that was pushed has the platform's word for it."""
    return bool(delivery.parts) and delivery.receipts[:1] == ("",)


def _id_of(tree: Tree) -> str:
    """The message's id; an event has none, so one is made of what it tells."""
    told = (text_of(tree, name) for name in ("FromUserName", "CreateTime", "Event", "EventKey", "TaskId"))
    made = hashlib.sha256("\0".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return text_of(tree, "MsgId") or made


def _clock_time(tree: Tree) -> str:
    """When a message was written, as Beijing's clocks show it."""
    created = text_of(tree, "CreateTime")
    seconds = int(created) if created.isascii() and created.isdecimal() and len(created) <= 10 else int(time.time())
    return dt.datetime.fromtimestamp(seconds, _BEIJING).strftime("%H:%M:%S")
