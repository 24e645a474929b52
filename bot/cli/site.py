"""`login`, `password`, `demo`: the way into the dashboard, and something to see there."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from bot import demo
from bot.app import build_desk
from bot.cli.common import Database, Knowledge, progress, say
from bot.dashboard.access import LINK_LIFE, hash_password, new_link
from bot.dashboard.login import link
from bot.dashboard.site import base_of, is_on
from bot.errors import SettingsError
from bot.querylog.store import QueryLog
from bot.settings import PREFIX, load_settings

if TYPE_CHECKING:
    from bot.settings import Settings

_SHORTEST = 10
_VARIABLE = f"{PREFIX}ADMIN_PASSWORD_HASH"


def login(knowledge: Knowledge = None, database: Database = None) -> None:
    """给出一个进管理页的链接：只能用一次，十分钟内有效."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    if not is_on(settings):
        raise SettingsError([f"管理页没有打开：监听的不是本机地址，要先设 {_VARIABLE}（用 reformbot password 生成）"])
    token = asyncio.run(_new_link(settings))
    minutes = int(LINK_LIFE.total_seconds() // 60)
    say(f"{link(base_of(settings), token)}\n只能用一次，{minutes} 分钟内有效；服务要开着。")


async def _new_link(settings: Settings) -> str:
    querylog = await QueryLog.open(settings.database_url)
    try:
        return await new_link(querylog, dt.datetime.now(dt.UTC))
    finally:
        await querylog.close()


def password(knowledge: Knowledge = None, database: Database = None) -> None:  # noqa: ARG001 - every command takes them
    """把管理页的密码变成可以写进设置的哈希；输入时不显示."""
    chosen = typer.prompt("密码", hide_input=True, confirmation_prompt="再输一次", err=True)
    if len(chosen) < _SHORTEST:
        raise typer.BadParameter(f"密码至少要 {_SHORTEST} 个字符")
    say(f"{_VARIABLE}='{hash_password(chosen)}'")


def make_demo(
    days: Annotated[int, typer.Option(help="编多少天的提问", min=1, max=730)] = 90,
    seed: Annotated[int, typer.Option(help="种子：同一个数编出同样的提问")] = 1,
    knowledge: Knowledge = None,
    database: Annotated[str, typer.Option("--database", help="写到哪个数据库", metavar="URL")] = demo.DATABASE,
) -> None:
    """编一些提问放进另一个数据库，好看看管理页的样子；有真实提问的数据库不写."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    count = asyncio.run(_fill(settings, days, seed))
    say(f"编了 {count} 个提问：{database}\n看管理页：reformbot serve --database {database}")


async def _fill(settings: Settings, days: int, seed: int) -> int:
    desk = build_desk(settings)
    querylog = await QueryLog.open(settings.database_url)
    try:
        return await demo.fill(querylog, desk, days, seed, dt.datetime.now(dt.UTC), progress)
    finally:
        await querylog.close()
