"""The command line: one function per command."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console
from rich.progress import track

from bot import __version__, bench, evaluate, holdout, lines, reliability, render, report
from bot.answer import answer
from bot.app import build_desk
from bot.channels.console import converse
from bot.check import run as checking
from bot.errors import KnowledgeError, QuestionSetError, ReformbotError, SettingsError
from bot.exchange import export as exporting
from bot.exchange import plan as importing
from bot.exchange import read as faq_files
from bot.exchange import store
from bot.knowledge.book import load_or_raise
from bot.knowledge.place import default_folder
from bot.knowledge.schema import json_schema
from bot.model import Block, Reply, Status
from bot.serve import serve as serve_web
from bot.settings import load_settings, strangers

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from bot.desk import Desk
    from bot.model import Turn

FINE, FOUND_PROBLEMS, WRONG_USAGE = 0, 1, 2
_T = TypeVar("_T")

app = typer.Typer(
    name="reformbot", help="甬改问答：宁波改革问答机器人", no_args_is_help=True, pretty_exceptions_enable=False
)

Knowledge = Annotated[Path | None, typer.Option("--knowledge", help="知识目录", metavar="DIR")]
Database = Annotated[str | None, typer.Option("--database", help="问答记录的数据库", metavar="URL")]


def main() -> None:
    """Run the command line; every error of ours ends in a clear line and an exit code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        app()
    except KnowledgeError as error:
        _fail(
            [*(str(problem) for problem in error.problems), f"知识有 {len(error.problems)} 个错误，改好再启动"],
            FOUND_PROBLEMS,
        )
    except (SettingsError, QuestionSetError) as error:
        _fail(str(error).splitlines(), WRONG_USAGE)
    except ReformbotError as error:
        _fail(str(error).splitlines(), FOUND_PROBLEMS)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(FOUND_PROBLEMS)


def _fail(lines: Sequence[str], code: int) -> NoReturn:
    for line in lines:
        typer.echo(line, err=True)
    sys.exit(code)


def _today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def _say(text: str) -> None:
    typer.echo(text)


def _version(wanted: bool) -> None:
    if wanted:
        _say(__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="显示版本")] = False,
) -> None:
    """甬改问答：宁波改革问答机器人."""


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="监听的地址，默认 127.0.0.1")] = None,
    port: Annotated[int | None, typer.Option(help="监听的端口，默认 8080")] = None,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """启动网页问答（默认 http://127.0.0.1:8080），不需要任何设置."""
    settings = load_settings(host=host, port=port, knowledge=knowledge, database_url=database)
    for line in strangers():
        typer.echo(line, err=True)
    serve_web(settings, build_desk, _say)


