"""Somebody who talks to the AI bot in a single chat; options are the buttons of its cards."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.app import running
from bot.channels.wecom.aibot.channel import AiBot, make
from bot.desk import Desk
from bot.settings import Settings, load_settings
from tests.emulators.aibot import BOT_ID, SECRET, Gateway


class Driver:
    """See `tests.conformance.Driver`."""

    def __init__(self, gateway: Gateway, channel: AiBot) -> None:
        self._gateway, self._channel = gateway, channel
        self._users = itertools.count(1)
        self._user = ""

    async def begin(self) -> None:
        self._user = f"citizen{next(self._users)}"

    async def say(self, text: str) -> str:
        shown = self._shown()
        await self._gateway.say(text, user=self._user)
        return await self._reply(shown)

    async def pick(self, place: int) -> str:
        shown = self._shown()
        card = self._gateway.chats[f"single:{self._user}"][-1]
        assert card.card is not None
        await self._gateway.click(list(card.buttons)[place], card.card["task_id"], user=self._user)
        return await self._reply(shown)

    def _shown(self) -> int:
        return len(self._gateway.chats.get(f"single:{self._user}", []))

    async def _reply(self, shown: int) -> str:
        text = (await self._gateway.heard(shown + 1, self._user))[shown].text
        async with asyncio.timeout(20):
            while self._channel.health()["waiting"]:  # noqa: ASYNC110 - what is waited for has no event
                await asyncio.sleep(0.005)
        return text


@asynccontextmanager
async def aibot(settings: Settings, desk: Desk) -> AsyncIterator[Driver]:
    """The program with its AI bot, at an emulated gateway whose rules it must keep."""
    async with Gateway() as gateway:
        given = {"wecom_bot_id": BOT_ID, "wecom_bot_secret": SECRET, "wecom_bot_ws_url": gateway.url}
        own = load_settings(**(settings.model_dump(exclude_defaults=True) | given))
        async with running(own, desk) as app:
            channel = make(app)
            assert channel is not None
            stopping = asyncio.Event()
            working = asyncio.create_task(channel.run(stopping))
            await gateway.ready()
            yield Driver(gateway, channel)
            stopping.set()
            await working
        assert gateway.violations == []
