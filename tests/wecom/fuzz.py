"""Callbacks mutated in every way: never a 500, never a reply to what is not signed.

python -m tests.wecom.fuzz --count 20000 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx
from starlette.applications import Starlette

from bot.app import build_desk, running
from bot.channels.registry import channels
from bot.channels.web.routes import create_web
from bot.settings import load_settings
from tests.emulators.wecom import AES_KEY, CORP, TOKEN, Callbacks, event, message
from tests.emulators.wecom_kf import ACCOUNT, KF_AES_KEY, KF_SECRET, KF_TOKEN

PATHS = ("/wecom/callback", "/wecom/kf")
SETTINGS = {
    "wecom_corp_id": CORP,
    "wecom_token": TOKEN,
    "wecom_aes_key": AES_KEY,
    "wecom_kf_token": KF_TOKEN,
    "wecom_kf_aes_key": KF_AES_KEY,
    "wecom_kf_secret": KF_SECRET,
    "wecom_kf_open_kfid": ACCOUNT,
    "rate_limit_user": 0,
}
QUESTIONS = ("灵活保一天多少钱", "养老服务", "<xml>&]]>", "", "a" * 5000, "👩‍👩‍👧‍👦", "\t\r\n")
Rng = random.Random


@dataclass(frozen=True)
class Call:
    """One request; `signed` says whether the platform could have sent it."""

    path: str
    query: dict[str, str]
    body: bytes
    signed: bool = True


def plain(rng: Rng) -> str:
    """What the platform could have encrypted, or what it never would."""
    user, number = f"member-{rng.randrange(50)}", rng.randrange(10**9)
    return rng.choice(
        (
            lambda: message(user, rng.choice(QUESTIONS), number),
            lambda: event(user, rng.choice(("subscribe", "enter_agent", "click", "view", "x")), EventKey=str(number)),
            lambda: event(
                user, "template_card_event", EventKey=rng.choice(("pick:", "pick:x", "up:x", ":", "")), TaskId=1
            ),
            lambda: message(user, "x", number).replace("CreateTime", rng.choice(("CreateTime", "Create", "MsgId"))),
            lambda: message(user, "x", number)[: rng.randrange(200)],
            lambda: '<!DOCTYPE x [<!ENTITY a "b">]><xml><FromUserName>&a;</FromUserName></xml>',
            lambda: "<xml>" + "<a>" * rng.randrange(40),
            lambda: "".join(chr(rng.choice((rng.randrange(1, 0xD800), rng.randrange(32, 127)))) for _ in range(60)),
            lambda: "",
        )
    )()


def flip(data: bytes, rng: Rng) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(rng.choice((1, 1, 1, 8))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _in_body(change: Callable[[bytes, Rng], bytes]) -> Callable[[Call, Rng], Call]:
    return lambda call, rng: replace(call, body=change(call.body, rng))


def _in_query(name: str, change: Callable[[str, Rng], str]) -> Callable[[Call, Rng], Call]:
    return lambda call, rng: replace(call, query={**call.query, name: change(call.query[name], rng)})


def _text_flip(text: str, rng: Rng) -> str:
    return flip(text.encode(), rng).decode("latin-1")


def _swapped(call: Call, rng: Rng) -> Call:
    """Both are sorted before they are signed: the signature stays right, the moment becomes nonsense."""
    query = {**call.query, "timestamp": call.query["nonce"], "nonce": call.query["timestamp"]}
    return replace(call, query=query)


MUTATIONS: tuple[Callable[[Call, Rng], Call], ...] = (
    *[lambda call, rng: call] * 4,
    _in_body(flip),
    _in_body(lambda body, rng: body[: rng.randrange(len(body) + 1)]),
    _in_body(lambda body, rng: body * rng.choice((2, 3, 300))),
    _in_body(lambda body, rng: b'<!DOCTYPE xml SYSTEM "file:///etc/passwd">' + body),
    _in_body(lambda body, rng: body.replace(b"Encrypt", rng.choice((b"encrypt", b"Encrypt2", b"")))),
    _in_body(lambda body, rng: body.decode().encode(rng.choice(("utf-16", "utf-8-sig", "utf-7")))),
    _in_body(lambda body, rng: rng.randbytes(rng.randrange(400))),
    *(_in_query(name, _text_flip) for name in ("msg_signature", "timestamp", "nonce")),
    *(_in_query(name, lambda value, rng: "") for name in ("msg_signature", "timestamp", "nonce")),
    _in_query("msg_signature", lambda value, rng: value.upper()),
    _in_query(
        "nonce", lambda value, rng: value + rng.choice(("\0", "中", "\ud800".encode("utf-8", "replace").decode()))
    ),
    lambda call, rng: replace(call, query={name: call.query[name] for name in list(call.query)[: rng.randrange(3)]}),
    lambda call, rng: replace(call, path=PATHS[1 - PATHS.index(call.path)]),
    _swapped,
)


def made(rng: Rng, platforms: dict[str, Callbacks]) -> Call:
    """A signed call, mutated; it stays signed when signature, moment, nonce and cipher text are what they were."""
    path = rng.choice(PATHS)
    query, text = platforms[path].signed(plain(rng))
    sealed = text.split("<Encrypt><![CDATA[")[1].split("]]>")[0].encode()
    call = rng.choice(MUTATIONS)(Call(path, query, text.encode()), rng)
    return replace(call, signed=call.path == path and call.query == query and sealed in call.body)


async def check(client: httpx.AsyncClient, call: Call) -> int:
    """Send one call and return its status; AssertionError when it got what it must not get."""
    response = await client.post(call.path, params=call.query, content=call.body)
    assert response.status_code in {200, 400, 403}, (response.status_code, call)
    if not call.signed:
        assert response.status_code != 200, call
    if response.status_code != 200:
        assert response.content == b""
    return response.status_code


async def run(app: Starlette, count: int, seed: int) -> Counter[int]:
    """Send so many calls; how often each status came."""
    rng = Rng(seed)
    platforms = {PATHS[0]: Callbacks("", TOKEN, AES_KEY), PATHS[1]: Callbacks("", KF_TOKEN, KF_AES_KEY)}
    found: Counter[int] = Counter()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://bot") as client:
        for _ in range(count):
            found[await check(client, made(rng, platforms))] += 1
    for platform in platforms.values():
        await platform.close()
    return found


async def _main(count: int, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings(database_url=f"sqlite+aiosqlite:///{folder}/log.db", **SETTINGS)
        async with running(settings, build_desk(settings)) as app:
            routes = [route for channel in channels(app) for route in channel.routes()]
            start = time.monotonic()
            found = await run(create_web(app, more=routes), count, seed)
    print(f"{found.total()} callbacks in {time.monotonic() - start:.0f} s: {dict(sorted(found.items()))}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    asyncio.run(_main(given.count, given.seed))
