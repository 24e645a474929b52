"""A whole log from one database to another, of the same kind or not: row by row, then compared by counts and hashes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.errors import StoreError
from bot.querylog.tables import metadata

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_BATCH = 2_000


@dataclass(frozen=True, slots=True)
class Extent:
    """What a table holds: number of rows, and a hash over them in the order of their keys."""

    rows: int
    digest: str


async def copy(source: AsyncEngine, target: AsyncEngine, tell: Callable[[str, int], object]) -> dict[str, Extent]:
    """Copy every table into an empty log and compare; what each holds, by name.

    The source is read at one moment. `tell(table, rows)` hears how far it is. Raises StoreError when the target is
    not empty, or when a table did not arrive as it left.
    """
    async with source.connect() as reading, target.begin() as writing:
        if reading.dialect.name == "postgresql":
            await reading.execution_options(isolation_level="REPEATABLE READ")
        await _must_be_empty(writing)
        extents = {table.name: await _copy_table(table, reading, writing, tell) for table in metadata.sorted_tables}
        for table in metadata.sorted_tables:
            arrived = await extent(table, writing)
            if arrived != extents[table.name]:
                raise StoreError(f"表 {table.name} 搬过去以后对不上：{extents[table.name]} → {arrived}")
        await _go_on_counting(writing)
        return extents


async def extent(table: sa.Table, connection: AsyncConnection) -> Extent:
    """Count and hash one table."""
    digest, rows = hashlib.sha256(), 0
    async for batch in _batches(table, connection):
        rows += len(batch)
        for row in batch:
            digest.update(_line(row))
    return Extent(rows, digest.hexdigest())


async def _copy_table(
    table: sa.Table, reading: AsyncConnection, writing: AsyncConnection, tell: Callable[[str, int], object]
) -> Extent:
    digest, rows = hashlib.sha256(), 0
    async for batch in _batches(table, reading):
        await writing.execute(sa.insert(table), [dict(row._mapping) for row in batch])
        rows += len(batch)
        for row in batch:
            digest.update(_line(row))
        tell(table.name, rows)
    return Extent(rows, digest.hexdigest())


async def _batches(table: sa.Table, connection: AsyncConnection) -> AsyncIterator[list[sa.Row[Any]]]:
    """The rows in the order of their key, some at a time: each batch begins after the last key of the one before."""
    order = _plain_order(connection)
    keys = [sa.collate(column, order) if _is_text(column) else column for column in table.primary_key]
    wanted = sa.select(table).order_by(*keys).limit(_BATCH)
    after: tuple[Any, ...] | None = None
    while True:
        page = wanted if after is None else wanted.where(sa.tuple_(*keys) > sa.tuple_(*map(sa.literal, after)))
        rows = list(await connection.execute(page))
        if rows:
            yield rows
        if len(rows) < _BATCH:
            return
        after = tuple(getattr(rows[-1], column.name) for column in table.primary_key)


def _is_text(column: sa.Column[Any]) -> bool:
    return isinstance(column.type, sa.Text)


def _plain_order(connection: AsyncConnection) -> str:
    """The collation that orders by bytes."""
    return "C" if connection.dialect.name == "postgresql" else "BINARY"


def _line(row: sa.Row[Any]) -> bytes:
    return (repr(tuple(row)) + "\n").encode("utf-8", "surrogatepass")


async def _must_be_empty(connection: AsyncConnection) -> None:
    for table in metadata.sorted_tables:
        if await connection.scalar(sa.select(sa.literal(1)).select_from(table).limit(1)):
            raise StoreError(f"目标数据库里已经有内容（表 {table.name}）：请给一个空的数据库")


async def _go_on_counting(connection: AsyncConnection) -> None:
    """On PostgreSQL, new rows must get ids after those that were copied."""
    if connection.dialect.name != "postgresql":
        return
    for table in metadata.sorted_tables:
        if table.autoincrement_column is not None:
            last = sa.select(sa.func.coalesce(sa.func.max(table.c.id), 0) + 1).scalar_subquery()
            sequence = sa.func.pg_get_serial_sequence(table.name, "id")
            await connection.execute(sa.select(sa.func.setval(sequence, last, False)))
