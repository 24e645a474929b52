"""The webhook's door: the secret, the size, and what is no update."""

from __future__ import annotations

import json

import httpx
import pytest

from bot.channels.telegram.channel import PATH
from tests.emulators.telegram import Telegram as Emulator
from tests.telegram.conftest import SECRET, Bot

pytestmark = pytest.mark.parametrize("mode", ["webhook"], indirect=True)

HEADER = "X-Telegram-Bot-Api-Secret-Token"
UPDATE = {
    "update_id": 5,
    "message": {
        **{"message_id": 9, "date": 1_790_000_000, "text": "僵尸车谁来拖"},
        **{"chat": {"id": 7, "type": "private"}, "from": {"id": 7, "is_bot": False, "first_name": "甬"}},
    },
}
NO_UPDATES = [
    *(
        b"",
        b"null",
        b"[]",
        b"7",
        b"{",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"update_id": "7"}',
        b'{"update_id": 7, "message": 3}',
    ),
    *(b'{"update_id": 7, "message": {"message_id": 1}}', b'{"update_id": 7, "callback_query": {}}', b'{"no": "id"}'),
]


async def post(bot: Bot, body: bytes, secret: str | None = SECRET) -> httpx.Response:
    headers = {} if secret is None else {HEADER: secret}
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.post(bot.url + PATH, content=body, headers=headers)


async def test_only_telegram_may_knock(telegram: Emulator, bot: Bot) -> None:
    await telegram.until(lambda: bot.channel.health()["status"] == "ok")
    body = json.dumps(UPDATE).encode()
    for secret in (None, "", "wrong", SECRET + "x"):
        assert (await post(bot, body, secret)).status_code == 403
    assert await bot.app.querylog.count() == 0
    assert (await post(bot, body)).status_code == 200
    assert await bot.app.querylog.count() == 1
    assert telegram.webhook["secret_token"] == SECRET


async def test_what_is_no_update_is_a_400(telegram: Emulator, bot: Bot) -> None:
    await telegram.until(lambda: bot.channel.health()["status"] == "ok")
    statuses = {body[:40]: (await post(bot, body)).status_code for body in NO_UPDATES}
    assert set(statuses.values()) <= {400}, statuses


async def test_a_body_that_is_too_long_is_refused(telegram: Emulator, bot: Bot) -> None:
    assert (await post(bot, b" " * (1024 * 1024 + 1))).status_code == 413
    assert (await post(bot, b"{}", "wrong")).status_code == 403


async def test_a_repeated_update_is_answered_once(telegram: Emulator, bot: Bot) -> None:
    await telegram.until(lambda: bot.channel.health()["status"] == "ok")
    for _ in range(3):
        assert (await post(bot, json.dumps(UPDATE).encode())).status_code == 200
    await telegram.replies(7, 1)
    await telegram.until(lambda: bot.channel.health()["waiting"] == 0)
    assert (await post(bot, json.dumps(UPDATE).encode())).status_code == 200
    assert await bot.app.querylog.count() == 1
    assert bot.channel.health()["waiting"] == 0
    assert len(telegram.of(7)) == 1
