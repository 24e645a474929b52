"""FAQ files in and out: three formats, round trips, bad files, and a folder that answers at once."""

from __future__ import annotations

import codecs
import csv
import io
import json
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bot.answer import answer
from bot.desk import Desk
from bot.exchange import cells, export, plan, store
from bot.exchange.block import render, scalar
from bot.exchange.read import read
from bot.exchange.rows import MAX_ANSWER, ExchangeError, Sheet
from bot.knowledge import nodes
from bot.knowledge.book import Book, load_or_raise, read_folder
from bot.knowledge.schema import Faq
from bot.model import Status
from tests.conftest import KNOWLEDGE, TODAY, Command
from tests.test_cli import run

ROWS: list[dict[str, Any]] = [
    {
        "id": "lib-card",
        "question": "图书馆怎么办证？",
        "questions": ["办借书证要带什么", "=SUM(A1)是什么"],
        "answer": "带上证件，\n到总服务台办。",
    },
    {"id": "lib-hours", "question": "图书馆周一开门吗", "questions": [], "answer": "-周一闭馆。"},
    {
        "id": "lib-fine",
        "question": "书还晚了要罚款吗: 多少 #钱",
        "questions": ["逾期费|滞纳金怎么算"],
        "answer": "每天 0.1 元。",
    },
]
FORMATS = (".jsonl", ".csv", ".xlsx")
NASTY = st.text(st.sampled_from("[]{},:：-—－#\"'\\|>&*!%@`?=+ \n\t\r\u3000\u2028\u200b\x00\x85ａabz_中文，。0"))
TEXT = st.one_of(st.text(), NASTY)


def jsonl(*rows: object) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def table(rows: list[dict[str, Any]]) -> list[list[str]]:
    body = [[row["id"], row["question"], cells.join_questions(row["questions"]), row["answer"]] for row in rows]
    return [["id", "question", "questions", "answer"], *body]


def as_csv(rows: list[list[str]]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def xlsx(*rows: list[Any]) -> bytes:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def put(folder: Path, name: str, content: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def bring(file: Path, to: Path) -> plan.Plan:
    made = plan.make(read(file), to, KNOWLEDGE)
    store.write(to, made.files)
    return made


def refused(file: Path, to: Path) -> str:
    with pytest.raises(ExchangeError) as caught:
        bring(file, to)
    assert not (to / "faq").exists()
    return str(caught.value)


def faqs(folder: Path) -> dict[str, Faq]:
    return dict(load_or_raise(folder).faqs)


def told(folder: Path) -> list[tuple[str, str, list[str], str]]:
    return [(faq.id, faq.question, list(faq.questions), faq.answer) for faq in faqs(folder).values()]


WANTED = sorted((row["id"], row["question"], row["questions"], row["answer"]) for row in ROWS)


# Text ---------------------------------------------------------------------------------------------------------------


@given(TEXT)
@example("foo, bar：[x")
@example("{x:[1]}")
@example("a：b")
@example("是\n# no")
@settings(max_examples=400, deadline=None)
def test_any_text_comes_back_from_yaml(text: str) -> None:
    tree = nodes.read("faq/x.yaml", f"- question: {scalar(text)}\n  questions:\n    - {scalar(text)}\n".encode())
    assert tree.problems == []
    assert tree.data == [{"question": cells.clean(text), "questions": [cells.clean(text)]}]


@given(TEXT)
@settings(deadline=None)
def test_cleaning_is_settled(text: str) -> None:
    for clean in (cells.clean, cells.one_line):
        assert clean(clean(text)) == clean(text)


@given(TEXT)
def test_a_defused_cell_is_no_formula_and_is_restored(text: str) -> None:
    assert not cells.defuse(text).startswith(tuple("=+-@\t\r"))
    assert cells.restore(cells.defuse(text)) == text


@given(st.lists(TEXT))
@settings(deadline=None)
def test_questions_share_a_cell(texts: list[str]) -> None:
    wanted = cells.distinct("", texts)
    cell = cells.restore(cells.defuse(cells.join_questions(wanted)))
    assert cells.distinct("", cells.split_questions(cell)) == wanted


@given(TEXT)
def test_a_slug_is_an_identifier_or_nothing(text: str) -> None:
    spelt = cells.slug(text)
    assert spelt == "" or cells.is_identifier(spelt)


def test_a_block_counts_its_nodes() -> None:
    faq = Faq(id="a-b", question="问", questions=("甲", "乙"), answer="答", tests=("丙",))
    block = render(faq)
    tree = nodes.read("faq/x.yaml", block.text.encode())
    assert block.nodes == len(tree.values) + len(tree.keys) - 1
    assert block.text.startswith("- id: a-b\n  question: 问\n")


# Import -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("faq.jsonl", jsonl(*ROWS)),
        ("faq.jsonl", codecs.BOM_UTF8 + jsonl(*ROWS).replace(b"\n", b"\r\n\r\n")),
        ("FAQ.CSV", as_csv(table(ROWS)).encode()),
        ("faq.csv", as_csv(table(ROWS)).encode("utf-8-sig")),
        ("faq.csv", as_csv(table(ROWS)).encode("gb18030")),
        ("faq.csv", as_csv(table(ROWS)).encode("utf-16")),
        ("faq.csv", as_csv([["编号", "问题", "其它问法", "答案"], *table(ROWS)[1:]]).encode()),
        ("faq.xlsx", xlsx(*table(ROWS))),
        ("faq.xlsx", xlsx([], ["编号", "问题", "其它问法", "答案", None], [], *table(ROWS)[1:])),
    ],
)
def test_every_format_gives_the_same_knowledge(tmp_path: Path, name: str, content: bytes) -> None:
    made = bring(put(tmp_path, name, content), tmp_path / "k")
    assert made.new == [row["id"] for row in ROWS]
    assert told(tmp_path / "k") == WANTED
    assert [path.name for path in (tmp_path / "k" / "faq").iterdir()] == ["faq-001.yaml"]


