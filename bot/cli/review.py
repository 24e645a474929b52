"""`gaps`, `replay`, `stats`, `log`: what the log tells those who write the knowledge."""

from __future__ import annotations

import asyncio
import datetime as dt
import getpass
import json
from dataclasses import asdict
from functools import partial
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from bot.app import build_desk
from bot.cli import shown
from bot.cli.common import (
    FINE,
    FOUND_PROBLEMS,
    Database,
    Knowledge,
    as_json,
    moment,
    progress,
    say,
    today,
    write_text,
)
from bot.errors import StoreError
from bot.gaps import replay as replaying
from bot.gaps import stats as counting
from bot.gaps import store, table
from bot.gaps.draft import draft
from bot.gaps.model import STATES
from bot.gaps.refresh import refresh
from bot.knowledge.book import read_folder
from bot.knowledge.place import default_folder
from bot.querylog.reading import reading
from bot.querylog.store import QueryLog
from bot.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from bot.gaps.model import Gap
    from bot.querylog.rows import Logged
    from bot.settings import Settings

T = TypeVar("T")

gaps_app = typer.Typer(help="缺口：没答好的问题，按意思归成组", invoke_without_command=True, no_args_is_help=False)
Number = Annotated[int, typer.Argument(help="缺口的编号", metavar="GAP")]
Note = Annotated[str, typer.Option("--note", help="记下为什么")]
Json = Annotated[bool, typer.Option("--json", help="输出 JSON")]
Since = Annotated[str | None, typer.Option("--since", help="从什么时候起：7d、12h 或 2026-11-01", show_default=False)]


@gaps_app.callback()
def gaps(
    context: typer.Context,
    state: Annotated[
        list[str] | None, typer.Option(help="open、drafted、done、outside，可写几次；默认前两种", show_default=False)
    ] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="最多列几个", min=1)] = 30,
    json_wanted: Json = False,
    csv_file: Annotated[Path | None, typer.Option("--csv", help="写成 CSV", metavar="FILE")] = None,
    xlsx_file: Annotated[Path | None, typer.Option("--xlsx", help="写成 XLSX", metavar="FILE")] = None,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """列出缺口，先更新到最新的记录和现在的知识；服务开着也能用."""
    if context.invoked_subcommand is not None:
        return
    states = tuple(state or store.UNTREATED)
    if strange := [name for name in states if name not in STATES]:
        raise typer.BadParameter(f"没有这种状态：{'、'.join(strange)}", param_hint="--state")
    settings = load_settings(knowledge=knowledge, database_url=database)
    desk, now = build_desk(settings), dt.datetime.now(dt.UTC)

    async def work(querylog: QueryLog) -> list[Gap]:
        await refresh(querylog, desk, now)
        return await querylog.read(partial(store.gaps, states=states, limit=limit, now=now))

    found = _visit(settings, work)
    for file, option, make in ((csv_file, "--csv", table.as_csv), (xlsx_file, "--xlsx", table.as_xlsx)):
        if file is not None:
            write_text(file, make(found), option)
    if json_wanted:
        say(json.dumps(table.as_objects(found), ensure_ascii=False, indent=1))
    elif csv_file is None and xlsx_file is None:
        say("\n".join(shown.gap_lines(item) for item in found) or "没有缺口")


