"""Knowledge files with one mistake each: every mistake is found where it stands, by its code, with the mend."""

from __future__ import annotations

import errno
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.check.run import check
from bot.knowledge import book, nodes
from bot.model import Severity
from tests.conftest import TODAY, parse

ROOT = Path(__file__).resolve().parent.parent
BAD = Path(__file__).parent / "bad"
CASES: list[dict[str, Any]] = yaml.safe_load((BAD / "cases.yaml").read_text(encoding="utf-8"))
RIGHT = sorted(path.name for path in BAD.glob("ok-*.yaml"))
GENERATED = {
    "brackets.yaml": b"[" * 40_000,
    "megabyte.yaml": b"- " + b"a" * nodes.MAX_BYTES,
    "crowded.yaml": b"- a\n" * (nodes.MAX_NODES + 1),
}
NOT_IN_ONE_FILE = {"K000", "K004", "K006"}
"""Told of a folder, not of a file; tested below."""
FALLBACK = {"K299"}
"""For kinds of errors that the models cannot raise today."""


def content(case: dict[str, Any]) -> bytes:
    name = case["file"]
    return GENERATED[name] if case.get("generated") else (BAD / name).read_bytes()


def place(case: dict[str, Any]) -> str:
    return str(case.get("as", f"ningbo/{case['file']}"))


def test_there_are_cases_for_every_code_and_every_file() -> None:
    assert len(CASES) > 80
    assert len({case["file"] for case in CASES}) == len(CASES)
    in_code = {
        code
        for path in sorted((ROOT / "bot" / "knowledge").glob("*.py"))
        for code in re.findall(r'"(K[0-3]\d\d)"', path.read_text(encoding="utf-8"))
    }
    assert {case["code"] for case in CASES} == in_code - NOT_IN_ONE_FILE - FALLBACK
    on_disk = {path.name for path in BAD.iterdir()} - {"cases.yaml", *RIGHT}
    assert on_disk == {case["file"] for case in CASES if not case.get("generated")}
    assert {case["file"] for case in CASES if case.get("generated")} == set(GENERATED)


@pytest.mark.parametrize("case", CASES, ids=lambda case: Path(case["file"]).stem)
def test_a_mistake_is_found_where_it_stands(case: dict[str, Any], shipped: dict[str, bytes]) -> None:
    found = parse(shipped | {place(case): content(case)}).problems
    (problem,) = [problem for problem in found if problem.file == place(case)]
    assert (problem.line, problem.column, problem.code) == (case["line"], case["column"], case["code"])
    assert problem.severity is Severity(case.get("severity", "error"))
    assert case["says"] in problem.message


@pytest.mark.parametrize("case", [case for case in CASES if case["code"] < "K200"], ids=lambda case: case["file"])
def test_reading_alone_never_raises(case: dict[str, Any]) -> None:
    tree = nodes.read(place(case), content(case))
    errors = [problem for problem in tree.problems if problem.severity is Severity.ERROR]
    assert (tree.data is None) == bool(errors)


@pytest.mark.parametrize("name", RIGHT)
def test_what_only_looks_wrong_is_accepted(name: str, shipped: dict[str, bytes]) -> None:
    found = parse(shipped | {f"ningbo/{name}": (BAD / name).read_bytes()})
    assert [problem for problem in found.problems if problem.file == f"ningbo/{name}"] == []


def test_there_are_files_that_only_look_wrong() -> None:
    assert len(RIGHT) >= 3


def test_only_what_may_be_left_out_may_be_deleted(shipped: dict[str, bytes]) -> None:
    for name, offered in {"empty-value.yaml": True, "empty-needed.yaml": False}.items():
        problems = parse(shipped | {f"ningbo/{name}": (BAD / name).read_bytes()}).problems
        (found,) = [problem for problem in problems if problem.file == f"ningbo/{name}"]
        assert ("删掉这一行" in found.message) is offered


def test_times_and_figures_stay_text() -> None:
    tree = nodes.read("ningbo/x.yaml", (BAD / "ok-stays-text.yaml").read_bytes())
    entry = tree.data[0]
    assert entry["summary"] == "8:30"
    assert entry["aliases"] == ["no", "012"]
    assert [entry["ask"][at] for at in (0, 1, 3, 4)] == ["2022-01-01", "17:00", "1_000", "null"]


def test_positions_count_from_the_text_after_a_byte_order_mark() -> None:
    plain = b"- id: NB\n"
    assert nodes.read("a/b.yaml", b"\xef\xbb\xbf" + plain).values == nodes.read("a/b.yaml", plain).values


def test_a_missing_text_is_named(shipped: dict[str, bytes]) -> None:
    texts = shipped["texts.yaml"].replace(b"\nwelcome:", b"\nwelcom:")
    problems = parse(shipped | {"texts.yaml": texts}).problems
    found = [problem for problem in problems if problem.file == "texts.yaml"]
    assert [problem.code for problem in found] == ["K201"]
    assert "缺少“welcome”" in found[0].message


def test_a_missing_file_is_named(shipped: dict[str, bytes]) -> None:
    files = {name: data for name, data in shipped.items() if name != "themes.yaml"}
    loaded = parse(files)
    assert loaded.book is None
    assert [(problem.file, problem.code) for problem in loaded.problems] == [("themes.yaml", "K004")]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    loaded = book.load(tmp_path / "nowhere")
    assert [problem.code for problem in loaded.problems] == ["K000"]
    assert "--knowledge" in loaded.problems[0].message


