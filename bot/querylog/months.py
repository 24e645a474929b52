"""On PostgreSQL the log is partitioned by month: old months are dropped whole. Elsewhere these do nothing."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import sqlalchemy as sa

_AHEAD = 3
_NAME = re.compile("query_log_([0-9]{4})_([0-9]{2})")


def prepare(connection: sa.Connection, now: dt.datetime) -> None:
    """Make the partitions of this month and the next ones; rows that came before them move in."""
    if connection.dialect.name != "postgresql":
        return
    known = set(_partitions(connection))
    for first in _months(now.date()):
        if first not in known:
            _make(connection, first)


def drop_before(connection: sa.Connection, before: dt.datetime) -> None:
    """Drop the months that ended before this moment; their rows are deleted already."""
    if connection.dialect.name != "postgresql":
        return
    for first in _partitions(connection):
        if _next(first) <= before.date():
            connection.exec_driver_sql(f"DROP TABLE {_name(first)}")


def _partitions(connection: sa.Connection) -> Iterator[dt.date]:
    names = connection.exec_driver_sql(
        "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'query_log'::regclass"
    )
    for name in names.scalars().all():
        if found := _NAME.fullmatch(name):
            yield dt.date(int(found[1]), int(found[2]), 1)


def _months(day: dt.date) -> Iterator[dt.date]:
    first = day.replace(day=1)
    for _ in range(_AHEAD):
        yield first
        first = _next(first)


def _next(first: dt.date) -> dt.date:
    return (first + dt.timedelta(days=32)).replace(day=1)


def _name(first: dt.date) -> str:
    return f"query_log_{first:%Y_%m}"


def _make(connection: sa.Connection, first: dt.date) -> None:
    name, start, end = _name(first), first.isoformat(), _next(first).isoformat()
    connection.exec_driver_sql(f"CREATE TABLE {name} (LIKE query_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS)")
    connection.exec_driver_sql(
        f"WITH moved AS (DELETE FROM query_log_rest WHERE asked_at >= '{start}' AND asked_at < '{end}' RETURNING *)"
        f" INSERT INTO {name} SELECT * FROM moved"
    )
    connection.exec_driver_sql(
        f"ALTER TABLE query_log ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}')"
    )