@gaps_app.command("draft")
def draft_gap(
    number: Number,
    issue: Annotated[bool, typer.Option("--issue", help="写成 Markdown，贴到问题跟踪系统里")] = False,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """起草：新条目的 YAML，或者给现有条目补问法的 diff（在知识目录里 patch -p1）."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    desk, now = build_desk(settings), dt.datetime.now(dt.UTC)

    async def work(querylog: QueryLog) -> Gap:
        item = await querylog.read(partial(store.gap, identifier=number, now=now))
        if item is None:
            raise StoreError(f"没有缺口 {number}")
        if item.state == "open":
            note = "写了草稿"
            await querylog.run(lambda connection: store.set_state(connection, number, "drafted", _who(), note, now))
        return item

    made = draft(_visit(settings, work), desk, read_folder(_folder(settings)), today())
    say((made.as_issue() if issue else made.as_text()).rstrip("\n"))


@gaps_app.command("done")
def done(number: Number, note: Note = "", knowledge: Knowledge = None, database: Database = None) -> None:
    """标为已解决."""
    _set(number, "done", note, load_settings(knowledge=knowledge, database_url=database))


@gaps_app.command("dismiss")
def dismiss(number: Number, note: Note = "", knowledge: Knowledge = None, database: Database = None) -> None:
    """标为不归这里；问的次数翻一番才会再出现."""
    _set(number, "outside", note, load_settings(knowledge=knowledge, database_url=database))


@gaps_app.command("reopen")
def reopen(number: Number, note: Note = "", knowledge: Knowledge = None, database: Database = None) -> None:
    """重新打开."""
    _set(number, "open", note, load_settings(knowledge=knowledge, database_url=database))


def replay(
    since: Since = None,
    against: Annotated[
        str, typer.Option("--against", help="和什么比：知识目录，或 git 的版本", metavar="DIR|GIT-REV")
    ] = "HEAD",
    limit: Annotated[int, typer.Option(help="最多问几个不同的问题，问的人多的先问", min=1)] = 5_000,
    json_wanted: Json = False,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """把记录里的问题用改前、改后的知识各问一遍；有人点过赞的回答变了，退出码是 1."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    old, new = replaying.earlier(against, _folder(settings)), build_desk(settings)

    async def work() -> tuple[list[replaying.Question], int]:
        async with reading(settings.database_url) as connection:
            return await replaying.questions(connection, moment(since), limit)

    asked, _ = asyncio.run(work())
    found = replaying.replay(asked, old, new, today(), progress)
    if json_wanted:
        stolen = [dict(zip(("from", "to", "questions", "people"), row, strict=True)) for row in found.stolen()]
        say(as_json({**asdict(found), "stolen": stolen}))
    else:
        say("\n".join(shown.replay_lines(found)))
    raise typer.Exit(FOUND_PROBLEMS if found.praised else FINE)


def stats(
    since: Since = "30d", json_wanted: Json = False, knowledge: Knowledge = None, database: Database = None
) -> None:
    """问答记录的统计：每天、各种回答、各渠道，答上的比例，人数."""
    settings = load_settings(knowledge=knowledge, database_url=database)

    async def work() -> counting.Stats:
        async with reading(settings.database_url) as connection:
            return await counting.stats(connection, moment(since))

    found = asyncio.run(work())
    say(
        as_json({**asdict(found), "answered_share": found.share})
        if json_wanted
        else "\n".join(shown.stats_lines(found))
    )


def log(
    limit: Annotated[int, typer.Option("--limit", "-n", help="几条", min=1)] = 20,
    since: Since = None,
    status: Annotated[str | None, typer.Option(help="只看这种回答，如 none")] = None,
    channel: Annotated[str | None, typer.Option(help="只看这个渠道，如 web")] = None,
    entry: Annotated[str | None, typer.Option(help="只看答成这一条的")] = None,
    contains: Annotated[str | None, typer.Option(help="只看有这几个字的")] = None,
    json_wanted: Json = False,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """最近的问答记录，新的在前；文字已经去掉个人信息."""
    settings = load_settings(knowledge=knowledge, database_url=database)

    async def work() -> list[Logged]:
        async with reading(settings.database_url) as connection:
            return await counting.newest(connection, limit, moment(since), status, channel, entry, contains)

    for item in asyncio.run(work()):
        say(json.dumps(shown.log_object(item), ensure_ascii=False) if json_wanted else shown.log_line(item))


def _visit(settings: Settings, work: Callable[[QueryLog], Awaitable[T]]) -> T:
    async def visit() -> T:
        querylog = await QueryLog.visit(settings.database_url)
        try:
            return await work(querylog)
        finally:
            await querylog.close()

    return asyncio.run(visit())


def _set(number: int, state: str, note: str, settings: Settings) -> None:
    now = dt.datetime.now(dt.UTC)

    async def work(querylog: QueryLog) -> None:
        await querylog.run(lambda connection: store.set_state(connection, number, state, _who(), note, now))

    _visit(settings, work)
    say(f"缺口 {number}：{STATES[state]}")


def _who() -> str:
    """Who is at the terminal, for the audit."""
    try:
        return f"cli:{getpass.getuser()}"
    except (OSError, KeyError):
        return "cli"


def _folder(settings: Settings) -> Path:
    return settings.knowledge or default_folder()
