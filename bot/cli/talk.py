"""`serve`, `chat`, `ask`: the bot at work."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from bot import lines, render
from bot.answer import answer
from bot.app import build_desk
from bot.channels.console import converse
from bot.cli.common import FOUND_PROBLEMS, Database, Knowledge, say, today
from bot.model import Block, Reply, Status
from bot.serve import serve as serve_web
from bot.settings import load_settings, strangers

if TYPE_CHECKING:
    from bot.desk import Desk
    from bot.model import Turn


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
    serve_web(settings, build_desk, say)


def chat(knowledge: Knowledge = None, database: Database = None) -> None:
    """在终端里对话."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    asyncio.run(converse(settings, build_desk(settings), sys.stdin, say))


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
        say(_shown(asked.text, reply, took, as_json, explain))
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
        turns.append(answer(said, desk, turns, today()).turn)
    return answer(asked.text, desk, turns, today(), explain)


def _shown(text: str, reply: Reply, took: float, as_json: bool, explain: bool) -> str:
    if as_json:
        return json.dumps(render.payload(text, reply, took, explain), ensure_ascii=False)
    shown = render.terminal(reply)
    if explain:
        lines = [f"— {reply.status.value}，把握 {reply.score:.2f}：{reply.reason}"]
        lines += [f"  {hit.score:.2f}  {hit.id}  {'；'.join(hit.why)}" for hit in reply.hits]
        shown += "\n" + "\n".join(lines)
    return shown
