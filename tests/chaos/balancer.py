"""One address in front of several replicas: nginx with the file of `deploy/`, or a few lines of our own without it."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from tests.conftest import ROOT

_DROPPED = re.compile(r"^\s*(ssl_|limit_req |limit_conn |add_header Strict).*\n", re.MULTILINE)
_REDIRECT = re.compile(r"    server \{\s+listen 80 .*?\n    \}\n", re.DOTALL)


def nginx_file(port: int, replicas: Sequence[int]) -> str:
    """`deploy/nginx.conf` for loopback: no TLS, and no limits, as all questions come from one address here."""
    text = (ROOT / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    text = _REDIRECT.sub("", _DROPPED.sub("", text))
    servers = iter(replicas)
    text = re.sub(r"server bot-[abc]:8080", lambda _: f"server 127.0.0.1:{next(servers, replicas[0])}", text)
    lines = list(dict.fromkeys(re.findall(r"^ +server 127\.0\.0\.1:.*$", text, re.MULTILINE)))
    text = re.sub(r"(^ +server 127\.0\.0\.1:.*\n)+", "\n".join(lines) + "\n", text, flags=re.MULTILINE)
    text = text.replace("listen 443 ssl http2 default_server", f"listen 127.0.0.1:{port} default_server")
    return text.replace("access_log /dev/stdout brief", "access_log off")


@asynccontextmanager
async def balanced(folder: Path, port: int, replicas: Sequence[int]) -> AsyncIterator[str]:
    """Serve the replicas' ports at `port`; what does it."""
    if shutil.which("nginx") is None:
        server = await asyncio.start_server(_Turns(replicas).serve, "127.0.0.1", port)
        async with server:
            yield "a balancer of our own"
        return
    file = folder / "nginx.conf"
    file.write_text(nginx_file(port, replicas), encoding="utf-8")
    options = ("-p", str(folder), "-c", str(file), "-g", "daemon off; pid nginx.pid;")
    with (folder / "nginx.log").open("ab") as told:
        process = await asyncio.create_subprocess_exec("nginx", *options, stdout=told, stderr=told)
    try:
        await _listens(port)
        yield "nginx"
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def _listens(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            with contextlib.suppress(OSError):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.close()
                return
            await asyncio.sleep(0.05)


class _Turns:
    """Each connection goes to the next replica that takes it."""

    def __init__(self, replicas: Sequence[int]) -> None:
        self._replicas, self._next = list(replicas), 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self._replicas:
            port = self._replicas[self._next % len(self._replicas)]
            self._next += 1
            with contextlib.suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(_pass_on(reader, there[1]), _pass_on(there[0], writer))
                return
        writer.close()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
