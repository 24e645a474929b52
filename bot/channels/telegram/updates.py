"""What Telegram delivers → what somebody said to the bot; everything else is none of its business."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from telegram import Chat, MessageEntity

if TYPE_CHECKING:
    import datetime as dt

    from telegram import Message, Update, User

ALLOWED = ("message", "edited_message", "callback_query", "inline_query")
"""The kinds of updates that the bot asks Telegram for."""


@dataclass(frozen=True, slots=True)
class Said:
    """One message to the bot. `command` stands without its slash, `text` is the question or what follows the command.

    `edited` is the Unix time of the edit, 0 for a new message. A message without any text is `wordless`.
    """

    chat: int
    user: int
    message: int
    sent: dt.datetime
    text: str
    command: str = ""
    edited: int = 0
    group: bool = False
    wordless: bool = False


def lane(update: Update) -> int:
    """What an update must keep its order with: the chat, else the person."""
    if update.effective_chat is not None:
        return update.effective_chat.id
    return update.effective_user.id if update.effective_user else 0


def said(update: Update, me: User) -> Said | None:
    """What was said to the bot `me`, if the update is such a message.

    In groups that is a command, a mention of the bot, or a reply to it; the bot's own inline results never are.
    """
    message = update.message or update.edited_message
    if message is None or _from_a_bot(message) or (message.via_bot and message.via_bot.id == me.id):
        return None
    group = message.chat.type != Chat.PRIVATE
    text, entities = message.text or message.caption or "", _entities(message)
    wordless = not text and bool(message.effective_attachment)
    if not text and not wordless:  # somebody joined, a message was pinned
        return None
    command, rest = _command(text, entities, me)
    if command is None:
        return None
    question, mentioned = _without_mention(rest, entities, me)
    if group and not (command or mentioned or _answers(message, me)):
        return None
    return Said(
        chat=message.chat.id,
        user=message.sender_chat.id if message.sender_chat else message.from_user.id if message.from_user else 0,
        message=message.message_id,
        sent=message.date,
        text=question.strip(),
        command=command,
        edited=int(message.edit_date.timestamp()) if update.edited_message and message.edit_date else 0,
        group=group,
        wordless=wordless,
    )


def _from_a_bot(message: Message) -> bool:
    """Anonymous admins and channels speak through bots of Telegram's own; other bots are not answered."""
    return message.sender_chat is None and message.from_user is not None and message.from_user.is_bot


def _entities(message: Message) -> dict[MessageEntity, str]:
    kinds: list[str | None] = [MessageEntity.BOT_COMMAND, MessageEntity.MENTION, MessageEntity.TEXT_MENTION]
    return message.parse_entities(kinds) if message.text else message.parse_caption_entities(kinds)


def _command(text: str, entities: dict[MessageEntity, str], me: User) -> tuple[str | None, str]:
    """The command at the start and the text after it; None when it is meant for another bot."""
    for entity, word in entities.items():
        if entity.type == MessageEntity.BOT_COMMAND and entity.offset == 0:
            name, _, bot = word[1:].partition("@")
            ours = not bot or bot.lower() == (me.username or "").lower()
            return name.lower() if ours else None, text[len(word) :]
    return "", text


def _without_mention(text: str, entities: dict[MessageEntity, str], me: User) -> tuple[str, bool]:
    """The text without the bot's name, and whether it was there."""
    mentioned = False
    for entity, word in entities.items():
        by_name = entity.type == MessageEntity.MENTION and word.lower() == f"@{me.username}".lower()
        if by_name or (entity.type == MessageEntity.TEXT_MENTION and entity.user == me):
            mentioned, text = True, text.replace(word, " ")
    return text, mentioned


def _answers(message: Message, me: User) -> bool:
    earlier = message.reply_to_message
    return earlier is not None and earlier.from_user is not None and earlier.from_user.id == me.id
