"""Several replicas on one PostgreSQL: notices come to any of them, an account is read by one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from tests.emulators.wecom import message
from tests.emulators.wecom_kf import KfApi
from tests.postgres import new_database
from tests.waiting import until
from tests.wecom.conftest import Bot, Starter

QUESTION = "灵活保一天多少钱"


@pytest.fixture
async def replicas(start: Starter, tmp_path: Path) -> AsyncIterator[list[Bot]]:
    database = new_database()
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                replace(start, database=database, given={"spool": tmp_path / f"{name}.spool"})()
            )
            for name in "ab"
        ]


async def test_notices_at_any_replica(replicas: list[Bot], wecom: KfApi) -> None:
    wecom.page = 2
    for number in range(12):
        wecom.says(f"wm-citizen-{number}", QUESTION)
        await replicas[number % 2].kf.push(wecom.notice())
    await until(lambda: len(wecom.shown) == 12)
    assert len(await replicas[0].rows()) == 12
    assert wecom.violations == []
    assert wecom.duplicates == 0


async def test_silence_holds_at_every_replica(replicas: list[Bot], wecom: KfApi) -> None:
    wecom.servicers.add("li")
    wecom.says("wm-citizen-a", "转人工")
    await replicas[0].kf.push(wecom.notice())
    await until(lambda: wecom.shown)
    wecom.accepts("wm-citizen-a")
    wecom.says("wm-citizen-a", QUESTION)
    wecom.says("wm-citizen-b", QUESTION)
    await replicas[1].kf.push(wecom.notice())
    await until(lambda: len(wecom.shown) == 2)
    assert len(wecom.texts("wm-citizen-a")) == 1


async def test_the_same_message_at_both(replicas: list[Bot], wecom: KfApi) -> None:
    found = await asyncio.gather(*(bot.callbacks.push(message("member-a", QUESTION, 1)) for bot in replicas))
    assert found[0].text == found[1].text != ""
    assert len(await replicas[0].rows()) == 1
    await until(lambda: wecom.sent)
    await asyncio.sleep(0.3)
    assert len(wecom.sent) == 1


async def test_a_number_picks_at_the_other_replica(replicas: list[Bot], wecom: KfApi) -> None:
    await replicas[0].callbacks.push(message("member-a", "养老服务", 1))
    picked = await replicas[1].callbacks.push(message("member-a", "2", 2))
    rows = await replicas[0].rows()
    assert picked.text.startswith(replicas[0].app.desk.label(rows[1].entry))
