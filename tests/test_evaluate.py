"""Scoring of question sets: the rules, the figures, the picture, the comparison with an earlier run."""

from __future__ import annotations

import json
import os
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from bot import cli
from bot.cli import measure
from bot.desk import Desk
from bot.errors import QuestionSetError
from bot.evaluate import Outcome, Question, Report, judge, read_questions, run
from bot.model import Block, Hit, Reply, Status
from bot.reliability import binned, calibration_error, svg
from bot.report import Baseline, as_table, compare, read_baseline
from tests.conftest import TODAY


def reply(status: Status, *ids: str, text: str = "") -> Reply:
    return Reply(status, (Block("summary", text),), ids)


@pytest.mark.parametrize(
    ("question", "given", "right"),
    [
        (Question(q="", expect="answer", ids=("a", "b")), reply(Status.ANSWER, "b"), True),
        (Question(q="", expect="answer", ids=("a",)), reply(Status.ANSWER, "c", "a"), False),
        (
            Question(q="", expect="answer", ids=("a",), must=("10天",)),
            reply(Status.ANSWER, "a", text="用了 10 天"),
            True,
        ),
        (
            Question(q="", expect="answer", ids=("a",), must=("11天",)),
            reply(Status.ANSWER, "a", text="用了 10 天"),
            False,
        ),
        (Question(q="", expect="answer", ids=("a",)), reply(Status.CHOICES, "a"), False),
        (Question(q="", expect="answer", ids=("a",), also=("choices",)), reply(Status.CHOICES, "a"), True),
        (Question(q="", kind="multi", expect="answer", ids=("a", "b")), reply(Status.ANSWER, "a"), False),
        (Question(q="", kind="multi", expect="answer", ids=("a", "b")), reply(Status.ANSWER, "b", "a"), True),
        (Question(q="", expect="choices", ids=("a", "b")), reply(Status.CHOICES, "x"), True),
        (Question(q="", expect="choices", ids=("a", "b")), reply(Status.ANSWER, "b"), True),
        (Question(q="", expect="choices", ids=("a", "b")), reply(Status.ANSWER, "x"), False),
        (Question(q="", expect="list", ids=("a", "b", "c"), min=2), reply(Status.LIST, "c", "x", "a"), True),
        (Question(q="", expect="list", ids=("a", "b", "c"), min=2), reply(Status.LIST, "c", "x"), False),
        (Question(q="", expect="none"), reply(Status.NONE), True),
        (Question(q="", expect="none"), reply(Status.ANSWER, "a"), False),
        (Question(q="", kind="hostile", expect="smalltalk"), reply(Status.NONE), True),
    ],
)
def test_judge(question: Question, given: Reply, right: bool) -> None:
    assert (judge(question, given) == "") is right


