"""A question and its reply as a row: redacted, cut, storable."""

from __future__ import annotations

import datetime as dt

import pytest

from bot import record
from bot.model import Message, Reply, Status
from bot.querylog.rows import LogRow

NOW = dt.datetime(2026, 11, 20, 8, 0, tzinfo=dt.UTC)
PHONE = "13812345678"


def test_a_row_from_a_reply() -> None:
    reply = Reply(Status.ANSWER, (), ids=("nb-a", "nb-b"), score=1.0000001, reason="名称相同", runner_up="nb-c")
    message = Message(" 微法院 ", "web", "anna", "m\ud800\0", "192.0.2.1")
    assert record.row(message, "u1", reply, "v1", float("nan"), NOW) == LogRow(
        asked_at=NOW,
        channel="web",
        user_key="u1",
        message_id="m?",
        text="微法院",
        status="answer",
        entries=("nb-a", "nb-b"),
        score=1.0,
        runner_up="nb-c",
        knowledge_version="v1",
        took_ms=0.0,
        reason="名称相同",
    )


def test_a_limited_question_leaves_no_text() -> None:
    limited = record.row(Message("微法院"), "u1", Reply(Status.LIMITED, ()), "v1", 0.1, NOW)
    assert (limited.text, limited.status, limited.entry, limited.message_id) == ("", "limited", None, None)


def test_a_long_text_is_cut_after_redaction() -> None:
    text = record.row(Message("问" * 398 + PHONE + "答" * 99), "u1", Reply(Status.NONE, ()), "v1", 0.1, NOW).text
    assert text == "问" * 398


@pytest.mark.parametrize(
    ("asked", "kept"),
    [
        ("问" * 400, "问" * 400),
        ("问" * 401, "问" * 400),
        (" 问 ", "问"),
        ("问〔一", "问〔一"),
        ("问" * 398 + "〔一", "问" * 398 + "〔一"),
        ("问" * 7_999 + PHONE, "问" * 400),
        ("问" * 395 + "〔手机〕一", "问" * 395 + "〔手机〕一"),
        ("问" * 395 + "〔手机号〕" + "答", "问" * 395 + "〔手机号〕"),
        ("问" * 396 + "〔手机号〕" + "答", "问" * 396),
        ("问" * 399 + "〔手机号〕" + "答", "问" * 399),
    ],
)
def test_a_text_is_kept_up_to_its_last_whole_tag(asked: str, kept: str) -> None:
    row = record.row(Message(asked), "u1", Reply(Status.NONE, (), reason=f"把“{PHONE}”当作"), "v1", 2.5, NOW)
    assert row.text == kept
    assert row.reason == "把“〔手机号〕”当作"
    assert (row.took_ms, row.score) == (2.5, 0.0)


@pytest.mark.parametrize(("value", "stored"), [(-0.1, 0.0), (float("inf"), 0.0), (0.25, 0.25), (1.5, 1.0)])
def test_a_score_lies_between_0_and_1(value: float, stored: float) -> None:
    assert record.row(Message("问"), "u1", Reply(Status.NONE, (), score=value), "v1", 0.0, NOW).score == stored
