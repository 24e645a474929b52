"""Look at a log without changing it, also while a server writes to it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from bot.errors import StoreError
from bot.querylog.engine import file_of, open_reader, parse, reason_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from sqlalchemy.ext.asyncio import AsyncConnection


@asynccontextmanager
async def reading(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection that cannot write. StoreError when there is no log, or one of an older program."""
    target = parse(url)
    file = file_of(target)
    if file is not None and not file.is_file():
        raise StoreError(f"还没有问答记录：{file}")
    reader = open_reader(create_async_engine(target))
    if reader is None:
        raise StoreError("内存里的数据库没有可看的")
    try:
        async with reader.connect() as connection:
            yield connection
    except (SQLAlchemyError, OSError) as error:
        raise StoreError(f"读不了问答记录：{reason_of(error)}") from error
    finally:
        await reader.dispose()
