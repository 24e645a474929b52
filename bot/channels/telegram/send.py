"""Requests to Telegram, one for each part of a reply, and what its answers mean."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import re
import time
from html import unescape
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from telegram import InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions, ReplyParameters
from telegram.constants import ParseMode
from telegram.error import BadRequest, ChatMigrated, Forbidden, RetryAfter, TelegramError

from bot.channels.outbox import Later, Refused
from bot.querylog.tables import delivery as deliveries
from bot.querylog.tables import seen

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection
    from telegram import Bot

    from bot.channels.telegram.fragments import Fragments
    from bot.channels.telegram.pace import Pace
    from bot.querylog.deliveries import Delivery
    from bot.querylog.store import QueryLog

os.environ.setdefault("PTB_TIMEDELTA", "true")  # RetryAfter in seconds is deprecated, and says so at every use

_HOLD_STEP = 0.1
"""Seconds between two looks at a held reply: it may have been set free, or taken back."""
_TAG = re.compile("<[^>]+>")
_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)


def markup(rows: Sequence[Sequence[Sequence[str]]] | None) -> InlineKeyboardMarkup | None:
    """Rows of [label, data] as buttons."""
    if not rows:
        return None
    return InlineKeyboardMarkup(
        [[InlineKeyboardButton(text, callback_data=data) for text, data in row] for row in rows]
    )


class Sender:
    """Sends parts `{"html", "keyboard"?, "reply_to"?, "held"?, "of"?, "at"?, "last"?}`; the receipt is a message id.

    With `of`, the part edits the reply to that message of the log, its `at`-th message. Raises Later and Refused, or
    Telegram's error for what shall be tried again.
    """

    def __init__(self, bot: Bot, querylog: QueryLog, fragments: Fragments, pace: Pace, sent: Callable[[int], None]):
        self._bot, self._log, self._fragments, self._pace = bot, querylog, fragments, pace
        self._sent = sent
        self._moved: dict[int, int] = {}
        self._flooded: dict[int, float] = {}

    async def __call__(self, delivery: Delivery, part: dict[str, Any]) -> str:
        """Send one part as soon as it may go."""
        now = time.monotonic()
        held = self._fragments.wait(part.get("held", ""), now)
        if held is None:
            return ""
        if held:
            raise Later(min(held, _HOLD_STEP))
        chat = int(delivery.target)
        chat = self._moved.get(chat, chat)
        if wait := self._pace.wait(chat, now):
            raise Later(wait)
        try:
            async with self._pace.overall:
                receipt = await self._request(chat, delivery, part)
        except TelegramError as error:
            raise self._meant(error, chat) from error
        finally:
            self._pace.note(chat, time.monotonic())
        self._sent(chat)
        return receipt

    def _meant(self, error: TelegramError, chat: int) -> Exception:
        """What the outbox shall do about an error."""
        if isinstance(error, RetryAfter):
            return self._flood(error, chat)
        if isinstance(error, ChatMigrated):
            self._moved[chat] = error.new_chat_id
            return Later(0.0)
        if isinstance(error, (Forbidden, BadRequest)):
            return Refused(error.message)
        return error

    def _flood(self, error: RetryAfter, chat: int) -> Later:
        """Telegram does not say whether one chat or the whole bot is meant: it is all when two chats are told so."""
        asked = error.retry_after
        now, seconds = time.monotonic(), asked.total_seconds() if isinstance(asked, dt.timedelta) else float(asked)
        others = [until for other, until in self._flooded.items() if other != chat and until > now]
        self._flooded = {other: until for other, until in self._flooded.items() if until > now} | {chat: now + seconds}
        return Later(seconds, everyone=bool(others))

    async def _request(self, chat: int, delivery: Delivery, part: dict[str, Any]) -> str:
        try:
            return await self._formatted(chat, delivery, part, part["html"], ParseMode.HTML)
        except BadRequest as error:
            if "parse entities" not in error.message:
                raise
            return await self._formatted(chat, delivery, part, unescape(_TAG.sub("", part["html"])), None)

    async def _formatted(
        self, chat: int, delivery: Delivery, part: dict[str, Any], text: str, mode: ParseMode | None
    ) -> str:
        if "of" in part:
            earlier = await self._log.read(lambda connection: _receipts(connection, delivery, part["of"]))
            edited = await self._edit(chat, part, earlier, text, mode)
            if edited is not None:
                return edited
        reply_to = part.get("reply_to")
        sent = await self._bot.send_message(
            chat,
            text,
            parse_mode=mode,
            link_preview_options=_NO_PREVIEW,
            reply_markup=markup(part.get("keyboard")),
            reply_parameters=ReplyParameters(reply_to, allow_sending_without_reply=True) if reply_to else None,
        )
        return str(sent.message_id)

    async def _edit(
        self, chat: int, part: dict[str, Any], earlier: list[int], text: str, mode: ParseMode | None
    ) -> str | None:
        """The message that was edited; None when there is none to edit. What the new reply needs no more is deleted."""
        if part["last"]:
            for surplus in earlier[part["at"] + 1 :]:
                with contextlib.suppress(BadRequest):
                    await self._bot.delete_message(chat, surplus)
        if part["at"] >= len(earlier):
            return None
        message = earlier[part["at"]]
        try:
            await self._bot.edit_message_text(
                text,
                chat,
                message,
                parse_mode=mode,
                link_preview_options=_NO_PREVIEW,
                reply_markup=markup(part.get("keyboard")),
            )
        except BadRequest as error:
            if "not found" in error.message or "can't be edited" in error.message:
                return None
            if "not modified" not in error.message:
                raise
        return str(message)


async def _receipts(connection: AsyncConnection, delivery: Delivery, base: str) -> list[int]:
    """The messages of the last reply to a message of the log or to one of its edits."""
    name = seen.c.message_id
    asked = (seen.c.channel == delivery.channel) & ((name == base) | name.startswith(f"{base}.", autoescape=True))
    newest = (
        sa.select(deliveries.c.receipts)
        .join(seen, seen.c.query_id == deliveries.c.query_id)
        .where(asked, deliveries.c.id != delivery.id, deliveries.c.receipts != "[]")
        .order_by(deliveries.c.id.desc())
        .limit(1)
    )
    found = await connection.scalar(newest)
    return [int(receipt) for receipt in json.loads(found or "[]") if receipt]
