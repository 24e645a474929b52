"""WeCom's server API and its callbacks: tokens, trusted addresses, message/send and template cards, with their limits.

Written from the published rules, not from our client. What the platform would silently swallow (a repeated message, a
member's 31st of a minute) is swallowed here too; what it would cut is noted as a violation.
"""

from __future__ import annotations

import asyncio
import random
import re
import secrets
import threading
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any, Self

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.channels.wecom import xml
from bot.channels.wecom.crypto import Crypto

CORP = "ww0123456789abcdef"
AGENT = 1000002
SECRET = "app-secret-for-tests"
TOKEN = "hJqcu3uJ9Tn2gXPmxx2w9kkCkCE2EPYo"
AES_KEY = "DCfQ0rJCmbcxsmXoZ9uEX17g4ZKTQ5mVRy6f4J3tpOk"
TEXT_BYTES = 2048
_TASK_ID = re.compile(r"[0-9A-Za-z_@-]{1,128}")
_HOUR = 3600.0


class Served:
    """An ASGI application on a loopback port, in a thread of its own."""

    def __init__(self, app: Starlette) -> None:
        config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=lambda: asyncio.run(self._server.serve()), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        deadline = time.monotonic() + 20
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(20)


class RefusalError(Exception):
    """An errcode."""

    def __init__(self, code: int, text: str = "no") -> None:
        super().__init__(text)
        self.code, self.text = code, text


@dataclass
class Faults:
    """What goes wrong on purpose: `script` holds (path, kind), `rate` the share of calls that fail at random,
    in one of the `kinds`.

    A kind is an errcode, "before" (502, nothing was done) or "after" (502 although it was done).
    """

    script: deque[tuple[str, int | str]] = field(default_factory=deque)
    rate: float = 0.0
    kinds: tuple[int | str, ...] = ("before", "after", -1)
    rng: random.Random = field(default_factory=lambda: random.Random(5))

    def next(self, path: str) -> int | str | None:
        for at, (named, kind) in enumerate(self.script):
            if named == path:
                del self.script[at]
                return kind
        if self.rng.random() >= self.rate:
            return None
        return self.rng.choice(self.kinds)


@dataclass(frozen=True)
class Sent:
    """A message as it reached a member."""

    user: str
    kind: str
    body: dict[str, Any]
    msgid: str
    at: float = field(default_factory=time.monotonic)

    @property
    def text(self) -> str:
        return str(self.body.get("text", {}).get("content", ""))


