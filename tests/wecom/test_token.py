"""The token cache: one fetch for all, early, dropped only when it is still the one that was refused."""

from __future__ import annotations

import asyncio

import pytest

from bot.channels.wecom.errors import ApiError
from bot.channels.wecom.token import TokenCache


class Source:
    """Hands out t1, t2 … or fails with the errcodes in `failures`."""

    def __init__(self) -> None:
        self.now = 0.0
        self.fetched = 0
        self.failures: list[int] = []
        self.cache = TokenCache(self.fetch, lambda: self.now)

    async def fetch(self) -> tuple[str, float]:
        self.fetched += 1
        await asyncio.sleep(0)
        if self.failures:
            raise ApiError(self.failures.pop(0))
        return f"t{self.fetched}", 7200.0


async def test_fifty_callers_share_one_fetch() -> None:
    source = Source()
    assert set(await asyncio.gather(*(source.cache.get() for _ in range(50)))) == {"t1"}
    assert source.fetched == 1


async def test_it_is_renewed_early() -> None:
    source = Source()
    assert await source.cache.get() == "t1"
    source.now = 6899.0
    assert await source.cache.get() == "t1"
    source.now = 6900.0
    assert await source.cache.get() == "t2"


async def test_an_old_token_serves_while_no_new_one_is_to_be_had() -> None:
    source = Source()
    await source.cache.get()
    source.now, source.failures = 7000.0, [-2] * 9
    assert await source.cache.get() == "t1"
    source.now = 7201.0
    with pytest.raises(ApiError, match="-2"):
        await source.cache.get()


async def test_only_the_token_that_was_refused_is_dropped() -> None:
    source = Source()
    assert await source.cache.get() == "t1"
    source.cache.drop("t0")
    assert await source.cache.get() == "t1"
    source.cache.drop("t1")
    assert await source.cache.get() == "t2"
    source.cache.drop("t1")
    assert await source.cache.get() == "t2"
    assert source.fetched == 2


async def test_failures_are_not_repeated_at_once() -> None:
    source = Source()
    source.failures = [-2, -2, 45009]
    for now, code, fetched in (
        (0.0, -2, 1),
        (0.4, -2, 1),
        (0.6, -2, 2),
        (1.5, -2, 2),
        (1.7, 45009, 3),
        (61.0, 45009, 3),
    ):
        source.now = now
        with pytest.raises(ApiError) as caught:
            await source.cache.get()
        assert (caught.value.code, source.fetched) == (code, fetched)
    source.now = 62.0
    assert await source.cache.get() == "t4"


async def test_a_caller_that_gives_up_leaves_the_others_their_token() -> None:
    source = Source()
    callers = [asyncio.create_task(source.cache.get()) for _ in range(3)]
    await asyncio.sleep(0)
    callers[0].cancel()
    assert [await caller for caller in callers[1:]] == ["t2", "t2"]
