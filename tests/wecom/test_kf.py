"""微信客服, end to end: notices in, sync_msg, send_msg, within all the limits that the platform has."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import pytest

from bot.channels.wecom import kf
from bot.querylog.store import QueryLog
from tests.emulators.wecom_kf import ACCOUNT, KfApi
from tests.waiting import until
from tests.wecom.conftest import Bot, Starter

USER = "wm-citizen-one"
QUESTION = "灵活保一天多少钱"
ANSWER = "nb-flexible-work-insurance"
VAGUE = "方舱"
"""Answered with choices."""


async def told(bot: Bot, wecom: KfApi, account: str = ACCOUNT) -> None:
    """The platform's notice that there is news."""
    outcome = await bot.kf.push(wecom.notice(account))
    assert (outcome.statuses, outcome.reply) == ((200,), None)


async def asked(bot: Bot, wecom: KfApi, text: str, user: str = USER, menu_id: str | None = None) -> None:
    wecom.says(user, text, menu_id)
    await told(bot, wecom)


async def test_a_question_is_answered_with_a_menu(bot: Bot, wecom: KfApi) -> None:
    await asked(bot, wecom, QUESTION)
    (shown,) = await until(lambda: wecom.shown)
    assert shown.user == USER
    assert "0.3 元" in shown.text
    assert list(shown.clicks)[-2:] == ["👍 有用", "👎 没用"]
    (row,) = await bot.rows()
    assert (row.channel, row.entry, row.text) == ("wecom-kf", ANSWER, QUESTION)
    assert wecom.violations == []


async def test_taps_on_a_menu(bot: Bot, wecom: KfApi) -> None:
    await asked(bot, wecom, VAGUE)
    (shown,) = await until(lambda: wecom.shown)
    label, key = next(iter(shown.clicks.items()))
    assert label in shown.text
    await asked(bot, wecom, label, menu_id=key)
    await until(lambda: len(wecom.shown) == 2)
    rows = await bot.rows()
    assert [row.entry for row in rows[1:]] == [key.removeprefix("pick:")]
    assert "都不是" in shown.clicks
    await asked(bot, wecom, "都不是", menu_id=shown.clicks["都不是"])
    await until(lambda: len(wecom.shown) == 3)
    assert "换个说法" in wecom.shown[2].text


async def test_a_number_picks_too(bot: Bot, wecom: KfApi) -> None:
    await asked(bot, wecom, VAGUE)
    (shown,) = await until(lambda: wecom.shown)
    await asked(bot, wecom, "2")
    await until(lambda: len(wecom.shown) == 2)
    assert wecom.shown[1].text.startswith(list(shown.clicks)[1])


async def test_verdicts(bot: Bot, wecom: KfApi) -> None:
    await asked(bot, wecom, QUESTION)
    (shown,) = await until(lambda: wecom.shown)
    await asked(bot, wecom, "👎 没用", menu_id=shown.clicks["👎 没用"])
    await until(lambda: len(wecom.shown) == 2)
    assert "评价记下了" in wecom.shown[1].text
    assert [item.verdict for item in await bot.app.querylog.recent(5)] == ["down"]
    await asked(bot, wecom, "👍 有用", menu_id="up:unknown-token")
    await asked(bot, wecom, "谢谢")
    await until(lambda: len(wecom.shown) == 3)
    assert [item.verdict for item in await bot.app.querylog.recent(5)] == [None, "down"]


async def test_the_welcome_within_twenty_seconds(bot: Bot, wecom: KfApi) -> None:
    wecom.enters("wm-citizen-late", ago=25)
    wecom.enters(USER)
    await told(bot, wecom)
    (shown,) = await until(lambda: wecom.shown)
    greeting, examples = bot.app.welcome()
    assert (shown.user, shown.text) == (USER, greeting)
    assert list(shown.clicks) == examples
    await asked(bot, wecom, examples[0], menu_id=shown.clicks[examples[0]])
    await until(lambda: len(wecom.shown) == 2)
    assert len(await bot.rows()) == 1


async def test_pages_empty_pages_and_one_at_a_time(bot: Bot, wecom: KfApi) -> None:
    wecom.page, wecom.empty_pages = 3, 2
    for number in range(20):
        wecom.says(f"wm-citizen-{number}", QUESTION)
    await asyncio.gather(*(told(bot, wecom) for _ in range(5)))
    await until(lambda: len(wecom.shown) == 20)
    assert len(await bot.rows()) == 20
    assert wecom.violations == []


