"""Replies out: in order for each target, targets side by side, each part noted before the next one is sent.

What was stored and not sent goes out after a restart, or from another process when this one is gone.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
from collections import deque
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.errors import StoreError
from bot.querylog import deliveries
from bot.querylog.deliveries import Note

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from bot.alerts import Alerts
    from bot.querylog.deliveries import Delivery
    from bot.querylog.recorder import Recorder

EXPIRES = dt.timedelta(hours=24)
"""An answer that comes later than this helps nobody."""

_PARALLEL = 32
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 60.0
_LOOK_EVERY = deliveries.LEASE.total_seconds() / 3
_TROUBLE_AFTER = 3

log = logging.getLogger("reformbot.outbox")


class Later(Exception):  # noqa: N818 - no error: an answer of the platform
    """The platform asks to wait so many seconds: with this target, or with everyone."""

    def __init__(self, seconds: float, everyone: bool = False) -> None:
        super().__init__(f"{seconds} s")
        self.seconds = seconds
        self.everyone = everyone


class Refused(Exception):  # noqa: N818 - likewise
    """The platform will never take this: blocked by the user, or a bad request."""


class Outbox:
    """`send(delivery, part)` sends one part and returns a receipt; it raises Later, Refused, or anything else to be
    tried again with longer and longer waits.
    """

    def __init__(
        self,
        recorder: Recorder,
        channel: str,
        send: Callable[[Delivery, dict[str, Any]], Awaitable[str]],
        alerts: Alerts,
        expires: dt.timedelta = EXPIRES,
    ) -> None:
        self._recorder, self._log = recorder, recorder.querylog
        self._channel, self._send, self._alerts = channel, send, alerts
        self._expires = expires
        self._queues: dict[str, deque[Delivery]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._slots = asyncio.Semaphore(_PARALLEL)
        self._open = asyncio.Event()
        self._open.set()
        self._failing = 0
        self.failed = 0

    def __len__(self) -> int:
        """Number of replies that wait here."""
        return sum(map(len, self._queues.values()))

    def add(self, delivery: Delivery) -> None:
        """Send a reply after those that its target still waits for."""
        if delivery.state != deliveries.WAITING:
            return
        queue = self._queues.get(delivery.target)
        if queue is None:
            queue = self._queues[delivery.target] = deque()
            task = asyncio.create_task(self._serve(delivery.target, queue))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        if all(other.token != delivery.token for other in queue):
            queue.append(delivery)

    async def run(self) -> None:
        """Take over what nobody sends, and say that this process still sends what it has; until cancelled.

        After a time without the log everybody has a lease's time to say so, and to bring the notes that were spooled.
        """
        patient_until = dt.datetime.min.replace(tzinfo=dt.UTC)
        while True:
            now = dt.datetime.now(dt.UTC)
            try:
                held = [item.id for queue in self._queues.values() for item in queue if item.id]
                if held:
                    await self._log.run(partial(deliveries.keep, ids=held, owner=self._log.owner, now=now))
                if now >= patient_until:
                    await self._claim(now)
            except StoreError as error:
                patient_until = now + deliveries.LEASE
                log.error("waiting replies could not be looked for: %s", error)
            await asyncio.sleep(_LOOK_EVERY)

    async def _claim(self, now: dt.datetime) -> None:
        take = partial(deliveries.claim, channel=self._channel, owner=self._log.owner, now=now)
        for delivery in await self._log.run(take):
            self.add(self._recorder.as_noted(delivery))

    async def drain(self, seconds: float) -> None:
        """Wait until all is sent, at most so long; what is left stays stored."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def health(self) -> dict[str, Any]:
        """Replies that wait, and that were given up."""
        return {"waiting": len(self), "failed": self.failed}

    async def _serve(self, target: str, queue: deque[Delivery]) -> None:
        try:
            while queue:
                await self._deliver(queue[0])
                queue.popleft()
        finally:
            del self._queues[target]

    async def _deliver(self, delivery: Delivery) -> None:
        """Send what is left of one reply; it is done, or given up, when this returns."""
        receipts = list(delivery.receipts)
        for number in range(len(receipts), len(delivery.parts)):
            try:
                receipts.append(await self._sent(delivery, delivery.parts[number]))
            except (Refused, TimeoutError) as error:
                self.failed += 1
                log.warning("a reply on %s was given up: %s", self._channel, error)
                await self._note(delivery, receipts, deliveries.FAILED, str(error))
                return
            done = number + 1 == len(delivery.parts)
            await self._note(delivery, receipts, deliveries.DONE if done else deliveries.WAITING)

    async def _sent(self, delivery: Delivery, part: dict[str, Any]) -> str:
        """The receipt of one part, however often it takes; TimeoutError when it is too late for an answer."""
        wait = _FIRST_WAIT
        while dt.datetime.now(dt.UTC) - delivery.created_at < self._expires:
            await self._open.wait()
            try:
                async with self._slots:
                    receipt = await self._send(replace(delivery, parts=()), part)
            except Later as answer:
                await self._pause(answer)
            except Refused:
                raise
            except Exception as error:
                self._trouble(error)
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(_LONGEST_WAIT, wait * 2)
            else:
                self._fine()
                return receipt
        raise TimeoutError("too late")

    async def _pause(self, answer: Later) -> None:
        if not answer.everyone or not self._open.is_set():
            await asyncio.sleep(answer.seconds)
            return
        self._open.clear()
        try:
            await asyncio.sleep(answer.seconds)
        finally:
            self._open.set()

    def _trouble(self, error: Exception) -> None:
        self._failing += 1
        log.info("sending on %s failed: %s", self._channel, type(error).__name__)
        if self._failing == _TROUBLE_AFTER:
            self._alerts.start(f"{self._channel}-send", f"{self._channel} 的回复发不出去，正在重试")

    def _fine(self) -> None:
        if self._failing:
            self._failing = 0
            self._alerts.end(f"{self._channel}-send")

    async def _note(self, delivery: Delivery, receipts: Sequence[str], state: str, reason: str = "") -> None:
        """Write down what became of a reply, also when this is cancelled meanwhile."""
        await asyncio.shield(self._recorder.note(Note(delivery.token, tuple(receipts), state, reason)))
