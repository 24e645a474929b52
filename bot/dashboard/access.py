"""Who may see the dashboard: a password or a link that works once, then a signed cookie and a session in the database.

Nothing in the database lets anyone in: links and sessions are stored as hashes.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from itsdangerous import BadData, URLSafeSerializer

from bot.querylog.tables import admin_session, audit, login_link

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.querylog.store import QueryLog

COOKIE = "reformbot_admin"
SESSION_LIFE = dt.timedelta(hours=12)
LINK_LIFE = dt.timedelta(minutes=10)

_KEY = "dashboard/signing-key"


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is logged in; `id` is the hash that the session is stored under."""

    id: str
    actor: str
    expires_at: dt.datetime


def hash_password(password: str) -> str:
    """The argon2id hash for `REFORMBOT_ADMIN_PASSWORD_HASH`."""
    return PasswordHasher().hash(password)


def matches(stored: str, password: str) -> bool:
    """Whether a password is the one of a hash. Slow, and it takes 64 MB, on purpose."""
    try:
        return PasswordHasher().verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False


async def new_link(querylog: QueryLog, now: dt.datetime) -> str:
    """A token that lets one person in within ten minutes; only its hash is stored."""
    token = secrets.token_urlsafe(32)

    async def store(connection: AsyncConnection) -> None:
        await connection.execute(sa.delete(login_link).where(login_link.c.expires_at <= now))
        await connection.execute(sa.insert(login_link).values(token=_hash(token), expires_at=now + LINK_LIFE))

    await querylog.run(store)
    return token


class Access:
    """Sessions and the audit. A new password ends every session: the cookies are signed under its hash too."""

    def __init__(self, querylog: QueryLog, password_hash: str | None, now: Callable[[], dt.datetime]) -> None:
        self.password_hash = password_hash
        self.now = now
        self._querylog = querylog
        self._signer: URLSafeSerializer | None = None

    async def use_link(self, token: str) -> str | None:
        """Let the bearer of a link in, once: the cookie's value, or None when the link is unknown, used or too old."""
        now = self.now()
        link = (login_link.c.token == _hash(token)) & (login_link.c.expires_at > now)

        async def use(connection: AsyncConnection) -> bool:
            return (await connection.execute(sa.delete(login_link).where(link))).rowcount == 1

        return await self.begin("链接登录") if await self._querylog.run(use) else None

    async def begin(self, how: str) -> str:
        """Start a session; the cookie's value."""
        token, now = secrets.token_urlsafe(32), self.now()
        identifier = _hash(token)
        actor = f"{how} {identifier[:6]}"

        async def store(connection: AsyncConnection) -> None:
            await connection.execute(sa.delete(admin_session).where(admin_session.c.expires_at <= now))
            row = {"id": identifier, "actor": actor, "started_at": now, "expires_at": now + SESSION_LIFE}
            await connection.execute(sa.insert(admin_session).values(**row))
            await note(connection, now, actor, "登录")

        await self._querylog.run(store)
        return str((await self._signed()).dumps(token))

    async def session(self, cookie: str) -> Session | None:
        """Whose cookie it is; None for a forged, ended or expired one."""
        try:
            token = (await self._signed()).loads(cookie)
        except BadData:
            return None
        wanted = sa.select(admin_session).where(
            (admin_session.c.id == _hash(str(token))) & (admin_session.c.expires_at > self.now())
        )

        async def fetch(connection: AsyncConnection) -> sa.Row[Any] | None:
            return (await connection.execute(wanted)).one_or_none()

        found = await self._querylog.read(fetch)
        return None if found is None else Session(found.id, found.actor, found.expires_at)

    async def end(self, session: Session, everybody: bool = False) -> None:
        """End one session, or all of them."""
        mine = admin_session.c.id == session.id

        async def remove(connection: AsyncConnection) -> None:
            await connection.execute(sa.delete(admin_session).where(sa.true() if everybody else mine))
            await note(connection, self.now(), session.actor, "退出全部登录" if everybody else "退出")

        await self._querylog.run(remove)

    async def audit(self, actor: str, action: str, subject: str = "", detail: str = "") -> None:
        """Write down what somebody did."""
        await self._querylog.run(lambda connection: note(connection, self.now(), actor, action, subject, detail))

    async def _signed(self) -> URLSafeSerializer:
        """Signs with a key that the database keeps, so that a restart or another replica knows the cookies."""
        if self._signer is None:
            key = await self._querylog.ensure(_KEY, secrets.token_hex(32))
            self._signer = URLSafeSerializer(key, salt=_hash(self.password_hash or ""))
        return self._signer


async def note(
    connection: AsyncConnection, at: dt.datetime, actor: str, action: str, subject: str = "", detail: str = ""
) -> None:
    """One line of the audit."""
    row = {"at": at, "actor": actor, "action": action, "subject": subject, "detail": detail}
    await connection.execute(sa.insert(audit).values(**row))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