class WecomApi:
    """The server API. `offset` seconds are added to the clock."""

    def __init__(self) -> None:
        self.apps = {SECRET: AGENT}
        self.members: set[str] | None = None
        self.faults = Faults()
        self.offset = 0.0
        self.token_life = 7200
        self.trusted = True
        self.fetched = 0
        self.calls: Counter[str] = Counter()
        self.sent: list[Sent] = []
        self.updates: list[dict[str, Any]] = []
        self.violations: list[str] = []
        self.response_codes: dict[str, str] = {}
        self._tokens: dict[str, tuple[str, float]] = {}
        self._tasks: set[str] = set()
        self._recent: dict[str, float] = {}
        self._minutes: dict[str, deque[float]] = {}

    def now(self) -> float:
        return time.time() + self.offset

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/cgi-bin/gettoken", self._gettoken, methods=["GET"]),
                *(
                    Route(f"/cgi-bin/{path}", self._endpoint(path, act), methods=["POST"])
                    for path, act in self.actions().items()
                ),
            ]
        )

    def actions(self) -> dict[str, Any]:
        return {"message/send": self._send, "message/update_template_card": self._update}

    def expire(self) -> None:
        """Every token becomes invalid at once."""
        self._tokens.clear()

    def token_of(self, secret: str) -> str | None:
        found = self._tokens.get(secret)
        return found[0] if found else None

    # --- the frame of every call ---------------------------------------------------------------------------------

    async def _gettoken(self, request: Request) -> Response:
        fault = self.faults.next("gettoken")
        if fault is not None:
            return _failed(fault)
        query = request.query_params
        if query.get("corpid") != CORP:
            return _refused(40013, "invalid corpid")
        secret = query.get("corpsecret", "")
        if secret not in self.apps:
            return _refused(40001, "invalid credential")
        self.fetched += 1
        await asyncio.sleep(0.02)
        if secret not in self._tokens or self._tokens[secret][1] <= self.now():
            self._tokens[secret] = secrets.token_urlsafe(48), self.now() + self.token_life
        token, until = self._tokens[secret]
        return JSONResponse(
            {"errcode": 0, "errmsg": "ok", "access_token": token, "expires_in": int(until - self.now())}
        )

    def _endpoint(self, path: str, act: Any) -> Any:
        async def run(request: Request) -> Response:
            self.calls[path] += 1
            fault = self.faults.next(path)
            if fault is not None and fault != "after":
                return _failed(fault)
            try:
                secret = self._caller(request)
                answer = await act(secret, await request.json())
            except RefusalError as refusal:
                return _refused(refusal.code, refusal.text)
            return _failed(fault) if fault else JSONResponse({"errcode": 0, "errmsg": "ok", **answer})

        return run

    def _caller(self, request: Request) -> str:
        token = request.query_params.get("access_token")
        if not token:
            raise RefusalError(41001, "access_token missing")
        secret = next((secret for secret, known in self._tokens.items() if known[0] == token), None)
        if secret is None:
            raise RefusalError(40014, "invalid access_token")
        if self._tokens[secret][1] <= self.now():
            raise RefusalError(42001, "access_token expired")
        if not self.trusted:
            raise RefusalError(
                60020, "not allow to access from your ip, hint: [1], from ip: 203.0.113.9, more info at x"
            )
        return secret

    # --- messages of an app --------------------------------------------------------------------------------------

    async def _send(self, secret: str, body: dict[str, Any]) -> dict[str, Any]:
        user, kind = body.get("touser"), body.get("msgtype")
        if type(body.get("agentid")) is not int or body["agentid"] != self.apps[secret]:
            raise RefusalError(301002, "not allow operate another agent")
        if not isinstance(user, str) or not user or (self.members is not None and user not in self.members):
            raise RefusalError(81013, "user & party & tag all invalid")
        answer: dict[str, Any] = {"msgid": secrets.token_hex(8)}
        if kind == "text":
            self.limit("text.content", body["text"]["content"], TEXT_BYTES, least=1)
        elif kind == "template_card":
            answer["response_code"] = self._card(user, body["template_card"])
        else:
            raise RefusalError(40008, "invalid message type")
        if not self._swallowed(user, body):
            self.sent.append(Sent(user, kind, body, answer["msgid"]))
        return answer

    def limit(self, what: str, value: object, most: int, least: int = 0) -> None:
        if not isinstance(value, str) or not least <= len(value.encode()) <= most:
            self.violations.append(f"{what}: {len(str(value).encode())} bytes")

    def _card(self, user: str, card: dict[str, Any]) -> str:
        if card.get("card_type") != "button_interaction" or not card.get("main_title", {}).get("title"):
            raise RefusalError(42014, "bad card")
        buttons = card["button_list"]
        if not 1 <= len(buttons) <= 6 or not all(button["text"] and button["key"] for button in buttons):
            raise RefusalError(42014, "bad buttons")
        for button in buttons:
            self.limit("button.key", button["key"], 1024, least=1)
            if len(button["text"]) > 10:
                self.violations.append(f"button.text: {button['text']}")
        if not _TASK_ID.fullmatch(card["task_id"]) or card["task_id"] in self._tasks:
            raise RefusalError(42014, "invalid or duplicated task_id")
        self._tasks.add(card["task_id"])
        return self.new_response_code(user)

    def new_response_code(self, user: str) -> str:
        code = secrets.token_urlsafe(12)
        self.response_codes[code] = user
        return code

    def _swallowed(self, user: str, body: dict[str, Any]) -> bool:
        """A repeated message, or one more than 30 in a minute, is accepted and never shown."""
        now = self.now()
        if body.get("enable_duplicate_check"):
            key = repr(sorted((name, repr(value)) for name, value in body.items()))
            seen = self._recent.get(key)
            if seen is not None and now - seen <= body.get("duplicate_check_interval", 1800):
                return True
            self._recent[key] = now
        minute = self._minutes.setdefault(user, deque())
        while minute and now - minute[0] >= 60:
            minute.popleft()
        if len(minute) >= 30:
            self.violations.append("more than 30 messages a minute")
            return True
        minute.append(now)
        return False

    async def _update(self, secret: str, body: dict[str, Any]) -> dict[str, Any]:
        user = self.response_codes.pop(body.get("response_code", ""), None)
        if user is None or body.get("userids") != [user] or body.get("agentid") != self.apps[secret]:
            raise RefusalError(40096, "invalid response_code")
        if not body["button"]["replace_name"]:
            raise RefusalError(40058, "no replace_name")
        self.updates.append(body)
        return {"invaliduser": []}


