"""What is remembered of users between two messages: how often they asked, and the last turns.

One process keeps it to itself; several replicas share it through the database, and each falls back on its own memory
while the database is away.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from bot.conversation import Conversations
from bot.errors import StoreError
from bot.gate import Gate, Verdict, network
from bot.querylog import fleet
from bot.redact import redact

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable

    from bot.model import Message, Turn
    from bot.querylog.store import QueryLog

T = TypeVar("T")

_PATIENCE = 1.0

log = logging.getLogger("reformbot.memory")


class Memory:
    """Rates are questions a minute, of one user and of one web address; 0 lifts a limit."""

    def __init__(self, querylog: QueryLog, per_user: int, per_address: int) -> None:
        self._log, self._per_user, self._per_address = querylog, per_user, per_address
        self.gate = Gate(per_user, per_address)
        self.conversations = Conversations()

    async def admit(self, message: Message, user_key: str, now: dt.datetime, tick: float) -> Verdict:
        """Whether this question may pass."""
        if self._log.shared:
            limits = [(f"user/{user_key}", self._per_user)] if self._per_user and not message.passing else []
            if message.address is not None and self._per_address:
                key = await self._log.user_key("address", network(message.address))
                limits.insert(0, (f"address/{key}", self._per_address))
            shared = await self._shared(lambda: self._log.run(partial(fleet.admit, limits=limits, now=now.timestamp())))
            if shared is not None:
                return shared
        user = None if message.passing else f"{message.channel}:{message.user}"
        return self.gate.admit(user, message.address, tick)

    async def turns(self, message: Message, user_key: str, now: dt.datetime, tick: float) -> tuple[Turn, ...]:
        """Earlier turns of this conversation, oldest first. Those among other people are not shared by replicas."""
        if message.passing:
            return ()
        if self._log.shared and not message.room:
            shared = await self._shared(lambda: self._log.read(partial(fleet.recall, key=user_key, now=now)))
            if shared is not None:
                return shared
        return self.conversations.turns(message.channel, message.user, tick, message.room)

    def add(self, message: Message, turns: tuple[Turn, ...], turn: Turn, tick: float) -> tuple[Turn, ...]:
        """Remember one more turn after `turns`; what is to be stored with its row, empty when nothing is."""
        if message.passing:
            return ()
        self.conversations.add(message.channel, message.user, turn, tick, message.room)
        if not self._log.shared or message.room:
            return ()
        return (*turns, replace(turn, text=redact(turn.text)))

    def forget(self, channel: str, user: str) -> None:
        """Forget the conversations of a user in this process."""
        self.conversations.forget(channel, user)

    async def _shared(self, work: Callable[[], Awaitable[T]]) -> T | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await work()
        except (StoreError, TimeoutError):
            log.warning("the shared memory is away; this process uses its own")
            return None
