"""Lint, types, packaging, and documents that must not drift from the code."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys

import pytest
import typer

from bot.cli import app
from bot.cli.lazy import COMMANDS, Commands
from bot.settings import PREFIX, Settings
from tests.conftest import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "command", [("ruff", "check", "bot", "tests"), ("ruff", "format", "--check", "bot", "tests"), ("mypy",)], ids=str
)
def test_lint_and_types(command: tuple[str, ...]) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_setting_is_documented() -> None:
    assert len(Settings.model_fields) >= 7
    for name, field in Settings.model_fields.items():
        assert f"`{PREFIX}{name.upper()}`" in README
        assert field.description
        assert field.description in README, name


def test_every_command_is_documented() -> None:
    assert set(COMMANDS) >= {"serve", "chat", "ask", "check", "schema", "eval"}
    group = typer.main.get_command(app)
    assert isinstance(group, Commands)
    context = typer.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        assert command.help or command.short_help, name
        assert f"reformbot {name}" in README, name
    assert group.get_command(context, "nothing") is None


def test_every_code_is_documented() -> None:
    guide = (ROOT / "knowledge" / "README.md").read_text(encoding="utf-8")
    sources = " ".join(path.read_text(encoding="utf-8") for path in (ROOT / "bot").rglob("*.py"))
    codes = set(re.findall(r'"(K[0-9]{3})"', sources))
    assert len(codes) > 25
    assert sorted(code for code in codes if code not in guide) == []


def test_a_plain_install_carries_the_knowledge() -> None:
    try:
        files = importlib.metadata.files("reformbot") or []
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package is not installed")
    names = {str(file) for file in files}
    if not any(name.startswith("bot/") for name in names):
        pytest.skip("an editable install reads the checkout")
    assert "bot/_knowledge/regions.yaml" in names
    assert "bot/_knowledge/ningbo/justice.yaml" in names
    assert "bot/querylog/migrations/env.py" in names
    assert "bot/channels/web/templates/chat.html" in names


def test_the_top_level_holds_what_it_should() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if tracked.returncode:
        pytest.skip("not a checkout")
    top = {line.split("/")[0] for line in tracked.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    assert visible <= {"pyproject.toml", "bot", "knowledge", "tests", "deploy", "README.md", "LICENSE"}
