"""`eval`, `bench`: how right, and how fast."""

from __future__ import annotations

import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path  # noqa: TC003 - typer reads it
from typing import Annotated

import typer

from bot import bench, evaluate, holdout, reliability, report
from bot.app import build_desk
from bot.cli.common import Database, Knowledge, as_json, progress, say, today, write_text
from bot.knowledge.place import default_folder
from bot.settings import load_settings


def evaluate_questions(
    file: Annotated[Path | None, typer.Argument(help="题目文件，一行一个 JSON", show_default=False)] = None,
    json_wanted: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
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
        found = holdout.run(build_desk(settings), today(), folds, seed, progress)
        say(as_json(found.as_json()) if json_wanted else report.holdout_table(found))
        return
    if file is None:
        raise typer.BadParameter("请给题目文件，或者用 --holdout")
    questions = evaluate.read_questions(file)
    earlier = report.read_baseline(baseline) if baseline else None
    outcome = evaluate.run(progress(questions, len(questions)), build_desk(settings), today())
    if svg:
        write_text(svg, reliability.svg(outcome.calibration(), file.name), "--svg")
    changes = report.compare(earlier, outcome) if earlier else None
    if json_wanted:
        say(as_json(outcome.as_json() | ({"baseline": changes.as_json()} if changes else {})))
    else:
        say("\n".join([report.as_table(outcome), *([changes.as_text()] if changes else [])]))


def measure(
    sizes: Annotated[list[int] | None, typer.Option("--size", help="拼一个这么多条的库来量，可写几次", min=1)] = None,
    rounds: Annotated[int, typer.Option(help="每样量几轮，取中位数", min=1)] = bench.ROUNDS,
    json_wanted: Annotated[bool, typer.Option("--json", help="输出 JSON")] = False,
    knowledge: Knowledge = None,
    database: Database = None,
) -> None:
    """量快慢：一个问题要多久，建一个大库要多久、多少内存（默认约五分钟）."""
    settings = load_settings(knowledge=knowledge, database_url=database)
    folder = settings.knowledge or default_folder()
    tell = partial(typer.echo, err=True) if sys.stderr.isatty() else str
    found = bench.run(build_desk(settings), folder, today(), sizes or bench.SIZES, rounds, tell)
    say(as_json(asdict(found)) if json_wanted else found.as_table())
