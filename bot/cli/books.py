"""`check`, `schema`, `import`, `export`: work on the knowledge."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from bot.check import freshness
from bot.check import run as checking
from bot.cli.common import FINE, FOUND_PROBLEMS, Database, Knowledge, say, today
from bot.editing.mend import diff, mend
from bot.errors import KnowledgeError
from bot.exchange import export as exporting
from bot.exchange import plan as importing
from bot.exchange import read as faq_files
from bot.exchange import store
from bot.knowledge.book import load, load_or_raise, read_folder
from bot.knowledge.editors import json_schema
from bot.knowledge.place import default_folder
from bot.model import Severity
from bot.querylog.usage import asked_lately
from bot.settings import load_settings
from bot.spread import workers

_FORMATS = ".jsonl、.csv、.xlsx、.json（QnABot）、.tsv（QnA Maker）或 .yml（Rasa）"


def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="只报告这些文件或目录里的问题", show_default=False)] = None,
    output: Annotated[str, typer.Option("--format", help="text、json 或 github")] = "text",
    sources: Annotated[Path | None, typer.Option("--sources", help="原文目录：核对数字和抄写", metavar="DIR")] = None,
    fix: Annotated[bool, typer.Option("--fix", help="改好能放心改的（全角、空格、次序），并列出改了什么")] = False,
    stale: Annotated[bool, typer.Option("--stale", help="只列该复核的，越旧、问得越多的越靠前")] = False,
    links: Annotated[bool, typer.Option("--links", help="也看来源的网址还打不打得开")] = False,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """检查知识：写法、引用，并跑一遍它自己的问题."""
    formats = {"text": checking.as_text, "json": checking.as_json, "github": checking.as_github}
    if output not in formats:
        raise typer.BadParameter("--format 只能是 text、json 或 github")
    if sources is not None and not sources.is_dir():
        raise typer.BadParameter(f"没有这个目录：{sources}", param_hint="--sources")
    settings = load_settings(knowledge=knowledge, database_url=database)
    folder = settings.knowledge or default_folder()
    if paths and len(paths) == 1 and knowledge is None and (paths[0] / "regions.yaml").exists():
        folder = paths[0]
    for path in paths or ():
        if not path.exists() or not path.resolve().is_relative_to(folder.resolve()):
            raise typer.BadParameter(f"知识目录 {folder} 里没有 {path}", param_hint="PATH")
    if stale:
        _list_stale(folder, settings.database_url)
        return
    if fix:
        _fix(folder, paths or [folder])
    outcome = checking.check(folder, today(), sources, workers())
    if links:
        outcome = checking.with_links(outcome, folder)
    if paths:
        outcome = checking.only(outcome, folder, paths)
    say(formats[output](outcome))
    raise typer.Exit(FOUND_PROBLEMS if outcome.errors else FINE)


def _fix(folder: Path, paths: list[Path]) -> None:
    """Mend the files that stand under some paths, each in its place; the changes go to standard error."""
    mended: dict[str, bytes] = {}
    for name, content in read_folder(folder).items():
        path = (folder / name).resolve()
        after = mend(name, content) if any(path.is_relative_to(one.resolve()) for one in paths) else content
        if after != content:
            mended[name] = after
            typer.echo(diff(name, content, after), err=True)
    store.write(folder, mended)
    typer.echo(f"改了 {len(mended)} 个文件", err=True)


def _list_stale(folder: Path, database_url: str) -> None:
    """What must be reviewed, most urgent first; how often it was asked comes from the log, where there is one."""
    loaded = load(folder)
    if loaded.book is None:
        raise KnowledgeError([problem for problem in loaded.problems if problem.severity is Severity.ERROR])
    asked = asyncio.run(asked_lately(database_url, dt.datetime.now(dt.UTC)))
    found = freshness.stale(loaded.book, loaded.trees, today(), asked)
    say("\n".join([*map(str, found), f"{len(found)} 条该复核"]))


def schema(knowledge: Knowledge = None, database: Database = None) -> None:
    """输出知识文件的 JSON Schema，给编辑器用；登记表里的词都在里面."""
    folder = load_settings(knowledge=knowledge, database_url=database).knowledge or default_folder()
    say(json.dumps(json_schema(load_or_raise(folder)), ensure_ascii=False, indent=1))


def import_faqs(
    file: Annotated[
        Path, typer.Argument(help="问答文件：.jsonl、.csv、.xlsx，或 QnABot 的 .json、QnA Maker 的 .tsv、Rasa 的 .yml")
    ],
    to: Annotated[Path, typer.Option("--to", help="导入到哪个知识目录；没有就新建", metavar="DIR")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看会改什么，不写文件")] = False,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """把别的系统的问答导入知识目录."""
    _exchanged(file)
    if not file.is_file():
        raise typer.BadParameter(f"没有这个文件：{file}", param_hint="FILE")
    if to.exists() and not to.is_dir():
        raise typer.BadParameter(f"这不是目录：{to}", param_hint="--to")
    template = load_settings(knowledge=knowledge, database_url=database).knowledge or default_folder()
    plan = importing.make(faq_files.read(file), to, template)
    if not dry_run:
        store.write(to, plan.files)
    shown = [*plan.as_lines(), *(plan.differences if dry_run else ())]
    say("\n".join([*shown, "只是预演，没有写文件" if dry_run else f"写了 {len(plan.files)} 个文件：{to}"]))


def export_faqs(
    file: Annotated[
        Path, typer.Argument(help="写到哪里：.jsonl、.csv、.xlsx、.json（QnABot）、.tsv（QnA Maker）或 .yml（Rasa）")
    ],
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """把全部条目和问答导出成问答文件."""
    _exchanged(file)
    if file.is_dir() or not file.parent.is_dir():
        raise typer.BadParameter(f"这里写不了文件：{file}", param_hint="FILE")
    folder = load_settings(knowledge=knowledge, database_url=database).knowledge or default_folder()
    say(f"导出 {exporting.export(load_or_raise(folder), file)} 条：{file}")


def _exchanged(file: Path) -> None:
    if file.suffix.lower() not in faq_files.FORMATS:
        raise typer.BadParameter(f"只认 .jsonl、.csv、.xlsx、.json、.tsv 和 .yml 文件：{file}", param_hint="FILE")
