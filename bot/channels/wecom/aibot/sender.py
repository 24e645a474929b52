"""Replies out: on the connection that brought the question while it is there, else as a push to the chat."""

from __future__ import annotations

import datetime as dt
import logging
import time
from typing import TYPE_CHECKING, Any

from bot.channels.outbox import Later, Refused
from bot.channels.wecom.aibot import frames
from bot.channels.wecom.aibot.connection import LostError, NotAcceptedError
from bot.channels.wecom.pace import Pace

if TYPE_CHECKING:
    from bot.channels.wecom.aibot.connection import Connection
    from bot.channels.wecom.aibot.line import Line
    from bot.querylog.deliveries import Delivery

ANSWERABLE = dt.timedelta(minutes=5)
"""So long after a message its callback is answered; the platform ends that after six or ten minutes."""

_PATIENCE = 60.0
_LINE_SECONDS, _AGAIN_SECONDS = 20.0, 0.5

log = logging.getLogger("reformbot")


class Sender:
    """Sends the parts that `replies.draft` makes, within what a chat may get."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._pace = Pace()

    def count(self, chat: str) -> None:
        """Count a message that went to a chat on another way."""
        self._pace.wait(chat, time.monotonic())

    async def send(self, delivery: Delivery, part: dict[str, Any]) -> str:
        """Send one part and tell how; raises Later, Refused, or SilentError, as an Outbox expects."""
        try:
            return await self._send(await self._line.connected(_LINE_SECONDS), delivery, part)
        except LostError:  # the line is coming back, and tells itself when it does not
            raise Later(_AGAIN_SECONDS) from None

    async def _send(self, connection: Connection, delivery: Delivery, part: dict[str, Any]) -> str:
        if wait := self._pace.wait(delivery.target, time.monotonic()):
            raise Later(wait)
        if "card" in part:
            return await self._card(connection, delivery.target, part["card"])
        fresh = dt.datetime.now(dt.UTC) - delivery.created_at < ANSWERABLE
        if fresh and part["link"] == connection.id and await self._respond(connection, part):
            return "stream"
        await self._push(connection, delivery.target, "markdown", {"content": part["content"]})
        return "push"

    async def _respond(self, connection: Connection, part: dict[str, Any]) -> bool:
        """Whether the callback could be answered. Sent twice, the same stream shows once."""
        said = frames.stream(part["stream"], part["content"], part["feedback"])
        try:
            await connection.request(frames.RESPOND, said, part["req_id"])
        except NotAcceptedError as error:
            _patient(error)
            log.info("企业微信智能机器人：不能直接回复（%d），改为推送", error.code)
            return False
        return True

    async def _push(self, connection: Connection, chat: str, kind: str, content: dict[str, Any]) -> None:
        try:
            await connection.request(frames.PUSH, frames.push(chat, kind, content))
        except NotAcceptedError as error:
            _patient(error)
            raise Refused(str(error)) from None

    async def _card(self, connection: Connection, chat: str, card: dict[str, Any]) -> str:
        """Buttons are a comfort: the reply before them tells of the same choices, so it stands without them."""
        try:
            await self._push(connection, chat, "template_card", card)
        except Refused as refusal:
            log.warning("企业微信智能机器人：按钮卡片没有发出（%s）", refusal)
            return ""
        return "card"


def _patient(error: NotAcceptedError) -> None:
    """Turn the codes that another try may be spared into what the outbox understands."""
    if error.code in frames.TOO_OFTEN:
        raise Later(_PATIENCE) from None
    if error.code in frames.FOR_NOW:
        raise Later(_AGAIN_SECONDS) from None
