"""What the commands share: options, exit codes, ways of saying things."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import track

if TYPE_CHECKING:
    from collections.abc import Iterable

FINE, FOUND_PROBLEMS, WRONG_USAGE = 0, 1, 2
T = TypeVar("T")

Knowledge = Annotated[Path | None, typer.Option("--knowledge", help="知识目录", metavar="DIR")]
Database = Annotated[str | None, typer.Option("--database", help="问答记录的数据库", metavar="URL")]


def today() -> dt.date:
    """Today in UTC."""
    return dt.datetime.now(dt.UTC).date()


def say(text: str) -> None:
    """One line, or several, to standard output."""
    typer.echo(text)


def as_json(found: dict[str, Any]) -> str:
    """Readable JSON."""
    return json.dumps(found, ensure_ascii=False, indent=1)


def progress(trials: Iterable[T], total: int) -> Iterable[T]:
    """The same, with a bar while it lasts when a person is watching."""
    watched = sys.stderr.isatty()
    return track(trials, "提问", total, console=Console(stderr=True), disable=not watched, transient=True)


def write_text(path: Path, text: str, option: str) -> None:
    """Write a file that an option named."""
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"写不了 {path}：{error.strerror}", param_hint=option) from error