def _refused(code: int, text: str) -> Response:
    return JSONResponse({"errcode": code, "errmsg": f"{text}, hint: [x]"})


def _failed(fault: int | str) -> Response:
    return _refused(fault, "on purpose") if isinstance(fault, int) else Response("bad gateway", 502)


@dataclass(frozen=True)
class Outcome:
    """What the callback said: the statuses of all tries and the passive reply, if there was one."""

    statuses: tuple[int, ...]
    reply: xml.Tree | None

    @property
    def text(self) -> str:
        return xml.text_of(self.reply or {}, "Content")


class Callbacks:
    """The side of the platform that calls us. `seconds` is its patience, 5 in truth."""

    def __init__(self, url: str, token: str = TOKEN, aes_key: str = AES_KEY, receive_id: str = CORP) -> None:
        self.url, self.seconds = url, 5.0
        self.crypto = Crypto(token, aes_key, receive_id)
        self._client = httpx.AsyncClient(trust_env=False)

    async def close(self) -> None:
        await self._client.aclose()

    def signed(self, plain: str, at: float | None = None) -> tuple[dict[str, str], str]:
        """Query and body for a message."""
        timestamp, nonce = str(int(at or time.time())), secrets.token_hex(5)
        sealed = self.crypto.encrypt(plain)
        signature = self.crypto.sign(timestamp, nonce, sealed)
        body = f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}, body

    async def verify(self, echo: str) -> httpx.Response:
        """Saving the address in the console."""
        query, _ = self.signed(echo)
        sealed = self.crypto.encrypt(echo)
        query["echostr"] = sealed
        query["msg_signature"] = self.crypto.sign(query["timestamp"], query["nonce"], sealed)
        return await self._client.get(self.url, params=query)

    async def push(self, plain: str, tries: int = 3, at: float | None = None) -> Outcome:
        """Send a message as the platform does: again, with the same envelope, when nothing came in time."""
        query, body = self.signed(plain, at)
        statuses: list[int] = []
        for _ in range(tries):
            try:
                response = await self._client.post(self.url, params=query, content=body, timeout=self.seconds)
            except httpx.HTTPError:
                statuses.append(0)
                continue
            statuses.append(response.status_code)
            if response.status_code == 200:
                return Outcome(tuple(statuses), self.opened(response.text))
        return Outcome(tuple(statuses), None)

    def opened(self, answer: str) -> xml.Tree | None:
        """A passive reply, its signature checked."""
        if not answer:
            return None
        outer = {name: str(value) for name, value in xml.read(answer).items()}
        assert set(outer) == {"Encrypt", "MsgSignature", "TimeStamp", "Nonce"}
        self.crypto.check(outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"], outer["Encrypt"])
        return xml.read(self.crypto.decrypt(outer["Encrypt"]))


def cdata(tree: dict[str, Any]) -> str:
    """XML the way the platform writes it."""
    return "".join(f"<{tag}>{_cdata(value)}</{tag}>" for tag, value in tree.items())


def _cdata(value: object) -> str:
    if isinstance(value, dict):
        return cdata(value)
    if isinstance(value, int):
        return str(value)
    return "<![CDATA[" + str(value).replace("]]>", "]]]]><![CDATA[>") + "]]>"


def message(user: str, text: str, msgid: int, agent: int = AGENT, at: float | None = None) -> str:
    """A member's text message."""
    return (
        "<xml>"
        + cdata(
            {
                "ToUserName": CORP,
                "FromUserName": user,
                "CreateTime": int(at or time.time()),
                "MsgType": "text",
                "Content": text,
                "MsgId": msgid,
                "AgentID": agent,
            }
        )
        + "</xml>"
    )


def event(user: str, name: str, agent: int = AGENT, at: float | None = None, **more: Any) -> str:
    """An event of an app, such as `subscribe` or `click` with its EventKey."""
    head = {"ToUserName": CORP, "FromUserName": user, "CreateTime": int(at or time.time()), "MsgType": "event"}
    return f"<xml>{cdata({**head, 'Event': name, 'AgentID': agent, **more})}</xml>"
