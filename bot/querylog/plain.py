"""Questions that bring nothing else with them, into SQLite in one statement and one trip to its thread."""

from __future__ import annotations

import sqlite3
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import DBAPIError

from bot.querylog.arrivals import Arrival, Taken
from bot.querylog.columns import utc_text
from bot.querylog.tables import query_log

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.ext.asyncio import AsyncEngine

    from bot.querylog.rows import LogRow

_COLUMNS = tuple(name for name in query_log.c.keys() if name not in {"id", "verdict", "verdict_at"})  # noqa: SIM118


class PlainRows:
    """Implements `writer.Shortcut`: it works on the engine's one connection while nobody else has it."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._driver: Any = None

    def takes(self, arrival: Arrival) -> bool:
        """Whether there is nothing but a row to store: no message id, no reply to send, no conversation."""
        return not (arrival.row.message_id or arrival.also or arrival.post or arrival.turns)

    async def insert(self, arrivals: Sequence[Arrival]) -> list[Taken]:
        """Store all or none; on the disk when this returns. Raises DBAPIError."""
        values = list(chain.from_iterable(_values(arrival.row) for arrival in arrivals))
        if self._driver is None:
            async with self._engine.connect() as connection:
                self._driver = (await connection.get_raw_connection()).driver_connection
        statement = _statement(len(arrivals))
        try:
            found = await self._driver.execute_fetchall(statement, values)
        except sqlite3.Error as error:
            self.forget()
            raise DBAPIError.instance(statement, None, error, sqlite3.Error, hide_parameters=True) from error
        return [Taken(query_id, True) for (query_id,) in sorted(found)]  # ids rise in the order of the rows

    def forget(self) -> None:
        """Ask for the connection anew: the last one may be gone."""
        self._driver = None


@lru_cache(maxsize=64)
def _statement(count: int) -> str:
    marks = f"({', '.join('?' * len(_COLUMNS))})"
    return f"INSERT INTO query_log ({', '.join(_COLUMNS)}) VALUES {', '.join([marks] * count)} RETURNING id"


def _values(row: LogRow) -> Iterator[Any]:
    values = row.values()
    values["asked_at"] = utc_text(row.asked_at)
    return map(values.__getitem__, _COLUMNS)
