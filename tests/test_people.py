"""Pieces of a question in the log, what people have remembered, and forgetting them."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from bot.app import App, running
from bot.channels.service import Post
from bot.cli import app as cli
from bot.desk import Desk
from bot.model import Message, Reply, Status
from bot.querylog import deliveries, people, privacy
from bot.querylog.people import Subscription
from bot.querylog.tables import metadata, person, query_log, seen, subscription
from bot.settings import load_settings

NOW = dt.datetime.now(dt.UTC)


@pytest.fixture
async def app(tmp_path: Path, desk: Desk) -> AsyncIterator[App]:
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db", rate_limit_user=0)
    async with running(settings, desk) as made:
        yield made


def draft(reply: Reply, token: str) -> Post:
    return Post("anna", ({"text": reply.blocks[0].text},))


async def stored(app: App) -> list[tuple[str, ...]]:
    """Text and message ids of every row."""

    async def fetch(connection: sa.ext.asyncio.AsyncConnection) -> list[tuple[str, ...]]:
        rows = await connection.execute(sa.select(query_log.c.text, query_log.c.id).order_by(query_log.c.id))
        return [
            (
                row.text,
                *await connection.scalars(
                    sa.select(seen.c.message_id).where(seen.c.query_id == row.id).order_by(seen.c.message_id)
                ),
            )
            for row in rows.all()
        ]

    return await app.querylog.read(fetch)


async def test_a_piece_that_was_not_answered_makes_room_for_the_whole(app: App) -> None:
    piece = Message("我妈妈八十岁了", "push", "anna", "m1")
    await app.handle(piece, draft)
    whole = replace(piece, text="我妈妈八十岁了 能送饭上门吗", message_id="m2", also=("m1",))
    handled = await app.handle(whole, draft)
    assert handled.fresh
    assert await stored(app) == [("我妈妈八十岁了 能送饭上门吗", "m1", "m2")]
    later = App(app.settings, app.desk, app.querylog)
    for again in (whole, piece):
        repeated = await later.handle(again, draft)
        assert (repeated.fresh, repeated.delivery) == (False, handled.delivery)
    assert len(await stored(app)) == 1


async def test_a_piece_that_was_answered_stays(app: App) -> None:
    piece = Message("我妈妈八十岁了", "push", "anna", "m1")
    first = (await app.handle(piece, draft)).delivery
    assert first is not None
    note = deliveries.Note(first.token, ("r1",), deliveries.DONE)
    await app.querylog.run(partial(deliveries.progress, note=note, now=NOW))
    whole = replace(piece, text="我妈妈八十岁了 能送饭上门吗", message_id="m2", also=("m1",))
    assert (await app.handle(whole, draft)).fresh
    assert await stored(app) == [("我妈妈八十岁了", "m1"), ("我妈妈八十岁了 能送饭上门吗", "m2")]


async def test_the_second_to_ask_for_a_reply_is_not_told_that_it_is_new(app: App) -> None:
    message = Message("微法院怎么用", "push", "anna", "m1")
    first, second = await app.handle(message, draft), await app.handle(message, draft)
    assert (first.fresh, second.fresh) == (True, False)
    assert first.delivery == second.delivery


async def test_what_a_channel_says_itself_is_logged_as_small_talk(app: App) -> None:
    said = Reply(Status.SMALLTALK, (), reason="命令")
    handled = await app.handle(Message("/help", "push", "anna", "m1"), draft=None, reply=said)
    assert handled.reply is said
    assert (await app.querylog.recent(1))[0].row.status == "smalltalk"


async def test_a_preview_leaves_no_trace(app: App) -> None:
    await app.handle(Message("灵活保", "push", "anna", "m1"))
    reply = await app.preview(Message("要多少钱", "push", "anna", "m2"))
    assert reply.ids == ("nb-flexible-work-insurance",)
    assert await app.querylog.count() == 1
    assert (await app.preview(Message("要多少钱", "push", "anna", "m2", room="group"))).ids == ()


def wanted(key: str, subject: str) -> Subscription:
    return Subscription(0, key, "push", "anna", people.ENTRY, subject, "d1")


async def test_home_and_subscriptions(app: App) -> None:
    log = app.querylog
    anna, bert = await log.person_key("push", "anna"), await log.person_key("push", "bert")
    assert anna != bert != await log.person_key("web", "bert")
    await log.run(partial(people.settle, key=anna, region="镇海区"))
    await log.run(partial(people.settle, key=anna, region="江北区"))
    assert await log.read(partial(people.home, key=anna)) == "江北区"
    assert await log.read(partial(people.home, key=bert)) == ""
    for key in (anna, anna, bert):
        await log.run(partial(people.follow, wanted=wanted(key, "e1"), now=NOW))
    assert len(await log.read(people.everybody)) == 2
    assert await log.run(partial(people.unfollow, key=anna, number=None)) == 1
    assert await log.read(partial(people.of_person, key=anna)) == []
    assert len(await log.read(partial(people.of_person, key=bert))) == 1


async def fill(app: App) -> None:
    """Two people with everything that can be stored of them."""
    for user in ("anna", "bert"):
        handled = await app.handle(Message("僵尸车谁来拖", "push", user, f"{user}-1"), draft)
        assert handled.delivery is not None
        assert await app.judge(handled.delivery.token, "up", text="很好")
        key = await app.querylog.person_key("push", user)
        await app.querylog.run(partial(people.settle, key=key, region="镇海区"))
        await app.querylog.run(partial(people.follow, wanted=replace(wanted(key, "e1"), target=user), now=NOW))
        new = deliveries.NewDelivery(f"notice-of-{user}", user, ({"text": "变了"},))
        insert = partial(deliveries.insert, channel_posts=[("push", None, new)], owner="x", now=NOW)
        await app.querylog.run(insert)
    last_month = await app.querylog.user_key("push", "anna", NOW - dt.timedelta(days=40))
    old = (await app.querylog.recent(1))[0].row
    await app.querylog.write(replace(old, user_key=last_month, message_id="anna-0", text="上个月的问题"))


@pytest.mark.parametrize("at_once", [1, privacy.AT_ONCE])
async def test_forgetting_takes_all_of_one_and_nothing_of_the_others(
    app: App, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(privacy, "AT_ONCE", at_once)
    await fill(app)

    async def counts(connection: sa.ext.asyncio.AsyncConnection) -> dict[str, int]:
        return {
            table.name: int(await connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0)
            for table in metadata.sorted_tables
        }

    before = await app.querylog.read(counts)
    assert await app.forget("push", "anna") == 2
    after = await app.querylog.read(counts)
    gone = {name: before[name] - after[name] for name in before if before[name] != after[name]}
    assert gone == {"query_log": 2, "seen": 2, "delivery": 2, "feedback": 1, "person": 1, "subscription": 1}
    assert {person.name, subscription.name} <= after.keys()
    assert await app.forget("push", "anna") == 0
    assert await app.forget("push", "bert") == 1


async def test_the_command_forgets(app: App, tmp_path: Path) -> None:
    await fill(app)
    await app.querylog.close()
    url = f"sqlite+aiosqlite:///{tmp_path}/log.db"
    done = await asyncio.to_thread(CliRunner().invoke, cli, ["forget", "push", "anna", "--database", url])
    assert done.exit_code == 0, done.output
    assert "删了 2 条" in done.output
