"""The self-built app, end to end: callbacks in, passive replies back, pushes through the API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from bot.app import running
from bot.channels.channel import run_all
from bot.channels.registry import channels
from bot.errors import ChannelRefusedError
from bot.settings import load_settings
from tests.emulators.wecom import CORP, TEXT_BYTES, event, message
from tests.emulators.wecom_kf import KfApi
from tests.waiting import until
from tests.wecom.conftest import Bot, Starter

USER = "member-zhang"
QUESTION = "灵活保一天多少钱"
ANSWER = "nb-flexible-work-insurance"
VAGUE = "方舱"
"""Answered with choices."""


async def test_the_address_is_verified(bot: Bot) -> None:
    response = await bot.callbacks.verify("1616140317555161061")
    assert (response.status_code, response.content) == (200, b"1616140317555161061")
    assert (await bot.kf.verify("号码 +/=")).text == "号码 +/="


async def test_verification_reads_no_messages_out(bot: Bot) -> None:
    response = await bot.callbacks.verify(message(USER, QUESTION, 1))
    assert (response.status_code, response.content) == (403, b"")


async def test_a_question_is_answered_in_the_response(bot: Bot, wecom: KfApi) -> None:
    outcome = await bot.callbacks.push(message(USER, QUESTION, 1))
    assert outcome.reply is not None
    assert outcome.reply["ToUserName"] == USER
    assert outcome.reply["FromUserName"] == CORP
    assert outcome.reply["MsgType"] == "text"
    assert "0.3 元" in outcome.text
    (row,) = await bot.rows()
    assert (row.channel, row.entry, row.text, row.message_id) == ("wecom", ANSWER, QUESTION, "1")
    assert USER not in row.user_key
    (card,) = await until(lambda: wecom.sent)
    assert [button["text"] for button in card.body["template_card"]["button_list"]] == ["👍 有用", "👎 没用"]


async def test_retries_get_the_same_reply_and_one_row(bot: Bot, wecom: KfApi) -> None:
    first = await bot.callbacks.push(message(USER, QUESTION, 7))
    again = [await bot.callbacks.push(message(USER, QUESTION, 7)) for _ in range(2)]
    together = await asyncio.gather(*(bot.callbacks.push(message(USER, QUESTION, 7)) for _ in range(5)))
    assert {outcome.text for outcome in (*again, *together)} == {first.text}
    assert len(await bot.rows()) == 1
    await until(lambda: wecom.sent)
    await asyncio.sleep(0.2)
    assert len(wecom.sent) == 1
    assert wecom.calls["message/send"] == 1


async def test_retries_while_the_first_is_being_answered(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(bot, monkeypatch, 0.3)
    found = await asyncio.gather(*(bot.callbacks.push(message(USER, QUESTION, 8)) for _ in range(3)))
    assert len({outcome.text for outcome in found}) == 1
    assert found[0].text
    assert len(await bot.rows()) == 1


async def test_a_retry_after_a_restart_gets_the_same_reply(start: Starter) -> None:
    async with start() as bot:
        first = await bot.callbacks.push(message(USER, QUESTION, 9))
    async with start() as bot:
        again = await bot.callbacks.push(message(USER, QUESTION, 9))
        assert again.text == first.text != ""
        assert len(await bot.rows()) == 1


async def test_a_retry_at_another_replica_gets_the_same_reply(start: Starter, wecom: KfApi) -> None:
    async with start() as one, start() as two:
        first = await one.callbacks.push(message(USER, QUESTION, 10))
        again = await two.callbacks.push(message(USER, QUESTION, 10))
        assert again.text == first.text != ""
        both = await asyncio.gather(*(bot.callbacks.push(message(USER, QUESTION, 11)) for bot in (one, two)))
        assert both[0].text == both[1].text != ""
        assert len(await one.rows()) == 2
        await until(lambda: len(wecom.sent) == 2)


def slow(bot: Bot, monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Let the log take so long for a row."""
    take = bot.app.querylog.take

    async def slowly(*args: Any, **more: Any) -> Any:
        await asyncio.sleep(seconds)
        return await take(*args, **more)

    monkeypatch.setattr(bot.app.querylog, "take", slowly)


