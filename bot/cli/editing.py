"""`new`, `pause`, `resume`: what an admin does to the knowledge and to the bot."""

from __future__ import annotations

import asyncio
import datetime as dt
import getpass
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

import typer

from bot.cli.common import FINE, FOUND_PROBLEMS, Database, Knowledge, say
from bot.editing.scaffold import placed, suggested_id, wrong
from bot.editing.workbook import Workbook
from bot.exchange import store
from bot.knowledge.book import load_or_raise, read_folder
from bot.knowledge.place import default_folder
from bot.knowledge.schema import Entry
from bot.knowledge.vocabulary import About
from bot.model import Severity
from bot.querylog.store import QueryLog
from bot.settings import load_settings
from bot.standing import find
from bot.switch import EVERYTHING, Switch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from bot.knowledge.book import Book

T = TypeVar("T")

_ASKS = 5


def new(knowledge: Knowledge = None, database: Database = None) -> None:
    """一问一答地新写一条，写进它该在的文件."""
    folder = load_settings(knowledge=knowledge, database_url=database).knowledge or default_folder()
    files, book = read_folder(folder), load_or_raise(folder)
    entry = Entry.model_validate(_questioned(book))
    name, content = placed(entry, book, files)
    problems = Workbook(files).check(name, content)
    say("\n".join(map(str, problems)))
    if any(problem.severity is Severity.ERROR for problem in problems):
        say(f"有错，没有写进 {name}。您写的是：\n{content.decode()[len(files.get(name, b'').decode()) :]}")
        raise typer.Exit(FOUND_PROBLEMS)
    store.write(folder, {name: content})
    say(f"写好了：{folder / name} 的最后一条 {entry.id}。再补几句问法，然后运行 reformbot check")


def _questioned(book: Book) -> dict[str, Any]:
    """The answers to all that an entry needs."""
    name = _ask("正式名称（照来源写）", "name")
    region = _choose("地区", book.regions)
    found: dict[str, Any] = {
        "id": _ask("编号（定了就不再改）", "id", suggested_id(name, region, book), {*book.entries, *book.faqs}),
        "name": name,
        "region": region,
        "theme": _choose("主题", [theme.name for theme in book.themes]),
        "audience": [_choose("给谁用", [audience.name for audience in book.audiences])],
        "summary": _ask("一两句大白话，先说这是什么", "summary"),
    }
    found["facts"] = [_fact(book)]
    while typer.confirm("还有别的事实吗", default=False):
        found["facts"].append(_fact(book))
    say("市民会怎么问？一行一句，至少五句，写完直接回车")
    found["ask"] = _several("问法", "ask", _ASKS)
    say("考一考：换个说法，不能和上面的相同。一行一句，至少一句，写完直接回车")
    return {**found, "tests": _several("测试", "tests", 1)}


def _fact(book: Book) -> dict[str, Any]:
    fact = {
        "text": typer.prompt("事实：一句话，数字照来源写"),
        "about": [_choose("这句话回答什么", get_args(About))],
        "as_of": typer.prompt("是什么时候的（2022、2022-09 或 2022-09-21）"),
        "period": typer.prompt("给市民看的期间（如 2022 年、截至 2019 年上半年）"),
        "source": _choose("来源", book.sources),
    }
    message = wrong("facts", [fact])
    if not message:
        return fact
    say(f"{message}。这条事实请再写一遍")
    return _fact(book)


def _ask(label: str, field: str, default: str | None = None, taken: Collection[str] = ()) -> str:
    while True:
        value = str(typer.prompt(label, default=default)).strip()
        message = "已经用过了，请换一个" if value in taken else wrong(field, value)
        if not message:
            return value
        say(message)


def _several(label: str, field: str, least: int) -> list[str]:
    found: list[str] = []
    while True:
        value = str(typer.prompt(f"{label} {len(found) + 1}", default="", show_default=False)).strip()
        if value:
            message = wrong(field, [*found, value] + ["补"] * least)
            found += [] if message else [value]
            say(message) if message else None
        elif len(found) >= least:
            return found
        else:
            say(f"至少 {least} 句，现在 {len(found)} 句")


def _choose(label: str, words: Collection[str]) -> str:
    """One of some words, by itself or by its number."""
    listed = list(words)
    say("  ".join(f"{number}. {word}" for number, word in enumerate(listed, 1)))
    while True:
        value = str(typer.prompt(f"{label}（写词或号码）")).strip()
        if value.isdecimal() and 1 <= int(value) <= len(listed):
            return listed[int(value) - 1]
        if value in listed:
            return value
        say("请从上面选一个")


Why = Annotated[str, typer.Option("--why", help="为什么；写进审计记录")]


def pause(
    entry: Annotated[str | None, typer.Argument(help="条目的编号；不写就是整个机器人", show_default=False)] = None,
    why: Why = "",
    listing: Annotated[bool, typer.Option("--list", help="只列出停着的")] = False,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """暂停一条，或整个机器人；市民会看到一句说明和 12345."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    if listing:
        paused = asyncio.run(_with_switch(settings.database_url, _listed))
        say("\n".join(paused or ["没有停着的"]))
        return
    if not why.strip():
        raise typer.BadParameter("请写明原因", param_hint="--why")
    if entry is not None and find(entry, load_or_raise(settings.knowledge or default_folder())) is None:
        raise typer.BadParameter(f"没有“{entry}”这一条", param_hint="ENTRY")
    subject, now, who = entry or EVERYTHING, dt.datetime.now(dt.UTC), getpass.getuser()
    asyncio.run(_with_switch(settings.database_url, lambda switch: switch.pause(subject, why.strip(), who, now)))
    say(f"{entry or '整个机器人'}已暂停，开着的服务两三秒内生效")


def resume(
    entry: Annotated[str | None, typer.Argument(help="条目的编号；不写就是整个机器人", show_default=False)] = None,
    why: Why = "",
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """恢复暂停了的一条，或整个机器人."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    subject, now, who = entry or EVERYTHING, dt.datetime.now(dt.UTC), getpass.getuser()
    done = asyncio.run(_with_switch(settings.database_url, lambda switch: switch.resume(subject, why, who, now)))
    say(f"{entry or '整个机器人'}{'已恢复' if done else '本来就没有停'}")
    raise typer.Exit(FINE if done else FOUND_PROBLEMS)


async def _listed(switch: Switch) -> list[str]:
    await switch.refresh()
    return switch.paused.as_lines()


async def _with_switch(url: str, work: Callable[[Switch], Awaitable[T]]) -> T:
    querylog = await QueryLog.open(url)
    try:
        return await work(Switch(querylog))
    finally:
        await querylog.close()
