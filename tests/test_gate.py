"""Rate limits and duplicates; every clock is an argument."""

from __future__ import annotations

import asyncio

import pytest

from bot.gate import Bucket, Duplicates, Gate, Verdict, network

OK, SAY, SILENT = Verdict.OK, Verdict.LIMITED_SAY, Verdict.LIMITED_SILENT


def asked(gate: Gate, times: int, now: float, user: str = "web:a", address: str | None = None) -> list[Verdict]:
    return [gate.admit(user, address, now) for _ in range(times)]


def test_burst_then_one_word_then_silence() -> None:
    gate = Gate(15, 60)
    assert asked(gate, 8, 100.0) == [OK] * 5 + [SAY, SILENT, SILENT]


def test_tokens_come_back_at_the_rate() -> None:
    gate = Gate(15, 60)
    asked(gate, 5, 0.0)
    assert asked(gate, 1, 3.9) == [SAY]
    assert asked(gate, 2, 4.0) == [OK, SILENT]
    assert asked(gate, 6, 1000.0) == [OK] * 5 + [SAY]


def test_one_word_a_minute() -> None:
    gate = Gate(1, 0)
    asked(gate, 5, 0.0)
    assert [gate.admit("web:a", None, now) for now in (1.0, 30.0, 59.0)] == [SAY, SILENT, SILENT]
    assert asked(gate, 2, 61.0) == [OK, SAY]


def test_in_ten_minutes_no_more_than_rate_and_burst() -> None:
    gate = Gate(15, 0)
    assert sum(gate.admit("web:a", None, second / 10) is OK for second in range(6000)) in range(150, 156)


def test_burst_grows_with_the_rate() -> None:
    assert asked(Gate(30, 0), 11, 0.0) == [OK] * 10 + [SAY]


def test_a_burst_is_of_whole_questions() -> None:
    gate = Gate(20, 0)
    assert asked(gate, 7, 0.0) == [OK] * 6 + [SAY]
    assert asked(gate, 1, 1.0) == [SILENT]


def test_users_do_not_limit_each_other() -> None:
    gate = Gate(15, 0)
    asked(gate, 9, 0.0, "web:a")
    assert asked(gate, 5, 0.0, "telegram:a") == [OK] * 5


def test_one_address_with_many_users() -> None:
    gate = Gate(15, 60)
    verdicts = [gate.admit(f"web:{number}", "192.0.2.1", 0.0) for number in range(22)]
    assert verdicts == [OK] * 20 + [SAY, SILENT]
    assert gate.admit("web:new", "192.0.2.2", 0.0) is OK


def test_a_refused_question_uses_nothing_up() -> None:
    gate = Gate(15, 60)
    asked(gate, 50, 0.0, "web:a", "192.0.2.1")
    assert sum(gate.admit(f"web:b{number}", "192.0.2.1", 0.0) is OK for number in range(30)) == 15


def test_an_address_over_its_limit_makes_no_users() -> None:
    gate = Gate(15, 60)
    for number in range(500):
        gate.admit(f"web:{number}", "192.0.2.1", 0.0)
    assert len(gate) == 1 + 20


def test_one_subscriber_has_many_addresses() -> None:
    gate = Gate(0, 15)
    verdicts = [gate.admit(f"web:{number}", f"2001:db8:1:2::{number:x}", 0.0) for number in range(6)]
    assert verdicts == [OK] * 5 + [SAY]
    assert gate.admit("web:new", "2001:db8:1:3::1", 0.0) is OK


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::ffff:1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        ("x" * 9000, "x" * 64),
    ],
)
def test_what_an_address_counts_as(address: str, expected: str) -> None:
    assert network(address) == expected


def test_when_too_many_are_in_hand_each_user_gets_one_word_a_minute() -> None:
    gate = Gate(0, 0)
    asked_at = [("web:a", 0.0), ("web:a", 59.9), ("web:b", 59.9), ("web:a", 60.0)]
    assert [gate.refuse(user, now) for user, now in asked_at] == [SAY, SILENT, SAY, SAY]
    limited = Gate(15, 0)
    assert limited.refuse("web:a", 0.0) is SAY
    assert asked(limited, 6, 1.0) == [OK] * 5 + [SILENT]


def test_zero_lifts_every_limit() -> None:
    assert set(asked(Gate(0, 0), 10_000, 0.0, address="192.0.2.1")) == {OK}


def test_a_clock_that_goes_back_does_no_harm() -> None:
    gate = Gate(15, 60)
    asked(gate, 5, 1000.0)
    assert asked(gate, 2, 0.0) == [SAY, SILENT]