async def test_a_slow_answer_is_pushed(bot: Bot, wecom: KfApi, monkeypatch: pytest.MonkeyPatch) -> None:
    slow(bot, monkeypatch, 0.6)
    monkeypatch.setattr(bot.channels["wecom"], "_answer_seconds", 0.2)
    outcome = await bot.callbacks.push(message(USER, QUESTION, 12))
    assert (outcome.statuses, outcome.reply) == ((200,), None)
    retry = await bot.callbacks.push(message(USER, QUESTION, 12))
    assert retry.reply is None
    await until(lambda: len(wecom.sent) == 2)
    assert "0.3 元" in wecom.sent[0].text
    assert wecom.sent[0].user == USER
    after = await bot.callbacks.push(message(USER, QUESTION, 12))
    assert after.reply is None
    assert len(await bot.rows()) == 1
    assert len(wecom.sent) == 2


async def test_a_pushed_reply_is_not_given_again_after_a_restart(
    start: Starter, wecom: KfApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with start() as bot:
        slow(bot, monkeypatch, 0.6)
        monkeypatch.setattr(bot.channels["wecom"], "_answer_seconds", 0.2)
        await bot.callbacks.push(message(USER, QUESTION, 13))
        await until(lambda: len(wecom.sent) == 2)
    async with start() as bot:
        assert (await bot.callbacks.push(message(USER, QUESTION, 13))).reply is None


async def test_choices_come_as_a_card_and_a_tap_is_answered(bot: Bot, wecom: KfApi) -> None:
    outcome = await bot.callbacks.push(message(USER, VAGUE, 20))
    (sent,) = await until(lambda: wecom.sent)
    card = sent.body["template_card"]
    buttons = card["button_list"]
    assert 2 <= len(buttons) <= 6
    assert "回复数字" not in outcome.text
    code = next(iter(wecom.response_codes))
    tap = event(
        USER, "template_card_event", EventKey=buttons[0]["key"], TaskId=card["task_id"], ResponseCode=code, at=1e9
    )
    assert [(await bot.callbacks.push(tap)).reply for _ in range(3)] == [None] * 3
    await until(lambda: len(wecom.sent) == 3)
    entry = buttons[0]["key"].removeprefix("pick:")
    rows = await bot.rows()
    assert [row.entry for row in rows[1:]] == [entry]
    assert bot.app.desk.label(entry) in wecom.sent[1].text
    assert wecom.updates[0]["userids"] == [USER]
    assert wecom.violations == []


async def test_none_of_them(bot: Bot, wecom: KfApi) -> None:
    await bot.callbacks.push(message(USER, VAGUE, 21))
    (sent,) = await until(lambda: wecom.sent)
    last = sent.body["template_card"]["button_list"][-1]
    assert last == {"text": "都不是", "style": 1, "key": "pick:"}
    code = next(iter(wecom.response_codes))
    await bot.callbacks.push(event(USER, "template_card_event", EventKey="pick:", TaskId="t", ResponseCode=code))
    await until(lambda: len(wecom.sent) == 2)
    assert "换个说法" in wecom.sent[1].text


async def test_a_button_of_an_entry_that_is_gone(bot: Bot, wecom: KfApi) -> None:
    code = wecom.new_response_code(USER)
    await bot.callbacks.push(event(USER, "template_card_event", EventKey="pick:gone", TaskId="t", ResponseCode=code))
    await until(lambda: wecom.sent)
    assert wecom.sent[0].text == bot.app.desk.book.texts["gone"]


async def test_a_verdict_is_stored_with_its_question(bot: Bot, wecom: KfApi) -> None:
    await bot.callbacks.push(message(USER, QUESTION, 30))
    (sent,) = await until(lambda: wecom.sent)
    down = sent.body["template_card"]["button_list"][1]["key"]
    code = next(iter(wecom.response_codes))
    await bot.callbacks.push(event(USER, "template_card_event", EventKey=down, TaskId="t", ResponseCode=code))
    await until(lambda: wecom.updates)
    assert wecom.updates[0]["button"] == {"replace_name": "已评价"}
    (logged,) = await bot.app.querylog.recent(1)
    assert logged.verdict == "down"
    await bot.callbacks.push(event(USER, "template_card_event", EventKey="up:unknown", TaskId="t", ResponseCode="x"))
    assert [item.verdict for item in await bot.app.querylog.recent(5)] == ["down"]


async def test_without_a_secret_choices_are_numbered(start: Starter, wecom: KfApi) -> None:
    start.given = {"wecom_secret": None, "wecom_agent_id": None}
    async with start() as bot:
        outcome = await bot.callbacks.push(message(USER, VAGUE, 40))
        assert "回复数字" in outcome.text
        second = next(line for line in outcome.text.splitlines() if line.startswith("2. "))
        picked = await bot.callbacks.push(message(USER, "2", 41))
        rows = await bot.rows()
        assert bot.app.desk.label(rows[1].entry) in second
        assert picked.text.startswith(bot.app.desk.label(rows[1].entry))
        await bot.callbacks.push(event(USER, "template_card_event", EventKey="up:x", TaskId="t", ResponseCode="x"))
    assert wecom.calls["message/send"] == 0


@contextmanager
def long_answer(bot: Bot) -> Iterator[str]:
    """One entry with a summary that is longer than three messages."""
    entries = bot.app.desk.book.entries
    summary = "".join(f"第{number}句说的是保险怎么买，这里把它写得长一些。" for number in "甲乙丙丁戊己庚辛壬癸" * 11)
    with patch.dict(entries, {ANSWER: entries[ANSWER].model_copy(update={"summary": summary})}):
        yield summary


async def test_a_long_answer_goes_on_in_pushed_pieces(bot: Bot, wecom: KfApi) -> None:
    with long_answer(bot) as summary:
        outcome = await bot.callbacks.push(message(USER, QUESTION, 50, at=1_763_700_000))
        again = await bot.callbacks.push(message(USER, QUESTION, 51, at=1_763_700_060))
    await until(lambda: len([sent for sent in wecom.sent if sent.kind == "template_card"]) == 2)
    pushed = [sent.text for sent in wecom.sent if sent.kind == "text"]
    assert len(outcome.text.encode()) <= TEXT_BYTES
    assert outcome.text == again.text
    assert len(pushed) == 2 * (len(pushed) // 2) >= 6
    assert pushed[0].startswith("（续 2/")
    assert "12:40:00" in pushed[0]
    whole = outcome.text + "".join(text.split("\n", 1)[1] for text in pushed if "12:40:00" in text)
    assert summary in whole.replace("\n", "")
    assert wecom.violations == []


async def test_without_a_secret_a_long_answer_says_that_it_is_cut(start: Starter) -> None:
    start.given = {"wecom_secret": None, "wecom_agent_id": None}
    async with start() as bot:
        with long_answer(bot):
            outcome = await bot.callbacks.push(message(USER, QUESTION, 52))
        assert len(outcome.text.encode()) <= TEXT_BYTES
        assert outcome.text.endswith("请问得更具体一些。）")


async def test_events(bot: Bot) -> None:
    greeting, examples = bot.app.welcome()
    for name in ("subscribe", "enter_agent"):
        outcome = await bot.callbacks.push(event(USER, name, at=1_763_700_000))
        assert outcome.text.startswith(greeting)
        assert examples[0] in outcome.text
    retry = await bot.callbacks.push(event(USER, "enter_agent", at=1_763_700_000))
    assert retry.text.startswith(greeting)
    assert (await bot.callbacks.push(event(USER, "enter_agent", at=1_763_700_100))).reply is None
    assert (await bot.callbacks.push(event(USER, "click", EventKey="welcome"))).text.startswith(greeting)
    for name in ("unsubscribe", "LOCATION", "view", "batch_job_result"):
        assert (await bot.callbacks.push(event(USER, name))).reply is None
    assert await bot.rows() == []


async def test_menu_keys_are_entries_or_questions(bot: Bot) -> None:
    for number, key in enumerate((ANSWER, QUESTION)):
        click = event(USER, "click", EventKey=key, at=1_763_700_000)
        outcomes = [await bot.callbacks.push(click) for _ in range(2)]
        assert "0.3 元" in outcomes[0].text
        assert outcomes[0].text == outcomes[1].text
        rows = await bot.rows()
        assert len(rows) == number + 1
        assert rows[number].entry == ANSWER
        assert len(rows[number].message_id) == 32


async def test_what_is_no_text_is_told_so(bot: Bot) -> None:
    picture = message(USER, "x", 60).replace("<![CDATA[text]]>", "<![CDATA[image]]>")
    assert "只看得懂文字" in (await bot.callbacks.push(picture)).text


async def test_expired_and_withdrawn_tokens_are_renewed_once(bot: Bot, wecom: KfApi) -> None:
    await bot.callbacks.push(message(USER, QUESTION, 70))
    await until(lambda: len(wecom.sent) == 1)
    fetched = wecom.fetched
    wecom.expire()
    await asyncio.gather(
        *(bot.callbacks.push(message(f"member-{number}", QUESTION, 71 + number)) for number in range(8))
    )
    await until(lambda: len(wecom.sent) == 9)
    assert wecom.fetched == fetched + 1


async def test_an_untrusted_address_is_told_to_the_operator(bot: Bot, wecom: KfApi) -> None:
    wecom.trusted = False
    outcome = await bot.callbacks.push(message(USER, QUESTION, 80))
    assert "0.3 元" in outcome.text
    found = await until(lambda: bot.app.alerts.states.get("wecom-api"))
    assert "203.0.113.9" in found
    assert wecom.sent == []


async def test_failures_of_the_api_lose_and_double_nothing(bot: Bot, wecom: KfApi) -> None:
    for kind in ("before", "after", -1, -1, -1, "before"):
        wecom.faults.script.append(("message/send", kind))
    for number in range(6):
        await bot.callbacks.push(message(f"member-{number}", QUESTION, 90 + number))
    await until(lambda: len(wecom.sent) == 6)
    assert sorted(sent.user for sent in wecom.sent) == [f"member-{number}" for number in range(6)]


async def test_a_platform_that_is_asked_too_often(bot: Bot, wecom: KfApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.wecom.sending._BLOCKED_SECONDS", 0.3)
    wecom.faults.script.append(("message/send", 45009))
    await bot.callbacks.push(message(USER, QUESTION, 98))
    await until(lambda: wecom.calls["message/send"] == 1)
    await bot.callbacks.push(message("member-other", QUESTION, 99))
    assert wecom.calls["message/send"] == 1
    await until(lambda: len(wecom.sent) == 2)


async def test_somebody_outside_the_app_is_given_up(bot: Bot, wecom: KfApi) -> None:
    wecom.members = {"member-known"}
    await bot.callbacks.push(message(USER, QUESTION, 100))
    await until(lambda: bot.channels["wecom"].health()["failed"] == 1)
    await bot.callbacks.push(message("member-known", QUESTION, 101))
    await until(lambda: wecom.sent)
    assert {sent.user for sent in wecom.sent} == {"member-known"}
    assert bot.channels["wecom"].health()["failed"] == 1


async def test_what_waits_is_pushed_after_a_restart(start: Starter, wecom: KfApi) -> None:
    wecom.faults.script.extend([("message/send", "before")] * 40)
    async with start() as bot:
        await bot.callbacks.push(message(USER, QUESTION, 110))
    assert wecom.sent == []
    wecom.faults.script.clear()
    async with start() as bot:
        await bot.app.querylog.take_over()
        await until(lambda: wecom.sent)
    assert len(wecom.sent) == 1


@pytest.mark.parametrize("name", ["wecom_secret", "wecom_corp_id"])
async def test_wrong_credentials_are_one_clear_line(start: Starter, name: str) -> None:
    start.given = {name: "wrong"}
    async with running(load_settings(**start.settings()), start.desk) as app:
        with pytest.raises(ChannelRefusedError, match="REFORMBOT_WECOM_SECRET") as caught:
            await run_all(channels(app), asyncio.Event(), app)
        assert "wrong" not in str(caught.value)
