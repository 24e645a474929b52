"""Freed memory goes back to the system where the C library can give it back, and nowhere else."""

from __future__ import annotations

import ctypes
import gc
import sys

import pytest

from bot.match.memory import give_back, uncollected


@pytest.mark.parametrize(("platform", "asked"), [("linux", 1), ("darwin", 0), ("win32", 0)])
def test_only_one_kind_of_system_is_asked(monkeypatch: pytest.MonkeyPatch, platform: str, asked: int) -> None:
    calls: list[object] = []

    def without_trim(name: object) -> object:
        calls.append(name)
        raise OSError("no such library")

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", without_trim)
    give_back()
    assert calls == [None] * asked


def test_the_collector_is_as_it_was_afterwards() -> None:
    assert gc.isenabled()
    with uncollected(), uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
