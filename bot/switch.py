"""The off switch: one entry, or the whole bot, paused with a reason. The log's database keeps it, for every replica."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.errors import StoreError
from bot.querylog.tables import audit, setting

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.querylog.store import QueryLog

EVERYTHING = "*"
"""Stands for the whole bot where an entry's id may stand."""
_KEY = "paused"
_POLL_SECONDS = 2.0

log = logging.getLogger("reformbot.switch")


@dataclass(frozen=True, slots=True)
class Pause:
    """Who paused something, why, and when (ISO 8601, UTC)."""

    why: str
    who: str
    at: str


@dataclass(frozen=True, slots=True)
class Paused:
    """All that is paused, by id; `EVERYTHING` is the whole bot."""

    pauses: Mapping[str, Pause] = field(default_factory=dict)

    @property
    def everything(self) -> bool:
        """Whether the whole bot is paused."""
        return EVERYTHING in self.pauses

    @property
    def entries(self) -> frozenset[str]:
        """The ids of the entries that are paused."""
        return frozenset(self.pauses) - {EVERYTHING}

    def as_lines(self) -> list[str]:
        """One line a pause."""
        names = {name: "整个机器人" if name == EVERYTHING else name for name in self.pauses}
        return [f"{names[name]}：{item.why}（{item.who}，{item.at}）" for name, item in sorted(self.pauses.items())]


class Switch:
    """What is paused now, as far as this process knows; `follow` keeps it at most two seconds old."""

    def __init__(self, querylog: QueryLog) -> None:
        self._querylog = querylog
        self.paused = Paused()

    async def refresh(self) -> None:
        """Read what is paused. Raises StoreError."""
        self.paused = await self._querylog.read(_load)

    async def follow(self) -> None:
        """Go on reading for ever; while the database cannot be read, what was paused stays paused."""
        while True:
            await asyncio.sleep(_POLL_SECONDS)
            try:
                await self.refresh()
            except StoreError:
                log.error("the switch could not be read; it stays as it was")

    async def pause(self, subject: str, why: str, who: str, now: dt.datetime) -> None:
        """Pause an entry, or `EVERYTHING`; a pause that lasts already gets the new reason. Raises StoreError."""
        await self._change(subject, Pause(why, who, now.strftime("%Y-%m-%dT%H:%M:%SZ")), why, who, now)

    async def resume(self, subject: str, why: str, who: str, now: dt.datetime) -> bool:
        """End a pause; False when there was none. Raises StoreError."""
        return await self._change(subject, None, why, who, now)

    async def _change(self, subject: str, pause: Pause | None, why: str, who: str, now: dt.datetime) -> bool:
        """Change one pause and note it in the audit, in one transaction."""

        async def store(connection: AsyncConnection) -> tuple[Paused, bool]:
            before = (await _load(connection, locked=True)).pauses
            if pause is None and subject not in before:
                return Paused(before), False
            rest = {name: item for name, item in before.items() if name != subject}
            after = rest if pause is None else {**rest, subject: pause}
            value = json.dumps({name: asdict(item) for name, item in after.items()}, ensure_ascii=False)
            await connection.execute(sa.delete(setting).where(setting.c.key == _KEY))
            await connection.execute(sa.insert(setting).values(key=_KEY, value=value))
            action = "resume" if pause is None else "pause"
            noted = {"at": now, "actor": who, "action": action, "subject": subject, "detail": why}
            await connection.execute(sa.insert(audit).values(**noted))
            return Paused(after), True

        self.paused, changed = await self._querylog.run(store)
        return changed


async def _load(connection: AsyncConnection, locked: bool = False) -> Paused:
    wanted = sa.select(setting.c.value).where(setting.c.key == _KEY)
    value = await connection.scalar(wanted.with_for_update() if locked else wanted)
    return Paused({name: Pause(**item) for name, item in json.loads(value or "{}").items()})
