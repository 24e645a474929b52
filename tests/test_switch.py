"""The off switch, and entries that are closed, dated or sent on."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from bot.answer import answer, give
from bot.app import running
from bot.cli import app as commands
from bot.desk import Desk
from bot.knowledge.book import Book
from bot.model import Message, Status
from bot.querylog.store import QueryLog
from bot.querylog.tables import audit
from bot.render import plain
from bot.settings import load_settings
from bot.standing import is_open, target
from bot.switch import EVERYTHING, Switch
from tests.conftest import TODAY, parse

ENTRY = "nb-mobile-micro-court"
NOW = dt.datetime(2026, 11, 20, 8, 0, tzinfo=dt.UTC)


def changed(shipped: dict[str, bytes], more: str, entry: str = ENTRY) -> Desk:
    name = next(name for name, text in shipped.items() if f"- id: {entry}\n".encode() in text and "/" in name)
    line = f"- id: {entry}\n"
    files = shipped | {name: shipped[name].replace(line.encode(), f"{line}{more}".encode())}
    loaded = parse(files)
    assert loaded.book is not None, loaded.problems[:3]
    return Desk(loaded.book)


def test_a_disabled_entry_says_so_and_leaves_its_questions_to_nobody(shipped: dict[str, bytes]) -> None:
    desk = changed(shipped, "  disabled: true\n")
    reply = answer("微法院", desk, (), TODAY)
    assert (reply.status, reply.ids) == (Status.NONE, ())
    assert "12345" in reply.blocks[0].text
    assert "宁波移动微法院" in reply.blocks[0].text
    assert give(ENTRY, "微法院", desk, TODAY).status is Status.NONE
    assert answer("老小区装电梯要跑几个部门", desk, (), TODAY).status is Status.ANSWER


def test_an_entry_answers_within_its_dates_only(shipped: dict[str, bytes]) -> None:
    desk = changed(shipped, "  valid_from: 2026-11-20\n  valid_until: 2026-11-21\n")
    days = [dt.date(2026, 11, day) for day in (19, 20, 21, 22)]
    assert [is_open(ENTRY, desk.book, day) for day in days] == [False, True, True, False]
    assert [answer("微法院", desk, (), day).ids for day in days] == [(), (ENTRY,), (ENTRY,), ()]


def test_a_redirect_is_followed(shipped: dict[str, bytes]) -> None:
    desk = changed(shipped, "  redirect: nb-old-estate-lifts\n")
    assert target(ENTRY, desk.book) == "nb-old-estate-lifts"
    assert answer("微法院", desk, (), TODAY).ids == ("nb-old-estate-lifts",)


def test_redirects_in_a_circle_are_refused_and_never_followed_for_ever(book: Book, shipped: dict[str, bytes]) -> None:
    lifts = "nb-old-estate-lifts"
    files = dict(shipped)
    for name, here, there in (("ningbo/justice.yaml", ENTRY, lifts), ("ningbo/livelihood.yaml", lifts, ENTRY)):
        line = f"- id: {here}\n"
        files[name] = files[name].replace(line.encode(), f"{line}  redirect: {there}\n".encode())
    loaded = parse(files)
    assert loaded.book is None
    assert [problem.code for problem in loaded.problems if problem.severity == "error"] == ["K308", "K308"]
    circle = {name: entry.model_copy(update={"redirect": name}) for name, entry in book.entries.items()}
    assert target(ENTRY, replace(book, entries=circle)) == ENTRY


def test_paused_entries_leave_choices_too(desk: Desk) -> None:
    reply = answer("菜篮子", desk, (), TODAY)
    assert reply.status is Status.CHOICES
    first, second = reply.ids
    rest = answer("菜篮子", desk, (), TODAY, paused={first})
    assert (rest.status, rest.ids) == (Status.ANSWER, (second,))
    assert answer("菜篮子", desk, (), TODAY, paused={first, second}).status is Status.NONE


async def test_a_pause_reaches_every_replica_and_the_audit(tmp_path: Path, desk: Desk) -> None:
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db", rate_limit_user=0)
    async with running(settings, desk) as app:
        other = await QueryLog.open(settings.database_url)
        try:
            await Switch(other).pause(ENTRY, "数字有误", "王", NOW)
            await app.switch.refresh()
            reply = await app.handle(Message("微法院", user="u"))
            assert reply.payload["status"] == "none"
            assert "正在核实" in reply.payload["text"]
            await Switch(other).pause(EVERYTHING, "检修", "李", NOW)
            await app.switch.refresh()
            reply = await app.handle(Message("老小区装电梯要跑几个部门", user="u"))
            assert "12345" in reply.payload["text"]
            assert app.health()["paused"] == [
                "整个机器人：检修（李，2026-11-20T08:00:00Z）",
                f"{ENTRY}：数字有误（王，2026-11-20T08:00:00Z）",
            ]
            assert await Switch(other).resume(EVERYTHING, "好了", "李", NOW)
            assert not await Switch(other).resume(EVERYTHING, "", "李", NOW)
            await app.switch.refresh()
            assert (await app.handle(Message("老小区装电梯要跑几个部门", user="u"))).payload["status"] == "answer"
            rows = await other.read(lambda connection: fetched(connection))
            assert [(row.actor, row.action, row.subject, row.detail) for row in rows] == [
                ("王", "pause", ENTRY, "数字有误"),
                ("李", "pause", "*", "检修"),
                ("李", "resume", "*", "好了"),
            ]
        finally:
            await other.close()


async def fetched(connection: object) -> list[object]:
    return list(await connection.execute(sa.select(audit).order_by(audit.c.id)))  # type: ignore[attr-defined]


async def test_a_pause_outlives_a_restart(tmp_path: Path, desk: Desk) -> None:
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db")
    async with running(settings, desk) as app:
        await app.switch.pause(ENTRY, "核实", "王", NOW)
    async with running(settings, desk) as app:
        assert app.switch.paused.entries == {ENTRY}


def test_the_commands(tmp_path: Path) -> None:
    run, database = CliRunner(), ("--database", f"sqlite+aiosqlite:///{tmp_path}/log.db")
    assert run.invoke(commands, ["pause", ENTRY, *database]).exit_code == 2
    assert run.invoke(commands, ["pause", "no-such", "--why", "x", *database]).exit_code == 2
    assert run.invoke(commands, ["pause", "--list", *database]).stdout == "没有停着的\n"
    assert "已暂停" in run.invoke(commands, ["pause", ENTRY, "--why", "数字有误", *database]).stdout
    assert f"{ENTRY}：数字有误" in run.invoke(commands, ["pause", "--list", *database]).stdout
    assert run.invoke(commands, ["resume", ENTRY, *database]).exit_code == 0
    assert run.invoke(commands, ["resume", ENTRY, *database]).exit_code == 1


async def test_the_switch_is_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.switch._POLL_SECONDS", 0.01)
    mine, theirs = [await QueryLog.open(f"sqlite+aiosqlite:///{tmp_path}/log.db") for _ in range(2)]
    switch = Switch(mine)
    following = asyncio.create_task(switch.follow())
    await Switch(theirs).pause(ENTRY, "核实", "王", NOW)
    for _ in range(2000):
        await asyncio.sleep(0.01)
        if switch.paused.pauses:
            break
    assert switch.paused.entries == {ENTRY}
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await mine.close()
    await theirs.close()


def test_a_paused_entry_is_not_offered_as_related(desk: Desk) -> None:
    for text in ("加装电梯", "加装电梯要多久？微法院怎么用？"):
        related = [option.id for option in answer(text, desk, (), TODAY).options]
        assert len(related) > 1
        rest = answer(text, desk, (), TODAY, paused={related[0]})
        assert [option.id for option in rest.options] == related[1:]
        assert desk.label(related[0]) not in plain(rest)


def test_a_paused_entry_is_not_offered_as_the_neighbours(desk: Desk) -> None:
    asked = "江北有爱心车轮食堂吗"
    assert "镇海区" in plain(answer(asked, desk, (), TODAY))
    reply = answer(asked, desk, (), TODAY, paused={"zh-love-wheel-canteen"})
    assert reply.status is Status.NONE
    assert "爱心车轮食堂" not in plain(reply)
