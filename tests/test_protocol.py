"""Slow clients are cut off, the oldest of a crowd first; quick ones never notice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from bot.channels.web.protocol import BoundedProtocol
from bot.serve import Unfinished

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"


async def late(request: Request) -> Response:
    await asyncio.sleep(0.8)  # longer than any client may take
    return PlainTextResponse(str(len(await request.body())))


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(BoundedProtocol, "header_seconds", 0.4)
    monkeypatch.setattr(BoundedProtocol, "body_seconds", 0.6)
    monkeypatch.setattr(BoundedProtocol, "crowd", 3)
    app = Starlette(routes=[Route("/", late, methods=["GET", "POST"])])
    config = uvicorn.Config(app, port=0, http=BoundedProtocol, ws="none", lifespan="off", log_level="critical")
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment, method-assign]
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    yield int(server.servers[0].sockets[0].getsockname()[1])
    server.should_exit = True
    await serving
    assert not BoundedProtocol.waiting


async def answer(port: int, *sent: bytes) -> bytes:
    """What comes back until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in sent:
        with contextlib.suppress(OSError):
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(0.1)
    try:
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(reader.read(), 20)
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nHost: x\r\n"])
async def test_headers_that_do_not_come_end_the_connection(port: int, sent: bytes) -> None:
    assert (await answer(port, sent)).startswith(b"HTTP/1.1 408 ")


async def test_a_byte_now_and_then_does_not_help(port: int) -> None:
    slowly = (b"GET / HTTP/1.1\r\nX: aaaaaaaaaaaaaaaaaaa"[at : at + 1] for at in range(20))
    assert (await answer(port, *slowly))[:13] in {b"HTTP/1.1 408 ", b""}  # a reset may overtake the words
    assert not BoundedProtocol.waiting


async def test_a_body_that_does_not_come_ends_it_too(port: int) -> None:
    assert await answer(port, HEAD + b"ab") == b""


async def test_an_answer_may_take_longer_than_the_question(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        for _ in range(3):
            response = await client.post("/", content=b"hello")
            assert (response.status_code, response.text) == (200, "5")


async def test_a_crowd_gives_way_oldest_first(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BoundedProtocol, "header_seconds", 30.0)
    waiting = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
    await asyncio.sleep(0.2)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        assert (await client.post("/", content=b"hi")).text == "2"
    with contextlib.suppress(ConnectionError):
        assert await asyncio.wait_for(waiting[0][0].read(), 20) == b""
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(waiting[2][0].read(), 0.2)
    for _, writer in waiting:
        writer.close()


@pytest.mark.parametrize(("said", "raised"), [("the handler is closed", False), ("something else", True)])
async def test_a_client_that_has_gone_is_no_error_of_ours(said: str, raised: bool) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200})

    async def send(message: Message) -> None:
        raise RuntimeError(said)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    with pytest.raises(RuntimeError) if raised else contextlib.nullcontext():
        await Unfinished(app)({"type": "http"}, receive, send)
