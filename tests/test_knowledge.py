"""The shipped knowledge: sound, complete, guarded by its own questions."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from bot.answer import answer
from bot.check import regression
from bot.check.run import as_github, as_json, as_text, check, only
from bot.desk import Desk
from bot.errors import KnowledgeError
from bot.knowledge import place
from bot.knowledge.book import Book, load, load_or_raise
from bot.knowledge.book import parse as read_and_parse
from bot.knowledge.editors import json_schema
from bot.knowledge.place import default_folder
from bot.model import Severity
from tests.conftest import KNOWLEDGE, ROOT, TODAY, parse


@pytest.mark.sweep
def test_the_shipped_knowledge_passes_its_check() -> None:
    outcome = check(KNOWLEDGE, TODAY)
    assert [str(problem) for problem in outcome.problems if problem.severity is Severity.ERROR] == []
    assert outcome.entries == 182
    assert outcome.questions["tests"] + outcome.questions["rejects"] >= 1_200
    assert outcome.questions["golden"] >= 182
    assert "0 个错误" in as_text(outcome)


def test_the_folder_of_the_place_comes_first_then_the_checkouts_then_the_packaged_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "knowledge").mkdir()
    assert default_folder() == KNOWLEDGE, "a folder without knowledge is none"
    (tmp_path / "knowledge" / "regions.yaml").touch()
    assert default_folder() == tmp_path / "knowledge"
    installed = tmp_path / "site-packages" / "bot"
    monkeypatch.setattr(place, "_PACKAGE", installed)
    monkeypatch.chdir("/")
    assert default_folder() == installed / "_knowledge"


def test_every_entry_is_guarded_from_outside(desk: Desk) -> None:
    guarded = {item.id for item in desk.book.golden}
    assert guarded == set(desk.book.entries)


@pytest.mark.parametrize("victim", ["nb-mobile-micro-court", "zh-zombie-cars", "jb-nbu-street"])
def test_deleting_an_entry_is_noticed(shipped: dict[str, bytes], victim: str) -> None:
    files = dict(shipped)
    name = next(name for name, content in files.items() if f"- id: {victim}\n".encode() in content and "/" in name)
    blocks = re.split(r"(?m)^(?=- id: )", files[name].decode())
    kept = [block for block in blocks if not block.startswith(f"- id: {victim}\n")]
    assert len(kept) == len(blocks) - 1
    files[name] = "".join(kept).encode()
    loaded = parse(files)
    assert loaded.book is None
    if len(kept) > 1:
        assert any(problem.file == "golden.yaml" and victim in problem.message for problem in loaded.problems)


def test_each_kind_of_entry_has_enough_phrasings(desk: Desk) -> None:
    few = [entry.id for entry in desk.book.entries.values() if len(entry.ask) < 10]
    assert few == []
    untested = [entry.id for entry in desk.book.entries.values() if len(entry.tests) < 5 or len(entry.rejects) < 3]
    assert untested == []


def test_the_registries_are_rich(desk: Desk) -> None:
    book = desk.book
    assert len(book.synonyms) >= 150
    assert len(book.sources) == 5
    assert len(book.themes) == 17
    assert len(book.regions) == 11
    assert {entry.region for entry in book.entries.values()} <= set(book.regions)


def test_facts_have_period_and_source(desk: Desk) -> None:
    facts = [fact for entry in desk.book.entries.values() for fact in entry.facts]
    assert len(facts) > 250
    assert all(fact.period and fact.source in desk.book.sources for fact in facts)


def refused(shipped: dict[str, bytes], name: str, old: str, new: str) -> list[tuple[str, str, str]]:
    """(file, code, message) of the errors, with one thing in one file changed."""
    text = shipped[name].decode()
    assert text.count(old) == 1
    problems = parse(shipped | {name: text.replace(old, new).encode()}).problems
    return [(item.file, item.code, item.message) for item in problems if item.severity is Severity.ERROR]


def test_a_registry_without_what_the_program_needs_is_refused(shipped: dict[str, bytes]) -> None:
    assert ("facets.yaml", "K201", "缺少“费用”，请补上") in refused(
        shipped, "facets.yaml", "- name: 费用\n", "- name: 内容\n"
    )
    assert refused(shipped, "texts.yaml", "\nempty: ", "\nemptied: ") == [("texts.yaml", "K201", "缺少“empty”，请补上")]
    (title,) = re.findall(r"(?m)^  title: .*\n", shipped["sources.yaml"].decode())[:1]
    assert ("sources.yaml", "K209", "来源要有 title；版面没有标题时写一句 description") in refused(
        shipped, "sources.yaml", title, ""
    )


@pytest.mark.sweep
def test_a_failing_question_is_reported_where_it_stands(shipped: dict[str, bytes]) -> None:
    files = dict(shipped)
    name = "ningbo/justice.yaml"
    text = files[name].decode()
    line = text.splitlines().index(next(line for line in text.splitlines() if line.startswith("  tests:")))
    lines = text.splitlines()
    lines.insert(line + 1, '    - "月亮上能不能种白菜"')
    files[name] = "\n".join(lines).encode()
    loaded = parse(files)
    assert loaded.book is not None
    trees = {file: loaded.trees[file] for file in (name, "golden.yaml")}
    found = regression.run(Desk(loaded.book), trees, TODAY).problems
    assert any(p.file == name and p.line == line + 2 and p.code == "K401" and "月亮" in p.message for p in found)


def test_the_schema_accepts_the_shipped_files_and_refuses_a_wrong_key(book: Book) -> None:
    schema = json_schema(book)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    paths = sorted([*KNOWLEDGE.glob("*/*.yaml"), KNOWLEDGE / "sources.yaml"])
    assert len(paths) > 30
    reader = YAML(typ="safe")  # YAML 1.2, as editors read it
    for path in paths:
        assert list(validator.iter_errors(reader.load(path.read_text(encoding="utf-8")))) == [], path.name
    assert list(validator.iter_errors([{"id": "x", "nmae": "y"}]))


def test_the_schema_tells_editors_what_may_be_written(book: Book) -> None:
    definitions = json_schema(book)["definitions"]
    fields = [(name, key, rule) for name, model in definitions.items() for key, rule in model["properties"].items()]
    assert len(fields) > 40
    chinese = re.compile("[\u4e00-\u9fff]")
    silent = [(name, key) for name, key, rule in fields if not chinese.search(rule.get("description", ""))]
    assert silent == []
    assert definitions["Entry"]["properties"]["region"]["enum"] == list(book.regions)
    assert set(definitions["Fact"]["properties"]["source"]["enum"]) == set(book.sources)
    settings = json.loads((ROOT / ".vscode" / "settings.json").read_text(encoding="utf-8"))
    assert settings["yaml.schemas"]["./knowledge/schema.json"] == ["knowledge/*/*.yaml", "knowledge/sources.yaml"]


def test_formats_of_the_report() -> None:
    outcome = check(KNOWLEDGE / "no-such-folder", TODAY)
    assert outcome.errors == 1
    assert as_github(outcome).startswith("::error file=")
    assert json.loads(as_json(outcome))["problems"][0]["code"] == "K000"
    assert only(outcome, KNOWLEDGE, [KNOWLEDGE / "ningbo"]).errors == 0


def test_loading_is_the_same_from_disk_and_from_bytes(shipped: dict[str, bytes]) -> None:
    loaded, parsed = load(KNOWLEDGE), read_and_parse(shipped)
    assert loaded.book is not None
    assert parsed.book is not None
    assert loaded.book.version == parsed.book.version


def test_the_schema_beside_the_files_is_fresh(book: Book) -> None:
    kept = (KNOWLEDGE / "schema.json").read_text(encoding="utf-8")
    assert json.loads(kept) == json_schema(book), "run: reformbot schema > knowledge/schema.json"


@pytest.mark.sweep
def test_an_unrelated_entry_changes_no_answer(desk: Desk, shipped: dict[str, bytes]) -> None:
    """A thousandth of the questions may move across the line, which is drawn anew for each bank; none changes sides."""
    files = dict(shipped)
    files["faq/unrelated.yaml"] = """
- id: unrelated
  question: 鲸鱼为什么会喷水
  questions: [鲸鱼喷出来的是什么, 蓝鲸换气的时候在做什么]
  answer: 鲸鱼是在换气。
""".encode()
    loaded = parse(files)
    assert loaded.book is not None
    other = Desk(loaded.book)
    questions = [text for entry in desk.book.entries.values() for text in (*entry.tests[:3], entry.rejects[0])]
    assert len(questions) > 700
    moved = []
    for text in questions:
        before, after = answer(text, desk, (), TODAY), answer(text, other, (), TODAY)
        if before.ids != after.ids:
            moved.append(text)
            assert not (before.ids and after.ids), text
    assert len(moved) <= len(questions) // 1000 + 2, moved


def test_knowledge_that_cannot_be_used_is_an_error_with_every_problem(tmp_path: Path) -> None:
    (tmp_path / "regions.yaml").write_text("- id: 1\n", encoding="utf-8")
    with pytest.raises(KnowledgeError) as caught:
        load_or_raise(tmp_path)
    assert len(caught.value.problems) > 1
    assert all(problem.severity is Severity.ERROR for problem in caught.value.problems)
    assert str(caught.value.problems[0]) in str(caught.value)
