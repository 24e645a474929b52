"""Callbacks that nobody should send."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from bot.app import App, running
from bot.channels.registry import channels
from bot.channels.web.routes import create_web
from bot.channels.wecom.callback import LIMIT
from bot.desk import Desk
from bot.settings import load_settings
from tests.emulators.wecom import AES_KEY, TOKEN, Callbacks, event, message
from tests.wecom import fuzz
from tests.wecom.fuzz import PATHS, SETTINGS, Call, check
from tests.wecom.test_xml import BOMB

QUESTION = "灵活保一天多少钱"


@pytest.fixture
async def app(tmp_path: Path, desk: Desk) -> AsyncIterator[App]:
    settings = load_settings(database_url=f"sqlite+aiosqlite:///{tmp_path}/log.db", **SETTINGS)
    async with running(settings, desk) as made:
        yield made


@pytest.fixture
def web(app: App) -> Starlette:
    return create_web(app, more=[route for channel in channels(app) for route in channel.routes()])


@pytest.fixture
async def client(web: Starlette) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=web), base_url="http://bot") as made:
        yield made


@pytest.fixture
async def platform() -> AsyncIterator[Callbacks]:
    made = Callbacks("")
    yield made
    await made.close()


def call(platform: Callbacks, plain: str, at: float | None = None) -> Call:
    query, body = platform.signed(plain, at)
    return Call(PATHS[0], query, body.encode())


async def test_mutated_callbacks(web: Starlette) -> None:
    """A small helping; `python -m tests.wecom.fuzz` has the full 20,000."""
    found = await fuzz.run(web, 1_200, seed=3)
    assert set(found) == {200, 400, 403}
    assert min(found.values()) > 50


async def test_every_flipped_bit_is_refused(client: httpx.AsyncClient, platform: Callbacks, app: App) -> None:
    good = call(platform, message("member-a", QUESTION, 1))
    start = good.body.index(b"CDATA[", good.body.index(b"<Encrypt>")) + 6
    stop = good.body.index(b"]]>", start)
    count = 0
    for bit in range((stop - start) * 8):
        body = bytearray(good.body)
        body[start + bit // 8] ^= 1 << bit % 8
        count += await check(client, replace(good, body=bytes(body), signed=False)) in {400, 403}
    for name, value in good.query.items():
        for bit in range(len(value) * 8):
            raw = bytearray(value.encode())
            raw[bit // 8] ^= 1 << bit % 8
            query = {**good.query, name: raw.decode("latin-1")}
            count += await check(client, replace(good, query=query, signed=False)) == 403
    assert count == (stop - start + sum(map(len, good.query.values()))) * 8 > 3_000
    assert await app.querylog.count() == 0
    assert await check(client, good) == 200


async def test_stale_messages_are_refused_unless_they_are_known(client: httpx.AsyncClient, platform: Callbacks) -> None:
    for seconds in (-301, 301, -(10**8)):
        stale = call(platform, message("member-a", QUESTION, 5), time.time() + seconds)
        assert await check(client, stale) == 403
    assert await check(client, call(platform, message("member-a", QUESTION, 5))) == 200
    for seconds in (-301, 301, -(10**8)):
        stale = call(platform, message("member-a", QUESTION, 5), time.time() + seconds)
        response = await client.post(stale.path, params=stale.query, content=stale.body)
        assert response.status_code == 200
        assert platform.opened(response.text)
    greeting = event("member-a", "subscribe")
    assert await check(client, call(platform, greeting, time.time() - 400)) == 403


@pytest.mark.parametrize("plain", [BOMB, "", "x", "<xml>", "<xml/>"])
async def test_signed_nonsense(client: httpx.AsyncClient, platform: Callbacks, plain: str) -> None:
    assert await check(client, call(platform, plain)) == 400


@pytest.mark.parametrize("envelope", [BOMB, "", "<xml/>", "<xml><Encrypt/></xml>", "{}", "\0"])
async def test_envelopes_that_hold_nothing(client: httpx.AsyncClient, platform: Callbacks, envelope: str) -> None:
    query = call(platform, "x").query
    assert await check(client, Call(PATHS[0], query, envelope.encode(), signed=False)) in {400, 403}


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_that_is_too_long(client: httpx.AsyncClient, path: str) -> None:
    assert await check(client, Call(path, {}, b"x" * (LIMIT + 1), signed=False)) == 400


async def test_a_message_for_another_corporation(client: httpx.AsyncClient) -> None:
    other = Callbacks("", TOKEN, AES_KEY, receive_id="ww0000000000000000")
    assert await check(client, call(other, message("member-a", QUESTION, 1))) == 400
    await other.close()


@pytest.mark.parametrize("path", PATHS)
async def test_verification_needs_a_signature(client: httpx.AsyncClient, platform: Callbacks, path: str) -> None:
    sealed = platform.crypto.encrypt("123")
    for query in (
        {},
        {"echostr": sealed},
        {"echostr": sealed, "msg_signature": "0" * 40, "timestamp": "1", "nonce": "n"},
    ):
        response = await client.get(path, params=query)
        assert (response.status_code, response.content) == (403, b"")
    signed = {"echostr": "junk", "timestamp": "1", "nonce": "n"}
    wrong = {**signed, "msg_signature": platform.crypto.sign("1", "n", "junk")}
    assert (await client.get(PATHS[0], params=wrong)).status_code == 400


async def test_a_plus_that_became_a_space(client: httpx.AsyncClient, platform: Callbacks) -> None:
    sealed = next(found for found in iter(lambda: platform.crypto.encrypt("9" * 60), "") if "+" in found)
    query = {"timestamp": "1", "nonce": "n", "msg_signature": platform.crypto.sign("1", "n", sealed)}
    for echo in (sealed, sealed.replace("+", " ")):
        assert (await client.get(PATHS[0], params={**query, "echostr": echo})).text == "9" * 60


async def test_a_failure_of_ours_has_no_detail(
    client: httpx.AsyncClient,
    platform: Callbacks,
    app: App,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def explode() -> None:
        raise RuntimeError("member-a asked something")

    monkeypatch.setattr(app, "welcome", explode)
    bad = call(platform, event("member-a", "subscribe"))
    response = await client.post(bad.path, params=bad.query, content=bad.body)
    assert (response.status_code, response.content) == (503, b"")
    assert "RuntimeError" in caplog.text
    assert "member-a" not in caplog.text
