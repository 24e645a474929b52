"""`check`, `schema`, `import`, `export`: work on the knowledge."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from bot.check import run as checking
from bot.cli.common import FINE, FOUND_PROBLEMS, Database, Knowledge, say, today
from bot.exchange import export as exporting
from bot.exchange import plan as importing
from bot.exchange import read as faq_files
from bot.exchange import store
from bot.knowledge.book import load_or_raise
from bot.knowledge.editors import json_schema
from bot.knowledge.place import default_folder
from bot.settings import load_settings


def check(
    paths: Annotated[list[Path] | None, typer.Argument(help="只报告这些文件或目录里的问题", show_default=False)] = None,
    output: Annotated[str, typer.Option("--format", help="text、json 或 github")] = "text",
    sources: Annotated[Path | None, typer.Option("--sources", help="原文目录：核对数字和抄写", metavar="DIR")] = None,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """检查知识：写法、引用，并跑一遍它自己的问题."""
    formats = {"text": checking.as_text, "json": checking.as_json, "github": checking.as_github}
    if output not in formats:
        raise typer.BadParameter("--format 只能是 text、json 或 github")
    if sources is not None and not sources.is_dir():
        raise typer.BadParameter(f"没有这个目录：{sources}", param_hint="--sources")
    folder = load_settings(knowledge=knowledge, database_url=database).knowledge or default_folder()
    if paths and len(paths) == 1 and knowledge is None and (paths[0] / "regions.yaml").exists():
        folder = paths[0]
    for path in paths or ():
        if not path.exists() or not path.resolve().is_relative_to(folder.resolve()):
            raise typer.BadParameter(f"知识目录 {folder} 里没有 {path}", param_hint="PATH")
    outcome = checking.check(folder, today(), sources)
    if paths:
        outcome = checking.only(outcome, folder, paths)
    say(formats[output](outcome))
    raise typer.Exit(FOUND_PROBLEMS if outcome.errors else FINE)


def schema(knowledge: Knowledge = None, database: Database = None) -> None:
    """输出知识文件的 JSON Schema，给编辑器用；登记表里的词都在里面."""
    folder = load_settings(knowledge=knowledge, database_url=database).knowledge or default_folder()
    say(json.dumps(json_schema(load_or_raise(folder)), ensure_ascii=False, indent=1))


def import_faqs(
    file: Annotated[Path, typer.Argument(help="问答文件：.jsonl、.csv 或 .xlsx")],
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
    say("\n".join([*plan.as_lines(), "只是预演，没有写文件" if dry_run else f"写了 {len(plan.files)} 个文件：{to}"]))


def export_faqs(
    file: Annotated[Path, typer.Argument(help="写到哪里：.jsonl、.csv 或 .xlsx")],
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
        raise typer.BadParameter(f"只认 .jsonl、.csv 和 .xlsx 文件：{file}", param_hint="FILE")
