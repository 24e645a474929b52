"""微信客服: sync_msg with its cursors and three days, send_msg with its five messages and 48 hours, sessions."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.wecom import CORP, TEXT_BYTES, RefusalError, Sent, WecomApi, cdata

KF_SECRET = "kf-secret-for-tests"
KF_TOKEN = "kfTOKENfortests01"
KF_AES_KEY = "Oq5f5C7g8cWCKQW89uEr3Iwc3XZ6DXKvmVhko6pT6d9"
ACCOUNT = "wkAJ2GCAAAZSfhHCt7IFSvLKtMPxyJTw"
_MSGID = re.compile(r"[0-9A-Za-z_-]{1,32}")
_DAY = 86_400.0
_MENU_ITEM = {"click": ("id", 64), "view": ("url", 2048), "text": ("content", 256)}


@dataclass
class Session:
    """One citizen at one account. States: 0 new, 1 bot, 2 queue, 3 human, 4 ended."""

    state: int = 0
    spoke_at: float | None = None
    since: int = 0


class Shown(Sent):
    """A message as it reached a citizen in WeChat."""

    @property
    def text(self) -> str:
        return str(self.body["content"] if self.kind == "text" else self.body.get("head_content", ""))

    @property
    def clicks(self) -> dict[str, str]:
        """Menu ids by what they say."""
        items = [item["click"] for item in self.body.get("list", []) if item["type"] == "click"]
        return {item["content"]: item["id"] for item in items}


@dataclass
class KfApi(WecomApi):
    """The API of an app that also serves 微信客服 accounts."""

    page: int = 1000
    empty_pages: int = 0
    syncing: int = 0
    history: dict[str, list[tuple[float, dict[str, Any]]]] = field(default_factory=dict)
    sessions: dict[tuple[str, str], Session] = field(default_factory=dict)
    servicers: set[str] = field(default_factory=set)
    shown: list[Shown] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.apps[KF_SECRET] = 0
        self.msgids: set[str] = set()
        self.duplicates = 0
        self._tokens_of_calls: dict[str, float] = {}
        self._codes: dict[str, tuple[str, str, float]] = {}
        self._bare: deque[float] = deque()

    def actions(self) -> dict[str, Any]:
        kf = {
            "sync_msg": self._sync,
            "send_msg": self._send_msg,
            "send_msg_on_event": self._on_event,
            "service_state/get": self._state,
            "service_state/trans": self._trans,
        }
        return super().actions() | {f"kf/{name}": act for name, act in kf.items()}

    # --- what citizens and colleagues do -------------------------------------------------------------------------

    def says(self, user: str, text: str, menu_id: str | None = None, account: str = ACCOUNT, ago: float = 0.0) -> str:
        """A citizen writes, or taps an item of a menu; the id of the message."""
        session = self.session(user, account)
        session.spoke_at, session.since = self.now() - ago, 0
        if session.state == 4:
            session.state = 0
        content = {"content": text, **({"menu_id": menu_id} if menu_id else {})}
        return self._add(account, {"origin": 3, "msgtype": "text", "text": content, "external_userid": user}, ago)

    def shows(self, user: str, kind: str = "image", account: str = ACCOUNT) -> str:
        session = self.session(user, account)
        session.spoke_at, session.since = self.now(), 0
        return self._add(account, {"origin": 3, "msgtype": kind, kind: {"media_id": "m"}, "external_userid": user}, 0.0)

    def enters(self, user: str, account: str = ACCOUNT, ago: float = 0.0) -> str:
        """A citizen opens the chat; the welcome code."""
        code = secrets.token_urlsafe(12)
        self._codes[code] = account, user, self.now() - ago + 20
        self.happens(user, "enter_session", account, ago, scene="s", scene_param="", welcome_code=code)
        return code

    def happens(self, user: str, kind: str, account: str = ACCOUNT, ago: float = 0.0, **more: Any) -> str:
        """A system event in the stream of messages."""
        event = {"event_type": kind, "open_kfid": account, "external_userid": user, **more}
        return self._add(account, {"origin": 4, "msgtype": "event", "event": event}, ago)

    def accepts(self, user: str, servicer: str = "li", account: str = ACCOUNT) -> None:
        """A colleague takes the session from the queue."""
        self.session(user, account).state = 3
        self.happens(user, "session_status_change", account, change_type=1, new_servicer_userid=servicer)

    def ends(self, user: str, servicer: str = "li", account: str = ACCOUNT, quietly: bool = False) -> None:
        """A colleague closes the session; `quietly`: it ran out, and no event tells."""
        self.session(user, account).state = 4
        if not quietly:
            self.happens(user, "session_status_change", account, change_type=3, old_servicer_userid=servicer)

    def session(self, user: str, account: str = ACCOUNT) -> Session:
        return self.sessions.setdefault((account, user), Session())

    def notice(self, account: str = ACCOUNT) -> str:
        """The callback's plain text: there is something to fetch."""
        token = "ENC" + secrets.token_urlsafe(30)
        self._tokens_of_calls[token] = self.now() + 600
        head = {"ToUserName": CORP, "CreateTime": int(time.time()), "MsgType": "event", "Event": "kf_msg_or_event"}
        return f"<xml>{cdata({**head, 'Token': token, 'OpenKfId': account})}</xml>"

    def texts(self, user: str) -> list[str]:
        """Everything that one citizen was shown."""
        return [item.text for item in self.shown if item.user == user]

    def _add(self, account: str, item: dict[str, Any], ago: float) -> str:
        at = self.now() - ago
        made = {"msgid": secrets.token_hex(10), "open_kfid": account, "send_time": int(at), **item}
        self.history.setdefault(account, []).append((at, made))
        return str(made["msgid"])

    # --- the API -------------------------------------------------------------------------------------------------

    async def _sync(self, secret: str, body: dict[str, Any]) -> dict[str, Any]:
        account = body.get("open_kfid", "")
        if account not in self.history and account != ACCOUNT:
            raise RefusalError(95000, "invalid open_kfid")
        self._throttle(body.get("token", ""))
        if self.syncing:
            self.violations.append("two sync_msg at once")
            raise RefusalError(45033, "too many concurrent calls")
        self.syncing += 1
        await asyncio.sleep(0.01)
        self.syncing -= 1
        return self._page(account, body)

    def _throttle(self, token: str) -> None:
        if token:
            if self._tokens_of_calls.get(token, 0.0) < self.now():
                raise RefusalError(95007, "invalid msg token")
            return
        while self._bare and self.now() - self._bare[0] >= 60:
            self._bare.popleft()
        self._bare.append(self.now())
        if len(self._bare) > 5:
            raise RefusalError(45009, "api freq out of limit")

    def _page(self, account: str, body: dict[str, Any]) -> dict[str, Any]:
        history = self.history.get(account, [])
        cursor = body.get("cursor", "")
        start = int(cursor.removeprefix("c-")) if cursor else 0
        if self.empty_pages and start < len(history):
            self.empty_pages -= 1
            return {"next_cursor": f"c-{start}", "has_more": 1, "msg_list": []}
        stop = min(len(history), start + min(body.get("limit", 1000), self.page))
        kept = [item for at, item in history[start:stop] if self.now() - at <= 3 * _DAY]
        return {"next_cursor": f"c-{stop}", "has_more": int(stop < len(history)), "msg_list": kept}

    async def _send_msg(self, secret: str, body: dict[str, Any]) -> dict[str, Any]:
        user, account = body["touser"], body["open_kfid"]
        session = self.session(user, account)
        if session.spoke_at is None:
            raise RefusalError(95003, "no session")
        if session.state not in {0, 1}:
            raise RefusalError(95018, "send msg session status invalid")
        msgid = body.get("msgid") or secrets.token_hex(8)
        if not _MSGID.fullmatch(msgid):
            self.violations.append(f"msgid {msgid}")
        if msgid in self.msgids:
            self.duplicates += 1
            return {"msgid": msgid}
        if self.now() - session.spoke_at > 2 * _DAY:
            raise RefusalError(95002, "48 hours are over")
        if session.since >= 5:
            raise RefusalError(95001, "more than five")
        self._show(user, body, msgid)
        session.since += 1
        self.msgids.add(msgid)
        return {"msgid": msgid}

    async def _on_event(self, secret: str, body: dict[str, Any]) -> dict[str, Any]:
        _, user, until = self._codes.pop(body.get("code", ""), ("", "", 0.0))
        if self.now() > until:
            raise RefusalError(95016, "code is over")
        self._show(user, body, "on-event")
        return {"msgid": secrets.token_hex(8)}

    def _show(self, user: str, body: dict[str, Any], msgid: str) -> None:
        kind = body["msgtype"]
        content = body[kind]
        if kind == "text":
            self.limit("text.content", content["content"], TEXT_BYTES, least=1)
        elif kind == "msgmenu":
            self._check_menu(content)
        else:
            raise RefusalError(40008, "invalid message type")
        self.shown.append(Shown(user, kind, content, msgid))

    def _check_menu(self, menu: dict[str, Any]) -> None:
        self.limit("head_content", menu.get("head_content", ""), 1024)
        self.limit("tail_content", menu.get("tail_content", ""), 1024)
        if not 1 <= len(menu["list"]) <= 10:
            raise RefusalError(95008, "menu items")
        for item in menu["list"]:
            name, most = _MENU_ITEM[item["type"]]
            self.limit(f"menu {name}", item[item["type"]][name], most, least=1)
            self.limit("menu content", item[item["type"]]["content"], 128, least=1)

    async def _state(self, secret: str, body: dict[str, Any]) -> dict[str, Any]:
        session = self.session(body["external_userid"], body["open_kfid"])
        return {"service_state": session.state, "servicer_userid": "li" if session.state == 3 else ""}

    async def _trans(self, secret: str, body: dict[str, Any]) -> dict[str, Any]:
        session = self.session(body["external_userid"], body["open_kfid"])
        wanted = body["service_state"]
        if session.state not in {0, 1} or wanted not in {1, 2, 3}:
            raise RefusalError(95016, "no such change of state")
        if wanted == 3 and body.get("servicer_userid") not in self.servicers:
            raise RefusalError(95014, "servicer not active")
        if wanted == 2 and not self.servicers:
            raise RefusalError(95014, "no servicer")
        session.state = wanted
        code = secrets.token_urlsafe(12)
        self._codes[code] = body["open_kfid"], body["external_userid"], self.now() + 20
        return {"msg_code": code}
