"""What the program may ask of a push channel, and how it keeps several of them running."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import TYPE_CHECKING, Any, Protocol

from bot.errors import ChannelRefusedError, StoreError
from bot.querylog.lead import lead

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute

    from bot.channels.service import Service

STOP_SECONDS = 8.0
"""So long a channel may take to finish what is in hand."""

_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0

log = logging.getLogger("reformbot.channels")


class Channel(Protocol):
    """One way that questions come in by themselves: Telegram, an app of WeCom."""

    name: str
    singleton: bool
    """Whether only one of several replicas may run it: one that polls, or holds a connection."""

    def routes(self) -> Sequence[BaseRoute]:
        """What it needs of the web server; empty when it needs nothing."""
        ...

    async def run(self, stopping: asyncio.Event) -> None:
        """Work until `stopping` is set, then take in nothing more, finish what is in hand, and return.

        Raises ChannelRefusedError when the platform does not let it in at all.
        """
        ...

    def health(self) -> dict[str, Any]:
        """Its state for /healthz: `{"status": "ok", ...}` while it works."""
        ...


async def keep_running(channel: Channel, stopping: asyncio.Event, service: Service) -> None:
    """Run a channel, again and again when it breaks, until `stopping`; only ChannelRefusedError gets out."""
    alerts = service.alerts
    wait = _FIRST_WAIT
    while not stopping.is_set():
        try:
            if channel.singleton:
                await lead(service.querylog, channel.name, stopping, channel.run)
            else:
                await channel.run(stopping)
        except ChannelRefusedError:
            raise
        except Exception as error:
            told = not isinstance(error, StoreError)  # a log that is away is told of elsewhere
            log.error("the channel %s broke; it is started again", channel.name, exc_info=told)
            alerts.start(f"{channel.name}-down", f"{channel.name} 出错停了，正在重启")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), wait * random.uniform(0.5, 1.0))
            wait = min(_LONGEST_WAIT, wait * 2)
        else:
            alerts.end(f"{channel.name}-down")
            return


async def run_all(channels: Sequence[Channel], stopping: asyncio.Event, service: Service) -> None:
    """Run channels side by side until `stopping`; one that is refused stops them all and its error gets out."""
    tasks = [asyncio.create_task(keep_running(one, stopping, service), name=one.name) for one in channels]
    if not tasks:
        return
    done, _ = await asyncio.wait([*tasks, asyncio.create_task(stopping.wait())], return_when=asyncio.FIRST_COMPLETED)
    refused = [error for task in tasks if task in done and (error := task.exception())]
    stopping.set()
    _, late = await asyncio.wait(tasks, timeout=STOP_SECONDS)
    for task in late:
        log.error("the channel %s did not stop in time", task.get_name())
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    if refused:
        raise refused[0]