def test_an_imported_folder_answers(tmp_path: Path) -> None:
    bring(put(tmp_path, "faq.jsonl", jsonl(*ROWS)), tmp_path / "k")
    book = load_or_raise(tmp_path / "k")
    assert not book.entries
    assert (book.golden, book.outside) == ((), ())
    desk = Desk(book)
    for question, identifier in (("图书馆怎么办证？", "lib-card"), ("办借书证要带什么", "lib-card")):
        reply = answer(question, desk, (), TODAY)
        assert (reply.status, reply.ids, reply.score) == (Status.ANSWER, (identifier,), 1.0)


def test_questions_stand_on_lines_or_between_bars(tmp_path: Path) -> None:
    lines = 'question,questions\n甲事怎么办,乙怎么办|丙怎么办| \n丁怎么办,"戊|己怎么办\n庚怎么办\n"\n'
    bring(put(tmp_path, "faq.csv", lines), tmp_path / "k")
    assert [found[2] for found in told(tmp_path / "k")] == [["乙怎么办", "丙怎么办"], ["戊|己怎么办", "庚怎么办"]]


def test_cells_of_a_spreadsheet_are_text(tmp_path: Path) -> None:
    content = xlsx(
        ["id", "question", "answer", "备注"],
        [1001, "几点开门", 8.0, "x"],
        [True, "=SUM(A1:A2)", 0.5],
        ["c", "'+86 是什么", "-"],
    )
    made = bring(put(tmp_path, "faq.xlsx", content), tmp_path / "k")
    assert [(row[0], row[1], row[3]) for row in told(tmp_path / "k")] == [
        ("1001", "几点开门", "8"),
        ("c", "+86 是什么", "-"),
        ("true", "=SUM(A1:A2)", "0.5"),
    ]
    assert any("备注" in note for note in made.notes)


