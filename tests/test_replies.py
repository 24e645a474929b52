"""Replies made once and given often: always what would be made afresh, bounded, and gone when anything changes."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import replies as module
from bot.answer import answer
from bot.app import App, running
from bot.desk import Desk
from bot.model import Message, Status
from bot.record import Words
from bot.replies import Replies
from bot.settings import load_settings

TODAY = dt.date(2026, 11, 21)
NONE: frozenset[str] = frozenset()


@pytest.fixture
async def app(desk: Desk, tmp_path: Path) -> AsyncIterator[App]:
    url = f"sqlite+aiosqlite:///{tmp_path}/log.db"
    async with running(load_settings(database_url=url, rate_limit_user=0), desk) as found:
        yield found


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that were answered afresh."""
    found: list[str] = []

    def watched(text: str, *rest: object, **named: object) -> object:
        found.append(text)
        return answer(text, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "answer", watched)
    return found


def test_a_kept_reply_is_what_would_be_made_afresh(desk: Desk, made: list[str]) -> None:
    texts = [text for entry in list(desk.book.entries.values())[:40] for text in (*entry.tests, *entry.rejects)]
    texts += ["你好", "有哪些改革", "绍兴的公交", "", "那呢", "办证要多久？另外怎么收费"]
    kept, asked = Replies(), texts * 3
    random.Random(1).shuffle(asked)
    for text in asked:
        made_now = kept.made(text, desk, (), TODAY, "", NONE)
        assert made_now.reply == answer(text, desk, (), TODAY)
        assert made_now.words == Words.of(text, made_now.reply)
    assert len(made) == len(kept) == len(set(texts)) > 100


def test_a_change_of_anything_drops_them(desk: Desk, made: list[str]) -> None:
    kept = Replies()
    other = Desk.__new__(Desk)
    other.__dict__.update(desk.__dict__)
    first = kept.made("老小区装电梯", desk, (), TODAY, "", NONE).reply
    paused = frozenset(first.ids)
    for given in (
        (desk, TODAY, NONE),
        (other, TODAY, NONE),
        (other, dt.date(2026, 11, 22), NONE),
        (other, dt.date(2026, 11, 22), paused),
    ):
        before = len(made)
        one = kept.made("老小区装电梯", given[0], (), given[1], "", given[2]).reply
        assert len(made) == before + (given[0] is not desk)
        assert (one.status is Status.NONE) is (given[2] is paused)
        assert len(kept) == 1


def test_home_is_part_of_the_question(desk: Desk, made: list[str]) -> None:
    kept = Replies()
    for home in ("", "慈溪市", "", "慈溪市"):
        found = kept.made("公交优惠", desk, (), TODAY, home, NONE).reply
        assert found == answer("公交优惠", desk, (), TODAY, home=home)
    assert len(made) == 2


def test_personal_and_endless_words_are_not_kept(desk: Desk) -> None:
    kept = Replies()
    for text in ("我的电话13812345678，想装电梯", "我叫王小明，想装电梯", "装电梯" * 100):
        for _ in range(3):
            kept.made(text, desk, (), TODAY, "", NONE)
    assert len(kept) == 0


def test_they_take_no_more_than_they_may(desk: Desk, made: list[str]) -> None:
    kept = Replies(max_bytes=80_000)
    for number in range(60):
        kept.made("老小区装电梯", desk, (), TODAY, "", NONE)
        kept.made(f"装电梯 {number}", desk, (), TODAY, "", NONE)
        assert 0 < kept.size <= 80_000
    assert made.count("老小区装电梯") == 1, "newcomers push out only each other"
    assert len(kept) < 10
    for number in range(60):
        for _ in range(2):
            kept.made(f"装电梯 {number}", desk, (), TODAY, "", NONE)
        assert kept.size <= 80_000
    assert 10 < len(kept) < 40
    kept.clear()
    assert (len(kept), kept.size) == (0, 0)


async def test_a_swap_and_a_pause_reach_questions_that_were_asked_before(app: App, made: list[str]) -> None:
    async def ask() -> Status:
        return (await app.handle(Message("老小区装电梯", channel="web", user="u", passing=True))).reply.status

    assert [await ask() for _ in range(3)] == [Status.ANSWER] * 3
    assert len(made) == 1
    entry = (await app.handle(Message("老小区装电梯", channel="web", user="u"))).reply.ids[0]
    await app.switch.pause(entry, "核对", "admin", dt.datetime.now(dt.UTC))
    assert await ask() is Status.NONE
    await app.switch.resume(entry, "核对好了", "admin", dt.datetime.now(dt.UTC))
    assert await ask() is Status.ANSWER
    before = len(made)
    await app.swap(app.desk)
    assert len(app.replies) == 0
    assert await ask() is Status.ANSWER
    assert len(made) == before + 1
    await app.forget("web", "u")
    assert len(app.replies) == 0


async def test_earlier_turns_are_heeded_whatever_is_kept(app: App) -> None:
    async def ask(user: str, text: str) -> tuple[str, ...]:
        return (await app.handle(Message(text, channel="web", user=user))).reply.ids

    for _ in range(2):
        await ask("alone", "要多少钱")
        app.memory.forget("web", "alone")
    told = await ask("talks", "加装电梯最快几天")
    assert told
    assert await ask("talks", "要多少钱") == told
    assert await ask("other", "要多少钱") == ()
