"""Bytes that are no HTTP, or hardly, over bare sockets; and clients that send one byte a second."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from tests.abuse.watch import Watch

_ASK = b"POST /api/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
_GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
SAMPLES: tuple[bytes, ...] = (
    b"",
    b"\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET http://example.com/ HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /static/..%2f..%2fpages.py HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /admin/static/%2e%2e/%2e%2e/panel.py HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /甬 HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
    b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : x\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: \x00\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: " + b"a" * 70_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"".join(b"H%d: v\r\n" % n for n in range(3000)) + b"\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
    _ASK + b"Content-Length: -1\r\n\r\n",
    _ASK + b"Content-Length: 9\r\nContent-Length: 10\r\n\r\n{}",
    _ASK + b"Content-Length: 99999999\r\n\r\n{",
    _ASK + b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    _ASK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    _ASK + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    _ASK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}xx0\r\n\r\n",
    _ASK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    _ASK + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n{}",
    _GET * 40,
    (_ASK + b'Content-Length: 17\r\n\r\n{"text":"hello!"}') * 10,
    b"POST /telegram/webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}" * 3,
    b"POST /wecom/callback?msg_signature=a&timestamp=1&nonce=1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n<xml>",
    b"\x00" * 5000,
)

_SILENCE = 0.6
"""Seconds: who has said nothing for so long waits for more."""

Mutation = Callable[[bytes, random.Random], bytes]
MUTATIONS: tuple[Mutation, ...] = (
    lambda data, dice: data,
    lambda data, dice: data[: dice.randrange(len(data) + 1)],
    lambda data, dice: _changed(data, dice, bytes([dice.randrange(256)])),
    lambda data, dice: _changed(data, dice, b"\0" * dice.randrange(1, 9)),
    lambda data, dice: _changed(data, dice, b"\r\n"),
    lambda data, dice: data + dice.choice(SAMPLES),
    lambda data, dice: data.replace(b"\r\n", b"\n"),
)


def _changed(data: bytes, dice: random.Random, by: bytes) -> bytes:
    at = dice.randrange(len(data) + 1)
    return data[:at] + by + data[at + 1 :]


async def send(port: int, data: bytes, half_closed: bool) -> bytes:
    """What comes back until the server closes, or says nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    said = bytearray()
    try:
        writer.write(data)
        if half_closed:
            writer.write_eof()
        async with asyncio.timeout(20):
            while chunk := await asyncio.wait_for(reader.read(65536), _SILENCE):
                said += chunk
    except (TimeoutError, OSError):
        pass
    finally:
        writer.transport.abort()
    return bytes(said)


async def nonsense(port: int, count: int, seed: int, watch: Watch) -> None:
    """So many connections, each with something mutated; 16 at once."""
    dice, free = random.Random(seed), asyncio.Semaphore(16)

    async def one(data: bytes, half_closed: bool) -> None:
        async with free:
            said = await send(port, data, half_closed)
        for status in _statuses(said) or [0]:
            watch.note("bare sockets", repr(data[:80]), status, said.decode("utf-8", "replace"))

    made = [(dice.choice(MUTATIONS)(SAMPLES[at % len(SAMPLES)], dice), dice.random() < 0.2) for at in range(count)]
    await asyncio.gather(*(one(*each) for each in made))


def _statuses(said: bytes) -> list[int]:
    return [int(part[2:5]) for part in said.split(b"HTTP/1.")[1:] if part[2:5].isdigit()]


@dataclass
class Slow:
    """What slow clients did to others: the slowest answer meanwhile, and when the last slow one was cut off."""

    clients: int
    bytes_sent: int = 0
    answered: int = 0
    slowest: float = 0.0
    cut_after: float = 0.0

    def __str__(self) -> str:
        """One line."""
        return (
            f"slow clients: {self.clients} at a byte a second ({self.bytes_sent} bytes), all cut off within "
            f"{self.cut_after:.0f} s; meanwhile {self.answered} questions answered, the slowest in {self.slowest:.2f} s"
        )


_DRIPS = (_GET[:-4] + b"X-Slow: ", _ASK[:20], _ASK + b"Content-Length: 5000\r\n\r\n{", b"G", _GET + _GET[:10])


async def slowloris(base: str, clients: int, watch: Watch, patience: float = 45.0) -> Slow:
    """Many clients at a byte a second, and one that asks all the while."""
    port, found, done = int(base.rpartition(":")[2]), Slow(clients), asyncio.Event()
    begun = time.monotonic()

    async def drip(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        closed = asyncio.create_task(_closed(reader))
        try:
            writer.write(_DRIPS[number % len(_DRIPS)])
            while not closed.done() and time.monotonic() - begun < patience:
                writer.write(b"a")
                found.bytes_sent += 1
                await asyncio.wait({closed}, timeout=1.0)
        except OSError:
            pass
        finally:
            if not closed.done() and not writer.is_closing():
                watch.wrong.append(f"slow client {number % len(_DRIPS)} was not cut off within {patience:.0f} s")
            closed.cancel()
            writer.close()

    async def ask() -> None:
        async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=30) as client:
            while not done.is_set():
                start = time.monotonic()
                response = await client.post("/api/ask", json={"text": "你好"})
                found.slowest = max(found.slowest, time.monotonic() - start)
                found.answered += 1
                watch.note("beside slow clients", "a question", response.status_code, response.text)
                if response.status_code != 200:
                    watch.wrong.append(f"slow clients held up others: {response.status_code}")
                await asyncio.sleep(0.2)

    asking = asyncio.create_task(ask())
    await asyncio.gather(*(drip(number) for number in range(clients)))
    found.cut_after = time.monotonic() - begun
    done.set()
    await asking
    return found


async def _closed(reader: asyncio.StreamReader) -> None:
    """Until the server hangs up; a reply to the first of two requests may come before."""
    with contextlib.suppress(OSError):
        while await reader.read(65536):
            pass
