"""Scoring of question sets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.desk import Desk
from bot.errors import QuestionSetError
from bot.evaluate import Question, judge, read_questions, run
from bot.model import Block, Reply, Status
from bot.report import as_table
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
