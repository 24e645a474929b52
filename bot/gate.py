"""① Who may ask now, and what was asked already. Clocks are arguments, in seconds, of any origin."""

from __future__ import annotations

import asyncio
import ipaddress
import math
from collections import OrderedDict
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

_MAX_KEYS = 10_000
_MAX_ADDRESS = 64
_MINUTE = 60.0
_REMEMBERED = 600.0


class Verdict(StrEnum):
    """`LIMITED_SAY` is the first refusal of a minute: say one polite word; then `LIMITED_SILENT`."""

    OK = "ok"
    LIMITED_SAY = "limited_say"
    LIMITED_SILENT = "limited_silent"


class Bucket:
    """Tokens of one key: full at the start, `rate` a minute come back, at most `burst` wait."""

    __slots__ = ("_at", "_burst", "_rate", "_said", "_tokens")

    def __init__(self, rate: int, now: float) -> None:
        self._rate = rate
        self._burst = float(max(5, rate // 3))
        self._tokens, self._at, self._said = self._burst, now, -math.inf

    def has_one(self, now: float) -> bool:
        """Refill, and tell whether a token is there."""
        gained = max(0.0, now - self._at) * self._rate / _MINUTE
        self._tokens, self._at = min(self._burst, self._tokens + gained), now
        return self._tokens >= 1

    def restore(self, tokens: float, at: float, said: float) -> None:
        """Go on from what `state` told."""
        self._tokens, self._at, self._said = tokens, at, said

    def state(self) -> tuple[float, float, float]:
        """Tokens left, when that was, and when the last word of refusal was said."""
        return self._tokens, self._at, self._said

    def take(self) -> None:
        """Use one token."""
        self._tokens -= 1

    def refuse(self, now: float) -> Verdict:
        """The refusal, with a word when none was said in the last minute."""
        if 0 <= now - self._said < _MINUTE:
            return Verdict.LIMITED_SILENT
        self._said = now
        return Verdict.LIMITED_SAY


@lru_cache(maxsize=1024)
def network(address: str) -> str:
    """Whom an address stands for: itself, or with IPv6 its /64, which is what one subscriber gets."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address[:_MAX_ADDRESS]
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(found), 64), strict=False))


class Gate:
    """Rate limits in questions a minute: of one user and of one web address; 0 lifts a limit.

    A burst of a third of the rate, but at least five, is let through. At most 10,000 keys are remembered.
    """

    def __init__(self, per_user: int, per_address: int) -> None:
        self._rates = {"user": per_user, "address": per_address}
        self._buckets: OrderedDict[tuple[str, str], Bucket] = OrderedDict()

    def __len__(self) -> int:
        """Number of users and addresses remembered."""
        return len(self._buckets)

    def admit(self, user: str | None, address: str | None, now: float) -> Verdict:
        """Whether a question of `user` (unique over all channels) may pass; only one that passes uses tokens up.

        The address comes first: one that is over its limit cannot fill the table with made-up users. None, or a limit
        that is lifted, lets pass.
        """
        keys = [("address", network(address))] if address is not None and self._rates["address"] else []
        if user is not None and self._rates["user"]:
            keys.append(("user", user))
        passed = []
        for kind, name in keys:
            bucket = self._bucket(kind, name, now)
            if not bucket.has_one(now):
                return bucket.refuse(now)
            passed.append(bucket)
        for bucket in passed:
            bucket.take()
        return Verdict.OK

    def refuse(self, user: str, now: float) -> Verdict:
        """The refusal of a question that came when too many were in hand: one word a minute to each user."""
        return self._bucket("user", user, now).refuse(now)

    def _bucket(self, kind: str, name: str, now: float) -> Bucket:
        key = kind, name
        if key in self._buckets:
            self._buckets.move_to_end(key)
            return self._buckets[key]
        while len(self._buckets) >= _MAX_KEYS:
            self._buckets.popitem(last=False)
        self._buckets[key] = Bucket(self._rates[kind], now)
        return self._buckets[key]


class Duplicates(Generic[T]):
    """The replies of the last ten minutes by (channel, message_id), at most 10,000.

    A platform that heard nothing in time sends a message again: the retry gets the reply of the first, even while
    that one is still being answered.
    """

    def __init__(self) -> None:
        self._replies: OrderedDict[tuple[str, str], tuple[float, asyncio.Future[T]]] = OrderedDict()

    def __len__(self) -> int:
        """Number of messages remembered."""
        return len(self._replies)

    async def once(self, channel: str, message_id: str | None, now: float, make: Callable[[], Awaitable[T]]) -> T:
        """The reply to a message, made by the first caller and shared by the others.

        A caller that is cancelled does not stop it. When `make` raises, all who wait see the error and the message
        is forgotten, so that a later retry is tried afresh. Without an id every message is new.
        """
        if not message_id:
            return await make()
        key = channel, message_id
        self._forget(now)
        if key not in self._replies:
            while len(self._replies) >= _MAX_KEYS:
                self._replies.popitem(last=False)
            task = asyncio.ensure_future(make())
            self._replies[key] = now, task
            task.add_done_callback(lambda done: self._settle(key, done))
        return await asyncio.shield(self._replies[key][1])

    def _settle(self, key: tuple[str, str], done: asyncio.Future[T]) -> None:
        failed = done.cancelled() or done.exception() is not None
        if failed and key in self._replies and self._replies[key][1] is done:
            del self._replies[key]

    def _forget(self, now: float) -> None:
        while self._replies and now - next(iter(self._replies.values()))[0] >= _REMEMBERED:
            self._replies.popitem(last=False)