async def test_the_cursor_survives_a_restart(start: Starter, wecom: KfApi) -> None:
    async with start() as bot:
        await asked(bot, wecom, QUESTION)
        await until(lambda: wecom.shown)
    wecom.says(USER, VAGUE)  # while nobody listens
    async with start() as bot:
        await until(lambda: len(wecom.shown) == 2)
        await asked(bot, wecom, "谢谢")
        await until(lambda: len(wecom.shown) == 3)
        await until(lambda: bot.channels["wecom-kf"].health()["waiting"] == 0)
        assert len(await bot.rows()) == 3
    assert wecom.duplicates == 0


async def test_a_page_that_comes_twice_is_answered_once(start: Starter, wecom: KfApi) -> None:
    async with start() as bot:
        await asked(bot, wecom, QUESTION)
        await until(lambda: wecom.shown)
    await set_place(start.database, cursor="")
    async with start() as bot:
        await asked(bot, wecom, "谢谢")
        await until(lambda: len(wecom.shown) == 2)
        assert len(await bot.rows()) == 2
    assert wecom.duplicates == 0


async def set_place(database: str, **changes: object) -> None:
    """Change how far the account was read."""
    log = await QueryLog.open(database)
    place = f"wecom-kf/place/{ACCOUNT}"
    await log.put(place, json.dumps({**json.loads(await log.get(place) or ""), **changes}))
    await log.close()


async def test_the_first_start_does_not_answer_old_messages(bot: Bot, wecom: KfApi) -> None:
    wecom.page = 1
    for hours in (71, 50, 20, 1):
        wecom.says(USER, "僵尸车找谁", ago=hours * 3600)
    await asked(bot, wecom, QUESTION)
    await until(lambda: wecom.shown)
    assert [row.text for row in await bot.rows()] == [QUESTION]


async def test_after_a_long_pause_what_can_be_answered_is(start: Starter, wecom: KfApi) -> None:
    async with start() as bot:
        await asked(bot, wecom, QUESTION)
        await until(lambda: wecom.shown)
    await set_place(start.database, since=0)
    wecom.says("wm-citizen-a", QUESTION, ago=80 * 3600)
    wecom.says("wm-citizen-b", QUESTION, ago=50 * 3600)
    wecom.says("wm-citizen-c", QUESTION, ago=40 * 3600)
    async with start() as bot:
        await until(lambda: len(wecom.shown) == 2)
        assert wecom.shown[1].user == "wm-citizen-c"
        assert len(await bot.rows()) == 2


@contextmanager
def long_answer(bot: Bot) -> Iterator[None]:
    entries = bot.app.desk.book.entries
    summary = "".join(f"第{number}句说的是保险怎么买，这里把它写得长一些。" for number in "甲乙丙丁戊己庚辛壬癸" * 30)
    with patch.dict(entries, {ANSWER: entries[ANSWER].model_copy(update={"summary": summary})}):
        yield


async def test_the_longest_answer_keeps_to_the_budget(bot: Bot, wecom: KfApi) -> None:
    with long_answer(bot):
        await asked(bot, wecom, QUESTION)
        await until(lambda: len(wecom.shown) == 4)
    await asyncio.sleep(0.2)
    assert [shown.kind for shown in wecom.shown] == ["text", "text", "text", "msgmenu"]
    assert wecom.shown[2].text.endswith("请问得更具体一些。）")
    assert wecom.violations == []


