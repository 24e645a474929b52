"""The gateway of WeCom's AI bot on loopback: its frames, its rules, its ways to end a connection.

It takes the platform's side alone: what breaks a rule is refused with a code and noted in `violations`.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedError, WebSocketException

BOT_ID, SECRET = "aib-test", "test-secret-of-the-aibot"
MAX_CONTENT = 20_480
_TASK = re.compile(r"[0-9A-Za-z_@-]{1,128}")
_INVALID_REQ_ID, _EXPIRED, _NOT_SUBSCRIBED, _BAD_CREDENTIALS = 846605, 846608, 846609, 853000
_TOO_OFTEN, _BAD_REQUEST, _BUSY = 45009, 40058, -1


@dataclass
class Bubble:
    """One message of the bot, as a chat shows it."""

    text: str = ""
    feedback: str = ""
    card: dict[str, Any] | None = None
    how: str = ""
    at: float = field(default_factory=time.monotonic)

    @property
    def buttons(self) -> dict[str, str]:
        """Text by key."""
        return {button["key"]: button["text"] for button in (self.card or {}).get("button_list", [])}


@dataclass
class _Asked:
    """A callback that may be answered: of which connection, of which kind, when, in which chat."""

    connection: ServerConnection
    kind: str
    chat: str
    at: float
    task: str = ""
    answered: bool = False


@dataclass
class Gateway:
    """`async with Gateway() as gateway`: listens at `gateway.url` for one bot.

    `stream_seconds` and `event_seconds` are how long a callback may be answered, `per_minute` the limit of a chat.
    `faults` yields what happens to the next reply: nothing (""), "busy", "close" before it is taken, or "lost": it is
    taken, and the connection ends before the acknowledgement. `lost` holds (chat, text) of such.
    """

    bot_id: str = BOT_ID
    secret: str = SECRET
    stream_seconds: float = 360.0
    event_seconds: float = 5.0
    per_minute: int = 30
    mute_pings: bool = False
    mute_acks: bool = False
    ack_delay: float = 0.0
    refuse_cards: bool = False
    refuse_responses: int = 0
    faults: Iterator[str] = field(default_factory=lambda: itertools.repeat(""))
    chats: dict[str, list[Bubble]] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    frames: list[dict[str, Any]] = field(default_factory=list)
    lost: list[tuple[str, str]] = field(default_factory=list)
    subscriptions: int = 0
    attempts: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self._server: Server | None = None
        self._bot: ServerConnection | None = None
        self._asked: dict[str, _Asked] = {}
        self._streams: dict[str, Bubble] = {}
        self._cards: dict[str, Bubble] = {}
        self._open: set[str] = set()
        self._sent: dict[str, list[float]] = {}
        self._numbers = itertools.count(1)
        self._changed = asyncio.Condition()

    # — the life of the gateway —

    async def __aenter__(self) -> Self:
        await self.listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.vanish()

    async def listen(self) -> None:
        """Listen, after `vanish` on the same port again."""
        self._server = await serve(self._serve, "127.0.0.1", self.port, ping_interval=None)
        self.port = self._server.sockets[0].getsockname()[1]

    async def vanish(self) -> None:
        """Stop listening and drop everybody."""
        assert self._server is not None
        self.abort()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def connected(self) -> bool:
        return self._bot is not None

    # — ways to end a connection —

    async def close(self, code: int = 1000) -> None:
        """A clean close by the platform."""
        if self._bot is not None:
            await self._bot.close(code)

    def abort(self) -> None:
        """The line is cut without a word."""
        if self._bot is not None:
            self._bot.transport.abort()

    async def kick(self) -> None:
        """What the platform does to the old connection when the same bot subscribes elsewhere."""
        old, self._bot = self._bot, None
        if old is not None:
            await self._call_back(old, "aibot_event_callback", {"msgtype": "event", **_event("disconnected_event")})
            await old.close()

    # — what people do —

    async def say(
        self,
        text: str,
        user: str = "zhangsan",
        group: str = "",
        msgid: str = "",
        kind: str = "text",
        body: dict[str, Any] | None = None,
    ) -> str:
        """A person writes; gives the message's id. `body` replaces the part that holds the words."""
        msgid = msgid or f"msg-{next(self._numbers)}"
        chat = self._where(user, group)
        said = body or {kind: {"content": text}}
        await self._call_back(
            self._live(), "aibot_msg_callback", {**self._who(user, group, msgid), "msgtype": kind, **said}, chat
        )
        return msgid

    async def said(self, text: str, user: str, msgid: str) -> bool:
        """A person writes while the bot may be gone; whether the message went out to it."""
        try:
            await self.say(text, user, msgid=msgid)
        except (OSError, WebSocketException):
            return False
        return True

    async def enter(self, user: str = "zhangsan", msgid: str = "") -> None:
        """A person opens the chat for the first time of the day."""
        body = {**self._who(user, "", msgid or f"event-{next(self._numbers)}"), "msgtype": "event"}
        await self._call_back(
            self._live(), "aibot_event_callback", {**body, **_event("enter_chat")}, self._where(user, "")
        )

    async def click(self, key: str, task: str, user: str = "zhangsan", group: str = "", msgid: str = "") -> None:
        """A person presses a button of a card."""
        chosen = {"card_type": "button_interaction", "event_key": key, "task_id": task}
        body = {**self._who(user, group, msgid or f"event-{next(self._numbers)}"), "msgtype": "event"}
        event = _event("template_card_event", chosen)
        await self._call_back(
            self._live(), "aibot_event_callback", {**body, **event}, self._where(user, group), task=task
        )

    async def judge(
        self, feedback: str, verdict: int, reasons: list[int] | None = None, text: str = "", user: str = "zhangsan"
    ) -> None:
        """A person finds a reply good (1), bad (2), or withdraws that (3)."""
        opinion = {"id": feedback, "type": verdict, "content": text, "inaccurate_reason_list": reasons}
        body = {**self._who(user, "", f"event-{next(self._numbers)}"), "msgtype": "event"}
        await self._call_back(
            self._live(), "aibot_event_callback", {**body, **_event("feedback_event", opinion)}, self._where(user, "")
        )

    # — what tests wait for —

    async def until(self, true: Any, seconds: float = 15.0) -> None:
        """Wait until `true()` holds."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(true)
        except TimeoutError:
            raise AssertionError(f"still waiting; chats {self.chats}, violations {self.violations}") from None

    async def ready(self, subscriptions: int = 1) -> None:
        """Wait until the bot is subscribed, for so many times in all."""
        await self.until(lambda: self.connected and self.subscriptions >= subscriptions)

    async def heard(self, count: int, user: str = "zhangsan", group: str = "") -> list[Bubble]:
        """Wait until a chat shows so many messages of the bot."""
        chat = self._where(user, group)
        await self.until(lambda: len(self.chats.get(chat, [])) >= count)
        return self.chats[chat]

    # — inside —

    def _live(self) -> ServerConnection:
        if self._bot is None:
            raise ConnectionError("no bot is subscribed")
        return self._bot

    @staticmethod
    def _where(user: str, group: str) -> str:
        return f"group:{group}" if group else f"single:{user}"

    def _who(self, user: str, group: str, msgid: str) -> dict[str, Any]:
        who = {"msgid": msgid, "aibotid": self.bot_id, "from": {"userid": user}, "create_time": int(time.time())}
        return {**who, "chattype": "group", "chatid": group} if group else {**who, "chattype": "single"}

    async def _call_back(
        self, connection: ServerConnection, cmd: str, body: dict[str, Any], chat: str = "", task: str = ""
    ) -> None:
        req_id = f"req-{next(self._numbers)}"
        kind = body.get("event", {}).get("eventtype", "message")
        self._asked[req_id] = _Asked(connection, kind, chat, time.monotonic(), task)
        if chat:
            self.chats.setdefault(chat, [])
        await connection.send(json.dumps({"cmd": cmd, "headers": {"req_id": req_id}, "body": body}))

    async def _serve(self, connection: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            async for data in connection:
                frame = json.loads(data)
                req_id = frame["headers"]["req_id"]
                if req_id in self._open:
                    self.violations.append(f"{frame['cmd']}: the one before is not acknowledged yet")
                self._open.add(req_id)
                await self._answer(connection, frame, req_id)
        if self._bot is connection:
            self._bot = None
        await self._tell()

    async def _answer(self, connection: ServerConnection, frame: dict[str, Any], req_id: str) -> None:
        code = await self._take(connection, frame)
        self.frames.append({**frame, "errcode": code})
        if code and code not in {_BAD_CREDENTIALS, _BUSY, _TOO_OFTEN, _NOT_SUBSCRIBED}:
            self.violations.append(f"{frame['cmd']}: {code}")
        await asyncio.sleep(self.ack_delay)
        self._open.discard(req_id)
        mute = self.mute_pings if frame["cmd"] == "ping" else self.mute_acks and frame["cmd"] != "aibot_subscribe"
        if not mute:
            said = {"headers": {"req_id": req_id}, "errcode": code, "errmsg": "refused" if code else "ok"}
            await connection.send(json.dumps(said))
        await self._tell()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def _take(self, connection: ServerConnection, frame: dict[str, Any]) -> int:
        cmd, req_id, body = frame["cmd"], frame["headers"]["req_id"], frame.get("body")
        if cmd == "aibot_subscribe":
            return await self._subscribe(connection, body)
        if connection is not self._bot:
            return _NOT_SUBSCRIBED
        if cmd == "ping":
            return 0
        fault = next(self.faults)
        if fault == "busy":
            return _BUSY
        if fault != "close":
            code = self._obey(connection, cmd, req_id, body)
            if not fault:
                return code
            self._note_lost(req_id, cmd, body, code)
        await connection.close(1011)
        raise ConnectionClosedError(None, None)

    def _note_lost(self, req_id: str, cmd: str, body: dict[str, Any], code: int) -> None:
        said = body.get("stream", body.get("markdown"))
        if not code and said:
            chat = f"single:{body['chatid']}" if cmd == "aibot_send_msg" else self._asked[req_id].chat
            self.lost.append((chat, said["content"]))

    def _obey(self, connection: ServerConnection, cmd: str, req_id: str, body: dict[str, Any]) -> int:
        if cmd == "aibot_send_msg":
            return self._push(body)
        asked = self._asked.get(req_id)
        wanted = {
            "aibot_respond_msg": "message",
            "aibot_respond_welcome_msg": "enter_chat",
            "aibot_respond_update_msg": "template_card_event",
        }.get(cmd)
        if asked is None or asked.connection is not connection or asked.kind != wanted:
            return _INVALID_REQ_ID
        return self._respond(asked, body)

    async def _subscribe(self, connection: ServerConnection, body: dict[str, Any]) -> int:
        self.attempts += 1
        if body.get("bot_id") != self.bot_id or body.get("secret") != self.secret:
            return _BAD_CREDENTIALS
        await self.kick()
        self._bot = connection
        self.subscriptions += 1
        return 0

    def _respond(self, asked: _Asked, body: dict[str, Any]) -> int:
        age = time.monotonic() - asked.at
        if asked.kind == "message":
            if age > self.stream_seconds:
                return _EXPIRED
            if self.refuse_responses:
                return self.refuse_responses
            return self._stream(asked.chat, body)
        if age > self.event_seconds or asked.answered:
            return _EXPIRED
        asked.answered = True
        if asked.kind == "enter_chat":
            return self._show(asked.chat, Bubble(body["text"]["content"], how="welcome"))
        card = body["template_card"]
        if body.get("response_type") != "update_template_card" or card.get("task_id") != asked.task:
            return _BAD_REQUEST
        if _bad_card(card) or asked.task not in self._cards:
            return _BAD_REQUEST
        self._cards[asked.task].card = card
        return 0

    def _stream(self, chat: str, body: dict[str, Any]) -> int:
        if body.get("msgtype") != "stream" or len(body["stream"]["content"].encode()) > MAX_CONTENT:
            return _BAD_REQUEST
        said = body["stream"]
        if said["id"] in self._streams:  # content replaces
            self._streams[said["id"]].text = said["content"]
            return 0
        bubble = Bubble(said["content"], said.get("feedback", {}).get("id", ""), how="stream")
        code = self._show(chat, bubble)
        if not code:
            self._streams[said["id"]] = bubble
        return code

    def _push(self, body: dict[str, Any]) -> int:
        chat = {1: "single", 2: "group"}.get(body.get("chat_type", 0), "?") + ":" + body["chatid"]
        if chat not in self.chats:
            return _BAD_REQUEST
        if body["msgtype"] == "markdown":
            content = body["markdown"]["content"]
            empty_or_long = not content or len(content.encode()) > MAX_CONTENT
            return _BAD_REQUEST if empty_or_long else self._show(chat, Bubble(content, how="push"))
        if body["msgtype"] != "template_card" or _bad_card(body["template_card"]) or self.refuse_cards:
            return _BAD_REQUEST
        card = body["template_card"]
        if card["task_id"] in self._cards:
            return _BAD_REQUEST
        bubble = Bubble(card=card, how="push")
        code = self._show(chat, bubble)
        if not code:
            self._cards[card["task_id"]] = bubble
        return code

    def _show(self, chat: str, bubble: Bubble) -> int:
        now = time.monotonic()
        recent = self._sent[chat] = [at for at in self._sent.get(chat, []) if now - at < 60]
        if len(recent) >= self.per_minute:
            return _TOO_OFTEN
        recent.append(now)
        self.chats[chat].append(bubble)
        return 0


def _event(kind: str, content: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"event": {"eventtype": kind, **({kind: content} if content else {})}}


def _bad_card(card: dict[str, Any]) -> bool:
    buttons = card.get("button_list", [])
    keys = [button.get("key", "") for button in buttons]
    return (
        card.get("card_type") != "button_interaction"
        or not card.get("main_title", {}).get("title")
        or not _TASK.fullmatch(card.get("task_id", ""))
        or not 1 <= len(buttons) <= 6
        or len(set(keys)) < len(keys)
        or not all(0 < len(key.encode()) <= 1024 for key in keys)
        or not all(0 < len(button.get("text", "")) <= 10 for button in buttons)
    )
