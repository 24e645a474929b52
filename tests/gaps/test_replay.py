"""Replay: what an edit changes for the questions that were asked."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from shutil import copytree, which
from typing import Any

import pytest

from bot.desk import Desk
from bot.errors import StoreError
from bot.gaps.replay import Replayed, earlier, questions, replay
from bot.knowledge.book import load_or_raise
from bot.querylog.store import QueryLog
from tests.conftest import KNOWLEDGE, TODAY
from tests.gaps.conftest import ask

LIFTS, STOLEN = "nb-old-estate-lifts", "灵活保一天多少钱"


def watch(items: Iterable[Any], _: int) -> Iterable[Any]:
    return items


@pytest.fixture
def edited(tmp_path: Path) -> Desk:
    """The insurance loses its name to the lifts."""
    folder = tmp_path / "knowledge"
    copytree(KNOWLEDGE, folder)
    for file in (folder / "ningbo").glob("*.yaml"):
        text = file.read_text(encoding="utf-8")
        if f"- id: {LIFTS}\n" in text:
            head, tail = text.split(f"- id: {LIFTS}\n")
            tail = tail.replace("  ask:\n", f"  ask:\n    - {STOLEN}\n    - 宁波哪里好钓鱼\n", 1)
            file.write_text(f"{head}- id: {LIFTS}\n{tail}", encoding="utf-8")
    return Desk(load_or_raise(folder))


async def run(querylog: QueryLog, old: Desk, new: Desk) -> Replayed:
    asked, _ = await querylog.read(partial(questions, since=None, limit=50))
    return replay(asked, old, new, TODAY, watch)


async def test_gains_steals_and_praise(querylog: QueryLog, desk: Desk, edited: Desk) -> None:
    await ask(querylog, desk, ["宁波哪里好钓鱼", "宁波哪里好钓鱼？", "微法院"])
    await ask(querylog, desk, [STOLEN], user="a")
    (number,) = await ask(querylog, desk, [STOLEN], user="b")
    same = await run(querylog, desk, desk)
    assert (same.questions, same.rows, same.changes) == (3, 5, ())
    changed = await run(querylog, desk, edited)
    assert {(change.text, change.kind, change.people) for change in changed.changes} == {
        ("宁波哪里好钓鱼", "gained", 2),
        (STOLEN, "moved", 2),
    }
    ((before, after, count, people),) = changed.stolen()
    assert (after, count, people) == (LIFTS, 2, 2)
    assert before != LIFTS
    assert changed.praised == ()
    await querylog.verdict(number, "up", "b")
    assert [change.text for change in (await run(querylog, desk, edited)).praised] == [STOLEN]
    back = await run(querylog, edited, desk)
    assert {change.kind for change in back.changes} == {"lost", "moved"}


def test_the_earlier_knowledge_from_a_folder_or_from_git(tmp_path: Path, desk: Desk) -> None:
    folder = tmp_path / "work" / "knowledge"
    copytree(KNOWLEDGE, folder)
    assert earlier(str(folder), KNOWLEDGE).book.version == desk.book.version
    for wrong in ("no-such-revision", "--output=x"):
        with pytest.raises(StoreError, match="--against"):
            earlier(wrong, folder)
    assert not (folder / "x").exists()
    if which("git") is None:
        pytest.skip("git is not installed")
    git = ["git", "-C", str(folder.parent), "-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    (folder / "texts.yaml").write_text("broken", encoding="utf-8")
    assert earlier("HEAD", folder).book.version == desk.book.version