async def test_the_sixth_message_waits_for_the_citizen(bot: Bot, wecom: KfApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.wecom.kf_send._FULL_SECONDS", 0.05)
    for _ in range(7):
        wecom.says(USER, QUESTION)
    await told(bot, wecom)
    await until(lambda: len(wecom.shown) == 5)
    await until(lambda: bot.channels["wecom-kf"].health()["waiting"] == 2)
    tried = wecom.calls["kf/send_msg"]
    await asyncio.sleep(0.3)
    assert wecom.calls["kf/send_msg"] == tried <= 6
    await asked(bot, wecom, "谢谢")
    await until(lambda: len(wecom.shown) == 8)
    assert "0.3 元" in wecom.shown[6].text
    assert "0.3 元" not in wecom.shown[7].text


async def test_a_budget_that_a_restart_forgot_is_learnt_again(
    start: Starter, wecom: KfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.wecom.kf_send._FULL_SECONDS", 0.05)
    async with start() as bot:
        await asked(bot, wecom, QUESTION)
        await until(lambda: wecom.shown)
        wecom.session(USER).since = 5
        again = wecom.history[ACCOUNT][0][1] | {"msgid": "another"}
        wecom.history[ACCOUNT].append((wecom.now(), again))
        await told(bot, wecom)
        await until(lambda: bot.channels["wecom-kf"].health()["waiting"] == 1)
        await asked(bot, wecom, "谢谢")
        await until(lambda: len(wecom.shown) == 3)
        assert len(await bot.rows()) == 3
        assert len(set(wecom.texts(USER))) == 2


async def test_a_request_for_a_human(bot: Bot, wecom: KfApi, monkeypatch: pytest.MonkeyPatch) -> None:
    wecom.servicers.add("li")
    await asked(bot, wecom, "转人工")
    await until(lambda: wecom.session(USER).state == 2)
    (shown,) = await until(lambda: wecom.shown)
    assert "转接人工" in shown.text
    await asked(bot, wecom, QUESTION)
    wecom.accepts(USER)
    await asked(bot, wecom, "喂")
    await asked(bot, wecom, QUESTION, "wm-citizen-two")
    await until(lambda: len(wecom.shown) == 2)
    assert wecom.texts(USER) == [shown.text]
    wecom.ends(USER)
    await asked(bot, wecom, QUESTION)
    await until(lambda: len(wecom.texts(USER)) == 2)
    assert [row.text for row in await bot.rows()] == ["转人工", QUESTION, QUESTION]


async def test_silence_survives_a_restart(start: Starter, wecom: KfApi) -> None:
    wecom.servicers.add("li")
    async with start() as bot:
        await asked(bot, wecom, "找人工")
        await until(lambda: wecom.shown)
        wecom.accepts(USER)
        await told(bot, wecom)
    async with start() as bot:
        await asked(bot, wecom, QUESTION)
        await asked(bot, wecom, QUESTION, "wm-citizen-two")
        await until(lambda: len(wecom.shown) == 2)
        assert len(wecom.texts(USER)) == 1


async def test_a_session_that_ran_out_without_a_word(bot: Bot, wecom: KfApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kf, "_TRUSTED_SECONDS", 0.0)
    wecom.servicers.add("li")
    await asked(bot, wecom, "转人工")
    await until(lambda: wecom.shown)
    wecom.accepts(USER)
    await asked(bot, wecom, "在吗")
    await asked(bot, wecom, QUESTION, "wm-citizen-two")
    await until(lambda: len(wecom.shown) == 2)
    wecom.ends(USER, quietly=True)
    await asked(bot, wecom, QUESTION)
    await until(lambda: len(wecom.texts(USER)) == 2)
    assert wecom.texts(USER)[1] == wecom.texts("wm-citizen-two")[0]


async def test_nobody_is_there(bot: Bot, wecom: KfApi) -> None:
    await asked(bot, wecom, "人工客服")
    (shown,) = await until(lambda: wecom.shown)
    assert "没有人工客服在线" in shown.text
    await asked(bot, wecom, QUESTION)
    await until(lambda: len(wecom.shown) == 2)


async def test_an_app_that_may_not_hand_over_goes_on(bot: Bot, wecom: KfApi) -> None:
    wecom.servicers.add("li")
    wecom.faults.script.append(("kf/service_state/trans", 48002))
    await asked(bot, wecom, "人工客服")
    (shown,) = await until(lambda: wecom.shown)
    assert "没有人工客服在线" in shown.text
    await asked(bot, wecom, QUESTION)
    await until(lambda: len(wecom.shown) == 2)


async def test_a_lost_answer_to_the_hand_over(bot: Bot, wecom: KfApi) -> None:
    wecom.servicers.add("li")
    wecom.faults.script.append(("kf/service_state/trans", "after"))
    await asked(bot, wecom, "转人工")
    await until(lambda: wecom.calls["kf/service_state/get"])
    assert wecom.session(USER).state == 2
    await until(lambda: bot.channels["wecom-kf"].health()["waiting"] == 0)
    assert wecom.shown == []


async def test_a_message_that_was_not_delivered(bot: Bot, wecom: KfApi) -> None:
    await asked(bot, wecom, QUESTION)
    (shown,) = await until(lambda: wecom.shown)
    await until(lambda: bot.channels["wecom-kf"].health()["waiting"] == 0)
    wecom.happens(USER, "msg_send_fail", fail_msgid=shown.msgid, fail_type=10)
    wecom.happens(USER, "msg_send_fail", fail_msgid="stranger", fail_type=4)
    wecom.happens(USER, "user_recall_msg", recall_msgid="x")
    await asked(bot, wecom, "谢谢")
    await until(lambda: len(wecom.shown) == 2)
    await until(lambda: bot.channels["wecom-kf"].health()["waiting"] == 0)
    found = await bot.app.querylog.run(
        lambda connection: connection.exec_driver_sql("SELECT state, reason FROM delivery")
    )
    assert [tuple(row) for row in found] == [("failed", "msg_send_fail 10"), ("done", "")]


async def test_failures_of_the_api_lose_and_double_nothing(bot: Bot, wecom: KfApi) -> None:
    for kind in ("before", "after", -1, "after"):
        wecom.faults.script.append(("kf/send_msg", kind))
    for kind in ("before", 45033, "after"):
        wecom.faults.script.append(("kf/sync_msg", kind))
    for number in range(6):
        wecom.says(f"wm-citizen-{number}", QUESTION)
    await told(bot, wecom)
    await until(lambda: len(wecom.shown) == 6)
    assert len({shown.user for shown in wecom.shown}) == 6
    await until(lambda: wecom.duplicates == 2)


async def test_a_notice_whose_token_is_over(bot: Bot, wecom: KfApi) -> None:
    wecom.says(USER, QUESTION)
    await bot.kf.push(re.sub("ENC[^]]*", "ENCunknown", wecom.notice()))
    await until(lambda: wecom.shown)
    assert [row.text for row in await bot.rows()] == [QUESTION]
    assert [shown.user for shown in wecom.shown] == [USER]


async def test_items_that_cannot_be_read_stop_nothing(bot: Bot, wecom: KfApi) -> None:
    for item in (
        {"origin": 3},
        {"origin": 3, "external_userid": 5, "msgtype": "text", "text": "x"},
        {"origin": 4, "event": None},
        {"origin": 4, "event": {"event_type": "msg_send_fail"}},
        {"origin": 5, "msgtype": "text"},
        {"send_time": None},
        {},
    ):
        wecom.history.setdefault(ACCOUNT, []).append((wecom.now(), {"send_time": int(wecom.now()), **item}))
    wecom.shows(USER)
    await asked(bot, wecom, QUESTION)
    await until(lambda: len(wecom.shown) == 2)
    assert "只看得懂文字" in wecom.shown[0].text


async def test_only_the_accounts_of_the_settings(start: Starter, wecom: KfApi) -> None:
    start.given = {"wecom_kf_open_kfid": f"{ACCOUNT}, wkOTHER"}
    wecom.history["wkOTHER"] = []
    async with start() as bot:
        wecom.says(USER, QUESTION, account="wkSTRANGER")
        await told(bot, wecom, "wkSTRANGER")
        wecom.says(USER, VAGUE, account="wkOTHER")
        await told(bot, wecom, "wkOTHER")
        await until(lambda: wecom.shown)
        assert [row.text for row in await bot.rows()] == [VAGUE]
        assert bot.channels["wecom-kf"].health()["accounts"] == 2


async def test_notices_may_come_to_the_apps_callback(bot: Bot, wecom: KfApi) -> None:
    wecom.says(USER, QUESTION)
    outcome = await bot.callbacks.push(wecom.notice())
    assert (outcome.statuses, outcome.reply) == ((200,), None)
    await until(lambda: wecom.shown)


async def test_no_id_of_a_citizen_stays(start: Starter, wecom: KfApi, tmp_path: Path) -> None:
    wecom.servicers.add("li")
    async with start() as bot:
        await asked(bot, wecom, QUESTION)
        await asked(bot, wecom, "转人工")
        await until(lambda: len(wecom.shown) == 2)
        await until(lambda: bot.channels["wecom-kf"].health()["waiting"] == 0)
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert QUESTION.encode() in content
    assert USER.encode() not in content


async def test_both_channels_share_a_token_when_they_share_a_secret(start: Starter, wecom: KfApi) -> None:
    start.given = {"wecom_kf_secret": start.settings()["wecom_secret"]}
    async with start() as bot:
        await asked(bot, wecom, QUESTION)
        await until(lambda: wecom.shown)
    assert wecom.fetched == 1
