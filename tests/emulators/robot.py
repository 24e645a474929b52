"""The webhook of WeCom's group robot on loopback: 20 messages a minute, 4,096 bytes, its codes."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any, Self

KEY = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"


@dataclass
class GroupRobot:
    """`async with GroupRobot() as robot`: messages are posted to `robot.url`; `codes` are the next answers."""

    per_minute: int = 20
    codes: list[int] = field(default_factory=list)
    status: int = 200
    messages: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    calls: int = 0
    silent: bool = False
    garbage: bool = False

    def __post_init__(self) -> None:
        self._server: asyncio.Server | None = None
        self._at: list[float] = []
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/cgi-bin/webhook/send?key={KEY}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    async def until(self, true: Any, seconds: float = 15.0) -> None:
        """Wait until `true()` holds."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(true)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = next(int(line.split(":")[1]) for line in head.splitlines() if line.startswith("content-length"))
            code = self._take(head.split()[1], json.loads(await reader.readexactly(length)))
            said = b"<html>" if self.garbage else json.dumps({"errcode": code, "errmsg": "ok"}).encode()
            if self.silent:
                said = b""
                await reader.read()  # until the caller has had enough
            head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n"
            writer.write(head.encode() + said)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
        async with self._changed:
            self._changed.notify_all()

    def _take(self, path: str, body: dict[str, Any]) -> int:
        self.calls += 1
        if self.silent or self.garbage:
            return -1
        if not path.endswith(f"?key={KEY}"):
            return 93000
        if self.codes:
            return self.codes.pop(0)
        if self.status != 200:
            return -1
        now = time.monotonic()
        self._at = [at for at in self._at if now - at < 60]
        if len(self._at) >= self.per_minute:
            self.violations.append("too often")
            return 130101
        content = body[body["msgtype"]]["content"]
        if body["msgtype"] != "markdown" or not content or len(content.encode()) > 4096:
            self.violations.append("bad message")
            return 40058
        self._at.append(now)
        self.messages.append(content)
        return 0
