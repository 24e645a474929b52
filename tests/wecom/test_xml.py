"""XML in and out: no document types, nothing lost on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.wecom import xml
from tests.emulators.wecom import event, message

BOMB = (
    '<!DOCTYPE xml [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'
)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "<xml>",
        "<xml/>",
        "<xml>text</xml>",
        BOMB,
        BOMB.replace("<!DOCTYPE", "\n <!-- c --> <!DOCTYPE"),
        '<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml><a>1</a></xml>',
        "<xml><a>&undefined;</a></xml>",
        "<xml><a>" + "<b>" * 40 + "</b>" * 40 + "</a></xml>",
        "<xml><a>\0</a></xml>",
        "<xml><a>\ud800</a></xml>",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(xml.XmlError):
        xml.read(text)


def test_declarations_of_another_encoding_are_not_followed() -> None:
    assert xml.read('<?xml version="1.0" encoding="utf-16"?><xml><a>宁波</a></xml>') == {"a": "宁波"}


def test_as_the_platform_writes_it() -> None:
    found = xml.read(message("zhang", "装<电梯> & ]]> 吗", 7))
    assert found["Content"] == "装<电梯> & ]]> 吗"
    nested = xml.read(event("zhang", "template_card_event", SelectedItems={"SelectedItem": {"QuestionKey": "k"}}))
    assert nested["SelectedItems"] == {"SelectedItem": {"QuestionKey": "k"}}
    assert xml.text_of(nested, "SelectedItems") == xml.text_of(nested, "absent") == ""


KEPT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff"))


@given(KEPT, KEPT)
def test_what_is_written_reads_the_same(one: str, two: str) -> None:
    assert xml.read(xml.write({"a": one, "b": {"c": two}, "d": 1})) == {"a": one, "b": {"c": two}, "d": "1"}


def test_characters_that_xml_cannot_hold_are_dropped() -> None:
    assert xml.read(xml.write({"a": "x\0\x1b\ud800\ufffey"})) == {"a": "xy"}
