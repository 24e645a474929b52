"""A person at each channel of WeCom: writes, taps, and reads what is shown."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Protocol

from bot.querylog.tables import LogRow
from tests.emulators.wecom import event, message
from tests.emulators.wecom_kf import KfApi
from tests.wecom.conftest import Bot, until

_numbers = itertools.count(1)


@dataclass(frozen=True)
class Heard:
    """What one turn brought: the row of the log, and the text as shown."""

    row: LogRow
    text: str


class Driver(Protocol):
    """One person in one chat. `taps` are the buttons of the last reply: what they say → their key."""

    taps: dict[str, str]

    async def say(self, text: str) -> Heard: ...

    async def tap(self, label: str) -> Heard: ...


async def _row(bot: Bot, before: int) -> LogRow:
    """The one row that came after so many others."""
    assert await bot.app.querylog.count() == before + 1
    (logged,) = await bot.app.querylog.recent(1)
    return logged.row


class AppDriver:
    """A member who asks the app."""

    def __init__(self, bot: Bot, wecom: KfApi) -> None:
        self._bot, self._wecom = bot, wecom
        self._user = f"member-{next(_numbers)}"
        self.taps: dict[str, str] = {}

    async def say(self, text: str) -> Heard:
        """The first part comes with the response, buttons by a push."""
        before = await self._bot.app.querylog.count()
        outcome = await self._bot.callbacks.push(message(self._user, text, next(_numbers)))
        return await self._heard(before, outcome.text)

    async def tap(self, label: str) -> Heard:
        """Everything comes by pushes."""
        before, shown = await self._bot.app.querylog.count(), len(self._wecom.sent)
        key = self.taps[label]
        code = self._wecom.new_response_code(self._user)
        tapped = event(self._user, "template_card_event", EventKey=key, TaskId=next(_numbers), ResponseCode=code)
        await self._bot.callbacks.push(tapped)
        await until(lambda: len(self._wecom.sent) > shown)
        return await self._heard(before, self._wecom.sent[shown].text)

    async def _heard(self, before: int, text: str) -> Heard:
        row = await _row(self._bot, before)
        await until(lambda: not self._bot.channels["wecom"].health()["waiting"])
        cards = [sent.body["template_card"] for sent in self._wecom.sent if sent.kind == "template_card"]
        self.taps = {button["text"]: button["key"] for button in cards[-1]["button_list"]} if cards else {}
        return Heard(row, text)


class KfDriver:
    """A citizen who asks 微信客服."""

    def __init__(self, bot: Bot, wecom: KfApi) -> None:
        self._bot, self._wecom = bot, wecom
        self._user = f"wm-citizen-{next(_numbers)}"
        self.taps: dict[str, str] = {}

    async def say(self, text: str) -> Heard:
        return await self._heard(text, None)

    async def tap(self, label: str) -> Heard:
        return await self._heard(label, self.taps[label])

    async def _heard(self, text: str, menu_id: str | None) -> Heard:
        before, shown = await self._bot.app.querylog.count(), len(self._wecom.shown)
        self._wecom.says(self._user, text, menu_id)
        await self._bot.kf.push(self._wecom.notice())
        await until(lambda: len(self._wecom.shown) > shown)
        row = await _row(self._bot, before)
        await until(lambda: not self._bot.channels["wecom-kf"].health()["waiting"])
        new = self._wecom.shown[shown:]
        self.taps = new[-1].clicks
        return Heard(row, "\n".join(item.text for item in new))
