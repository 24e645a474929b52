"""Calls of WeCom's server API, with the token of one secret."""

from __future__ import annotations

import asyncio
import logging
import re
from typing import TYPE_CHECKING, Any, Self

import httpx

from bot.channels.wecom.errors import (
    BAD_CREDENTIALS,
    BUSY,
    NO_PERMISSION,
    OPERATOR,
    TOKEN_INVALID,
    UNREACHABLE,
    UNTRUSTED_ADDRESS,
    ApiError,
)
from bot.channels.wecom.token import TokenCache
from bot.errors import ChannelRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.alerts import Alerts

_SECONDS = 10.0
_ALERT = "wecom-api"
_BUSY_WAITS = (0.2, 0.5, 1.0)
_ADDRESS = re.compile(r"from ip: ?([0-9A-Fa-f.:]+)")

log = logging.getLogger("reformbot.wecom")
logging.getLogger("httpx").setLevel(logging.WARNING)  # it tells of every URL, and ours carry the token


class Api:
    """One secret's view of the API; `async with` it for as long as it is used.

    What only an operator can mend becomes an alert until a call succeeds. `happened(kind, outcome)` counts tokens.
    """

    def __init__(
        self, base: str, corp_id: str, secret: str, alerts: Alerts, happened: Callable[[str, str], None]
    ) -> None:
        self._base = f"{base.rstrip('/')}/cgi-bin/"
        self._client = self._new_client()
        self._users = 0
        self._alerts, self._happened = alerts, happened
        self._credentials = {"corpid": corp_id, "corpsecret": secret}
        self._barred: set[str] = set()
        self._address = ""
        self.tokens = TokenCache(self._new_token)

    def _new_client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(base_url=self._base, timeout=_SECONDS)

    async def __aenter__(self) -> Self:
        """One user more."""
        self._users += 1
        return self

    async def __aexit__(self, *_: object) -> None:
        """The last user closes the connections."""
        self._users -= 1
        if not self._users:
            client, self._client = self._client, self._new_client()
            await client.aclose()

    async def log_in(self, setting: str) -> None:
        """Try the credentials; raises ChannelRefusedError, which names `setting`, when they are wrong for sure."""
        try:
            await self.tokens.get()
        except ApiError as error:
            if error.code in BAD_CREDENTIALS:
                line = f"企业微信不认 {setting}（或 REFORMBOT_WECOM_CORP_ID）：错误码 {error.code}"
                raise ChannelRefusedError(line) from None
            log.warning("WeCom gives no access token yet: errcode %d", error.code)

    async def call(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """POST one request and return the answer; raises ApiError for every errcode but 0.

        A refused token is renewed once, and a busy server asked again three times.
        """
        try:
            answer = await self._patiently(path, body)
        except ApiError as error:
            if error.code in OPERATOR:
                self._barred.add(path)
                self._alerts.start(_ALERT, _advice(error.code, self._address))
            raise
        if path in self._barred:
            self._barred.discard(path)
            if not self._barred:
                self._alerts.end(_ALERT)
        return answer

    async def _patiently(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        for wait in _BUSY_WAITS:
            try:
                return await self._authorised(path, body)
            except ApiError as error:
                if error.code != BUSY:
                    raise
            await asyncio.sleep(wait)
        return await self._authorised(path, body)

    async def _authorised(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        token = await self.tokens.get()
        try:
            return await self._ask("POST", path, {"access_token": token}, body)
        except ApiError as error:
            if error.code not in TOKEN_INVALID:
                raise
        self.tokens.drop(token)
        return await self._ask("POST", path, {"access_token": await self.tokens.get()}, body)

    async def _new_token(self) -> tuple[str, float]:
        try:
            token = await self._fetched_token()
        except ApiError:
            self._happened("token", "refused")
            raise
        self._happened("token", "ok")
        return token

    async def _fetched_token(self) -> tuple[str, float]:
        answer = await self._ask("GET", "gettoken", self._credentials)
        token, lives = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(lives, int | float) or lives <= 0:
            raise ApiError(UNREACHABLE)
        return token, float(lives)

    async def _ask(
        self, method: str, path: str, query: dict[str, str], body: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        try:
            response = await self._client.request(method, path, params=query, json=body)
            answer = response.json()
        except (httpx.HTTPError, ValueError, RecursionError):
            raise ApiError(UNREACHABLE) from None  # the cause would name the URL, and the URL the token
        code = answer.get("errcode", 0) if isinstance(answer, dict) and response.is_success else UNREACHABLE
        if code == UNTRUSTED_ADDRESS:
            found = _ADDRESS.search(str(answer.get("errmsg")))
            self._address = found[1] if found else "（企业微信没有写明）"
        if code != 0:
            raise ApiError(code if isinstance(code, int) else UNREACHABLE)
        return dict(answer)


def _advice(code: int, address: str) -> str:
    if code == UNTRUSTED_ADDRESS:
        return f"企业微信不认本机的 IP：请在应用的“企业可信IP”里加上 {address}"
    if code in BAD_CREDENTIALS:
        return f"企业微信不认企业 ID 或 Secret（{code}）：请核对设置"
    if code == NO_PERMISSION:
        return "企业微信的应用没有这个接口的权限（48002）：请在管理后台开通"
    return f"微信客服的账号或接口没有开好（{code}）：请核对管理后台的设置"
