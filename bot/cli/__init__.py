"""The command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from bot import __version__
from bot.cli.common import FOUND_PROBLEMS, WRONG_USAGE, say
from bot.cli.lazy import Commands
from bot.errors import ChannelRefusedError, KnowledgeError, QuestionSetError, ReformbotError, SettingsError

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    name="reformbot",
    cls=Commands,
    help="甬改问答：宁波改革问答机器人",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


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
    except (SettingsError, QuestionSetError, ChannelRefusedError) as error:
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


def _version(wanted: bool) -> None:
    if wanted:
        say(__version__)
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="显示版本")] = False,
) -> None:
    """甬改问答：宁波改革问答机器人."""