def test_rows_without_an_answer_say_so(tmp_path: Path) -> None:
    file = put(tmp_path, "faq.jsonl", jsonl({"question": "甲怎么办"}, {"question": "乙怎么办", "answer": " "}))
    made = bring(file, tmp_path / "k")
    assert made.unanswered == 2
    assert {row[3] for row in told(tmp_path / "k")} == {plan.NO_ANSWER}
    assert any("没有答案的 2 条" in line for line in made.as_lines())
    content = file.read_bytes()
    bring(put(tmp_path, "faq.jsonl", jsonl({"question": "甲怎么办", "answer": "这么办。"})), tmp_path / "k")
    made = bring(put(tmp_path, "faq.jsonl", content), tmp_path / "k")
    assert (made.same, made.unanswered) == (2, 1)
    assert faqs(tmp_path / "k")["faq-0001"].answer == "这么办。"


def test_ids_are_made_and_respelt(tmp_path: Path) -> None:
    rows = [
        {"id": "A_1", "question": "一是什么"},
        {"id": "a-1", "question": "二是什么"},
        {"question": "三是什么"},
        {"id": "a 1", "question": "四是什么"},
        {"id": "办证", "question": "五是什么"},
        {"id": "！", "question": "六是什么"},
        {"id": "faq-0003", "question": "七是什么"},
        {"id": "x" * 70, "question": "八是什么"},
    ]
    made = bring(put(tmp_path, "faq.jsonl", jsonl(*rows)), tmp_path / "k")
    assert made.new == ["a-1-2", "a-1", "faq-0009", "a-1-3", "ban-zheng", "faq-0006", "faq-0003", "x" * 60]
    assert any("A_1 → a-1-2" in note for note in made.notes)
    assert any("没有编号的 2 行" in note for note in made.notes)


