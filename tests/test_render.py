"""Replies as text, as JSON and in pieces."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model import Block, Hit, Option, Reply, Source, Status
from bot.render import line, parts, payload, plain, terminal
from bot.text.normalise import spaced

TEXTS = st.lists(st.text(alphabet="宁波a1，。 ", min_size=1, max_size=300), min_size=1, max_size=8)


def reply(status: Status = Status.ANSWER) -> Reply:
    blocks = (Block("title", "加装电梯"), Block("fact", "最快10天"))
    return Reply(
        status, blocks, ("a",), 0.5, (), (Option("b", "别的"), Option("", "都不是")), hits=(Hit("a", 0.5, why=("像",)),)
    )


def test_related_entries_are_a_line_of_an_answer_only() -> None:
    assert terminal(reply()).splitlines()[-1] == "相关：别的"
    for listed in (Status.CHOICES, Status.LIST):
        assert "相关" not in terminal(reply(listed))
    assert terminal(replace(reply(), options=(Option("b", "甲"), Option("c", "乙")))).endswith("\n相关：甲、乙")
    assert "最快 10 天" in terminal(reply())


def test_json_tells_why_only_when_asked() -> None:
    assert "hits" not in payload("q", reply(), 1.0)
    assert payload("q", reply(), 1.0, explain=True)["hits"] == [{"id": "a", "score": 0.5, "why": "像"}]
    told = replace(reply(), hits=(Hit("a", 0.5, why=("像", "全")),))
    assert payload("q", told, 1.0, explain=True)["hits"][0]["why"] == "像；全"


@pytest.mark.parametrize("question", ["\ud800", "a\x00", "\U0001f600"])
def test_json_always_encodes(question: str) -> None:
    assert json.dumps(payload(question, reply(), 1.0), ensure_ascii=False).encode()


@given(TEXTS, st.integers(60, 400), st.sampled_from([len, lambda text: len(text.encode())]))
def test_pieces_fit_and_hold_everything(texts: list[str], limit: int, size: object) -> None:
    assert callable(size)
    blocks = [Block("fact", text) for text in texts]
    groups = parts(blocks, limit, size)
    assert groups
    for group in groups:
        assert size("\n".join(line(block) for block in group)) <= limit
    assert "".join(block.text for group in groups for block in group) == "".join(texts)


def test_nothing_is_one_piece() -> None:
    assert parts([], 100, len) == [()]
    assert plain(Reply(Status.NONE, (), (), 0.0)) == ""


def test_json_has_every_field_of_the_contract() -> None:
    source = Source("s1", "标题", "2022年", url="https://example.org")
    told = replace(reply(), sources=(source,), score=0.123456, reason="得分够高")
    assert payload("问", told, 1.23456) == {
        "q": "问",
        "status": "answer",
        "ids": ["a"],
        "score": 0.1235,
        "text": "加装电梯\n• 最快10天",
        "sources": [{"id": "s1", "title": "标题", "date": "2022年"}],
        "options": [{"id": "b", "label": "别的"}, {"id": "", "label": "都不是"}],
        "took_ms": 1.235,
    }
    assert payload("\ud800", told, 0.0, explain=True)["q"] == "?"
    assert payload("问", told, 0.0, explain=True)["reason"] == "得分够高"


def test_an_empty_line_stands_before_every_title_but_the_first() -> None:
    one = (Block("title", "一"), Block("fact", "甲"))
    assert plain(replace(reply(), blocks=(*one, Block("title", "二")))) == "一\n• 甲\n\n二"


def test_every_kind_of_block_is_a_line() -> None:
    assert [line(Block(kind, "字")) for kind in ("title", "fact", "item")] == ["字", "• 字", "字"]


def test_a_block_that_fits_is_not_cut_and_a_full_piece_is_full() -> None:
    blocks = [Block("summary", "一" * 40), Block("summary", "二" * 40), Block("summary", "三" * 200)]
    groups = parts(blocks, 100, len)
    assert [len(group) for group in groups[:1]] == [2]
    assert [block.text for block in groups[0]] == ["一" * 40, "二" * 40]
    assert all(len("\n".join(line(block) for block in group)) > 80 for group in groups[:2])


def doubled(text: str) -> int:
    return 2 * len(text)


def test_a_piece_is_filled_to_the_last_character() -> None:
    pair = [Block("summary", "一" * 48), Block("summary", "二" * 48)]
    assert [len(group) for group in parts(pair, 100, len)] == [2]
    assert [len(group) for group in parts(pair, 99, len)] == [1, 1]
    assert [len(group) for group in parts([*pair, *pair], 100, len)] == [2, 2]
    assert [len(group) for group in parts(pair, 200, doubled)] == [2]
    assert [len(group) for group in parts(pair, 199, doubled)] == [1, 1]


@pytest.mark.parametrize(
    ("length", "limit", "size", "pieces"),
    [
        (96, 100, len, [96]),
        (97, 100, len, [96, 1]),
        (46, 100, doubled, [46]),
        (47, 100, doubled, [46, 1]),
        (3, 5, len, [1, 1, 1]),
    ],
)
def test_a_block_that_is_too_long_is_cut_where_it_must_be(
    length: int, limit: int, size: Callable[[str], int], pieces: list[int]
) -> None:
    groups = parts([Block("summary", "字" * length)], limit, size)
    assert [len(block.text) for group in groups for block in group] == pieces


@given(st.text(alphabet="宁波a1 ", min_size=100, max_size=400), st.integers(30, 90))
def test_every_piece_of_a_cut_block_is_full(text: str, limit: int) -> None:
    room = limit - 4
    pieces = [block.text for group in parts([Block("fact", text)], limit, len) for block in group]
    assert len(pieces) > 1
    for piece, following in pairwise(pieces):
        assert len(spaced(line(Block("fact", piece)))) <= room < len(spaced(line(Block("fact", piece + following[0]))))
