"""Fixtures: the shipped knowledge, compiled once; a small book to bend."""

from __future__ import annotations

import datetime as dt
import gc
import hashlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import _lru_cache_wrapper, cache
from pathlib import Path

import pytest
import yaml
from hypothesis import settings

from bot.cli import main
from bot.desk import Desk
from bot.knowledge.book import Book, Loaded, bind, load_or_raise, read_folder
from bot.knowledge.page import Page, read_page

ROOT = Path(__file__).resolve().parent.parent
KNOWLEDGE = ROOT / "knowledge"
TODAY = dt.date(2026, 11, 20)

settings.register_profile("full", deadline=None)
settings.register_profile("few", deadline=None, max_examples=10, derandomize=True)
settings.load_profile("full")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--anew", action="store_true", help="what this process remembers is worked out again")


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--anew"):
        for found in gc.get_objects():
            if isinstance(found, _lru_cache_wrapper):
                found.cache_clear()


@cache
def shipped_desk() -> Desk:
    """Built once a process: the forks of a mutation run find it there, unless `--anew` is given."""
    return Desk(shipped_book())


@cache
def shipped_book() -> Book:
    return load_or_raise(KNOWLEDGE)


@cache
def shipped_pages() -> Mapping[str, Page]:
    return {name: read_page(name, content) for name, content in read_folder(KNOWLEDGE).items()}


def parse(files: Mapping[str, bytes]) -> Loaded:
    """As `bot.knowledge.book.parse`; what is as it was shipped is read once a process."""
    return bind({name: _page(name, content) for name, content in files.items()})


def _page(name: str, content: bytes) -> Page:
    known = shipped_pages().get(name)
    return known if known and known.digest == hashlib.sha256(content).digest() else read_page(name, content)


@pytest.fixture(scope="session")
def book() -> Book:
    return shipped_book()


@pytest.fixture(scope="session")
def desk() -> Desk:
    return shipped_desk()


@pytest.fixture(scope="session")
def shipped() -> dict[str, bytes]:
    files = read_folder(KNOWLEDGE)
    assert files
    return files


@pytest.fixture(scope="session")
def few(tmp_path_factory: pytest.TempPathFactory, shipped: dict[str, bytes]) -> Path:
    """A folder of a few entries, without topics outside and rejects, that a process loads in half the time."""
    folder = tmp_path_factory.mktemp("few")
    texts = {
        name: re.sub(r"(?m)^  related:.*\n|^  rejects:\n(?:    .*\n)+", "", shipped[name].decode())
        for name in ("ningbo/justice.yaml", "ningbo/livelihood.yaml")
    }
    ids = {entry["id"] for text in texts.values() for entry in yaml.safe_load(text)}
    golden = [item for item in yaml.safe_load(shipped["golden.yaml"]) if item["id"] in ids]
    assert len(golden) > 5
    files = {name: content for name, content in shipped.items() if "/" not in name}
    files |= {name: text.encode() for name, text in texts.items()}
    files |= {"golden.yaml": yaml.safe_dump(golden).encode(), "outside.yaml": b"[]"}
    (folder / "ningbo").mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture(scope="session")
def few_desk(few: Path) -> Desk:
    return Desk(load_or_raise(few))


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process, with `tmp_path` as its folder; keywords are variables of the environment."""
    for name in [name for name in os.environ if name.startswith("REFORMBOT_")]:
        monkeypatch.delenv(name)

    def run(*arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["reformbot", *arguments])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
        with monkeypatch.context() as patched:
            for name, value in settings.items():
                patched.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        said = capsys.readouterr()
        code = ended.value.code or 0
        assert isinstance(code, int)
        return subprocess.CompletedProcess(arguments, code, said.out, said.err)

    return run


@pytest.fixture
def today() -> dt.date:
    return TODAY