@pytest.mark.parametrize("name", ["justice.yaml.txt", "justice.YML.docx", "justice。yaml", "justice．yml"])
def test_a_file_that_an_editor_misnamed_is_told_of(tmp_path: Path, name: str) -> None:
    (tmp_path / "ningbo").mkdir()
    for file in (name, "notes.txt", "justice.yaml.bak", f"_{name}"):
        (tmp_path / "ningbo" / file).write_text("- id: nb-x\n", encoding="utf-8")
    found = [problem for problem in check(tmp_path, TODAY).problems if problem.code != "K004"]
    assert [(problem.file, problem.code) for problem in found] == [(f"ningbo/{name}", "K006")]
    assert found[0].severity is Severity.WARNING
    assert "请改名为 justice.yaml" in found[0].message


def test_a_file_that_may_not_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "regions.yaml").write_text("- name: 宁波市\n", encoding="utf-8")

    def refuse(path: Path) -> bytes:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    loaded = book.load(tmp_path)
    assert loaded.book is None
    assert [(problem.file, problem.code) for problem in loaded.problems] == [(tmp_path.name, "K000")]
    assert "regions.yaml”；请检查文件还在不在、有没有读的权限" in loaded.problems[0].message


FAQ = """\
- id: nb-night-faq
  question: 半夜地铁开不开
  questions: [夜里地铁跑不跑, 微法院]
  answer: 不开。
  entry: nowhere-at-all
  region: 火星
  source: mars
"""


@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("ningbo/justice.yaml", "region: 宁波市", "region: 火星", "没有“火星”这个地区，请先在 regions.yaml 里登记"),
        (
            "ningbo/justice.yaml",
            "theme: 司法与矛盾化解",
            "theme: 登月",
            "没有“登月”这个主题，请先在 themes.yaml 里登记",
        ),
        ("ningbo/justice.yaml", "[市民, 企业]", "[市民, 火星]", "没有“火星”这个人群，请先在 audiences.yaml 里登记"),
        ("ningbo/justice.yaml", "related: [", "related: [mars, ", "没有“mars”这个条目，请先在 各条目文件 里登记"),
        ("regions.yaml", "parent: ningbo", "parent: mars", "没有“mars”这个地区编号，请先在 regions.yaml 里登记"),
        ("regions.yaml", "parent: ningbo", "parent: ninbo", "没有“ninbo”这个地区编号，是不是想写“ningbo”？"),
        ("golden.yaml", "- id: nb-old-estate-lifts", "- id: mars", "没有“mars”这个条目，请先在 各条目文件 里登记"),
    ],
)
def test_a_name_that_points_nowhere_is_told_where_it_stands(
    name: str, old: str, new: str, says: str, shipped: dict[str, bytes]
) -> None:
    text = shipped[name].decode()
    at = text.index(old)
    problems = parse(shipped | {name: (text[:at] + new + text[at + len(old) :]).encode()}).problems
    (found,) = [problem for problem in problems if problem.code == "K302"]
    assert (found.file, found.line) == (name, text[:at].count("\n") + 1)
    assert found.message.endswith(says)
    assert found.severity is Severity.ERROR


def test_a_name_that_another_entry_has_is_told_at_the_alias(shipped: dict[str, bytes]) -> None:
    text = (BAD / "ok-stays-text.yaml").read_text(encoding="utf-8")
    (line,) = [number for number, row in enumerate(text.splitlines(), 1) if row.startswith("  aliases: [")]
    changed = text.replace("  aliases: [", "  aliases: [夜里的车, 微法院, ")
    problems = parse(shipped | {"ningbo/night.yaml": changed.encode()}).problems
    found = [(problem.line, problem.column) for problem in problems if problem.code == "K312"]
    assert found == [(line, len("  aliases: [夜里的车, ") + 1)]


def test_what_a_question_and_answer_belongs_to_must_be_there(shipped: dict[str, bytes]) -> None:
    problems = parse(shipped | {"faq/night.yaml": FAQ.encode()}).problems
    found = [(problem.line, problem.column, problem.message) for problem in problems if problem.code == "K302"]
    assert found == [
        (5, 10, "没有“nowhere-at-all”这个条目，请先在 各条目文件 里登记"),
        (6, 11, "没有“火星”这个地区，请先在 regions.yaml 里登记"),
        (7, 11, "没有“mars”这个来源，请先在 sources.yaml 里登记"),
    ]
    (shared,) = [problem for problem in problems if problem.code == "K312"]
    assert (shared.line, shared.column) == (3, len("  questions: [夜里地铁跑不跑, ") + 1)


@pytest.mark.parametrize("opening", ["[", "{", "- ", "? ", "a: ["])
def test_a_tower_of_brackets_does_not_bring_the_process_down(opening: str) -> None:
    program = (
        "from bot.knowledge import nodes\n"
        f"tree = nodes.read('ningbo/x.yaml', {opening!r}.encode() * 40_000)\n"
        "print(tree.problems[0].code)"
    )
    done = subprocess.run(  # a segmentation fault cannot be caught in this process
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, "K106"), done.stderr
