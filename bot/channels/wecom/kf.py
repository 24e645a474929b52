"""微信客服: citizens write in WeChat; a callback tells that there is news, sync_msg brings it, send_msg answers."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import logging
import time
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.channels.outbox import Outbox
from bot.channels.service import Post
from bot.channels.wecom import render
from bot.channels.wecom.callback import Callback
from bot.channels.wecom.errors import ApiError
from bot.channels.wecom.kf_humans import Humans
from bot.channels.wecom.kf_send import WITH_HUMAN, KfSender, target_of
from bot.channels.wecom.kf_sync import KfAccount
from bot.channels.wecom.xml import text_of
from bot.errors import StoreError
from bot.model import Message
from bot.querylog import deliveries
from bot.text.normalise import normalise
from bot.understand.talk import recognise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute

    from bot.channels.service import Service
    from bot.channels.wecom.api import Api
    from bot.channels.wecom.crypto import Crypto
    from bot.channels.wecom.xml import Tree
    from bot.model import Reply

NAME = "wecom-kf"
PATH = "/wecom/kf"
NOTICE = "kf_msg_or_event"

_ACCOUNTS = "wecom-kf/accounts"
_ANSWERABLE = dt.timedelta(hours=48)
_WELCOME_SECONDS = 20.0
_TRUSTED_SECONDS = 30.0
"""So long after a request for a human nobody is asked whether there is one."""
_DRAIN_SECONDS = 5.0
_CUSTOMER, _SYSTEM = 3, 4
_ENDED = 3
"""`change_type` of a session that a colleague closed."""
_HUMAN = "human"
"""The small talk that asks for a person."""
_NOTED = "谢谢，您的评价记下了。"

log = logging.getLogger("reformbot.wecom")


class KfChannel:
    """Implements `channels.channel.Channel`. `accounts` are the only ones answered; empty: all that call.

    Every replica takes notices; they read an account one after the other.
    """

    name = NAME
    singleton = False

    def __init__(
        self,
        service: Service,
        crypto: Crypto,
        api: Api,
        accounts: Sequence[str] = (),
    ) -> None:
        self._service, self._api = service, api
        self._only = frozenset(accounts)
        self._callback = Callback(PATH, crypto, self.notice, _never)
        self._humans = Humans(service.querylog)
        self._sender = KfSender(api, self._humans)
        self._outbox = Outbox(service.recorder, NAME, self._sender.send, service.alerts, _ANSWERABLE)
        self._accounts = {account: self._account(account) for account in accounts}
        self._group: asyncio.TaskGroup | None = None
        self._stopping = asyncio.Event()

    def routes(self) -> Sequence[BaseRoute]:
        """The callback."""
        return self._callback.routes()

    def health(self) -> dict[str, Any]:
        """Accounts that are read, and replies that wait or were given up."""
        failing = any(account.failures for account in self._accounts.values())
        status = "degraded" if failing else "ok"
        return {"status": status, "accounts": len(self._accounts), **self._outbox.health()}

    async def run(self, stopping: asyncio.Event) -> None:
        """Read every account until `stopping`, then send what is in hand; ChannelRefusedError for a bad secret."""
        async with self._api:
            await self._api.log_in("REFORMBOT_WECOM_KF_SECRET")
            sending = asyncio.create_task(self._outbox.run())
            try:
                await self._read(stopping)
                await self._outbox.drain(_DRAIN_SECONDS)
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)

    async def _read(self, stopping: asyncio.Event) -> None:
        self._stopping = stopping
        for account in [] if self._only else await self._known():
            self._accounts.setdefault(account, self._account(account))
        try:
            async with asyncio.TaskGroup() as self._group:
                for reading in self._accounts.values():
                    self._group.create_task(reading.run(stopping))
                await stopping.wait()
        finally:
            self._group = None

    # --- accounts ------------------------------------------------------------------------------------------------

    async def notice(self, tree: Tree) -> None:
        """A notice without content; it names the account and lends a token to read it with."""
        account = text_of(tree, "OpenKfId")
        if text_of(tree, "Event") != NOTICE or not account or (self._only and account not in self._only):
            return
        if account not in self._accounts:
            await self._remember(account)
        self._accounts[account].wake(text_of(tree, "Token"))

    async def _known(self) -> list[str]:
        found: list[str] = json.loads(await self._service.querylog.get(_ACCOUNTS) or "[]")
        return found

    async def _remember(self, account: str) -> None:
        """Read one more account, also after a restart."""
        self._accounts[account] = self._account(account)
        if self._group is not None:
            self._group.create_task(self._accounts[account].run(self._stopping))
        known = await self._known()
        await self._service.querylog.put(_ACCOUNTS, json.dumps(sorted({*known, account})))

    def _account(self, account: str) -> KfAccount:
        return KfAccount(account, self._api, self._service.querylog, self._service.alerts, self._take)

    # --- what comes in -------------------------------------------------------------------------------------------

    async def _take(self, account: str, item: dict[str, Any]) -> None:
        """One message or event; what we cannot read is passed over, lest it stop all that comes after it."""
        try:
            if item.get("origin") == _CUSTOMER:
                await self._customer(account, item)
            elif item.get("origin") == _SYSTEM:
                await self._event(account, item)
        except (StoreError, ApiError):
            raise
        except Exception as error:  # its text may quote the citizen
            log.error("an item of 微信客服 could not be read: %s", type(error).__name__)

    async def _customer(self, account: str, item: dict[str, Any]) -> None:
        user, text = item["external_userid"], item.get("text") or {}
        target = target_of(account, user)
        if time.time() - item["send_time"] > _ANSWERABLE.total_seconds():
            return
        self._sender.budget.heard(target, item["send_time"])
        if await self._with_human(account, user):
            return
        action, _, rest = text.get("menu_id", "").partition(":")
        if action in {"up", "down"}:
            if await self._service.judge(rest, action):
                self._start(self._sender.thank(account, user, item["msgid"], _NOTED))
            return
        entry = rest if action == "pick" else None
        message = Message(text.get("content", ""), NAME, user, item["msgid"], entry=entry)
        await self._ask(message, target, unread=item["msgtype"] != "text")

    async def _ask(self, message: Message, target: str, unread: bool) -> None:
        wants_human = recognise(normalise(message.text), self._service.desk.lexicon) == _HUMAN
        draft = partial(_post, target=target, unread=unread, hand_over=wants_human)
        handled = await self._service.handle(message, draft)
        delivery = handled.delivery
        if delivery is None:
            return
        if wants_human and (handled.fresh or delivery.state == deliveries.WAITING):
            await self._humans.begin(target, time.time())
        if handled.fresh:
            self._outbox.add(delivery)

    async def _with_human(self, account: str, user: str) -> bool:
        """Whether the bot must keep silent; the platform is asked, as a session can end without a word."""
        target = target_of(account, user)
        since = await self._humans.since(target)
        if since is None:
            return False
        if time.time() - since < _TRUSTED_SECONDS:
            return True
        try:
            if await self._sender.state(account, user) in WITH_HUMAN:
                return True
        except ApiError:
            return True
        await self._humans.end(target)
        return False

    async def _event(self, account: str, item: dict[str, Any]) -> None:
        event = item["event"]
        kind, user = event["event_type"], event.get("external_userid", "")
        if kind == "enter_session":
            fresh = time.time() - item["send_time"] < _WELCOME_SECONDS
            if event.get("welcome_code") and fresh:
                part = render.kf_welcome(*self._service.welcome())
                self._start(self._sender.welcome(event["welcome_code"], part))
        elif kind == "session_status_change" and event.get("change_type") == _ENDED:
            await self._humans.end(target_of(account, user))
        elif kind == "session_status_change":
            await self._humans.begin(target_of(account, user), item["send_time"])
        elif kind == "msg_send_fail":
            await self._undelivered(event)

    async def _undelivered(self, event: dict[str, Any]) -> None:
        """The platform took a message and did not bring it: the reply counts as failed."""
        reason = f"msg_send_fail {event.get('fail_type')}"
        token = str(event["fail_msgid"]).rpartition("-")[0]
        await self._service.recorder.note(deliveries.Note(token, (), deliveries.FAILED, reason))
        self._service.alerts.tell(
            "wecom-kf-undelivered", f"微信客服有一条回复没有送到（原因 {event.get('fail_type')}）"
        )

    def _start(self, work: Any) -> None:
        """Do something beside the reading."""
        assert self._group is not None
        self._group.create_task(work)


async def _never(_tree: Tree) -> bool:
    """Notices are not kept: an old one has nothing to say."""
    return False


def _post(reply: Reply, token: str, *, target: str, unread: bool, hand_over: bool) -> Post:
    """The parts, numbered: the numbers become part of their ids."""
    if unread:
        parts = [render.text(render.UNREAD, render.KF_SEND)]
    else:
        parts = [render.hand_over()] if hand_over else render.kf_parts(reply, token)
    return Post(target, tuple({**part, "number": number} for number, part in enumerate(parts, 1)))
