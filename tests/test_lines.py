"""What `ask --stdin` reads."""

from __future__ import annotations

import pytest

from bot.lines import Asked, read


@pytest.mark.parametrize(
    ("line", "asked"),
    [
        (b"\xe5\xbe\xae\xe6\xb3\x95\xe9\x99\xa2\n", Asked("微法院")),
        (b"\r\n", Asked("")),
        ('{"q": "那江北呢", "ctx": ["微法院"]}'.encode(), Asked("那江北呢", ("微法院",))),
        (b'{"q": "a", "ctx": ["b", 3, null]}', Asked("a", ("b",))),
        (b'{"q": "a", "ctx": "b"}', Asked("a")),
        (b'{"q": "a", "ctx": null}', Asked("a")),
        ("{这不是 JSON".encode(), Asked("{这不是 JSON")),
        (b' {"q": "a"}\r\n', Asked("a")),
        (b" X \n", Asked(" X ")),
        (b'{"q":' * 100_000, Asked('{"q":' * 100_000)),
        (b"\xff", Asked("\ufffd")),
    ],
)
def test_a_line(line: bytes, asked: Asked) -> None:
    assert list(read([line])) == [asked]


def test_a_line_without_a_question_says_which() -> None:
    first, second = read([b"a", b'{"text": 1}'])
    assert not first.wrong
    assert second == Asked('{"text": 1}', wrong="第 2 行是 JSON，却没有写成文字的 q")
