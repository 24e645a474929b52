"""The loop, end to end: asked in vain, grouped, drafted, written by a person, replayed, answered, closed."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from shutil import copytree

from bot.answer import answer
from bot.check.run import check
from bot.desk import Desk
from bot.gaps import store
from bot.gaps.draft import draft
from bot.gaps.refresh import refresh
from bot.gaps.replay import questions, replay
from bot.knowledge.book import load_or_raise, read_folder
from bot.model import Status
from bot.querylog.store import QueryLog
from tests.conftest import KNOWLEDGE, TODAY
from tests.gaps.conftest import BUS, NOW, ask

PERSON = {
    "name:": "name: 无人驾驶公交",
    "theme:": "theme: 民生保障",
    "audience: []": "audience: [市民]",
    "summary:": "summary: 这是测试用的一条，不是真的事。",
    "- text:": "- text: 这是测试用的一句话。",
    "about: []": "about: [内容]",
    "as_of:": "as_of: 2022",
    "period:": "period: 2022 年",
    "source:": "source: steady-progress-2022",
}
"""What the draft leaves to a person, filled in."""


def filled_in(skeleton: str) -> str:
    lines = []
    for line in skeleton.splitlines():
        bare = line.strip()
        lines.append(line.replace(bare, PERSON[bare]) if bare in PERSON else line)
    assert all(value in "\n".join(lines) for value in PERSON.values())
    return "\n".join(lines) + "\n"


async def test_forty_wordings_of_something_unknown_until_the_gap_is_closed(
    querylog: QueryLog, desk: Desk, tmp_path: Path
) -> None:
    assert len(set(BUS)) == 40
    await ask(querylog, desk, BUS)
    await ask(querylog, desk, ["灵活保一天多少钱", "微法院", "宁波哪里好钓鱼", "宁波动物园几点开门"])

    await refresh(querylog, desk, NOW)
    top, *others = await querylog.read(store.gaps)
    assert top.count >= 36
    assert all(text in BUS for text, _ in top.wordings)
    assert max(item.count for item in others) <= 4
    assert (top.kind, top.proposal, top.state) == ("missing", "entry", "open")
    assert top.people == top.count
    assert sum(top.trend) == top.count

    made = draft(top, desk, read_folder(KNOWLEDGE), TODAY)
    await querylog.run(lambda connection: store.set_state(connection, top.id, "drafted", "test", "", NOW))
    folder = tmp_path / "knowledge"
    copytree(KNOWLEDGE, folder)
    file = folder / "ningbo" / "livelihood.yaml"
    file.write_text(file.read_text(encoding="utf-8") + made.as_text(), encoding="utf-8")
    left = {problem.line for problem in check(folder, TODAY).problems}
    written = file.read_text(encoding="utf-8").splitlines()
    assert left
    assert {written[line - 1].strip() for line in left} <= PERSON.keys()

    file.write_text(
        file.read_text(encoding="utf-8").replace(made.as_text(), filled_in(made.as_text())), encoding="utf-8"
    )
    assert check(folder, TODAY).errors == 0
    edited = Desk(load_or_raise(folder))

    asked, rows = await querylog.read(partial(questions, since=None, limit=100))
    assert rows == 44
    shown = replay(asked, desk, edited, TODAY, lambda items, _: items)
    gained = [change for change in shown.changes if change.kind == "gained"]
    assert len(gained) >= 36
    assert [change for change in shown.changes if change.text not in BUS] == []
    assert not [change for change in shown.changes if change.kind == "lost"]

    assert sum(answer(text, edited, (), TODAY).status is Status.ANSWER for text in BUS) >= 36
    changed = await refresh(querylog, edited, NOW)
    assert top.id in changed.closed
    closed = await querylog.read(partial(store.gap, identifier=top.id))
    assert closed is not None
    assert closed.state == "done"
    assert top.id not in [item.id for item in await querylog.read(store.gaps)]

    await ask(querylog, edited, BUS)
    again = await refresh(querylog, edited, NOW)
    assert top.id not in again.reopened
    assert not [item for item in await querylog.read(store.gaps) if re.search("无人", item.title) and item.count > 4]
