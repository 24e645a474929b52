"""`backup`, `restore`, `purge`, `forget`, `migrate-db`: work on the database of the query log."""

from __future__ import annotations

import asyncio
import datetime as dt
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bot.cli.common import Database, Knowledge, say
from bot.errors import StoreError
from bot.querylog import backup as backups
from bot.querylog import privacy
from bot.querylog.copying import copy
from bot.querylog.engine import open_engine
from bot.querylog.store import QueryLog
from bot.settings import load_settings

if TYPE_CHECKING:
    from bot.querylog.copying import Extent


def backup(
    folder: Annotated[
        Path | None, typer.Argument(help="放备份的目录，默认在数据库旁边的 backups", show_default=False)
    ] = None,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """备份问答记录：服务开着也能做；做完核对，旧备份按 7 天、4 周轮换，不超过保留期."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    place, now = folder or backups.folder_for(settings.database_url), dt.datetime.now(dt.UTC)
    made = backups.back_up(settings.database_url, place, now, _progress)
    gone = backups.prune(place, now, settings.retention_days)
    say(f"备份好了：{made.file}（{made.rows} 条问答，{made.size / 1e6:.1f} MB，已核对）；删了 {len(gone)} 个旧备份")


def restore(
    file: Annotated[Path, typer.Argument(help="备份文件", exists=True, dir_okay=False)],
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """用备份恢复问答记录；先停掉服务。原来的文件改名保留."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    now = dt.datetime.now(dt.UTC)
    rows, kept = backups.restore(file, settings.database_url, now, _progress)
    say(f"恢复了 {rows} 条问答" + (f"；原来的文件改名为 {kept}" if kept else ""))


def purge(knowledge: Knowledge = None, database: Database = None) -> None:
    """删掉超过保留期的问答记录和旧备份；服务运行时会自己做."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    now = dt.datetime.now(dt.UTC)

    async def work() -> int:
        querylog = await QueryLog.open(settings.database_url)
        try:
            return await querylog.purge(now - dt.timedelta(days=settings.retention_days))
        finally:
            await querylog.close()

    gone = backups.prune(backups.folder_for(settings.database_url), now, settings.retention_days)
    say(f"删了 {asyncio.run(work())} 条超过 {settings.retention_days} 天的问答，{len(gone)} 个旧备份")


def forget(
    channel: Annotated[str, typer.Argument(help="渠道，如 telegram")],
    user: Annotated[str, typer.Argument(help="渠道里的用户编号，如 Telegram 的数字编号")],
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """删掉一个用户的一切：问过的话、评价、常住地区、关注；备份里的等备份过期."""
    settings = load_settings(knowledge=knowledge, database_url=database)

    async def work() -> int:
        querylog = await QueryLog.open(settings.database_url)
        try:
            return await privacy.forget(querylog, channel, user)
        finally:
            await querylog.close()

    say(f"删了 {asyncio.run(work())} 条问答，以及这个用户的常住地区和关注")


def migrate_db(
    to: Annotated[str, typer.Option("--to", help="搬到哪个数据库；要是空的", metavar="URL")],
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """把问答记录整个搬到另一个数据库（如从 SQLite 到 PostgreSQL），逐表核对条数和哈希；先停掉服务."""
    settings = load_settings(knowledge=knowledge, database_url=database)

    async def work() -> dict[str, Extent]:
        source = await open_engine(settings.database_url)
        try:
            target = await open_engine(to)
            try:
                return await copy(source, target, _progress)
            finally:
                await target.dispose()
        finally:
            await source.dispose()

    if to == settings.database_url:
        raise StoreError("两个数据库是同一个")
    for name, extent in asyncio.run(work()).items():
        say(f"{name:<16}{extent.rows:>10} 条  {extent.digest[:16]}  一致")


def _progress(table: str, rows: int) -> None:
    """How far it is, when a person is watching."""
    console = Console(stderr=True)
    if console.is_terminal:
        console.print(f"{table}: {rows}", end="\r")
