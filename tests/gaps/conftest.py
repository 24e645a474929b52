"""A log to write questions into, as if citizens had asked them."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

import pytest

from bot.answer import answer
from bot.desk import Desk
from bot.knowledge.book import load_or_raise
from bot.model import Message
from bot.querylog.store import QueryLog
from bot.record import row
from tests.conftest import KNOWLEDGE, TODAY

NOW = dt.datetime.combine(TODAY, dt.time(12), dt.UTC)
BUS = """\
宁波有没有无人驾驶公交车
无人公交车在哪里坐
无人驾驶公交怎么坐
无人驾驶的公交车几路
无人公交要钱吗
无人驾驶公交线路有哪些
无人公交安全吗
想坐无人驾驶公交车去哪里
无人驾驶公交车什么时候开通
无人驾驶公交车票价
哪里能体验无人驾驶公交
无人驾驶公交老人免费伐
请问无人驾驶公交几点发车
无人驾驶公交末班车几点
无人驾驶公交要预约吗
无人驾驶公交怎么预约
无人驾驶公交车坐一次多少钱
无人驾驶公交可以刷卡吗
无人驾驶公交能用手机付钱伐
阿拉想坐坐无人驾驶公交
无人驾驶公交开到哪里
无人驾驶公交车站在哪
无人驾驶公交谁在管
无人驾驶公交归哪个部门管
无人驾驶公交出事谁负责
无人驾驶公交有安全员吗
无人驾驶公交一辆坐几个人
无人驾驶公交车有几辆
无人驾驶公交跑多快
无人驾驶公交下雨开不开
无人驾驶公交周末开吗
小孩子可以坐无人驾驶公交吗
外地人能坐无人驾驶公交吗
无人驾驶公交是免费的吗
听说有无人驾驶公交在哪里
无人驾驶公交试运营到什么时候
无人驾驶公交是哪一年开始的
无人驾驶公交咋乘
没有司机的无人公交在哪条路上
无人公交车几点开""".splitlines()
"""Forty ways to ask for one thing that the knowledge has nothing of."""


@pytest.fixture
async def querylog(tmp_path: Path) -> AsyncIterator[QueryLog]:
    opened = await QueryLog.open(f"sqlite+aiosqlite:///{tmp_path}/log.db")
    yield opened
    await opened.close()


async def ask(
    querylog: QueryLog,
    desk: Desk,
    texts: Iterable[str],
    start: dt.datetime = NOW,
    user: str = "",
    apart: dt.timedelta = dt.timedelta(hours=1),
    channel: str = "web",
) -> list[int]:
    """Log each text with the reply that it gets, the last at `start`; without a user each is asked by another one."""
    asked = list(texts)
    ids = []
    for at, text in enumerate(asked):
        moment = start - apart * (len(asked) - 1 - at)
        reply = answer(text, desk, (), moment.date())
        who = user or f"u{at}"
        ids.append(await querylog.write(row(Message(text, channel), who, reply, desk.book.version, 1.0, moment)))
    return ids


FAQ = """\
- id: nb-unicorn
  question: 独角兽养殖证怎么办
  answer: 独角兽养殖证到窗口办。
"""


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("answering") / "knowledge"
    shutil.copytree(KNOWLEDGE, folder)
    (folder / "faq").mkdir(exist_ok=True)
    (folder / "faq" / "unicorn.yaml").write_text(FAQ, encoding="utf-8")
    return Desk(load_or_raise(folder))
