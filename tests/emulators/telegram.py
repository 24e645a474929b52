"""The Bot API on loopback: real HTTP, long polling and webhook, strict about what it accepts, with faults on demand.

Updates stay until an offset confirms them (polling) or the webhook answers 2xx; a webhook gets the updates of one
chat one after the other, as the real server sends them.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
import socket
import time
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.emulators.telegram_markup import BadRequestError, check_markup, check_text, units
from tests.waiting import PATIENCE

TOKEN = "123456789:AAtest-token-of-the-emulator-000000"
USERNAME = "yong_test_bot"
_CONNECTIONS = 40
"""Of the webhook at once, as the real server makes them."""
SENDING = frozenset({"sendMessage", "editMessageText"})
_COMMAND = re.compile(r"/[a-z0-9_]+(?:@[A-Za-z0-9_]+)?")
_MENTION = re.compile(r"@[A-Za-z0-9_]{5,}")
_STRUCTURED = frozenset(
    {"reply_markup", "allowed_updates", "commands", "scope", "results", "link_preview_options", "reply_parameters"}
    | {"button"}
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong with one call. `close` and `hang` come before anything is done, `lost` after it is done."""

    kind: str
    status: int = 500
    seconds: float = 1.0


@dataclass(slots=True)
class Call:
    """One request of the bot: `at` is monotonic seconds, `outcome` what it got."""

    at: float
    method: str
    params: dict[str, Any]
    outcome: str = "pending"


@dataclass(slots=True)
class Sent:
    """A message of the bot, as it stands now; `history` holds its earlier texts."""

    chat: int
    message_id: int
    text: str
    html: str
    links: list[str]
    markup: dict[str, Any] | None
    reply_to: int | None
    at: float
    history: list[str] = field(default_factory=list)
    deleted: bool = False

    @property
    def buttons(self) -> dict[str, str]:
        """Label → callback data, of all rows."""
        rows = (self.markup or {}).get("inline_keyboard", [])
        return {button["text"]: button.get("callback_data", "") for row in rows for button in row}

    def data(self, label: str) -> str:
        """The data of the first button whose label contains `label`."""
        return next(data for text, data in self.buttons.items() if label in text)


