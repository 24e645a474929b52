"""Which rows tell of a gap, and what takes them out again."""

from __future__ import annotations

import datetime as dt
from functools import partial

import pytest

from bot.answer import answer, give
from bot.desk import Desk
from bot.gaps import collect
from bot.gaps.refresh import refresh
from bot.gaps.store import gaps, members
from bot.model import Message
from bot.querylog.store import QueryLog
from bot.record import row
from tests.conftest import TODAY
from tests.gaps.conftest import NOW, ask

SECOND = dt.timedelta(seconds=1)


async def found(querylog: QueryLog) -> dict[int, str]:
    collected = await querylog.read(partial(collect.collect, since=None, feedback_after=0))
    return {number: item.reason for number, item in collected.findings.items()}


async def pick(querylog: QueryLog, desk: Desk, entry: str, user: str, moment: dt.datetime) -> int:
    reply = give(entry, "选的", desk, TODAY)
    return await querylog.write(row(Message("选的"), user, reply, desk.book.version, 1.0, moment))


def test_the_reasons_that_replies_give_are_the_ones_looked_for(desk: Desk) -> None:
    assert give("nb-flexible-work-insurance", "", desk, TODAY).reason in collect.PICKED
    assert give("", "都不是", desk, TODAY).reason in collect.EMPTY
    assert give("no-such", "", desk, TODAY).reason in collect.EMPTY
    assert answer("？？", desk, (), TODAY).reason in collect.EMPTY
    assert answer("什么时候开始", desk, (), TODAY).reason in collect.EMPTY
    first = answer("老年食堂", desk, (), TODAY)
    assert answer("1", desk, (first.turn,), TODAY).reason in collect.PICKED or first.status != "choices"


async def test_what_is_not_answered_is_found_and_small_talk_is_not(querylog: QueryLog, desk: Desk) -> None:
    ids = await ask(querylog, desk, ["宁波哪里好钓鱼", "你好", "灵活保一天多少钱", "？？", "什么时候开始"])
    assert await found(querylog) == {ids[0]: "none"}


@pytest.mark.parametrize("page", [1, 3, 500])
async def test_choices_count_until_one_is_picked(
    querylog: QueryLog, desk: Desk, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "_PAGE", page)
    texts = [name for name in ("驿站", "调解", "老年食堂", "人才") if answer(name, desk, (), TODAY).status == "choices"]
    assert texts
    offered = answer(texts[0], desk, (), TODAY)
    (first,) = await ask(querylog, desk, texts[:1], user="a")
    (second,) = await ask(querylog, desk, texts[:1], user="b")
    await pick(querylog, desk, offered.ids[0], "a", NOW + 20 * SECOND)
    await pick(querylog, desk, offered.ids[0], "c", NOW + 30 * SECOND)
    assert await found(querylog) == {second: "choices"}
    assert first != second


async def test_a_question_asked_again_in_other_words(querylog: QueryLog, desk: Desk) -> None:
    texts = ["灵活保一天多少钱", "灵活保一天要多少钱"]
    ids = await ask(querylog, desk, texts, user="a", apart=40 * SECOND)
    await ask(querylog, desk, texts, user="b", apart=200 * SECOND)
    await ask(querylog, desk, ["灵活保一天多少钱", "微法院怎么用"], user="c", apart=40 * SECOND)
    assert await found(querylog) == {ids[0]: "rephrased"}


@pytest.mark.parametrize("verdict", ["up", "down"])
async def test_verdicts(querylog: QueryLog, desk: Desk, verdict: str) -> None:
    (number,) = await ask(querylog, desk, ["灵活保一天多少钱"], user="a")
    await querylog.verdict(number, verdict, "a")
    assert await found(querylog) == ({number: "down"} if verdict == "down" else {})


async def test_a_verdict_that_comes_late_or_is_taken_back(querylog: QueryLog, desk: Desk) -> None:
    (number,) = await ask(querylog, desk, ["灵活保一天多少钱"], start=NOW - dt.timedelta(days=9), user="a")
    await ask(querylog, desk, ["宁波哪里好钓鱼"])
    await refresh(querylog, desk, NOW)
    assert [item.title for item in await querylog.read(gaps)] == ["宁波哪里好钓鱼"]
    await querylog.verdict(number, "down", "a")
    await refresh(querylog, desk, NOW)
    listed = await querylog.read(gaps)
    judged = next(item for item in listed if item.title == "灵活保一天多少钱")
    assert judged.kind == "matching"
    assert [item.reason for item in await querylog.read(partial(members, identifier=judged.id))] == ["down"]
    await querylog.verdict(number, "up", "a")
    await refresh(querylog, desk, NOW)
    assert [item.title for item in await querylog.read(gaps)] == ["宁波哪里好钓鱼"]


async def test_near_ties_are_listed_from_five_on(querylog: QueryLog, desk: Desk) -> None:
    reply = answer("灵活保一天多少钱", desk, (), TODAY)
    for number in range(5):
        logged = row(Message(f"灵活保一天多少钱{'啊' * number}"), f"u{number}", reply, "old", 1.0, NOW)
        near = {"score": 0.45, "runner_up": "nb-mobile-micro-court"}
        await querylog.write(type(logged)(**{**{key: getattr(logged, key) for key in logged.__slots__}, **near}))
        await refresh(querylog, desk, NOW)
        assert len(await querylog.read(partial(gaps, states=("open", "done")))) == (1 if number == 4 else 0)