def test_the_table_is_bounded() -> None:
    gate = Gate(15, 60)
    for number in range(12_000):
        gate.admit(f"web:{number}", f"address {number}", 0.0)
    assert len(gate) == 10_000


def test_who_asked_least_lately_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.gate._MAX_KEYS", 2)
    gate = Gate(15, 0)
    for user in ("web:a", "web:b"):
        asked(gate, 5, 0.0, user)
    assert asked(gate, 1, 0.0, "web:a") == [SAY]
    asked(gate, 1, 0.0, "web:c")
    assert asked(gate, 1, 0.0, "web:a") == [SILENT]
    assert asked(gate, 1, 0.0, "web:b") == [OK]


@pytest.mark.asyncio
async def test_a_retry_waits_for_the_first_reply() -> None:
    replies: Duplicates[str] = Duplicates()
    go, made = asyncio.Event(), []

    async def make() -> str:
        made.append(1)
        await go.wait()
        return "reply"

    waiting = [asyncio.create_task(replies.once("wecom", "m1", float(now), make)) for now in range(3)]
    await asyncio.sleep(0)
    go.set()
    assert await asyncio.gather(*waiting) == ["reply"] * 3
    assert await replies.once("wecom", "m1", 599.0, make) == "reply"
    assert made == [1]


@pytest.mark.asyncio
async def test_forgotten_after_ten_minutes_and_apart_by_channel() -> None:
    replies: Duplicates[int] = Duplicates()
    numbers = iter(range(9))

    async def make() -> int:
        return next(numbers)

    assert await replies.once("wecom", "m1", 0.0, make) == 0
    assert await replies.once("telegram", "m1", 0.0, make) == 1
    assert await replies.once("wecom", "m1", 600.0, make) == 2
    assert [await replies.once("web", None, 0.0, make) for _ in range(2)] == [3, 4]


async def test_only_what_is_older_than_ten_minutes_is_forgotten() -> None:
    replies: Duplicates[float] = Duplicates()

    async def ask(message: str, now: float) -> float:
        async def make() -> float:
            return now

        return await replies.once("wecom", message, now, make)

    told = [await ask(*given) for given in (("a", 5000.0), ("b", 5599.0), ("b", 5600.0), ("a", 5600.0), ("b", 5601.0))]
    assert told == [5000.0, 5599.0, 5599.0, 5600.0, 5599.0]


@pytest.mark.asyncio
async def test_a_caller_that_gives_up_does_not_stop_the_reply() -> None:
    replies: Duplicates[str] = Duplicates()
    go = asyncio.Event()

    async def make() -> str:
        await go.wait()
        return "reply"

    first = asyncio.create_task(replies.once("wecom", "m1", 0.0, make))
    await asyncio.sleep(0)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    go.set()
    assert await replies.once("wecom", "m1", 5.0, make) == "reply"


@pytest.mark.asyncio
async def test_after_an_error_a_retry_is_tried_afresh() -> None:
    replies: Duplicates[str] = Duplicates()
    outcomes = iter([RuntimeError("first"), None])

    async def make() -> str:
        outcome = next(outcomes)
        if outcome:
            raise outcome
        return "reply"

    with pytest.raises(RuntimeError, match="first"):
        await replies.once("wecom", "m1", 0.0, make)
    assert await replies.once("wecom", "m1", 1.0, make) == "reply"


@pytest.mark.asyncio
async def test_at_most_ten_thousand_replies() -> None:
    replies: Duplicates[int] = Duplicates()

    async def make() -> int:
        return 1

    for number in range(10_050):
        await replies.once("wecom", str(number), 0.0, make)
    assert len(replies) == 10_000


async def test_the_oldest_reply_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.gate._MAX_KEYS", 2)
    replies: Duplicates[float] = Duplicates()

    async def ask(message: str, now: float) -> float:
        async def make() -> float:
            return now

        return await replies.once("wecom", message, now, make)

    given = (("a", 1.0), ("b", 2.0), ("c", 3.0), ("b", 4.0), ("a", 5.0))
    assert [await ask(*one) for one in given] == [1.0, 2.0, 3.0, 2.0, 5.0]


def test_a_bucket_goes_on_from_what_it_told() -> None:
    first, second = Bucket(60, 0.0), Bucket(60, 0.0)
    first.has_one(0.0)
    for _ in range(3):
        first.take()
    second.restore(*first.state())
    assert second.state() == first.state()
