"""Somebody at each channel of WeCom, for the table of conversations in `tests/conformance.py`."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.desk import Desk
from bot.settings import Settings
from tests.conformance import NONE_OF_THESE, Driver
from tests.emulators.wecom import Served, event, message
from tests.emulators.wecom_kf import KfApi
from tests.waiting import until
from tests.wecom.conftest import Bot, Starter

_numbers = itertools.count(1)


class AppDriver:
    """A member who asks the app; options are buttons of a card that is pushed."""

    def __init__(self, bot: Bot, wecom: KfApi) -> None:
        self._bot, self._wecom = bot, wecom
        self._user = ""

    async def begin(self) -> None:
        self._user = f"member-{next(_numbers)}"

    async def say(self, text: str) -> str:
        outcome = await self._bot.callbacks.push(message(self._user, text, next(_numbers)))
        await until(lambda: not self._bot.channels["wecom"].health()["waiting"])
        return outcome.text

    async def pick(self, place: int) -> str:
        shown = len(self._wecom.sent)
        card = self._wecom.sent[-1].body["template_card"]
        tapped = {
            "EventKey": card["button_list"][place]["key"],
            "TaskId": card["task_id"],
            "ResponseCode": self._wecom.new_response_code(self._user),
        }
        await self._bot.callbacks.push(event(self._user, "template_card_event", **tapped))
        await until(lambda: len(self._wecom.sent) > shown)
        await until(lambda: not self._bot.channels["wecom"].health()["waiting"])
        return self._wecom.sent[shown].text


class PassiveDriver(AppDriver):
    """A member of an app without a secret: options are numbers."""

    async def say(self, text: str) -> str:
        return (await self._bot.callbacks.push(message(self._user, text, next(_numbers)))).text

    async def pick(self, place: int) -> str:
        return await self.say("都不是" if place == NONE_OF_THESE else str(place + 1))


class KfDriver:
    """A citizen who asks 微信客服; options are items of a menu."""

    def __init__(self, bot: Bot, wecom: KfApi) -> None:
        self._bot, self._wecom = bot, wecom
        self._user = ""

    async def begin(self) -> None:
        self._user = f"wm-citizen-{next(_numbers)}"

    async def say(self, text: str) -> str:
        return await self._sent(text, None)

    async def pick(self, place: int) -> str:
        options = [item for item in self._wecom.shown[-1].clicks.items() if item[1].startswith("pick:")]
        return await self._sent(*options[place])

    async def _sent(self, text: str, menu_id: str | None) -> str:
        shown = len(self._wecom.shown)
        self._wecom.says(self._user, text, menu_id)
        await self._bot.kf.push(self._wecom.notice())
        await until(lambda: len(self._wecom.shown) > shown)
        await until(lambda: not self._bot.channels["wecom-kf"].health()["waiting"])
        return "\n".join(item.text for item in self._wecom.shown[shown:])


@asynccontextmanager
async def _started(settings: Settings, desk: Desk, **given: Any) -> AsyncIterator[tuple[Bot, KfApi]]:
    wecom = KfApi()
    with Served(wecom.app()) as served:
        async with Starter(desk, settings.database_url, served.url, given)() as bot:
            yield bot, wecom
    assert wecom.violations == []


@asynccontextmanager
async def app(settings: Settings, desk: Desk) -> AsyncIterator[Driver]:
    """The app with everything set."""
    async with _started(settings, desk) as (bot, wecom):
        yield AppDriver(bot, wecom)


@asynccontextmanager
async def passive(settings: Settings, desk: Desk) -> AsyncIterator[Driver]:
    """The app without a secret."""
    async with _started(settings, desk, wecom_secret=None, wecom_agent_id=None) as (bot, wecom):
        yield PassiveDriver(bot, wecom)


@asynccontextmanager
async def kf(settings: Settings, desk: Desk) -> AsyncIterator[Driver]:
    """微信客服."""
    async with _started(settings, desk) as (bot, wecom):
        yield KfDriver(bot, wecom)
