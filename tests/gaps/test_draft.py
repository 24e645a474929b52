"""Drafts: a skeleton that only a person can finish, or a diff that leaves every other byte alone."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path
from shutil import copytree, which

import pytest
import yaml

from bot.answer import answer
from bot.check.run import check
from bot.desk import Desk
from bot.gaps.draft import draft
from bot.gaps.insert import insert
from bot.gaps.model import Gap, Nearest
from bot.knowledge.book import read_folder
from tests.conftest import KNOWLEDGE, TODAY, parse
from tests.gaps.conftest import NOW

LIFTS = Gap(
    id=3,
    title="老楼电梯谁出钞票",
    count=4,
    people=3,
    first_at=NOW,
    last_at=NOW,
    trend=(0, 0, 0, 0, 0, 0, 0, 4),
    channels={"web": 4},
    wordings=(("老楼电梯谁出钞票", 2), ("楼道里电梯装起来哪能弄", 1), ("我电话〔手机号〕，电梯", 1), ("(电梯", 1)),
    nearest=(Nearest("nb-old-estate-lifts", "把握 0.20"),),
    kind="matching",
    proposal="wording",
    state="open",
    target="nb-old-estate-lifts",
)
HOSTILE = '=cmd() `x` <img src=x onerror=1> [a](javascript:b) @all\n~~~~\n# 标题\x1b[31m: "'


def test_wordings_for_an_entry_are_a_diff_that_applies(desk: Desk, tmp_path: Path) -> None:
    files = read_folder(KNOWLEDGE)
    made = draft(LIFTS, desk, files, TODAY)
    text = made.as_text()
    added = [line[1:].strip() for line in text.splitlines() if line.startswith("+") and not line.startswith("+++")]
    removed = [line for line in text.splitlines() if line.startswith("-") and not line.startswith("---")]
    assert added[:2] == ["- 老楼电梯谁出钞票", "- 楼道里电梯装起来哪能弄"]
    assert removed == []
    assert made.changed
    after = {name: changed.encode() for name, (_, changed) in made.changed.items()}
    book = parse({**files, **after}).book
    assert book is not None
    assert {"老楼电梯谁出钞票", "楼道里电梯装起来哪能弄"} <= set(book.entries["nb-old-estate-lifts"].ask)
    if which("patch"):
        copytree(KNOWLEDGE, tmp_path / "knowledge")
        done = subprocess.run(["patch", "-p1"], cwd=tmp_path / "knowledge", input=text.encode(), capture_output=True)
        assert done.returncode == 0, done.stdout
        assert {name: (tmp_path / "knowledge" / name).read_bytes() for name in after} == after


def test_a_rival_that_is_given_today_must_reject_the_wording(desk: Desk) -> None:
    stolen = "送外卖摔了有保险吗，要是装电梯的时候"
    given = answer(stolen, desk, (), TODAY).ids
    assert given
    assert "nb-old-estate-lifts" not in given[:1]
    made = draft(replace(LIFTS, wordings=((stolen, 5),)), desk, read_folder(KNOWLEDGE), TODAY)
    assert made.changed
    book = parse({**read_folder(KNOWLEDGE), **{name: text.encode() for name, (_, text) in made.changed.items()}}).book
    assert book is not None
    assert stolen in book.entries["nb-old-estate-lifts"].ask
    assert stolen in book.entries[given[0]].rejects
    assert answer(stolen, Desk(book), (), TODAY).ids == ("nb-old-estate-lifts",)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (
            "- id: a\n  ask:\n    - 甲  # 注\n    # 尾\n  tests: [乙]\n",
            "- id: a\n  ask:\n    - 甲  # 注\n    - 新\n    # 尾\n",
        ),
        ("- id: a\n  ask: [甲]\n  tests: [乙]\n", '- id: a\n  ask: [甲, "新"]\n'),
        ("- id: a\n  ask: []\n  tests: [乙]\n", '- id: a\n  ask: ["新"]\n'),
        ("- id: b\n  ask: [丙]\n- id: a\n  summary: 丁\n", "- id: a\n  summary: 丁\n  ask:\n    - 新\n"),
        ("- id: a\n  summary: 丁\n  ask:\n  - 甲", "  ask:\n  - 甲\n  - 新\n"),
    ],
)
def test_a_question_goes_into_any_shape_of_list(content: str, expected: str) -> None:
    after = insert(content, "a", "ask", ["新"])
    assert expected in after
    item = next(item for item in yaml.safe_load(after) if item["id"] == "a")
    assert item["ask"][-1] == "新"


def test_every_entry_of_the_shipped_knowledge_takes_a_wording(desk: Desk) -> None:
    files = read_folder(KNOWLEDGE)
    count = 0
    for name, content in files.items():
        if "/" not in name:
            continue
        text = content.decode()
        for item in yaml.safe_load(text):
            after = yaml.safe_load(insert(text, item["id"], "rejects", ["新的一句"]))
            changed = next(other for other in after if other["id"] == item["id"])
            assert changed == {**item, "rejects": [*item.get("rejects", []), "新的一句"]}
            count += 1
            break
    assert count > 5


def test_an_issue_is_only_text(desk: Desk) -> None:
    gap = replace(LIFTS, title=HOSTILE, wordings=((HOSTILE, 1),), proposal="entry", target=None)
    text = draft(gap, desk, read_folder(KNOWLEDGE), TODAY).as_issue()
    outside = text.split("~~~~yaml")[0]
    assert "<img" not in outside.replace("\\<", "")
    assert "\x1b" not in text
    assert "@all" not in outside
    assert text.count("\n~~~~") == 2


def test_a_skeleton_of_hostile_words_is_sound_yaml(desk: Desk, tmp_path: Path) -> None:
    gap = replace(LIFTS, title=HOSTILE, wordings=((HOSTILE, 1), ("- id: x", 1), ("甲: [乙", 1)), target=None)
    skeleton = draft(gap, desk, read_folder(KNOWLEDGE), TODAY).as_text()
    copytree(KNOWLEDGE, tmp_path / "knowledge")
    (tmp_path / "knowledge" / "ningbo" / "new.yaml").write_text(skeleton, encoding="utf-8")
    problems = check(tmp_path / "knowledge", TODAY).problems
    assert problems
    assert {problem.code for problem in problems} <= {"K205", "K207", "K208", "K209"}
