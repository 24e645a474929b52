"""Commands: each gives a reply and its buttons. What they change is stored before the reply is."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from bot.channels.telegram import admin, menus, words
from bot.channels.telegram.buttons import EXAMPLE, FORGET, UNFOLLOW, Row, pack
from bot.model import Block, Reply, Status
from bot.querylog import people, replies
from bot.understand.query import understand

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.channels.service import Service
    from bot.channels.telegram.updates import Said
    from bot.desk import Desk

Spoken = tuple[str, list[Row]]
"""Text and buttons."""

CHANNEL = "telegram"
_LABEL = 30


def spoken(text: str, reason: str) -> Reply:
    """Words of the bot's own, as a reply."""
    lines = (Block("summary", line) for line in text.splitlines())
    return Reply(Status.SMALLTALK, tuple(lines), reason=reason)


class Commands:
    """The commands of everybody and those of admins (by their Telegram ids)."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._admins = frozenset(filter(None, service.settings.telegram_admins.split(",")))
        self._everybody: dict[str, Callable[[Said], Awaitable[Spoken]]] = {
            "start": self._start,
            "help": self._help,
            "topics": self._topics,
            "ask": self._ask,
            "region": self._region,
            "feedback": self._feedback,
            "follow": self._follow,
            "privacy": self._privacy,
            "forget": self._forget,
        }
        self._admin: dict[str, Callable[[Service], Awaitable[str]]] = {
            "stats": admin.stats,
            "gaps": admin.gaps,
            "reload": admin.reload,
        }

    async def run(self, said: Said) -> Spoken | None:
        """What a command says; None for one that may be meant for somebody else in a group. Raises StoreError."""
        command = self._everybody.get(said.command)
        if command is not None:
            return await command(said)
        if said.command in self._admin:
            allowed = str(said.user) in self._admins
            return (await self._admin[said.command](self._service) if allowed else words.ADMIN_ONLY), []
        return None if said.group else (words.UNKNOWN_COMMAND, [])

    async def _start(self, _said: Said) -> Spoken:
        greeting, examples = self._service.welcome()
        return greeting, [[(example, pack(EXAMPLE, at))] for at, example in enumerate(examples)]

    async def _help(self, _said: Said) -> Spoken:
        return self._service.desk.book.texts["help"], []

    async def _topics(self, _said: Said) -> Spoken:
        return menus.top()

    async def _ask(self, _said: Said) -> Spoken:
        return words.ASK_WHAT, []

    async def _region(self, said: Said) -> Spoken:
        log, desk = self._service.querylog, self._service.desk
        key = await log.person_key(CHANNEL, str(said.user))
        if not said.text:
            return words.HOME_ASK, menus.homes(await log.read(partial(people.home, key=key)), desk)
        named = understand(said.text, desk.lexicon).regions
        if not named:
            return words.HOME_UNKNOWN.format(region=said.text[:_LABEL]), menus.homes("", desk)
        await log.run(partial(people.settle, key=key, region=named[0]))
        return words.HOME_SET.format(region=named[0]), []

    async def _feedback(self, said: Said) -> Spoken:
        if not said.text:
            return words.FEEDBACK_HOW, []
        log = self._service.querylog
        keys = await log.user_keys(CHANNEL, str(said.user))
        last = await log.read(partial(replies.last, channel=CHANNEL, keys=keys))
        if last is None:
            return words.FEEDBACK_NONE, []
        told = await self._service.judge(last.token, last.verdict, text=said.text)
        return (words.FEEDBACK_DONE if told else words.BUSY), []

    async def _follow(self, said: Said) -> Spoken:
        log = self._service.querylog
        key = await log.person_key(CHANNEL, str(said.user))
        return following(await log.read(partial(people.of_person, key=key)), self._service.desk)

    async def _privacy(self, _said: Said) -> Spoken:
        return words.PRIVACY.format(days=self._service.settings.retention_days), []

    async def _forget(self, _said: Said) -> Spoken:
        return words.FORGET_ASK, [[(words.FORGET_DO, pack(FORGET, 1)), (words.FORGET_NOT, pack(FORGET, 0))]]


def following(items: list[people.Subscription], desk: Desk) -> Spoken:
    """What somebody follows, a button for each to end it."""
    if not items:
        return words.FOLLOW_NONE, []
    known = {**desk.book.entries, **desk.book.faqs}
    labels = (desk.label(item.subject) if item.subject in known else item.subject for item in items)
    rows: list[Row] = [
        [(f"🔕 {label[:_LABEL]}", pack(UNFOLLOW, item.id))] for label, item in zip(labels, items, strict=True)
    ]
    return words.FOLLOW_LIST, [*rows, [(words.FOLLOW_STOP_ALL, pack(UNFOLLOW, 0))]]
