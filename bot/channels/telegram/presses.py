"""Pressed buttons: what each does, and what the message it stands under becomes.

A press on something that is gone gets a word at the button, never an error.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from bot.channels.telegram import menus, words
from bot.channels.telegram.buttons import (
    DOWN,
    ENTRY,
    EXAMPLE,
    FOLLOW,
    FORGET,
    HOME,
    MORE,
    NONE_OF_THESE,
    NOTHING,
    REASON,
    REGION,
    THEME,
    TOPICS,
    UNFOLLOW,
    UP,
    Row,
    has,
    pack,
    resolve,
    unpack,
)
from bot.channels.telegram.commands import CHANNEL, following
from bot.following import digest
from bot.model import Status
from bot.querylog import people, replies
from bot.querylog.people import Subscription

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.channels.service import Service

_CHOSEN = "✅ "


@dataclass(frozen=True, slots=True)
class Press:
    """One press: who pressed what, and the buttons that stood there (none when Telegram no longer shows them)."""

    user: int
    data: str
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Outcome:
    """A word at the button, the message's new text and buttons (None: as they are), or a question to be answered.

    `entry` is the id that the question stands for: empty for 「都不是」, None for a question in words.
    """

    toast: str = ""
    text: str | None = None
    rows: list[Row] | None = None
    question: str = ""
    entry: str | None = None


class Presses:
    """What stands behind the buttons."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._kinds: dict[str, Callable[[Press, list[str]], Awaitable[Outcome]]] = {
            ENTRY: self._entry,
            NONE_OF_THESE: self._none_of_these,
            EXAMPLE: self._example,
            UP: partial(self._judge, chosen=UP),
            DOWN: partial(self._judge, chosen=DOWN),
            REASON: self._reason,
            FOLLOW: self._follow,
            UNFOLLOW: self._unfollow,
            MORE: self._more,
            TOPICS: self._topics,
            THEME: partial(self._browse, kind=THEME),
            REGION: partial(self._browse, kind=REGION),
            HOME: self._home,
            FORGET: self._forget,
            NOTHING: self._nothing,
        }

    async def outcome(self, press: Press) -> Outcome:
        """What a press does; it is done and stored when this returns. Raises StoreError."""
        kind, values = unpack(press.data)
        pressed = self._kinds.get(kind)
        if pressed is None:
            return Outcome(words.STALE)
        try:
            return await pressed(press, values)
        except (ValueError, LookupError):  # not the data of today's buttons
            return Outcome(words.STALE)

    async def _entry(self, _press: Press, values: list[str]) -> Outcome:
        desk = self._service.desk
        found = resolve(values[0], desk.book.entries) or resolve(values[0], desk.book.faqs)
        return Outcome(words.GONE) if found is None else Outcome(question=desk.label(found), entry=found)

    async def _none_of_these(self, _press: Press, _values: list[str]) -> Outcome:
        return Outcome(question=self._service.desk.book.texts["not_these"], entry="")

    async def _example(self, _press: Press, values: list[str]) -> Outcome:
        return Outcome(question=self._service.welcome()[1][int(values[0])])

    async def _judge(self, press: Press, values: list[str], chosen: str) -> Outcome:
        """A verdict; pressed once more, it is taken back."""
        back = any(label.startswith(_CHOSEN) and unpack(data)[0] == chosen for row in press.rows for label, data in row)
        verdict = None if back else {UP: "up", DOWN: "down"}[chosen]
        if not await self._service.judge(values[0], verdict):
            return Outcome(words.TOO_OLD)
        rows = _marked(press.rows, None if back else chosen)
        if verdict == "down":
            reasons = [(reason, pack(REASON, values[0], at)) for at, reason in enumerate(words.REASONS)]
            return Outcome(words.SORRY, rows=[*rows, reasons] if rows else None)
        return Outcome(words.THANKS if verdict else words.WITHDRAWN, rows=rows or None)

    async def _reason(self, press: Press, values: list[str]) -> Outcome:
        reason = words.REASONS[int(values[1])]
        if not await self._service.judge(values[0], "down", (reason,)):
            return Outcome(words.TOO_OLD)
        return Outcome(words.THANKS, rows=_marked(press.rows, DOWN) or None)

    async def _follow(self, press: Press, values: list[str]) -> Outcome:
        log, desk = self._service.querylog, self._service.desk
        asked = await log.read(partial(replies.by_token, token=values[0]))
        if asked is None:
            return Outcome(words.STALE)
        kind = people.QUESTION if asked.row.status == Status.NONE else people.ENTRY
        subject = asked.row.text if kind == people.QUESTION else asked.row.entry
        if not subject:
            return Outcome(words.STALE)
        key = await log.person_key(CHANNEL, str(press.user))
        wanted = Subscription(0, key, CHANNEL, str(press.user), kind, subject, digest(subject, desk))
        if len(await log.read(partial(people.of_person, key=key))) >= people.MOST:
            return Outcome(words.FOLLOW_TOO_MANY.format(count=people.MOST))
        new = await log.run(partial(people.follow, wanted=wanted, now=dt.datetime.now(dt.UTC)))
        return Outcome(words.FOLLOWED if new else words.FOLLOWED_ALREADY)

    async def _unfollow(self, press: Press, values: list[str]) -> Outcome:
        log = self._service.querylog
        key = await log.person_key(CHANNEL, str(press.user))
        await log.run(partial(people.unfollow, key=key, number=int(values[0]) or None))
        text, rows = following(await log.read(partial(people.of_person, key=key)), self._service.desk)
        return Outcome(words.UNFOLLOWED, text, rows)

    async def _more(self, press: Press, values: list[str]) -> Outcome:
        asked = await self._service.querylog.read(partial(replies.by_token, token=values[0]))
        if asked is None:
            return Outcome(words.STALE)
        page = menus.found(values[0], asked.row.entries, int(values[1]), self._service.desk)
        return Outcome(rows=[*page, *(row for row in press.rows if has(row, UP, REASON))])

    async def _topics(self, _press: Press, values: list[str]) -> Outcome:
        return Outcome("", *(menus.headings(values[0], self._service.desk) if values else menus.top()))

    async def _browse(self, _press: Press, values: list[str], kind: str) -> Outcome:
        menu = menus.entries(kind, values[0], int(values[1]), self._service.desk)
        return Outcome(words.STALE) if menu is None else Outcome("", *menu)

    async def _home(self, press: Press, values: list[str]) -> Outcome:
        log, regions = (
            self._service.querylog,
            {found.id: name for name, found in self._service.desk.book.regions.items()},
        )
        region = regions[resolve(values[0], regions) or ""] if values[0] else ""
        key = await log.person_key(CHANNEL, str(press.user))
        await log.run(partial(people.settle, key=key, region=region))
        said = words.HOME_SET.format(region=region) if region else words.HOME_CLEARED
        return Outcome(said, said, [])

    async def _forget(self, press: Press, values: list[str]) -> Outcome:
        if values[0] != "1":
            return Outcome("", words.KEPT, [])
        await self._service.forget(CHANNEL, str(press.user))
        return Outcome("", words.FORGOTTEN, [])

    async def _nothing(self, _press: Press, _values: list[str]) -> Outcome:
        return Outcome()


def _marked(rows: list[Row], chosen: str | None) -> list[Row]:
    """The rows with the verdict marked, and without the reasons."""
    return [
        [
            ((_CHOSEN if unpack(data)[0] == chosen else "") + label.removeprefix(_CHOSEN), data)
            if unpack(data)[0] in {UP, DOWN}
            else (label, data)
            for label, data in row
        ]
        for row in rows
        if not has(row, REASON)
    ]