class _Cut(Response):
    """Promises a body and sends none: the connection breaks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"99")]})
        await send({"type": "http.response.body", "body": b""})


def _error(status: int, description: str, **parameters: Any) -> JSONResponse:
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return JSONResponse(body | ({"parameters": parameters} if parameters else {}), status)


class Telegram:
    """One bot's view of Telegram, and the hands of everybody who talks to it."""

    def __init__(self) -> None:
        self.url = ""
        self.updates: deque[dict[str, Any]] = deque()
        self.calls: list[Call] = []
        self.sent: list[Sent] = []
        self.callbacks: dict[str, dict[str, Any]] = {}
        self.inline: dict[str, dict[str, Any]] = {}
        self.commands: dict[tuple[str, str], list[str]] = {}
        self.webhook: dict[str, Any] = {}
        self.fault: Callable[[Call], Fault | None] = lambda call: None
        self._update_ids = itertools.count(700_001)
        self._message_ids: dict[int, itertools.count[int]] = defaultdict(lambda: itertools.count(1))
        self._serial = itertools.count(1)
        self._poll = 0
        self._news = asyncio.Condition()
        self._pushing: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._client = httpx.AsyncClient(trust_env=False, timeout=30, limits=httpx.Limits(max_connections=_CONNECTIONS))

    # what people do

    def say(self, chat: int, text: str, *, user: int | None = None, reply_to: Sent | None = None, **more: Any) -> Any:
        """A message of a person; a negative `chat` is a group. Returns the message."""
        content = {"text": text, "entities": _entities(text)} if text else {}
        if reply_to is not None:
            content["reply_to_message"] = self._as_message(reply_to)
        return self.send(chat, user=user, **content, **more)

    def send(self, chat: int, *, user: int | None = None, **content: Any) -> Any:
        """A message with any content (photo, voice, location ...)."""
        message = {
            "message_id": next(self._message_ids[chat]),
            "date": int(time.time()),
            "chat": _chat(chat),
            "from": _person(user or abs(chat)),
            **content,
        }
        self._push("message", message)
        return message

    def edit(self, message: dict[str, Any], text: str) -> None:
        """A person edits a message."""
        changed = message | {"text": text, "entities": _entities(text), "edit_date": int(time.time())}
        self._push("edited_message", changed)

    def press(self, sent: Sent, data: str, *, user: int | None = None) -> str:
        """A person presses a button; returns the id of the press."""
        return self.press_as(user or abs(sent.chat), data, self._as_message(sent))

    def press_as(self, user: int, data: str, message: dict[str, Any] | None) -> str:
        """The same, with any message around it; returns the id of the press."""
        number = str(next(self._serial) + 10**18)
        query = {"id": number, "from": _person(user), "chat_instance": "1", "data": data}
        self._push("callback_query", query | ({"message": message} if message else {}))
        return number

    def ask_inline(self, user: int, query: str) -> str:
        """A person types `@bot query` in some chat; returns the id of the query."""
        number = str(next(self._serial) + 10**18)
        self._push("inline_query", {"id": number, "from": _person(user), "query": query, "offset": ""})
        return number

    async def poll_elsewhere(self) -> None:
        """A second program asks for updates once."""
        await self._do_get_updates({})

    # what a test looks at

    def texts(self, chat: int) -> list[str]:
        """Messages of the bot in a chat as they stand now, in order."""
        return [sent.text for sent in self.of(chat)]

    def of(self, chat: int) -> list[Sent]:
        """Messages of the bot in a chat that are not deleted."""
        return [sent for sent in self.sent if sent.chat == chat and not sent.deleted]

    async def until(self, true: Callable[[], Any], seconds: float = PATIENCE) -> None:
        """Wait for something; fail with the last calls when it does not happen."""
        end = time.monotonic() + seconds
        while not true():
            if time.monotonic() > end:
                last = [(call.method, call.outcome, call.params.get("text", "")[:60]) for call in self.calls[-12:]]
                raise AssertionError(f"did not happen within {seconds} s; last calls: {last}")
            await asyncio.sleep(0.01)

    async def replies(self, chat: int, count: int, seconds: float = PATIENCE) -> list[Sent]:
        """The first `count` messages in a chat, as soon as they are there."""
        await self.until(lambda: len(self.of(chat)) >= count, seconds)
        return self.of(chat)

    def asked(self, method: str) -> list[Call]:
        """All calls of a method."""
        return [call for call in self.calls if call.method == method]

    def accepted(self, *methods: str) -> list[Call]:
        """The calls of some methods that were done."""
        return [call for call in self.calls if call.method in methods and call.outcome in {"ok", "lost"}]

    def most_within(self, seconds: float, chat: int | None = None) -> int:
        """The most messages accepted within any stretch of time, in one chat or overall."""
        window: deque[float] = deque()
        most = 0
        for call in self.accepted(*SENDING):
            if chat is not None and int(call.params["chat_id"]) != chat:
                continue
            window.append(call.at)
            while window[0] <= call.at - seconds:
                window.popleft()
            most = max(most, len(window))
        return most

    # the server

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Telegram]:
        """Serve on a free port of loopback."""
        app = Starlette(routes=[Route("/bot{token}/{method}", self._call, methods=["GET", "POST"])])
        config = uvicorn.Config(app, log_level="critical", lifespan="off", ws="none", access_log=False)
        config.timeout_graceful_shutdown = 1
        server = uvicorn.Server(config)
        server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign]
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            try:
                await self.until(lambda: server.started)
                yield self
            finally:
                server.should_exit = True
                self._poll = -1
                async with self._news:
                    self._news.notify_all()
                for task in [*self._tasks, *self._pushing.values()]:
                    task.cancel()
                await self._client.aclose()
                await serving

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        body = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        params = {key: json.loads(value) if key in _STRUCTURED else value for key, value in body.items()}
        call = Call(time.monotonic(), method, params)
        self.calls.append(call)
        if request.path_params["token"] != TOKEN:
            call.outcome = "401"
            return _error(401, "Unauthorized")
        fault = self.fault(call)
        if fault is not None and fault.kind != "lost":
            call.outcome = fault.kind
            return await self._fail(fault)
        response = await self._done(call)
        if fault is not None and call.outcome == "ok":
            call.outcome = "lost"
            return _Cut()
        return response

    async def _fail(self, fault: Fault) -> Response:
        if fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
        if fault.kind == "flood":
            seconds = max(1, int(fault.seconds))
            return _error(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
        if fault.kind == "status":
            return _error(fault.status, "Forbidden: bot was blocked by the user" if fault.status == 403 else "Error")
        return _Cut()

    async def _done(self, call: Call) -> Response:
        handler: Callable[[dict[str, Any]], Awaitable[Any]] | None = getattr(self, f"_do_{_snake(call.method)}", None)
        if handler is None:
            call.outcome = "404"
            return _error(404, "Not Found")
        try:
            result = await handler(call.params)
        except BadRequestError as error:
            call.outcome = f"400 {error}"
            return _error(400, f"Bad Request: {error}")
        if isinstance(result, Response):
            call.outcome = str(result.status_code)
            return result
        call.outcome, call.at = "ok", time.monotonic()
        return JSONResponse({"ok": True, "result": result})

    async def _do_get_me(self, params: dict[str, Any]) -> Any:
        return {
            **_person(123456789),
            "is_bot": True,
            "username": USERNAME,
            "can_join_groups": True,
            "supports_inline_queries": True,
        }

    async def _do_get_updates(self, params: dict[str, Any]) -> Any:
        if self.webhook:
            return _error(409, "Conflict: can't use getUpdates method while webhook is active")
        self._poll = mine = next(self._serial)
        async with self._news:
            self._news.notify_all()  # an earlier poll ends with 409
        while self.updates and self.updates[0]["update_id"] < int(params.get("offset", 0)):
            self.updates.popleft()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(float(params.get("timeout", 0))), self._news:
                await self._news.wait_for(lambda: self.updates or self._poll != mine)
        if self._poll != mine:
            return _error(409, "Conflict: terminated by other getUpdates request")
        return list(itertools.islice(self.updates, int(params.get("limit", 100))))

    async def _do_set_webhook(self, params: dict[str, Any]) -> Any:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", params.get("secret_token", "")):
            raise BadRequestError("secret token contains unallowed characters")
        self.webhook = params
        waiting, self.updates = self.updates, deque()
        for update in waiting:
            self._enqueue(update)
        return True

    async def _do_delete_webhook(self, params: dict[str, Any]) -> Any:
        self.webhook = {}
        return True

    async def _do_set_my_commands(self, params: dict[str, Any]) -> Any:
        for item in params["commands"]:
            if not re.fullmatch("[a-z0-9_]{1,32}", item["command"]) or not 1 <= len(item["description"]) <= 256:
                raise BadRequestError("BOT_COMMAND_INVALID")
        scope = params.get("scope", {"type": "default"})
        key = f"{scope['type']}{scope.get('chat_id', '')}", params.get("language_code", "")
        self.commands[key] = [item["command"] for item in params["commands"]]
        return True

    async def _do_send_chat_action(self, params: dict[str, Any]) -> Any:
        return True

    async def _do_send_message(self, params: dict[str, Any]) -> Any:
        chat = int(params["chat_id"])
        text, links = check_text(params.get("text", ""), params.get("parse_mode"))
        check_markup(params.get("reply_markup"))
        reply_to = (params.get("reply_parameters") or {}).get("message_id")
        number = next(self._message_ids[chat])
        markup = params.get("reply_markup")
        sent = Sent(chat, number, text, params["text"], links, markup, reply_to, time.monotonic())
        self.sent.append(sent)
        return self._as_message(sent)

    def _mine(self, params: dict[str, Any]) -> Sent:
        wanted = int(params["chat_id"]), int(params["message_id"])
        for sent in self.sent:
            if (sent.chat, sent.message_id) == wanted and not sent.deleted:
                return sent
        raise BadRequestError("message to edit not found")

    async def _do_edit_message_text(self, params: dict[str, Any]) -> Any:
        sent = self._mine(params)
        text, links = check_text(params.get("text", ""), params.get("parse_mode"))
        check_markup(params.get("reply_markup"))
        if (params["text"], params.get("reply_markup")) == (sent.html, sent.markup):
            raise BadRequestError("message is not modified: specified new message content is the same")
        sent.history.append(sent.text)
        sent.text, sent.html, sent.links, sent.markup = text, params["text"], links, params.get("reply_markup")
        return self._as_message(sent)

    async def _do_edit_message_reply_markup(self, params: dict[str, Any]) -> Any:
        sent = self._mine(params)
        check_markup(params.get("reply_markup"))
        if params.get("reply_markup") == sent.markup:
            raise BadRequestError("message is not modified: specified new message content is the same")
        sent.markup = params.get("reply_markup")
        return self._as_message(sent)

    async def _do_delete_message(self, params: dict[str, Any]) -> Any:
        self._mine(params).deleted = True
        return True

    async def _do_answer_callback_query(self, params: dict[str, Any]) -> Any:
        if len(params.get("text", "")) > 200:
            raise BadRequestError("MESSAGE_TOO_LONG")
        self.callbacks[params["callback_query_id"]] = params
        return True

    async def _do_answer_inline_query(self, params: dict[str, Any]) -> Any:
        results = params["results"]
        if len(results) > 50 or len({item["id"] for item in results}) != len(results):
            raise BadRequestError("RESULT_ID_DUPLICATE")
        for item in results:
            if not 1 <= len(item["id"].encode()) <= 64 or not item["title"]:
                raise BadRequestError("RESULT_ID_INVALID")
            content = item["input_message_content"]
            check_text(content["message_text"], content.get("parse_mode"))
            check_markup(item.get("reply_markup"))
        self.inline[params["inline_query_id"]] = params
        return True

    # updates on their way

    def _push(self, kind: str, content: dict[str, Any]) -> None:
        self._enqueue({"update_id": next(self._update_ids), kind: content})

    def _enqueue(self, update: dict[str, Any]) -> None:
        if not self.webhook:
            self.updates.append(update)
            self._later(self._tell())
            return
        content = next(value for key, value in update.items() if key != "update_id")
        lane = (content.get("chat") or content.get("message", {}).get("chat") or content["from"])["id"]
        before = self._pushing.get(lane)
        self._pushing[lane] = asyncio.get_running_loop().create_task(self._deliver(update, before))

    def _later(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _deliver(self, update: dict[str, Any], before: asyncio.Task[None] | None) -> None:
        """Post to the webhook until it takes the update."""
        if before is not None:
            await before
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.webhook.get("secret_token", "")}
        while True:
            with contextlib.suppress(httpx.HTTPError):
                response = await self._client.post(self.webhook["url"], json=update, headers=headers)
                if response.is_success:
                    return
            await asyncio.sleep(0.1)

    def _as_message(self, sent: Sent) -> dict[str, Any]:
        message: dict[str, Any] = {
            "message_id": sent.message_id,
            "date": int(time.time()),
            "chat": _chat(sent.chat),
            "from": {**_person(123456789), "is_bot": True, "username": USERNAME},
            "text": sent.text,
        }
        return message | ({"reply_markup": sent.markup} if sent.markup else {})


def _snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _chat(chat: int) -> dict[str, Any]:
    return (
        {"id": chat, "type": "private", "first_name": "甬"}
        if chat > 0
        else {
            "id": chat,
            "type": "supergroup",
            "title": "街坊群",
        }
    )


def _person(user: int) -> dict[str, Any]:
    return {"id": user, "is_bot": False, "first_name": "甬", "language_code": "zh-hans"}


def _entities(text: str) -> list[dict[str, Any]]:
    found = [
        {"type": kind, "offset": units(text[: match.start()]), "length": units(match[0])}
        for kind, pattern in (("bot_command", _COMMAND), ("mention", _MENTION))
        for match in pattern.finditer(text)
        if kind == "mention" or match.start() == 0
    ]
    return sorted(found, key=lambda item: item["offset"])
