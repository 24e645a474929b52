"""`reformbot serve`: the web server around the App."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from typing import TYPE_CHECKING

import uvicorn

from bot.app import running
from bot.channels.web.routes import create_web
from bot.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from bot.desk import Desk
    from bot.settings import Settings

_SHUTDOWN_SECONDS = 8
_SWITCH_SECONDS = 0.0005
"""The log's thread must give the interpreter back sooner than after Python's 5 ms: questions wait for it."""


class _Server(uvicorn.Server):
    """Stops on SIGTERM and SIGINT with exit code 0; uvicorn's own raises the signal again once it has stopped."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take both signals for as long as the server runs."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, or SettingsError with what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise SettingsError(
            [f"不能在 {host}:{port} 上监听（{reason}）；请换一个端口：--port 或 REFORMBOT_PORT"]
        ) from None
    return listener


async def serve(settings: Settings, desk: Desk, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; requests in hand are finished first."""
    sys.setswitchinterval(_SWITCH_SECONDS)
    listener = bind(settings.host, settings.port)
    try:
        async with running(settings, desk) as app:
            config = uvicorn.Config(
                create_web(app),
                lifespan="off",
                log_level="warning",
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
                h11_max_incomplete_event_size=16 * 1024,
            )
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            entries = len(desk.book.entries)
            say(f"甬改问答已启动：http://{host}:{settings.port}  （{entries} 个条目，版本 {desk.book.version}）")
            await _Server(config).serve(sockets=[listener])
    finally:
        listener.close()
