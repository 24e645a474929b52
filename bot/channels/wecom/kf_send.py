"""微信客服, outwards: replies within the budget, the welcome, and the way to a human."""

from __future__ import annotations

import hashlib
import logging
import time
from typing import TYPE_CHECKING, Any

from bot.channels.outbox import Later, Refused
from bot.channels.wecom import render
from bot.channels.wecom.errors import KF_TOO_MANY, NO_PERMISSION, ApiError
from bot.channels.wecom.kf_budget import Budget
from bot.channels.wecom.sending import outcome

if TYPE_CHECKING:
    from bot.channels.wecom.api import Api
    from bot.channels.wecom.kf_humans import Humans
    from bot.channels.wecom.render import Part
    from bot.querylog.deliveries import Delivery

WITH_HUMAN = frozenset({2, 3})
"""Session states: in the queue, with a colleague."""

_FULL_SECONDS = 5.0
_HANDED_OVER = "正在为您转接人工，请稍等。接通以前，这里不再自动答复。"
_NO_HUMAN = "现在没有人工客服在线。您可以接着问我，或者拨打 12345。"

log = logging.getLogger("reformbot.wecom")


def target_of(account: str, user: str) -> str:
    """The address of a citizen at an account."""
    return f"{account}/{user}"


class KfSender:
    """Sends parts of replies; keeps to five messages after each of the citizen's."""

    def __init__(self, api: Api, humans: Humans) -> None:
        self._api, self._humans = api, humans
        self.budget = Budget()

    async def send(self, delivery: Delivery, part: Part) -> str:
        """Send a part of a reply; raises what the outbox is to do. A message with a known id is shown once."""
        account, _, user = delivery.target.partition("/")
        named = f"{delivery.token}-{part['number']}"
        try:
            if part["path"] == render.KF_TRANS:
                return await self._hand_over(account, user, named)
            return await self._message(account, user, part["body"], named)
        except ApiError as error:
            raise outcome(error) from None

    async def welcome(self, code: str, part: Part) -> None:
        """Use up a welcome code: it lives twenty seconds and works once, so there is no second try."""
        try:
            await self._api.call("kf/send_msg_on_event", {"code": code, **part["body"]})
        except ApiError as error:
            log.info("a welcome was not sent: %s", error)

    async def thank(self, account: str, user: str, for_message: str, text: str) -> None:
        """A word that answers a verdict; not worth a second try."""
        named = hashlib.sha256(for_message.encode("utf-8", "surrogatepass")).hexdigest()[:32]
        try:
            await self._message(account, user, render.text(text)["body"], named)
        except (ApiError, Later) as error:
            log.info("a word of thanks was not sent: %s", type(error).__name__)

    async def state(self, account: str, user: str) -> int:
        """The session's state; raises ApiError."""
        answer = await self._api.call("kf/service_state/get", {"open_kfid": account, "external_userid": user})
        state = answer.get("service_state")
        return state if isinstance(state, int) else 0

    async def _message(self, account: str, user: str, body: dict[str, Any], named: str) -> str:
        target = target_of(account, user)
        if not self.budget.take(target, time.time()):
            raise Later(_FULL_SECONDS)  # until the citizen writes again, or it is too late
        try:
            await self._api.call(render.KF_SEND, {"touser": user, "open_kfid": account, "msgid": named, **body})
        except ApiError as error:
            self.budget.give_back(target)
            if error.code == KF_TOO_MANY:
                self.budget.exhaust(target, time.time())
                raise Later(_FULL_SECONDS) from None
            raise
        return named

    async def _hand_over(self, account: str, user: str, named: str) -> str:
        """Put the citizen into the queue for a human, or say that nobody is there."""
        who = {"open_kfid": account, "external_userid": user}
        try:
            answer = await self._api.call(render.KF_TRANS, {**who, "service_state": 2})
        except ApiError as error:
            if error.code != NO_PERMISSION and not isinstance(outcome(error), Refused):
                raise
            if await self.state(account, user) in WITH_HUMAN:
                return "handed over"
            await self._humans.end(target_of(account, user))
            return await self._message(account, user, render.text(_NO_HUMAN)["body"], named)
        await self.welcome(str(answer.get("msg_code")), render.text(_HANDED_OVER))
        return "handed over"
