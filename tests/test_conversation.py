"""The turns of a conversation, in memory."""

from __future__ import annotations

import pytest

from bot import conversation
from bot.conversation import FORGET_AFTER, MAX_TURNS, Conversations
from bot.model import Turn


def test_the_last_turns_are_kept_in_order() -> None:
    known = Conversations()
    for number in range(MAX_TURNS + 2):
        known.add("web", "a", Turn(str(number)), 0.0)
    assert [turn.text for turn in known.turns("web", "a", 0.0)] == ["2", "3", "4", "5"]


def test_rooms_channels_and_people_are_apart() -> None:
    known = Conversations()
    known.add("web", "a", Turn("x"), 0.0)
    assert known.turns("web", "a", 0.0, "room") == ()
    assert known.turns("wecom", "a", 0.0) == ()
    assert known.turns("web", "b", 0.0) == ()


def test_a_room_has_turns_of_its_own() -> None:
    known = Conversations()
    for text in "xyz":
        known.add("web", "a", Turn(text), 0.0, "room" if text != "y" else "")
    assert known.turns("web", "a", 0.0, "room") == (Turn("x"), Turn("z"))
    assert known.turns("web", "a", 0.0) == (Turn("y"),)


def test_half_an_hour_of_silence_ends_it() -> None:
    known = Conversations()
    known.add("web", "a", Turn("x"), 0.0)
    assert known.turns("web", "a", FORGET_AFTER) != ()
    assert known.turns("web", "a", FORGET_AFTER + 1) == ()
    known.add("web", "a", Turn("y"), 9 * FORGET_AFTER)
    assert known.turns("web", "a", 9 * FORGET_AFTER) == (Turn("y"),)


def test_one_who_is_forgotten_is_forgotten_in_every_room() -> None:
    known = Conversations()
    for room in ("", "r"):
        known.add("web", "a", Turn("x"), 0.0, room)
        known.add("web", "b", Turn("y"), 0.0, room)
    known.forget("web", "a")
    assert [known.turns("web", "a", 0.0, room) for room in ("", "r")] == [(), ()]
    assert all(known.turns("web", "b", 0.0, room) for room in ("", "r"))


def test_the_longest_silent_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "MAX_CONVERSATIONS", 2)
    known = Conversations()
    for user in "aba":
        known.add("web", user, Turn("x"), 0.0)
    known.add("web", "c", Turn("x"), 0.0)
    assert [bool(known.turns("web", user, 0.0)) for user in "abc"] == [True, False, True]
