"""Requests to every route that the program has, with what no browser and no platform would send."""

from __future__ import annotations

import json
import random
import string
from collections.abc import Iterator, Sequence

import httpx
from starlette.routing import BaseRoute, Mount, Route

from tests.abuse.watch import Watch

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_TYPES = ("application/json", "application/x-www-form-urlencoded", "text/xml", "multipart/form-data", "", "\tx/ü")
_NASTY = (
    *("", " ", "0", "-1", "9" * 40, "1e400", "null", "true", "[]", "{}", "NaN", "%00", "%ff", "%2e%2e%2f", "../../etc"),
    *("' OR 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "${7*7}", "=1+1", "\u202e\u200b", "甬" * 300, "😀" * 99),
    *("2026-13-45", "nb-mobile-micro-court", "ningbo/justice.yaml", "day", "csv", "up", "\x7f", "a" * 9000),
)
_FIELDS = (
    *("text", "session", "id", "verdict", "token", "password", "onward", "file", "content", "entry", "state", "q"),
    *("day", "from", "to", "channel", "status", "page", "region", "version", "reason", "minutes", "everything", "sort"),
    *("everybody", "update_id", "message", "echostr", "msg_signature", "timestamp", "nonce", "title", "question"),
)
_HEADERS = (
    *("Cookie", "Authorization", "X-Forwarded-For", "Host", "Origin", "Referer", "Range", "Accept", "Accept-Encoding"),
    *("If-None-Match", "If-Modified-Since", "X-Telegram-Bot-Api-Secret-Token", "Expect", "Sec-Fetch-Site", "X-" * 40),
)


def paths(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[str]:
    """The paths of all routes, those of mounted applications too."""
    for route in routes:
        if isinstance(route, Route):
            yield prefix + route.path
        elif isinstance(route, Mount):
            yield f"{prefix}{route.path}/{{name}}"
            yield from paths(route.routes or (), prefix + route.path)


def _value(dice: random.Random) -> str:
    if dice.random() < 0.3:
        return "".join(dice.choices(string.printable, k=dice.randrange(1, 30)))
    return dice.choice(_NASTY)


def _filled(path: str, dice: random.Random) -> str:
    """The path with something in the place of its parameters, and now and then broken."""
    while "{" in path:
        before, _, rest = path.partition("{")
        value = str(dice.randrange(1, 50)) if dice.random() < 0.5 else httpx.QueryParams({"": _value(dice)[:99]})
        path = before + str(value).removeprefix("=").replace("+", "%20") + rest.partition("}")[2]
    return path + dice.choice(["", "", "", "/", "//", ".json", "%00", "/..", ";x"])


def _body(dice: random.Random) -> tuple[str, bytes]:
    """A content type and a body, which may or may not go together."""
    fields = {dice.choice(_FIELDS): _value(dice) for _ in range(dice.randrange(6))}
    made = dice.choice(
        (
            lambda: json.dumps(fields).encode(),
            lambda: json.dumps({name: [value, None, {"a": 1}] for name, value in fields.items()}).encode(),
            lambda: str(httpx.QueryParams(fields)).encode(),
            lambda: b"[" * dice.randrange(1, 5000),
            lambda: b"<xml><Encrypt>" + _value(dice).encode() + b"</Encrypt></xml>",
            lambda: dice.randbytes(dice.randrange(300)),
            lambda: b"",
        )
    )()
    return dice.choice(_TYPES), made


def request(client: httpx.AsyncClient, path: str, dice: random.Random) -> httpx.Request:
    """One request to this route."""
    kind, body = _body(dice)
    headers = {dice.choice(_HEADERS): _value(dice)[:500] for _ in range(dice.randrange(3))}
    headers |= {"Content-Type": kind} if kind else {}
    method = dice.choice(_METHODS) if dice.random() < 0.4 else dice.choice(["GET", "POST"])
    query = {dice.choice(_FIELDS): _value(dice) for _ in range(dice.randrange(4))}
    raw = {name.encode(): value.encode("utf-8", "replace") for name, value in headers.items() if _is_sendable(value)}
    return client.build_request(method, _filled(path, dice), params=query, content=body, headers=raw)  # type: ignore[arg-type]


def _is_sendable(value: str) -> bool:
    """h11 on our side refuses to send the others; they come over bare sockets."""
    return value == value.strip() and not set(value) & {"\n", "\r", "\0", "\x0b", "\x0c", "\x7f"}


async def fuzz(
    client: httpx.AsyncClient, known: Sequence[str], count: int, seed: int, watch: Watch, insider: bool = False
) -> None:
    """So many requests, to all routes in turn."""
    dice = random.Random(seed)
    kind = "every route, logged in" if insider else "every route"
    cookies = dict(client.cookies)
    for number in range(count):
        path = known[number % len(known)]
        client.cookies.clear()
        client.cookies.update(cookies)
        try:
            made = request(client, path, dice)
            response = await client.send(made)
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError):
            watch.seen[f"{kind}, unsendable"][0] += 1
            continue
        except httpx.RemoteProtocolError:
            watch.note(kind, path, 0, "")
            continue
        said = response.text + str(response.headers)
        watch.note(kind, f"{made.method} {made.url} {made.content[:80]!r}", response.status_code, said, insider)
