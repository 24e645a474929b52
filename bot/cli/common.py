"""What the commands share: options, exit codes, ways of saying things."""

from __future__ import annotations

import datetime as dt
import json
import re
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


def visible(text: str) -> str:
    """A stored text on one line of a terminal: what would move the cursor, ring or turn the text is shown as a code."""
    return "".join(char if char.isprintable() or char == "\u3000" else f"\\u{ord(char):04x}" for char in text)


def moment(text: str | None) -> dt.datetime | None:
    """`7d`, `12h` or `2026-11-01` (UTC) as a moment."""
    if text is None:
        return None
    span = re.fullmatch("([0-9]{1,4})([dh])", text)
    if span:
        return dt.datetime.now(dt.UTC) - dt.timedelta(**{{"d": "days", "h": "hours"}[span[2]]: int(span[1])})
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
    except ValueError:
        raise typer.BadParameter("写成 7d、12h 或 2026-11-01", param_hint="--since") from None


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


def write_text(path: Path, text: str | bytes, option: str) -> None:
    """Write a file that an option named."""
    try:
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    except OSError as error:
        raise typer.BadParameter(f"写不了 {path}：{error.strerror}", param_hint=option) from error