def test_made_ids_follow_their_questions(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    one, two, three = ({"question": f"{word}怎么办", "answer": word} for word in "甲乙丙")
    bring(put(tmp_path, "faq.jsonl", jsonl(one, two)), folder)
    made = bring(put(tmp_path, "faq.jsonl", jsonl(three, two, one)), folder)
    assert (made.new, made.changed, made.same) == (["faq-0004"], [], 2)
    made = bring(put(tmp_path, "other.jsonl", jsonl({"question": "丁怎么办", "answer": "丁"})), folder)
    assert made.new == ["faq-0003"]
    assert len(faqs(folder)) == 4


def test_importing_twice_changes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    file = put(tmp_path, "问答.jsonl", jsonl(*ROWS))
    bring(file, folder)
    before = read_folder(folder)
    assert "faq/wen-da-001.yaml" in before
    made = bring(file, folder)
    assert (made.new, made.changed, made.same, made.files) == ([], [], 3, {})
    assert read_folder(folder) == before


def test_a_change_keeps_comments_keys_and_neighbours(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    bring(put(tmp_path, "faq.jsonl", jsonl(*ROWS)), folder)
    (folder / "faq" / "faq-001.yaml").unlink()
    written = (
        "# 头\n-   id: lib-hours\n    question: 图书馆周一开门吗\n    answer: 开。\n    region: 鄞州区\n"
        "    tests: [礼拜一能借书吗]\n\n# 关于办证\n- {id: lib-card, question: 图书馆怎么办证？, answer: 旧}\n# 尾"
    )
    put(folder / "faq", "own.yaml", written)
    made = bring(put(tmp_path, "faq.jsonl", jsonl(*ROWS)), folder)
    assert made.changed == [("lib-card", "其它问法、答案"), ("lib-hours", "答案")]
    assert made.new == ["lib-fine"]
    assert (folder / "faq" / "own.yaml").read_text(encoding="utf-8") == (
        '# 头\n- id: lib-hours\n  question: 图书馆周一开门吗\n  answer: "-周一闭馆。"\n  region: 鄞州区\n'
        "  tests: [礼拜一能借书吗]\n\n# 关于办证\n- {id: lib-card, question: 图书馆怎么办证？, "
        'questions: [办借书证要带什么, "=SUM(A1)是什么"], answer: "带上证件，\\n到总服务台办。"}\n# 尾\n'
    )
    assert (folder / "faq" / "faq-001.yaml").is_file()


def test_what_a_file_leaves_out_stays(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    bring(put(tmp_path, "faq.jsonl", jsonl(*ROWS)), folder)
    made = bring(put(tmp_path, "faq.csv", "id,question\nlib-card,图书馆怎么办证\n"), folder)
    assert made.changed == [("lib-card", "问题")]
    assert faqs(folder)["lib-card"].questions == ("办借书证要带什么", "=SUM(A1)是什么")
    made = bring(put(tmp_path, "faq.csv", "id,question,questions\nlib-card,图书馆怎么办证,\n"), folder)
    assert made.changed == [("lib-card", "其它问法")]


def test_an_item_that_is_no_block_is_left_to_people(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    bring(put(tmp_path, "faq.jsonl", jsonl(ROWS[0])), folder)
    written = "[{id: lib-hours, question: 图书馆周一开门吗, answer: 开}]\n"
    put(folder / "faq", "own.yaml", written)
    with pytest.raises(ExchangeError, match=r"faq\.jsonl:2: “lib-hours”在 faq/own\.yaml:1"):
        bring(put(tmp_path, "faq.jsonl", jsonl(*ROWS)), folder)
    assert (folder / "faq" / "own.yaml").read_text(encoding="utf-8") == written


def test_nothing_else_is_harmed(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    bring(put(tmp_path, "faq.jsonl", jsonl(ROWS[0])), folder)
    written = "- id: own\n  question: 自己写的\n  answer: |\n    头\n    # 尾\n"
    put(folder / "faq", "faq-001.yaml", written)
    with pytest.raises(ExchangeError, match="“own”写成 YAML 后读出来不一样"):
        bring(put(tmp_path, "faq.jsonl", jsonl(ROWS[0])), folder)
    assert (folder / "faq" / "faq-001.yaml").read_text(encoding="utf-8") == written


def test_entries_are_not_changed(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    store.write(folder, read_folder(KNOWLEDGE))
    before = read_folder(folder)
    file = put(tmp_path, "faq.jsonl", jsonl({"id": "nb-mobile-micro-court", "question": "微法院是什么", "answer": "x"}))
    made = bring(file, folder)
    assert made.skipped == ["nb-mobile-micro-court"]
    assert read_folder(folder) == before
    made = bring(put(tmp_path, "faq.jsonl", jsonl({"question": "加装电梯", "answer": "x"})), folder)
    assert any("条目 nb-old-estate-lifts " in note for note in made.notes)


def test_many_rows_fill_several_files(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    rows = [{"id": f"q-{number}", "question": f"第{number}件事怎么办"} for number in range(1_101)]
    bring(put(tmp_path, "big.jsonl", jsonl(*rows)), folder)
    assert sorted(path.name for path in (folder / "faq").iterdir()) == [f"big-00{number}.yaml" for number in (1, 2, 3)]
    made = bring(put(tmp_path, "big.jsonl", jsonl(*rows, {"id": "q-more", "question": "还有呢"})), folder)
    assert list(made.files) == ["faq/big-003.yaml"]
    long = [row | {"answer": "答" * MAX_ANSWER} for row in rows]
    made = bring(put(tmp_path, "big.jsonl", jsonl(*long)), folder)
    assert len(made.changed) == 1_101
    assert len(faqs(folder)) == 1_102
    assert all(len(content) <= nodes.MAX_BYTES for content in read_folder(folder).values())
    assert bring(put(tmp_path, "big.jsonl", jsonl(*long)), folder).files == {}


def test_many_wordings_fill_several_files(tmp_path: Path) -> None:
    rows = [
        {"question": f"第{number}件事", "questions": [f"{number}号{other}" for other in range(20_000)]}
        for number in range(3)
    ]
    bring(put(tmp_path, "big.jsonl", jsonl(*rows)), tmp_path / "k")
    assert len(list((tmp_path / "k" / "faq").iterdir())) == 2
    rows[0]["questions"] = [f"{other}号" for other in range(60_000)]
    assert "big.jsonl:1: 其它问法太多" in refused(put(tmp_path, "big.jsonl", jsonl(*rows)), tmp_path / "n")


def test_repeated_questions_are_reported(tmp_path: Path) -> None:
    rows = [{"question": "怎么办证？"}, {"question": "办证", "questions": ["怎么办证", "怎么办证"]}]
    made = bring(put(tmp_path, "faq.jsonl", jsonl(*rows)), tmp_path / "k")
    assert [note for note in made.notes if "相同" in note] == [
        "faq.jsonl:2: “怎么办证”和第 1 行的问法相同，这样问只能请市民自己挑"
    ]
    made = bring(put(tmp_path, "more.jsonl", jsonl({"id": "m", "question": "怎么办证"})), tmp_path / "k")
    assert any("问答 faq-0002 " in note for note in made.notes)


# Bad files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"question": "你"}\n'.encode("gb18030"), "a.jsonl:1: 文件不是 UTF-8"),
        ("a.csv", b"question\nx\n\xff\xff\xff\n", "a.csv:3: 文件不是 UTF-8"),
        ("a.jsonl", jsonl({"question": "甲事"}) + b'{"question": \n', "a.jsonl:2: 这一行不是 JSON"),
        ("a.jsonl", b"[" * 200_000, "a.jsonl:1: 这一行"),
        ("a.jsonl", b"[1]\n", "a.jsonl:1: 这一行要写成"),
        ("a.jsonl", jsonl({"question": ["甲"]}), "a.jsonl:1: “question”要写成一段文字"),
        ("a.jsonl", jsonl({"question": "甲事", "questions": [1]}), "a.jsonl:1: “questions”要写成一个列表"),
        ("a.jsonl", jsonl({"question": "甲事", "answer": True}), "a.jsonl:1: “answer”要写成一段文字"),
        ("a.jsonl", jsonl({"id": "a"}), "a.jsonl:1: 没有问题"),
        ("a.jsonl", jsonl({"question": "？！"}), "a.jsonl:1: 这句问题里没有文字"),
        ("a.jsonl", jsonl({"question": "问" * 201}), "a.jsonl:1: 问题太长了：最多 200 个字，现在 201 个"),
        ("a.jsonl", jsonl({"question": "甲事", "questions": ["问" * 201]}), "a.jsonl:1: 问题太长了"),
        ("a.jsonl", b"", "a.jsonl:1: 文件里没有一条问答"),
        ("a.csv", "id,answer\na,b\n", "a.csv:1: 第一行要写列名"),
        ("a.csv", "id,question,问题\na,b,c\n", "a.csv:1: 列名“问题”写了两次"),
        ("a.csv", "question,answer\n甲事,乙,丙\n", "a.csv:2: 这一行有 3 格，列名只有 2 个"),
        ("a.csv", 'question,answer\n甲事,"乙\n丙事,丁\n', "a.csv:2: 从这一行起引号不对"),
        ("a.csv", "question,answer\n", "a.csv:1: 文件里没有一条问答"),
        (
            "a.csv",
            "question,answer\n\n甲事," + "答" * 2_001 + "\n",
            "a.csv:3: “answer”太长了：最多 2000 个字，现在 2001 个",
        ),
        ("a.csv", "id,question\nb,甲事\na,乙事\nb,丙事\n", "a.csv:4: 编号“b”在第 2 行已经用过"),
        ("a.xlsx", xlsx(["question"]), "a.xlsx:1: 文件里没有一条问答"),
        ("a.xlsx", xlsx(["甲"]), "a.xlsx:1: 第一行要写列名"),
        ("a.xlsx", xlsx(), "a.xlsx:1: 文件里没有一条问答"),
        ("a.xlsx", xlsx(["question", "answer"], [], ["甲事", "答" * 2_001]), "a.xlsx:3: “answer”太长了"),
        ("a.xlsx", b"PK\x03\x04 not a workbook", "a.xlsx:1: 打不开这个表格"),
        ("a.xlsx", b"", "a.xlsx:1: 打不开这个表格"),
    ],
)
def test_a_bad_file_is_told_with_its_line(tmp_path: Path, name: str, content: bytes | str, said: str) -> None:
    assert said in refused(put(tmp_path, name, content), tmp_path / "k")


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    content = jsonl({"id": "a"}, {"question": "甲事", "answer": "答" * 2_001}) + b"{\n" + jsonl({"question": "？"})
    said = refused(put(tmp_path, "a.jsonl", content), tmp_path / "k")
    assert [line.split(":")[1] for line in said.splitlines()[:-1]] == ["1", "2", "3", "4"]
    assert said.endswith("有 4 个问题，什么也没有写")


def test_a_folder_that_is_no_knowledge_stays_untouched(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    folder.mkdir()
    put(folder, "compose.yaml", "services: {}\n")
    assert "compose.yaml" in refused(put(tmp_path, "a.jsonl", jsonl(*ROWS)), folder)
    store.write(folder, read_folder(KNOWLEDGE))
    assert "K005" in refused(put(tmp_path, "a.jsonl", jsonl(*ROWS)), folder)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "k"
    folder.mkdir()
    put(folder, "faq", "a file")
    with pytest.raises(ExchangeError, match="写不了"):
        bring(put(tmp_path, "a.jsonl", jsonl(*ROWS)), folder)
    assert [path.name for path in folder.iterdir()] == ["faq"]


@given(st.binary(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    folder = tmp_path_factory.getbasetemp()
    for ending in FORMATS:
        sheet = read(put(folder, f"any{ending}", content))
        assert isinstance(sheet, Sheet)
        assert sheet.rows or sheet.problems


# Export -------------------------------------------------------------------------------------------------------------


def test_export_tells_all_of_an_entry(book: Book) -> None:
    found = {row[0]: row for row in export.rows(book)}
    assert set(found) == {*book.entries, *book.faqs}
    entry = book.entries["nb-flexible-work-insurance"]
    _, question, others, text, _ = found[entry.id]
    assert question == entry.name
    assert set(entry.aliases) <= set(others)
    assert not any(mark in other for other in others for mark in "()[]|")
    lines = text.splitlines()
    assert lines[0] == entry.summary
    assert len(lines) == 2 + len(entry.facts)
    for line, fact in zip(lines[1:], entry.facts, strict=False):
        source = book.sources[fact.source]
        assert line.startswith(fact.text)
        assert str(source.title) in line
        assert fact.period.split("（")[0] in line
    assert lines[-1] == f"注意：{entry.caution}"
    assert max(len(row[3]) for row in found.values()) <= MAX_ANSWER


@pytest.mark.parametrize("ending", FORMATS)
def test_the_shipped_knowledge_goes_out_and_in(tmp_path: Path, book: Book, ending: str) -> None:
    file, again = tmp_path / f"all{ending}", tmp_path / f"again{ending}"
    count = export.export(book, file)
    made = bring(file, tmp_path / "k")
    assert len(made.new) == count == len(book.entries) + len(book.faqs)
    read_back = load_or_raise(tmp_path / "k")
    assert list(export.rows(read_back)) == sorted(export.rows(book))
    export.export(read_back, again)
    if ending != ".xlsx":
        assert sorted(again.read_bytes().splitlines()) == sorted(file.read_bytes().splitlines())


ITEM = st.tuples(TEXT, st.lists(TEXT, max_size=4), TEXT)


@given(st.lists(ITEM, min_size=1, max_size=4), st.sampled_from(FORMATS))
@example([("=1+1", ["'=x", "-a", "@b|c"], "+86")], ".csv")
@example([("=1+1", ["|"], "'''-")], ".xlsx")
@settings(max_examples=120, deadline=None)
def test_any_answer_goes_out_and_in(
    tmp_path_factory: pytest.TempPathFactory, items: list[tuple[str, list[str], str]], ending: str
) -> None:
    rows = [
        (
            f"q-{number}",
            question,
            cells.distinct(question, (f"问{other}" for other in others)),
            cells.clean(text) or "答",
            {},
        )
        for number, (said, others, text) in enumerate(items)
        if (question := cells.one_line(f"{said}问"))
    ]
    file = put(tmp_path_factory.getbasetemp(), f"item{ending}", export.FORMATS[ending](rows))
    sheet = read(file)
    assert sheet.problems == []
    assert [(row.id, row.question, row.questions or (), row.answer, row.more) for row in sheet.rows] == rows


def test_cells_are_defused(tmp_path: Path) -> None:
    rows = [("a", "=1+1 是几", ("+86", "@谁"), "\t-1", {})]
    assert b"a,'=1+1" in export.FORMATS[".csv"](rows)
    page = openpyxl.load_workbook(io.BytesIO(export.FORMATS[".xlsx"](rows))).worksheets[0]
    assert [cell.value for cell in page[2]][:4] == ["a", "'=1+1 是几", "'+86\n@谁", "'\t-1"]
    assert {cell.data_type for cell in page[2][:4]} == {"s"}


def test_a_cell_that_is_too_long_for_xlsx_is_told() -> None:
    rows = [("many", "问", tuple(f"第{number}种问法" for number in range(9_000)), "答", {})]
    with pytest.raises(ExchangeError, match="many"):
        export.FORMATS[".xlsx"](rows)
    assert export.FORMATS[".csv"](rows)


# Command line -------------------------------------------------------------------------------------------------------


def test_the_commands(tmp_path: Path, command: Command) -> None:
    file = put(tmp_path, "faq.jsonl", jsonl(*ROWS))
    dry = command("import", str(file), "--to", "k", "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert "新增 3 条，改动 0 条，不变 0 条" in dry.stdout
    assert not (tmp_path / "k").exists()
    assert run("import", str(file), "--to", "k", cwd=tmp_path).returncode == 0
    put(tmp_path, "faq.jsonl", jsonl(ROWS[0] | {"answer": "另一种答法。"}, *ROWS[1:]))
    dry = command("import", str(file), "--to", "k", "--dry-run")
    assert "新增 0 条，改动 1 条，不变 2 条\n改动：lib-card（答案）" in dry.stdout
    found = json.loads(command("ask", "图书馆周一开门吗", "--json", "--knowledge", "k").stdout)
    assert (found["status"], found["ids"], found["score"]) == ("answer", ["lib-hours"], 1.0)
    assert command("check", "--knowledge", "k").returncode == 0
    done = command("export", "out.csv", "--knowledge", "k")
    assert done.returncode == 0, done.stderr
    assert "导出 3 条" in done.stdout
    again = command("import", "out.csv", "--to", "k")
    assert "不变 3 条" in again.stdout


@pytest.mark.parametrize(
    ("code", "arguments"),
    [
        (1, ("import", "bad.jsonl", "--to", "k")),
        (2, ("import", "good.jsonl")),
        (2, ("import", "no-such.csv", "--to", "k")),
        (2, ("import", "folder.csv", "--to", "k")),
        (2, ("import", "faq.txt", "--to", "k")),
        (2, ("import", "good.jsonl", "--to", "good.jsonl")),
        (1, ("import", "good.jsonl", "--to", "k", "--knowledge", "no-such")),
        (2, ("export", "faq.txt")),
        (2, ("export", "folder.csv")),
        (2, ("export", "no-such/faq.csv")),
        (1, ("export", "faq.csv", "--knowledge", "no-such")),
        (0, ("import", "good.jsonl", "--to", "other")),
    ],
)
def test_exit_codes(tmp_path: Path, command: Command, code: int, arguments: tuple[str, ...]) -> None:
    put(tmp_path, "good.jsonl", jsonl(*ROWS))
    put(tmp_path, "bad.jsonl", "{")
    put(tmp_path, "faq.txt", "x")
    (tmp_path / "folder.csv").mkdir()
    done = command(*arguments)
    assert done.returncode == code
    assert bool(done.stderr) == (code > 0)
    assert not (tmp_path / "k").exists()
