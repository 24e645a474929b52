"""Three replicas for some moments; `python -m tests.chaos.fleet` takes longer."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import pytest

from tests.chaos import balancer
from tests.chaos.fleet import run
from tests.chaos.program import free_port
from tests.chaos.storm import Plan


async def test_replicas_killed_in_turn_lose_and_double_nothing() -> None:
    with tempfile.TemporaryDirectory(prefix="fleet") as folder:
        Path(folder).chmod(0o755)
        report, fleet = await run(40, Plan(users=2, gap=2.0, bank=40, mode="webhook", thorough=False), Path(folder))
    assert report.violations == [], str(report)
    assert sum(line.acknowledged for line in report.lines.values()) >= 40
    assert report.plan.kills >= 3
    assert fleet.moves


async def test_without_nginx_connections_go_round(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def serve(name: bytes) -> asyncio.Server:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(name)
            writer.close()

        return await asyncio.start_server(answer, "127.0.0.1", 0)

    servers = [await serve(name) for name in (b"a", b"b", b"gone")]
    ports = [server.sockets[0].getsockname()[1] for server in servers]
    servers[2].close()
    monkeypatch.setattr(balancer.shutil, "which", lambda _: None)
    port = free_port()
    said = []
    async with balancer.balanced(tmp_path, port, ports) as kind:
        for _ in range(6):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            said.append(await asyncio.wait_for(reader.read(), 10))
            writer.close()
    assert kind == "a balancer of our own"
    assert set(said) == {b"a", b"b"}
    for server in servers[:2]:
        server.close()


def test_the_file_for_nginx_keeps_its_form() -> None:
    text = balancer.nginx_file(8000, [8001, 8002])
    assert text.count("server 127.0.0.1:") == 2
    assert "listen 127.0.0.1:8000" in text
    assert "proxy_next_upstream error timeout http_503;" in text
    assert "ssl" not in text.replace("http2", "")
