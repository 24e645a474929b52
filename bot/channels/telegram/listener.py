"""One update at a time: what it is, what it gets. An update is taken when `take` returns."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import logging
import time
from dataclasses import replace
from functools import partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from telegram import Chat, InlineQueryResultsButton
from telegram import Message as TelegramMessage
from telegram.error import TelegramError

from bot.channels.service import Post
from bot.channels.telegram import words
from bot.channels.telegram.buttons import rows_of
from bot.channels.telegram.commands import CHANNEL, Commands, spoken
from bot.channels.telegram.fragments import HOLD, Fragments, Heard, Piece, belongs, join, unfinished
from bot.channels.telegram.inline import articles
from bot.channels.telegram.presses import Outcome, Press, Presses
from bot.channels.telegram.render import keyboard, messages
from bot.channels.telegram.send import markup
from bot.channels.telegram.updates import Said, said
from bot.errors import StoreError
from bot.model import Message, Status
from bot.querylog import people

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from telegram import Bot, CallbackQuery, InlineQuery, InlineQueryResultArticle, Update

    from bot.channels.outbox import Outbox
    from bot.channels.service import Draft, Handled, Service
    from bot.channels.telegram.buttons import Row
    from bot.channels.telegram.indicator import Indicator
    from bot.model import Reply

PLAIN_START = "ask"
"""What a link to the bot carries when it means no entry."""

_INLINE_SECONDS = 60
"""So long Telegram may show the same inline results again."""

log = logging.getLogger("reformbot.telegram")


class Listener:
    """Turns updates into questions, commands, presses and inline queries, and hands replies to the outbox."""

    def __init__(self, service: Service, bot: Bot, outbox: Outbox, fragments: Fragments, indicator: Indicator) -> None:
        self._service, self._bot, self._outbox = service, bot, outbox
        self._fragments, self._indicator = fragments, indicator
        self._commands, self._presses = Commands(service), Presses(service)
        self._aside: set[asyncio.Task[None]] = set()

    async def take(self, update: Update) -> None:
        """Do all that an update asks for; raises only StoreError, when it is to be tried again."""
        try:
            if update.callback_query is not None:
                await self._press(update.callback_query)
            elif update.inline_query is not None:
                await self._inline(update.inline_query)
            elif (heard := said(update, self._bot.bot)) is not None:
                await self._hear(heard)
        except StoreError:
            raise
        except Exception:
            log.exception("an update could not be taken")

    async def close(self) -> None:
        """Let what is done aside come to an end."""
        if self._aside:
            await asyncio.wait(self._aside, timeout=1)

    # --- messages ------------------------------------------------------------------------------------------------

    async def _hear(self, heard: Said) -> None:
        message = await self._message(heard)
        if heard.wordless:
            if not heard.group:
                await self._speak(heard, message, words.WORDLESS, [], "不是文字")
        elif heard.command == "start" and heard.text not in {"", PLAIN_START}:
            await self._open(heard, message)
        elif heard.command and not (heard.command == "ask" and heard.text):
            await self._command(heard, message)
        elif heard.edited:
            await self._answer(heard, message)
        else:
            await self._question(heard, message)

    async def _message(self, heard: Said) -> Message:
        """As the service wants it. The ids of messages hide chat and message, by the key of the month of sending."""
        return Message(
            text=heard.text,
            channel=CHANNEL,
            user=str(heard.user),
            message_id=await self._name(heard),
            home=await self._home(str(heard.user)),
            room=str(heard.chat) if heard.group else "",
        )

    async def _home(self, user: str) -> str:
        try:
            key = await self._service.querylog.person_key(CHANNEL, user)
            return await self._service.querylog.read(partial(people.home, key=key))
        except StoreError:
            return ""

    async def _name(self, heard: Said) -> str:
        name = await self._service.querylog.user_key(CHANNEL, f"{heard.chat}:{heard.message}", heard.sent)
        if not heard.edited:
            return name
        wording = sha256(heard.text.encode("utf-8", "replace")).hexdigest()[:8]  # there may be two edits in a second
        return f"{name}.{heard.edited}.{wording}"

    async def _open(self, heard: Said, message: Message) -> None:
        """`/start` with an entry behind it: a link to that entry."""
        desk = self._service.desk
        known = heard.text in desk.book.entries or heard.text in desk.book.faqs
        label = desk.label(heard.text) if known else heard.text
        await self._answer(heard, replace(message, text=label, entry=heard.text))

    async def _command(self, heard: Said, message: Message) -> None:
        try:
            found = await self._commands.run(heard)
        except StoreError:
            found = words.BUSY, []
        if found is not None:
            asked = replace(message, text=f"/{heard.command}")
            await self._speak(heard, asked, *found, f"命令 /{heard.command}")

    async def _speak(self, heard: Said, message: Message, text: str, rows: list[Row], reason: str) -> None:
        """Say something of the bot's own."""
        handled = await self._service.handle(message, self._draft(heard, message, rows), spoken(text, reason))
        self._post(heard.chat, handled)

    async def _answer(self, heard: Said, message: Message) -> None:
        self._indicator.begin(heard.chat)
        self._post(heard.chat, await self._service.handle(message, self._draft(heard, message)))

    async def _question(self, heard: Said, message: Message) -> None:
        """A question, or one more piece of it."""
        self._indicator.begin(heard.chat)
        who = f"{heard.chat}:{heard.user}"
        message, before = await self._put_together(who, message)
        handled = await self._service.handle(message, self._draft(heard, message))
        if handled.fresh and handled.delivery is not None and handled.delivery.id:
            self._hold(who, message, handled.reply, before)
        self._post(heard.chat, handled)

    async def _put_together(self, who: str, message: Message) -> tuple[Message, Piece | None]:
        """The message with the pieces before it, if it is understood better so; else the pieces it may go on with."""
        piece = self._fragments.held(who, time.monotonic())
        if piece is None:
            return message, None
        both = replace(message, text=join(piece.heard.text, message.text))
        alone, joined = Heard(message.text, await self._service.preview(message)), await self._service.preview(both)
        if self._fragments.held(who, time.monotonic()) is not piece:  # it went out meanwhile
            return message, None
        if belongs(piece.heard, alone, joined, self._service.desk):
            self._fragments.close(who, taken_back=True)
            return replace(both, also=piece.ids), None
        if unfinished(alone, self._service.desk):
            return message, piece
        self._fragments.close(who)
        return message, None

    def _hold(self, who: str, message: Message, reply: Reply, before: Piece | None) -> None:
        """Keep the reply back for a moment when the message may go on."""
        heard, ids = Heard(message.text, reply), (*message.also, str(message.message_id))
        if not unfinished(heard, self._service.desk):
            return
        if before is not None:  # neither is understood: both wait for a third
            heard, ids = Heard(join(before.heard.text, heard.text), reply), (*before.ids, *ids)
        self._fragments.hold(who, Piece(ids, heard, time.monotonic() + HOLD))

    def _draft(self, heard: Said, message: Message, rows: list[Row] | None = None) -> Draft:
        """Words a reply: with given buttons, or with those of an answer; an edited question edits its reply."""
        name = str(message.message_id)

        def word(reply: Reply, token: str) -> Post:
            own = rows if rows is not None and reply.status is Status.SMALLTALK else keyboard(reply, token)
            parts = messages(reply, own)
            for at, part in enumerate(parts):
                if heard.edited:
                    part |= {"of": name.partition(".")[0], "at": at, "last": at + 1 == len(parts)}
                elif rows is None:
                    part["held"] = name
            if heard.group:
                parts[0]["reply_to"] = heard.message
            return Post(str(heard.chat), tuple(parts))

        return word

    def _post(self, chat: int, handled: Handled) -> None:
        if handled.fresh and handled.delivery is not None:
            self._outbox.add(handled.delivery)
        else:
            self._indicator.end(chat)

    # --- buttons and inline queries --------------------------------------------------------------------------------

    async def _press(self, query: CallbackQuery) -> None:
        stands = query.message if query.message is not None and query.message.is_accessible else None
        rows = rows_of(stands.reply_markup) if isinstance(stands, TelegramMessage) else []
        try:
            outcome = await self._presses.outcome(Press(query.from_user.id, query.data or "", rows))
        except StoreError:
            outcome = Outcome(words.BUSY)
        if outcome.question:
            await self._pressed_question(query, outcome)
        if stands is None and outcome.text is not None:
            outcome = Outcome(outcome.toast or words.STALE)
        self._later(self._show(query, outcome))

    async def _pressed_question(self, query: CallbackQuery, outcome: Outcome) -> None:
        """A press is answered where the button stands; where that is unknown, to the person."""
        place = query.message
        heard = Said(
            chat=place.chat.id if place else query.from_user.id,
            user=query.from_user.id,
            message=place.message_id if place else 0,
            sent=dt.datetime.now(dt.UTC),
            text=outcome.question,
            group=place is not None and place.chat.type != Chat.PRIVATE,
        )
        name = await self._service.querylog.user_key(CHANNEL, f"press:{query.id}")
        message = replace(await self._message(heard), message_id=name, entry=outcome.entry)
        await self._answer(heard, message)

    async def _show(self, query: CallbackQuery, outcome: Outcome) -> None:
        """The word at the button, and the changed message; a press that Telegram forgot meanwhile shows nothing."""
        with contextlib.suppress(TelegramError):
            await self._bot.answer_callback_query(query.id, outcome.toast or None)
        if query.message is None or (outcome.text is None and outcome.rows is None):
            return
        chat, number, below = query.message.chat.id, query.message.message_id, markup(outcome.rows)
        with contextlib.suppress(TelegramError):
            if outcome.text is None:
                await self._bot.edit_message_reply_markup(chat, number, reply_markup=below)
            else:
                await self._bot.edit_message_text(outcome.text, chat, number, reply_markup=below)

    async def _inline(self, query: InlineQuery) -> None:
        today = dt.datetime.now(dt.UTC).date()
        found = articles(query.query, self._service.desk, today, await self._home(str(query.from_user.id)))
        button = None if found else InlineQueryResultsButton(words.ASK_IN_PRIVATE, start_parameter=PLAIN_START)
        self._later(self._offer(query.id, found, button))

    async def _offer(
        self, query_id: str, found: list[InlineQueryResultArticle], button: InlineQueryResultsButton | None
    ) -> None:
        with contextlib.suppress(TelegramError):
            await self._bot.answer_inline_query(
                query_id, found, cache_time=_INLINE_SECONDS, is_personal=True, button=button
            )

    def _later(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._aside.add(task)
        task.add_done_callback(self._aside.discard)
