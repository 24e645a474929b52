"""Commands whose module is imported when one of them is called: `check` need not wait for what only `serve` uses."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

COMMANDS = {
    "serve": "talk.serve",
    "chat": "talk.chat",
    "ask": "talk.ask",
    "check": "books.check",
    "schema": "books.schema",
    "new": "editing.new",
    "import": "books.import_faqs",
    "export": "books.export_faqs",
    "pause": "editing.pause",
    "resume": "editing.resume",
    "eval": "measure.evaluate_questions",
    "bench": "measure.measure",
    "backup": "data.backup",
    "restore": "data.restore",
    "purge": "data.purge",
    "forget": "data.forget",
    "migrate-db": "data.migrate_db",
    "gaps": "review.gaps_app",
    "replay": "review.replay",
    "stats": "review.stats",
    "log": "review.log",
    "login": "site.login",
    "password": "site.password",
    "demo": "site.make_demo",
}
"""Name → its function, or group, in a module beside this one; in the order of the help."""


class Commands(TyperGroup):
    """All commands, each made when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002
        """Every name, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002
        """The command of a name; None when there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name].partition(".")
        found = getattr(import_module(f"bot.cli.{module}"), name)
        if not isinstance(found, typer.Typer):
            function, found = found, typer.Typer(pretty_exceptions_enable=False)
            found.command(cmd_name)(function)
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command
