"""Telegram fails: the bot backs off, says so in its health, and goes on where it was."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bot.channels.telegram.intake import meaning
from tests.chaos.bank import make_knowledge, questions
from tests.chaos.program import free_port
from tests.conftest import ROOT
from tests.emulators.telegram import TOKEN, Call, Fault
from tests.emulators.telegram import Telegram as Emulator
from tests.telegram.conftest import Bot, Start

ANNA, BERT = 1001, 1002


class Outage:
    """The next calls of a method fail."""

    def __init__(self, method: str, count: int, fault: Fault) -> None:
        self.method, self.left, self.fault = method, count, fault

    def __call__(self, call: Call) -> Fault | None:
        if call.method != self.method or not self.left:
            return None
        self.left -= 1
        return self.fault


FAULTS = [Fault("status", 500), Fault("status", 502), Fault("close"), Fault("flood", seconds=1)]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind}{fault.status}")
async def test_a_reply_is_sent_again_until_it_is_taken(telegram: Emulator, bot: Bot, fault: Fault) -> None:
    telegram.fault = Outage("sendMessage", 2, fault)
    telegram.say(ANNA, "僵尸车谁来拖")
    telegram.say(BERT, "微法院怎么用")
    await telegram.replies(ANNA, 1)
    await telegram.replies(BERT, 1)
    await telegram.until(lambda: bot.channel.health()["waiting"] == 0)
    assert len(telegram.sent) == 2
    assert bot.channel.health()["failed"] == 0


async def test_a_reply_to_one_who_blocked_the_bot_is_given_up(telegram: Emulator, bot: Bot) -> None:
    telegram.fault = Outage("sendMessage", 1, Fault("status", 403))
    telegram.say(ANNA, "僵尸车谁来拖")
    await telegram.until(lambda: bot.channel.health()["failed"] == 1)
    telegram.say(ANNA, "微法院怎么用")
    (reply,) = await telegram.replies(ANNA, 1)
    assert "微法院" in reply.text


@pytest.mark.parametrize("mode", ["polling"], indirect=True)
@pytest.mark.parametrize(
    "fault", [*FAULTS, Fault("hang", seconds=0.1)], ids=lambda fault: f"{fault.kind}{fault.status}"
)
async def test_polling_goes_on_after_an_outage(telegram: Emulator, bot: Bot, fault: Fault) -> None:
    await telegram.until(lambda: telegram.asked("getUpdates"))
    telegram.fault = Outage("getUpdates", 2, fault)
    telegram.say(ANNA, "僵尸车谁来拖")
    await telegram.replies(ANNA, 1)
    await telegram.until(lambda: bot.channel.health()["status"] == "degraded")
    telegram.say(ANNA, "微法院怎么用")
    assert bot.app.health()["status"] == "ok"
    assert bot.app.health()["channels"]["telegram"]["problem"] == "连不上，或者对方出错"
    await telegram.replies(ANNA, 2)
    await telegram.until(lambda: bot.channel.health()["status"] == "ok")
    assert len(telegram.sent) == 2


@pytest.mark.parametrize("mode", ["polling"], indirect=True)
async def test_a_second_poller_is_told_of_and_outlived(telegram: Emulator, bot: Bot) -> None:
    await telegram.until(lambda: telegram.asked("getUpdates"))
    await telegram.poll_elsewhere()
    await telegram.until(lambda: bot.channel.health().get("problem") == "另一个程序在用同一个机器人收消息")
    telegram.say(ANNA, "僵尸车谁来拖")
    (reply,) = await telegram.replies(ANNA, 1)
    assert "僵尸车" in reply.text
    await telegram.until(lambda: bot.channel.health()["status"] == "ok")
    assert "problem" not in bot.channel.health()


async def test_a_start_while_telegram_is_away(telegram: Emulator, start: Start) -> None:
    telegram.fault = Outage("getMe", 3, Fault("status", 502))
    async with start() as bot:
        await telegram.until(lambda: bot.channel.health()["status"] == "degraded")
        telegram.say(ANNA, "僵尸车谁来拖")
        (reply,) = await telegram.replies(ANNA, 1)
        assert "僵尸车" in reply.text
        await telegram.until(lambda: bot.channel.health()["status"] == "ok")
        assert len(telegram.asked("getMe")) > 3


async def test_what_was_stored_is_sent_after_a_restart(telegram: Emulator, start: Start) -> None:
    telegram.fault = Outage("sendMessage", 10**6, Fault("status", 500))
    async with start() as bot:
        telegram.say(ANNA, "僵尸车谁来拖")
        await telegram.until(lambda: bot.channel.health()["waiting"] == 1)
    assert telegram.sent == []
    telegram.fault = lambda call: None
    async with start() as again:
        (reply,) = await telegram.replies(ANNA, 1)
        assert "僵尸车" in reply.text
        await telegram.until(lambda: again.channel.health()["waiting"] == 0)
        assert await again.app.querylog.count() == 1
    assert len(telegram.sent) == 1


async def test_html_that_telegram_refuses_goes_as_plain_text(
    telegram: Emulator, bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.telegram.render._html", lambda blocks, reply: "<b>没有合上 &amp; <i>")
    telegram.say(ANNA, "僵尸车谁来拖")
    (reply,) = await telegram.replies(ANNA, 1)
    assert reply.text == "没有合上 & "


async def serve(telegram: Emulator, folder: Path, token: str) -> tuple[int, str]:
    """`serve` as a process of its own, until it ends by itself."""
    make_knowledge(folder / "knowledge", questions(3))
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REFORMBOT_")}
    settings = {
        "REFORMBOT_TELEGRAM_TOKEN": token,
        "REFORMBOT_TELEGRAM_API_BASE": telegram.url,
        "REFORMBOT_PORT": str(free_port()),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "bot", "serve", "--database", f"sqlite+aiosqlite:///{folder}/log.db"),
        *("--knowledge", str(folder / "knowledge")),
        cwd=folder,
        env={**kept, **settings, "PYTHONPATH": str(ROOT), "NO_PROXY": "127.0.0.1"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    return int(process.returncode or 0), errors.decode()


async def test_a_bad_token_ends_the_start_with_one_line(telegram: Emulator, tmp_path: Path) -> None:
    code, errors = await serve(telegram, tmp_path, "987654321:AAwrong-token-000000000000000000000")
    assert code == 2
    (line,) = errors.strip().splitlines()
    assert "REFORMBOT_TELEGRAM_TOKEN" in line
    assert "wrong-token" not in errors


def test_no_error_tells_the_token() -> None:
    for error in (RuntimeError(TOKEN), ValueError(TOKEN)):
        assert TOKEN not in meaning(error)
