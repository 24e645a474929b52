"""The Telegram channel: starts, works until it is told to stop, and then finishes what is in hand."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any

from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from telegram import Bot, BotCommand, BotCommandScopeChat
from telegram.error import InvalidToken, TelegramError
from telegram.request import HTTPXRequest

from bot.channels.outbox import Outbox
from bot.channels.service import Post
from bot.channels.telegram import words
from bot.channels.telegram.buttons import UNFOLLOW, pack
from bot.channels.telegram.commands import CHANNEL
from bot.channels.telegram.fragments import Fragments
from bot.channels.telegram.indicator import Indicator
from bot.channels.telegram.intake import Intake, Webhook
from bot.channels.telegram.listener import Listener
from bot.channels.telegram.pace import Pace
from bot.channels.telegram.render import entry_button, messages
from bot.channels.telegram.send import Sender
from bot.channels.telegram.updates import ALLOWED
from bot.channels.web.security import BodyLimit
from bot.errors import ChannelRefusedError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from starlette.routing import BaseRoute

    from bot.channels.service import Service
    from bot.model import Reply
    from bot.querylog.deliveries import Delivery

PATH = "/telegram/webhook"

_BODY_LIMIT = 1024 * 1024
_CONNECTIONS = 40
_DRAIN_SECONDS = 5.0
_READ_SECONDS = 10.0
_LONGEST_WAIT = 300.0

log = logging.getLogger("reformbot.telegram")


class Telegram:
    """Implements `channels.channel.Channel` and `channels.service.Mailbox`."""

    name = CHANNEL

    def __init__(self, service: Service) -> None:
        settings = service.settings
        assert settings.telegram_token is not None
        _hush()
        root = settings.telegram_api_base.rstrip("/")
        self._service = service
        self._bot = Bot(
            settings.telegram_token.get_secret_value(),
            base_url=f"{root}/bot",
            base_file_url=f"{root}/file/bot",
            request=HTTPXRequest(read_timeout=_READ_SECONDS, pool_timeout=_READ_SECONDS),
            get_updates_request=HTTPXRequest(connection_pool_size=2, read_timeout=_READ_SECONDS),
        )
        fragments, self._indicator = Fragments(), Indicator(self._bot)
        sender = Sender(self._bot, service.querylog, fragments, Pace(), self._indicator.end)
        self._outbox = Outbox(service.recorder, CHANNEL, sender, service.alerts)
        self._listener = Listener(service, self._bot, self._outbox, fragments, self._indicator)
        self._intake = Intake(self._bot, self._listener.take, service.alerts)
        self._ready = asyncio.Event()
        secret = settings.telegram_webhook_secret
        self._secret = secret.get_secret_value() if settings.telegram_webhook_url and secret else ""
        self.singleton = not self._secret

    def routes(self) -> Sequence[BaseRoute]:
        """The webhook, when there is one."""
        if not self._secret:
            return []
        hook = Webhook(self._bot, self._secret, self._intake.one, self._ready)
        limit = Middleware(BodyLimit, limit=_BODY_LIMIT, refuse=_refuse)
        return [Route(PATH, hook.receive, methods=["POST"], middleware=[limit])]

    def health(self) -> dict[str, Any]:
        """Whether updates come in and replies go out."""
        problem = self._intake.problem
        state: dict[str, Any] = {"status": "degraded" if problem else "ok" if self._ready.is_set() else "starting"}
        state["mode"] = "webhook" if self._secret else "polling"
        return state | ({"problem": problem} if problem else {}) | self._outbox.health()

    async def run(self, stopping: asyncio.Event) -> None:
        """Log in, then take updates until `stopping`; raises ChannelRefusedError for a token that is not accepted."""
        await self._insisting(stopping, self._log_in)
        sending = asyncio.create_task(self._outbox.run())
        introducing = asyncio.create_task(self._introduce())
        self._service.mailboxes[CHANNEL] = self
        try:
            await self._insisting(stopping, self._choose_intake)
            self._ready.set()
            await (stopping.wait() if self._secret else self._intake.poll(stopping))
        finally:
            self._ready.clear()
            self._service.mailboxes.pop(CHANNEL, None)
            for task in (sending, introducing):
                task.cancel()
            await asyncio.gather(sending, introducing, return_exceptions=True)
            await self._outbox.drain(_DRAIN_SECONDS)
            await self._listener.close()
            self._indicator.close()
            await self._bot.shutdown()

    # --- the mailbox -------------------------------------------------------------------------------------------------

    def notice(self, target: str, reply: Reply) -> Post:
        """A message to somebody who follows something, with a button to end that."""
        rows = [[entry_button(option.id, option.label)] for option in reply.options]
        return Post(target, tuple(messages(reply, [*rows, [(words.FOLLOW_STOP_ALL, pack(UNFOLLOW, 0))]])))

    def add(self, delivery: Delivery) -> None:
        """Send a reply that is stored."""
        self._outbox.add(delivery)

    # --- the start ---------------------------------------------------------------------------------------------------

    async def _insisting(self, stopping: asyncio.Event, step: Callable[[], Awaitable[None]]) -> None:
        """Do one step of the start, again and again until Telegram lets it through."""
        while not stopping.is_set():
            try:
                await step()
            except TelegramError as error:
                wait = self._intake.trouble(error)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopping.wait(), wait)
            else:
                self._intake.fine()
                return

    async def _log_in(self) -> None:
        try:
            await self._bot.initialize()
        except InvalidToken:
            text = "Telegram 不认这个令牌：请检查 REFORMBOT_TELEGRAM_TOKEN（和 REFORMBOT_TELEGRAM_API_BASE）"
            await self._bot.shutdown()
            raise ChannelRefusedError(text) from None

    async def _choose_intake(self) -> None:
        if self._secret:
            url = str(self._service.settings.telegram_webhook_url)
            await self._bot.set_webhook(
                url, secret_token=self._secret, allowed_updates=ALLOWED, max_connections=_CONNECTIONS
            )
        else:
            await self._bot.delete_webhook()

    async def _introduce(self) -> None:
        """Set the commands, sooner or later: the bot works without."""
        wait = 1.0
        while True:
            try:
                await self._set_commands()
            except TelegramError:
                await asyncio.sleep(wait)
                wait = min(_LONGEST_WAIT, wait * 2)
            else:
                return

    async def _set_commands(self) -> None:
        """In Chinese, in English for English clients, and with those of admins for admins."""
        await self._bot.set_my_commands(_commands(words.COMMANDS, 1))
        await self._bot.set_my_commands(_commands(words.COMMANDS, 2), language_code="en")
        for admin in filter(None, self._service.settings.telegram_admins.split(",")):
            every = _commands((*words.COMMANDS, *words.ADMIN_COMMANDS), 1)
            with contextlib.suppress(TelegramError):  # one who never spoke to the bot has no chat with it
                await self._bot.set_my_commands(every, scope=BotCommandScopeChat(int(admin)))


def make(service: Service) -> Telegram | None:
    """The channel, when there is a token."""
    return Telegram(service) if service.settings.telegram_token else None


def _commands(table: Sequence[tuple[str, ...]], column: int) -> list[BotCommand]:
    return [BotCommand(row[0], row[column]) for row in table]


def _refuse(status: int, text: str) -> Response:
    return JSONResponse({"error": text}, status)


def _hush() -> None:
    """The libraries write addresses, which hold the token, and updates, which hold what people said, into the log."""
    logging.getLogger("httpx").setLevel(logging.WARNING)
    logging.getLogger("telegram").setLevel(logging.CRITICAL + 1)
