"""`reformbot serve`: the web server around the App."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import errno
import gc
import logging
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from bot import journal
from bot.app import running
from bot.channels.channel import run_all
from bot.channels.registry import channels as registered
from bot.channels.web.protocol import BoundedProtocol
from bot.channels.web.routes import create_web
from bot.dashboard.access import new_link
from bot.dashboard.login import link
from bot.dashboard.site import base_of, dashboard, is_on
from bot.errors import SettingsError
from bot.gaps.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from bot.app import App
    from bot.channels.channel import Channel
    from bot.desk import Desk
    from bot.settings import Settings

_SHUTDOWN_SECONDS = 8
_BACKLOG = 1024
_CONNECTIONS = 1000
_IDLE_SECONDS = 15
_SWITCH_SECONDS = 0.0005
"""The log's thread must give the interpreter back sooner than after Python's 5 ms: questions wait for it."""
_GARBAGE = (10_000, 20, 50)
"""Fewer looks for garbage in circles than Python's: a question leaves hardly any, and each look costs."""
_OPENING_SECONDS = 3
"""Seconds that the log has to open once the end is asked for."""
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class _Server(uvicorn.Server):
    """Stops on SIGTERM and SIGINT with exit code 0; uvicorn's own raises the signal again once it has stopped.

    `stopping` is set at once, so that the channels finish while the last requests do.
    """

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop the server and the channels."""
        super().handle_exit(sig, frame)
        self._stopping.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take both signals; they stay taken, so that a second one does not cut the end of the log short."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


class Unfinished:
    """Ends a request that is cut off by the end of the process with 503, where uvicorn would print a traceback.

    Nor is one printed for a client that has gone, of which uvloop tells by an error of its own.
    """

    _GONE = "the handler is closed"

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand the request on, and end it when nothing else has."""
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            try:
                await send(message)
            except RuntimeError as error:
                if self._GONE not in str(error):
                    raise

        try:
            await self.app(scope, receive, watched)
        except asyncio.CancelledError:
            if not started:
                headers = [(b"content-length", b"0"), (b"connection", b"close")]
                await send({"type": "http.response.start", "status": 503, "headers": headers})
                await send({"type": "http.response.body", "body": b""})


class _Quiet(logging.Filter):
    """Broken requests are the clients' affair, and say nothing here; a crowd is told of once a minute."""

    _CLIENTS = ("Invalid HTTP request", "Unsupported upgrade", "No supported WebSocket")
    _CROWD = "Exceeded concurrency limit"

    def __init__(self) -> None:
        super().__init__()
        self._told = float("-inf")

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is worth a line."""
        said = record.getMessage()
        if not said.startswith(self._CROWD):
            return not said.startswith(self._CLIENTS)
        due = time.monotonic() - self._told >= 60
        if due:
            self._told = time.monotonic()
        return due


def bind(host: str, port: int) -> socket.socket:
    """A socket at the address, or SettingsError with what to do. It does not listen yet: who balances the load goes
    elsewhere until somebody answers here.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, UnicodeError, ValueError, TypeError) as error:
        listener.close()
        raise _unusable(host, port, error) from None
    return listener


def _listen(listener: socket.socket, settings: Settings) -> None:
    try:
        listener.listen(_BACKLOG)
    except OSError as error:  # another process has begun to, in the meantime
        raise _unusable(settings.host, settings.port, error) from None


def _unusable(host: str, port: int, error: Exception) -> SettingsError:
    return SettingsError([f"不能在 {host}:{port} 上监听{_mend(error)}"])


def _mend(error: Exception) -> str:
    if not isinstance(error, OSError) or isinstance(error, socket.gaierror):
        return "：找不到这个主机名或地址；请检查 --host 或 REFORMBOT_HOST"
    reason = f"（{error.strerror or error}）"
    if error.errno in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
        return f"{reason}：本机没有这个地址；请检查 --host 或 REFORMBOT_HOST"
    return f"{reason}；请换一个端口：--port 或 REFORMBOT_PORT"


def _config(settings: Settings, app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        Unfinished(app),
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxy),
        forwarded_allow_ips=settings.trusted_proxy.split(","),
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )


async def _serve(settings: Settings, desk: Desk, say: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; requests in hand are finished first."""
    loop, this = asyncio.get_running_loop(), asyncio.current_task()
    assert this is not None
    ended: list[asyncio.TimerHandle] = []
    for number in _SIGNALS:  # a log that is half open has a thread that would outlive the loop
        loop.add_signal_handler(number, lambda: ended.append(loop.call_later(_OPENING_SECONDS, this.cancel)))
    listener = bind(settings.host, settings.port)
    try:
        async with running(settings, desk) as app:
            for number in _SIGNALS:
                loop.add_signal_handler(number, this.cancel)  # until the server takes them over
            for timer in ended:
                timer.cancel()
            if ended:
                return
            await app.querylog.take_over()
            await app.recorder.make_room()
            if app.querylog.shared or app.querylog.file:
                app.gaps.work = Worker(app.reloader.folder).refresh
            channels = registered(app)
            app.channels = {channel.name: channel.health for channel in channels}
            routes = [route for channel in channels for route in channel.routes()]
            if is_on(settings):
                routes.append(dashboard(app))
            config = _config(settings, create_web(app, more=routes))
            logging.getLogger("uvicorn.error").addFilter(_Quiet())
            _listen(listener, settings)
            host = f"[{settings.host}]" if ":" in settings.host else settings.host
            entries = len(desk.book.entries)
            say(f"甬改问答已启动：http://{host}:{settings.port}  （{entries} 个条目，版本 {desk.book.version}）")
            if is_on(settings) and settings.admin_password_hash is None:
                token = await new_link(app.querylog, dt.datetime.now(dt.UTC))
                say(f"管理页（十分钟内打开，只能用一次；以后用 reformbot login）：{link(base_of(settings), token)}")
            loop.add_signal_handler(signal.SIGHUP, app.reloader.asked.set)
            watching = asyncio.create_task(app.reloader.watch(app.reload))
            try:
                await _serve_all(config, listener, channels, app)
            finally:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)
    finally:
        listener.close()


async def _serve_all(config: uvicorn.Config, listener: socket.socket, channels: list[Channel], app: App) -> None:
    """Run the web server and the channels until a signal; a channel that is refused ends both."""
    stopping = asyncio.Event()
    server = _Server(config, stopping)
    running_channels = asyncio.create_task(run_all(channels, stopping, app))
    running_channels.add_done_callback(lambda done: _end(server, done))
    try:
        await server.serve(sockets=[listener])
    finally:
        stopping.set()
        await running_channels


def _end(server: uvicorn.Server, channels: asyncio.Task[None]) -> None:
    if not channels.cancelled() and channels.exception() is not None:
        server.should_exit = True


def serve(settings: Settings, build: Callable[[Settings], Desk], say: Callable[[str], None]) -> None:
    """Build the desk and serve; a signal ends either with exit code 0."""

    def stop(*_: Any) -> None:
        sys.exit(0)

    for number in _SIGNALS:
        signal.signal(number, stop)
    sys.setswitchinterval(_SWITCH_SECONDS)
    gc.set_threshold(*_GARBAGE)
    journal.set_up(settings.log_format)
    desk = build(settings)
    loop = auto_loop_factory()  # uvloop, where there is one
    with contextlib.suppress(asyncio.CancelledError), asyncio.Runner(loop_factory=loop) as runner:
        runner.run(_serve(settings, desk, say))
