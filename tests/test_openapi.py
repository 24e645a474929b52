"""The API does what its published description says, whatever is sent; and says nothing it should not."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from bot.app import running
from bot.channels.web.protocol import HEADER_BYTES, BoundedProtocol
from bot.channels.web.routes import create_web
from bot.desk import Desk
from bot.settings import load_settings
from tests.conftest import ROOT

FILE = ROOT / "bot" / "channels" / "web" / "static" / "openapi.json"
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "60"))
"""Requests to each route; 4,000 make 20,000 and more."""

SECRETS = ("Traceback", "site-packages", str(ROOT), "sqlite+aiosqlite", "13812345678")


class QuickToGiveUp(BoundedProtocol):
    header_seconds = 0.5
    write_seconds = 0.5


@pytest.fixture(scope="module")
def base(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The whole program on a port of its own."""
    url = f"sqlite+aiosqlite:///{tmp_path_factory.mktemp('api')}/log.db"
    given = load_settings(database_url=url, rate_limit_user=0, rate_limit_address=0)
    listener = socket.create_server(("127.0.0.1", 0))
    servers: list[uvicorn.Server] = []

    async def serve() -> None:
        async with running(given, desk) as app:
            config = uvicorn.Config(
                create_web(app), http=QuickToGiveUp, log_config=None, lifespan="off", ws="none", timeout_keep_alive=1
            )
            servers.append(uvicorn.Server(config))
            await servers[0].serve(sockets=[listener])

    thread = threading.Thread(target=lambda: anyio.run(serve))
    thread.start()
    while not (servers and servers[0].started):
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    servers[0].should_exit = True
    thread.join(20)


schema = schemathesis.openapi.from_path(FILE)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
def test_the_api_is_what_it_says_it_is(case: schemathesis.Case, base: str) -> None:
    response = case.call(base_url=base, timeout=20)
    case.validate_response(response, checks=[not_a_server_error, response_schema_conformance])
    assert response.status_code < 500
    assert not any(secret in response.text for secret in SECRETS)


HEADERS = b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
NONSENSE: list[bytes] = [
    b"",
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /static/..%2f..%2fpages.py HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{",
    b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: v\r\n" % n for n in range(3000)) + b"\r\n",
    "GET /甬 HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    b"\x00" * 5000,
]


@pytest.mark.parametrize("nonsense", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_on_the_wire_harms_nobody(base: str, nonsense: bytes) -> None:
    host, port = base.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        raw.sendall(nonsense)
        raw.shutdown(socket.SHUT_WR)
        said = b""
        while chunk := raw.recv(65536):
            said += chunk
    assert b" 500 " not in said[:40]
    assert not any(secret.encode() in said for secret in SECRETS)


def test_slow_clients_keep_nobody_waiting(base: str) -> None:
    host, port = base.removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port)), timeout=10) for _ in range(50)]
    for raw in slow:
        raw.sendall(
            b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 50\r\n\r\n{"
        )
    answer = httpx.post(f"{base}/api/ask", json={"text": "你好"}, timeout=10, trust_env=False)
    assert answer.status_code == 200
    for raw in slow:
        raw.close()


@pytest.mark.parametrize("begun", [b"", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\r\n"])
def test_one_who_says_nothing_more_is_given_up(base: str, begun: bytes) -> None:
    with _connected(base) as raw:
        raw.sendall(begun)
        said = b""
        while chunk := raw.recv(65536):  # ends when the server hangs up
            said += chunk
    assert said.startswith(b"HTTP/1.1 200" if begun.endswith(b"\r\n\r\n\r\n") else b"HTTP/1.1 408")


def test_headers_without_end_are_refused(base: str) -> None:
    with _connected(base) as raw:
        raw.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        sent, said = 0, b""
        while not said and sent < 100 * HEADER_BYTES:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sent += raw.send(b"X: " + b"a" * 1000 + b"\r\n")
            said = _heard(raw)
    assert said.startswith(b"HTTP/1.1 431"), sent


def test_several_requests_in_one_piece_are_answered(base: str) -> None:
    body = json.dumps({"text": "你好" * 20_000}).encode()
    asked = HEADERS + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with _connected(base) as raw:
        raw.sendall(asked * 2 + b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        said = b""
        while chunk := raw.recv(65536):
            said += chunk
    assert said.count(b"HTTP/1.1 200 OK") == 3


def test_one_who_takes_nothing_is_cut_off(base: str) -> None:
    with _connected(base) as raw:
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        page = b"GET /static/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n"
        with pytest.raises((BrokenPipeError, ConnectionResetError)):
            _ask_on(raw, page * 20)


def _connected(base: str) -> socket.socket:
    host, port = base.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def _ask_on(raw: socket.socket, asked: bytes) -> None:
    """Until the replies fill what the system holds for one who does not read them, and for some time more."""
    for _ in range(600):
        raw.sendall(asked)
        time.sleep(0.02)


def _heard(raw: socket.socket) -> bytes:
    """What is there to read now."""
    raw.setblocking(False)
    try:
        return raw.recv(65536)
    except BlockingIOError:
        return b""
    finally:
        raw.settimeout(10)


def test_the_description_names_every_public_route(desk: Desk) -> None:
    described = set(json.loads(FILE.read_text(encoding="utf-8"))["paths"])

    class Nothing:
        def __getattr__(self, name: str) -> Any:
            return lambda *_: ("", [])

    served = {getattr(route, "path", "") for route in create_web(Nothing()).routes}  # type: ignore[arg-type]
    assert len(served) > 5
    assert served - {"/static"} == described


def test_what_another_wrote_is_told_to_nobody(base: str) -> None:
    planted = "我住在幸福小区，电话13812345678，想问加装电梯"
    with httpx.Client(base_url=base, trust_env=False) as client:
        client.post("/api/ask", json={"text": planted, "session": "victim"})
        for path in ("/", "/healthz", "/readyz", "/metrics"):
            assert "幸福小区" not in client.get(path).text
        other = client.post("/api/ask", json={"text": "我刚才问了什么", "session": "other"}).text
        assert "幸福小区" not in other
