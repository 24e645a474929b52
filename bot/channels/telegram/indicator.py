"""「正在输入……」: shown when a reply takes longer than a moment, and only then."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from telegram.constants import ChatAction
from telegram.error import TelegramError

if TYPE_CHECKING:
    from telegram import Bot

MOMENT = 0.7
"""Seconds."""

_AGAIN = 4.5
"""Telegram shows it for five seconds."""
_TIMES = 4
_CROWD = 20
"""With so many chats waiting the requests are needed for the replies."""


class Indicator:
    """One timer for each chat that waits for a reply."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._timers: dict[int, asyncio.Task[None]] = {}

    def begin(self, chat: int) -> None:
        """A reply is being made for this chat."""
        if chat not in self._timers and len(self._timers) < _CROWD:
            self._timers[chat] = asyncio.create_task(self._show(chat))

    def end(self, chat: int) -> None:
        """It was sent, or there is none."""
        timer = self._timers.pop(chat, None)
        if timer is not None:
            timer.cancel()

    def close(self) -> None:
        """End all."""
        for chat in list(self._timers):
            self.end(chat)

    async def _show(self, chat: int) -> None:
        wait = MOMENT
        for _ in range(_TIMES):
            await asyncio.sleep(wait)
            with contextlib.suppress(TelegramError):
                await self._bot.send_chat_action(chat, ChatAction.TYPING)
            wait = _AGAIN
        self._timers.pop(chat, None)
