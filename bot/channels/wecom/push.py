"""Messages that the app sends by itself: paced, and each once as far as WeCom can tell."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from bot.channels.outbox import Later
from bot.channels.wecom.errors import TASK_KNOWN, ApiError
from bot.channels.wecom.pace import Pace
from bot.channels.wecom.render import SEND, UPDATE_CARD
from bot.channels.wecom.sending import outcome

if TYPE_CHECKING:
    from bot.channels.wecom.api import Api
    from bot.channels.wecom.render import Part
    from bot.querylog.deliveries import Delivery

_REPEATS = 1800
"""Seconds within which WeCom drops a message that repeats another."""

log = logging.getLogger("reformbot.wecom")


class Pusher:
    """Sends the parts of replies for one app."""

    def __init__(self, api: Api, agent_id: int) -> None:
        self._api, self._agent_id = api, agent_id
        self._pace = Pace()

    async def send(self, delivery: Delivery, part: Part) -> str:
        """Send one part and return the platform's id of it; raises what the outbox is to do.

        A repeated text is dropped by WeCom, a repeated card refused for its task id, an update for its code.
        """
        if part["path"] == UPDATE_CARD:
            return await self._updated(part, delivery.target)
        wait = self._pace.wait(delivery.target, time.monotonic())
        if wait:
            raise Later(wait)
        checks = {"enable_duplicate_check": 1, "duplicate_check_interval": _REPEATS}
        try:
            answer = await self._call(part, {"touser": delivery.target, **checks})
        except ApiError as error:
            if error.code == TASK_KNOWN and part["body"]["msgtype"] == "template_card":
                return "known"
            raise outcome(error) from None
        return str(answer.get("msgid") or SEND)

    async def update(self, part: Part, user: str) -> None:
        """Change a card; one that cannot be changed stays as it is."""
        try:
            await self._call(part, {"userids": [user]})
        except ApiError as error:
            log.info("a card could not be changed: %s", error)

    async def _updated(self, part: Part, user: str) -> str:
        """Change a card ahead of a reply, which does not wait for it when WeCom will not."""
        await self.update(part, user)
        return UPDATE_CARD

    async def _call(self, part: Part, more: dict[str, Any]) -> dict[str, Any]:
        return await self._api.call(part["path"], {**part["body"], **more, "agentid": self._agent_id})