def test_run_and_report(desk: Desk, tmp_path: Path) -> None:
    rows = [
        {
            "q": "要多少钱",
            "kind": "follow-up",
            "expect": "answer",
            "ids": ["nb-flexible-work-insurance"],
            "ctx": ["灵活保"],
        },
        {"q": "护照怎么办", "kind": "out-of-scope-near", "expect": "none"},
        {"q": "灵活保", "kind": "direct", "expect": "none"},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    report = run(read_questions(file), desk, TODAY)
    found = report.as_json()
    assert (found["right"], found["questions"]) == (2, 3)
    assert found["wrong"][0]["q"] == "灵活保"
    assert report.refusals() == (0, 1)
    table = as_table(report)
    assert "follow-up" in table
    assert "2" in table
    assert "灵活保" in table


@pytest.mark.parametrize("content", [b"", b"\n\n", b"not json\n", b'{"kind": "x"}\n', b"\xff\xfe"])
def test_broken_question_sets(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "questions.jsonl"
    file.write_bytes(content)
    with pytest.raises(QuestionSetError):
        read_questions(file)


def outcome(kind: str, expect: str, ids: tuple[str, ...], given: Reply, q: str = "问", took: float = 1.0) -> Outcome:
    question = Question(q=q, kind=kind, expect=expect, ids=ids, must=("要有这句",) if kind == "fact" else ())
    return Outcome(question, given, judge(question, given), took)


def test_themes_and_regions_come_from_the_first_expected_entry(desk: Desk) -> None:
    entry = desk.book.entries["nb-flexible-work-insurance"]
    other = next(item for item in desk.book.entries.values() if item.theme != entry.theme)
    questions = [
        Question(q="灵活保", expect="answer", ids=(entry.id, other.id)),
        Question(q="你好", expect="smalltalk"),
        Question(q="护照怎么办", expect="none", ids=(entry.id,)),
        Question(q="没有的条目", expect="answer", ids=("no-such-entry",)),
    ]
    report = run(questions, desk, TODAY)
    assert [item.theme for item in report.outcomes] == [entry.theme, "—", "—", "—"]
    assert [item.region for item in report.outcomes] == [entry.region, "—", "—", "—"]
    found = report.as_json()
    assert found["themes"] == {entry.theme: {"right": 1, "questions": 1}, "—": {"right": 2, "questions": 3}}
    assert list(found["regions"]) == [entry.region, "—"]
    table = as_table(report)
    assert entry.theme in table
    assert entry.region in table


def test_confusions_name_what_was_taken_for_what() -> None:
    hits = tuple(Hit(name, score) for name, score in (("x", 0.8), ("a", 0.5), ("b", 0.2), ("c", 0.1)))
    wrong = Reply(Status.ANSWER, (), ("x",), 0.8, hits=hits, reason="得分够高")
    report = Report(
        [
            outcome("direct", "answer", ("a", "b"), wrong, "第一问"),
            outcome("direct", "answer", ("a",), wrong, "第二问"),
            outcome("direct", "none", (), wrong, "第三问"),
            outcome("fact", "answer", ("x",), wrong, "第四问"),
            outcome("multi", "answer", ("a", "x"), wrong, "第五问"),
            outcome("direct", "answer", ("x",), wrong, "答对的"),
        ]
    )
    found = report.as_json()
    assert found["confusion_counts"] == {"a → x": 2, "none → x": 1, "x → x（不全）": 1, "a + x → x（不全）": 1}
    assert [item["q"] for item in found["confusions"]] == ["第一问", "第二问", "第三问", "第四问", "第五问"]
    first = found["confusions"][0]
    assert (first["expected"], first["got"], first["reason"]) == ("a", "x", "得分够高")
    assert [item["id"] for item in first["candidates"]] == ["x", "a", "b"]
    table = as_table(report)
    assert "2 × a → x" in table
    assert "候选 x 0.80、a 0.50、b 0.20" in table
    assert "答对的" not in table


def test_what_a_file_says_is_no_markup() -> None:
    report = Report([outcome("[/bold] :smile:", "none", (), reply(Status.NONE))])
    table = as_table(report)
    assert "[/bold] :smile:" in table
    assert "\x1b" not in table


def test_latency_is_by_nearest_rank() -> None:
    report = Report([outcome("direct", "none", (), reply(Status.NONE), took=float(ms)) for ms in range(200, 0, -1)])
    assert report.latency_ms() == {"p50": 100.0, "p95": 190.0, "p99": 198.0}
    assert Report().latency_ms() == {}


def test_bins_and_calibration_error() -> None:
    bins = binned([(0.0, False), (0.25, True), (0.25, False), (0.95, True), (1.0, True)])
    assert [item.count for item in bins] == [1, 0, 2, 0, 0, 0, 0, 0, 0, 2]
    assert bins[2].as_json() == {"from": 0.2, "to": 0.3, "questions": 2, "right": 1, "mean_score": 0.25}
    assert bins[1].as_json()["mean_score"] is None
    assert calibration_error(bins) == pytest.approx((0 + 2 * 0.25 + 2 * 0.025) / 5)
    assert calibration_error(binned([])) is None
    low, high = bins[9].interval()
    assert 0.3 < low < 0.4
    assert high == 1.0


def test_calibration_counts_answers_only() -> None:
    answered = Reply(Status.ANSWER, (), ("x",), 0.75)
    refused = Reply(Status.NONE, (), score=0.75)
    report = Report([outcome("d", "answer", ("x",), answered), outcome("d", "none", (), answered)])
    report.outcomes.append(outcome("d", "none", (), refused))
    found = report.as_json()
    assert found["calibration"][7]["questions"] == 2
    assert found["calibration"][7]["right"] == 1
    assert sum(item["questions"] for item in found["calibration"]) == 2
    assert found["calibration_error"] == 0.25


@pytest.mark.parametrize(
    "scored", [[], [(1.0, True)], [(0.35, True)] * 7 + [(0.38, False)] * 2 + [(0.9, True)] * 40], ids=["0", "1", "49"]
)
def test_the_picture_is_well_formed(scored: list[tuple[float, bool]]) -> None:
    drawn = svg(binned(scored), 'a<b>&"\x00\x1b.jsonl')
    root = ET.fromstring(drawn)
    name = "{http://www.w3.org/2000/svg}"
    texts = [item.text or "" for item in root.iter(f"{name}text")]
    assert any('a<b>&".jsonl' in text for text in texts)
    assert {"答对率（%）", "题数（道）", "把握（回答的得分，0 到 1）"} <= set(texts)
    assert any("ECE" in text for text in texts) is bool(scored)
    assert "script" not in drawn
    for item in root.iter():
        for attribute, limit in (("x", 480), ("cx", 480), ("y", 620), ("cy", 620)):
            assert 0 <= float(item.get(attribute, 0)) <= limit
    if len(scored) == 49:
        assert {"9", "40", "错 2"} <= set(texts)


def test_compare_pairs_questions_in_order() -> None:
    right, wrong = Reply(Status.ANSWER, (), ("x",), 0.9), Reply(Status.NONE, (), score=0.1)
    old = (("甲", right), ("甲", wrong), ("乙", right), ("丙", wrong))
    new = (("甲", wrong), ("甲", right), ("乙", wrong), ("丁", right))
    before = Report([outcome("d", "answer", ("x",), given, q) for q, given in old])
    now = Report([outcome("d", "answer", ("x",), given, q) for q, given in new])
    baseline = Baseline.model_validate_json(json.dumps(before.as_json()))
    changes = compare(baseline, now)
    assert [item.question.q for _, item in changes.better] == ["甲"]
    assert [past.q for past, _ in changes.worse] == ["甲", "乙"]
    assert (changes.added, changes.gone) == (1, 1)
    text = changes.as_text()
    assert "1 题变好，2 题变差；多了 1 题，少了 1 题" in text
    assert "- [d] 乙：原来 x（0.90），现在 none（0.10）" in text
    assert "注意：有 2 题变差了" in text
    same = compare(baseline, before)
    assert (same.better, same.worse, same.added, same.gone) == ([], [], 0, 0)
    assert "注意" not in same.as_text()


def test_compare_shows_the_change_of_every_share() -> None:
    right, wrong = Reply(Status.ANSWER, (), ("x",), 0.9), Reply(Status.NONE, (), score=0.1)
    before = Report([outcome("旧", "answer", ("x",), right), outcome("同", "answer", ("x",), wrong)])
    now = Report([outcome("新", "answer", ("x",), right), outcome("同", "answer", ("x",), right)])
    shares = compare(Baseline.model_validate(before.as_json()), now).as_json()["shares"]
    assert shares["合计"] == {"before": (1, 2), "now": (2, 2), "change_points": 50.0}
    assert shares["类别 同"]["change_points"] == 100.0
    assert shares["类别 旧"] == {"before": (1, 1), "now": None, "change_points": None}
    assert shares["类别 新"]["before"] is None
    assert shares["不该答却答了"]["change_points"] is None


@pytest.mark.parametrize("content", [b"", b"[]", b'{"questions": 3}', b"\xff\xfe", b'{"q": "a", "expect": "none"}\n'])
def test_a_wrong_baseline_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "old.json"
    file.write_bytes(content)
    with pytest.raises(QuestionSetError, match=r"old\.json"):
        read_baseline(file)
    with pytest.raises(QuestionSetError, match="missing"):
        read_baseline(tmp_path / "missing.json")


def command(monkeypatch: pytest.MonkeyPatch, desk: Desk, *arguments: object) -> int:
    """`reformbot eval ARGUMENTS` with a desk that stands already; its exit code."""
    monkeypatch.setattr(measure, "build_desk", lambda settings: desk)
    monkeypatch.setattr(sys, "argv", ["reformbot", "eval", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    code = ended.value.code
    return code if isinstance(code, int) else 0


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    rows = [
        {"q": "灵活保", "kind": "direct", "expect": "answer", "ids": ["nb-flexible-work-insurance"]},
        {"q": "护照怎么办", "kind": "out-of-scope-near", "expect": "none"},
    ]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return file


def test_the_command_draws_and_compares(
    desk: Desk, questions: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    picture, old = questions.with_name("r.svg"), questions.with_name("old.json")
    assert command(monkeypatch, desk, questions, "--json", "--svg", picture) == 0
    ET.fromstring(picture.read_text(encoding="utf-8"))
    first = json.loads(capsys.readouterr().out)
    assert [set(item) for item in first["outcomes"]] == [{"q", "kind", "right", "status", "ids", "score"}] * 2
    first["outcomes"][0] |= {"right": False, "status": "none", "ids": []}
    first["outcomes"][1] |= {"right": True}
    old.write_text(json.dumps(first), encoding="utf-8")
    assert command(monkeypatch, desk, questions, "--json", "--baseline", old) == 0
    assert [item["q"] for item in json.loads(capsys.readouterr().out)["baseline"]["better"]] == ["灵活保"]
    questions.write_text(questions.read_text(encoding="utf-8").replace('"none"', '"answer"'), encoding="utf-8")
    assert command(monkeypatch, desk, questions, "--baseline", old) == 0
    shown = capsys.readouterr().out
    assert "1 题变好，1 题变差" in shown
    assert "注意：有 1 题变差了" in shown


def test_wrong_use_of_the_command(
    desk: Desk, questions: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nowhere = questions.parent / "none" / "r.svg"
    for arguments in (
        (),
        (questions, "--holdout"),
        ("--holdout", "--svg", "r.svg"),
        ("--holdout", "--folds", "5"),
        (questions, "--baseline", questions),
        (questions, "--svg", nowhere),
    ):
        assert command(monkeypatch, desk, *arguments) == 2, arguments
        captured = capsys.readouterr()
        assert captured.err
        assert "Traceback" not in captured.err


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("terminal", [True, False])
def test_a_bar_on_a_terminal_only(
    desk: Desk,
    questions: Path,
    terminal: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    leader, follower = os.openpty() if terminal else os.pipe()
    with os.fdopen(follower, "w", encoding="utf-8") as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        assert command(monkeypatch, desk, questions) == 0
        stderr.write("完")
        stderr.flush()
        shown = os.read(leader, 10000).decode("utf-8", "replace")
    os.close(leader)
    assert ("提问" in shown) is terminal
    assert terminal or shown == "完"
    assert "\x1b" not in capsys.readouterr().out
