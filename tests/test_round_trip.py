"""Knowledge that leaves and comes back: nothing lost, comments kept, differences told; other systems' files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.exchange import export, foreign, plan, store
from bot.exchange.amend import amend
from bot.exchange.block import Block, render
from bot.exchange.read import read
from bot.exchange.rows import Sheet
from bot.knowledge import nodes
from bot.knowledge.book import Book, load_or_raise, read_folder
from bot.knowledge.schema import Entry
from tests.conftest import KNOWLEDGE

COURT = "nb-mobile-micro-court"


@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".xlsx"])
def test_everything_comes_back(tmp_path: Path, book: Book, ending: str) -> None:
    file = tmp_path / f"all{ending}"
    assert export.export(book, file) == len(book.entries) + len(book.faqs) > 100
    made = plan.make(read(file), tmp_path / "k", KNOWLEDGE)
    store.write(tmp_path / "k", made.files)
    back = load_or_raise(tmp_path / "k")
    assert (back.entries, back.faqs) == (book.entries, book.faqs)
    again = plan.make(read(file), KNOWLEDGE, KNOWLEDGE)
    assert (again.files, again.new, again.changed, again.same) == ({}, [], [], len(book.entries))


def test_a_change_touches_its_own_lines_alone(tmp_path: Path, book: Book) -> None:
    file = tmp_path / "all.jsonl"
    export.export(book, file)
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    row = next(row for row in rows if row["id"] == COURT)
    row["summary"] = "换了一句概述。"
    row["caution"] = "请先打电话问清楚。"
    row["tests"] = [*row["tests"], "手机里能不能跟法官讲话"]
    file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
    made = plan.make(read(file), KNOWLEDGE, KNOWLEDGE)
    assert list(made.files) == ["ningbo/justice.yaml"]
    assert [identifier for identifier, _ in made.changed] == [COURT]
    assert made.differences[0] == f"~ {COURT}"
    assert "    summary + 换了一句概述。" in made.differences
    assert "    tests + 手机里能不能跟法官讲话" in made.differences
    before = read_folder(KNOWLEDGE)["ningbo/justice.yaml"].decode().splitlines()
    after = made.files["ningbo/justice.yaml"].decode().splitlines()
    gone = [line for line in before if line not in after]
    assert all("summary:" in line or "caution:" in line for line in gone)
    assert len(after) - len(before) in {1, 2}


def test_a_wrong_cell_is_told_with_its_line(tmp_path: Path, book: Book) -> None:
    file = tmp_path / "one.jsonl"
    export.export(book, file)
    first = json.loads(file.read_text(encoding="utf-8").splitlines()[0])
    file.write_text(json.dumps({**first, "facts": "{", "id": "new-one"}), encoding="utf-8")
    assert "facts" in read(file).problems[0]
    file.write_text(json.dumps({**first, "id": "new-one", "theme": None}), encoding="utf-8")
    with pytest.raises(plan.ExchangeError, match="theme"):
        plan.make(read(file), KNOWLEDGE, KNOWLEDGE)


def test_comments_order_and_quotes_outlive_an_edit() -> None:
    text = (
        "- id: a-b\n  # 为什么叫这个\n  name: 'x: y'\n  aliases: [甲, 乙]  # 两个\n"
        '  facts:\n    - text: "8:30"\n      # 见报\n      as_of: 2022\n  ask:\n    - 一\n    - 二\n'
    )
    order = list(Entry.model_fields)
    made = amend(Block(text, 0, "# 上面\n"), {"aliases": ["甲", "丙"], "summary": "新: 的", "ask": ["一"]}, order)
    assert made.lead == "# 上面\n"
    assert made.text == (
        "- id: a-b\n  # 为什么叫这个\n  name: 'x: y'\n  aliases: [甲, 丙]  # 两个\n"
        '  summary: "新: 的"\n  facts:\n    - text: "8:30"\n      # 见报\n      as_of: 2022\n  ask:\n    - 一\n'
    )


def test_what_is_rendered_reads_the_same(book: Book) -> None:
    for entry in list(book.entries.values())[:40]:
        block = render(entry)
        tree = nodes.read("ningbo/x.yaml", block.text.encode())
        assert Entry.model_validate(tree.data[0]) == entry
        assert block.nodes == len(tree.values) + len(tree.keys) - 1


@pytest.mark.parametrize("ending", [".json", ".tsv", ".yml"])
def test_other_systems_get_and_give_questions_and_answers(tmp_path: Path, book: Book, ending: str) -> None:
    file = tmp_path / f"all{ending}"
    export.export(book, file)
    sheet = read(file)
    assert sheet.problems == []
    wanted = {item[0]: item for item in export.rows(book)}
    assert {row.id for row in sheet.rows} == set(wanted)
    for row in sheet.rows:
        _, question, others, answer, _ = wanted[str(row.id)]
        assert (row.question, row.questions, row.answer) == (question, others, answer)


@pytest.mark.parametrize("reader", [foreign.read_qnabot, foreign.read_maker, foreign.read_rasa])
@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"a: &a [*a]", b"\xff\xfe", b'{"qna": [{}]}', b"nlu: 3", b"nlu: [1]"]
)
def test_other_files_are_refused_with_a_word(reader: object, content: bytes) -> None:
    sheet = Sheet("x")
    assert callable(reader)
    assert list(reader(content, sheet)) == []
    assert len(sheet.problems) == 1