@app.command()
def chat(knowledge: Knowledge = None, database: Database = None) -> None:
    """在终端里对话."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    asyncio.run(converse(settings, build_desk(settings), sys.stdin, _say))


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="一个问题", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="每个回答一行 JSON")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="说明为什么这样答")] = False,
    stdin: Annotated[
        bool, typer.Option("--stdin", help='从标准输入读，一行一个问题，或 {"q": "…", "ctx": ["…"]}')
    ] = False,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """问一个问题，或用 --stdin 一次问很多个；不写问答记录."""
    if (question is None) == (not stdin):
        raise typer.BadParameter("请给一个问题，或者用 --stdin，二者选一")
    desk = build_desk(load_settings(knowledge=knowledge, database_url=database))
    wrong = False
    for asked in lines.read(sys.stdin.buffer) if question is None else [lines.Asked(question)]:
        start = time.perf_counter()
        reply = _ask(asked, desk, explain)
        took = (time.perf_counter() - start) * 1000
        _say(_shown(asked.text, reply, took, as_json, explain))
        if asked.wrong:
            typer.echo(asked.wrong, err=True)
            wrong = True
    if wrong:
        raise typer.Exit(FOUND_PROBLEMS)


def _ask(asked: lines.Asked, desk: Desk, explain: bool) -> Reply:
    if asked.wrong:
        return Reply(Status.ERROR, (Block("summary", asked.wrong),))
    turns: list[Turn] = []
    for said in asked.earlier:
        turns.append(answer(said, desk, turns, _today()).turn)
    return answer(asked.text, desk, turns, _today(), explain)


def _shown(text: str, reply: Reply, took: float, as_json: bool, explain: bool) -> str:
    if as_json:
        return json.dumps(render.payload(text, reply, took, explain), ensure_ascii=False)
    shown = render.terminal(reply)
    if explain:
        lines = [f"— {reply.status.value}，把握 {reply.score:.2f}：{reply.reason}"]
        lines += [f"  {hit.score:.2f}  {hit.id}  {'；'.join(hit.why)}" for hit in reply.hits]
        shown += "\n" + "\n".join(lines)
    return shown


@app.command()
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
    outcome = checking.check(folder, _today(), sources)
    if paths:
        outcome = checking.only(outcome, folder, paths)
    _say(formats[output](outcome))
    raise typer.Exit(FOUND_PROBLEMS if outcome.errors else FINE)


@app.command()
def schema(knowledge: Knowledge = None, database: Database = None) -> None:  # noqa: ARG001 - every command takes them
    """输出条目文件的 JSON Schema，给编辑器用."""
    _say(json.dumps(json_schema(), ensure_ascii=False, indent=2))


@app.command("import")
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
    _say("\n".join([*plan.as_lines(), "只是预演，没有写文件" if dry_run else f"写了 {len(plan.files)} 个文件：{to}"]))


@app.command("export")
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
    _say(f"导出 {exporting.export(load_or_raise(folder), file)} 条：{file}")


def _exchanged(file: Path) -> None:
    if file.suffix.lower() not in faq_files.FORMATS:
        raise typer.BadParameter(f"只认 .jsonl、.csv 和 .xlsx 文件：{file}", param_hint="FILE")


@app.command("eval")
def evaluate_questions(
    file: Annotated[Path | None, typer.Argument(help="题目文件，一行一个 JSON", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    svg: Annotated[Path | None, typer.Option("--svg", help="把握的可靠性图，写成 SVG", metavar="FILE")] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="和以前 eval --json 的输出比", metavar="FILE")
    ] = None,
    held_out: Annotated[bool, typer.Option("--holdout", help="不用题目文件：拿掉一部分问法，看还找不找得到")] = False,
    folds: Annotated[int, typer.Option(help="--holdout 轮几次，4 次轮遍", min=1, max=holdout.QUARTERS)] = 1,
    seed: Annotated[int, typer.Option(help="--holdout 怎样分组")] = 0,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """用一套题目打分，或用 --holdout 拿知识自己的问法打分."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    if held_out:
        if file or svg or baseline:
            raise typer.BadParameter("--holdout 不和题目文件、--svg、--baseline 一起用")
        found = holdout.run(build_desk(settings), _today(), folds, seed, _progress)
        _say(_json(found.as_json()) if as_json else report.holdout_table(found))
        return
    if file is None:
        raise typer.BadParameter("请给题目文件，或者用 --holdout")
    questions = evaluate.read_questions(file)
    earlier = report.read_baseline(baseline) if baseline else None
    outcome = evaluate.run(_progress(questions, len(questions)), build_desk(settings), _today())
    if svg:
        _write(svg, reliability.svg(outcome.calibration(), file.name))
    changes = report.compare(earlier, outcome) if earlier else None
    if as_json:
        _say(_json(outcome.as_json() | ({"baseline": changes.as_json()} if changes else {})))
    else:
        _say("\n".join([report.as_table(outcome), *([changes.as_text()] if changes else [])]))


@app.command("bench")
def measure(
    sizes: Annotated[list[int] | None, typer.Option("--size", help="拼一个这么多条的库来量，可写几次", min=1)] = None,
    rounds: Annotated[int, typer.Option(help="每样量几轮，取中位数", min=1)] = bench.ROUNDS,
    as_json: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """量快慢：一个问题要多久，建一个大库要多久、多少内存（默认约五分钟）."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    folder = settings.knowledge or default_folder()
    tell = partial(typer.echo, err=True) if sys.stderr.isatty() else str
    found = bench.run(build_desk(settings), folder, _today(), sizes or bench.SIZES, rounds, tell)
    _say(_json(asdict(found)) if as_json else found.as_table())


def _json(found: dict[str, Any]) -> str:
    return json.dumps(found, ensure_ascii=False, indent=1)


def _progress(trials: Iterable[_T], total: int) -> Iterable[_T]:
    """The same, with a bar while it lasts when a person is watching."""
    watched = sys.stderr.isatty()
    return track(trials, "提问", total, console=Console(stderr=True), disable=not watched, transient=True)


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"写不了 {path}：{error.strerror}", param_hint="--svg") from error
