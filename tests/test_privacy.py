"""From end to end: two thousand planted numbers, and none of them in any file that the program leaves."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
import random
import sys
from pathlib import Path

import pytest
from ahocorasick_rs import BytesAhoCorasick

from bot import journal
from bot.app import App, running
from bot.channels.service import Post
from bot.cli import main
from bot.desk import Desk
from bot.model import Message, Reply, Status
from bot.querylog import backup as backups
from bot.querylog.arrivals import Arrival
from bot.querylog.rows import LogRow
from bot.querylog.spool import Spool
from bot.record import row
from bot.settings import load_settings

COUNT = 2_000
SAYING = ("僵尸车找谁拖", "老小区装电梯", "怎么造火箭", "送外卖受伤了", "灵活保多少钱", "我想打官司")


def digits(chance: random.Random, count: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(count))


def planted(chance: random.Random) -> tuple[str, str]:
    """A number as it must not be found, and how somebody may have typed it."""
    kind = chance.randrange(6)
    if kind == 0:
        number = f"1{chance.choice('3456789')}{digits(chance, 9)}"
        return number, chance.choice([number, f"{number[:3]}-{number[3:7]}-{number[7:]}", wide(number)])
    if kind == 1:
        born = f"{chance.randint(1950, 2009)}{chance.randint(10, 12)}{chance.randint(10, 28)}"
        number = f"330203{born}{digits(chance, 4)}"
        return number, number
    if kind == 2:
        number = f"6222{digits(chance, 15)}"
        return number, chance.choice([number, wide(number)])
    if kind == 3:
        number = f"0574-8{digits(chance, 7)}"
        return number, number
    if kind == 4:
        number = f"user{digits(chance, 7)}@example.com"
        return number, number
    number = f"E{digits(chance, 8)}"
    return number, f"护照{number}"


def wide(text: str) -> str:
    return "".join(chr(ord(char) + 0xFEE0) for char in text)


def draft(reply: Reply, token: str) -> Post:
    return Post("somebody", ({"text": reply.blocks[0].text, "token": token},), passive=1)


async def ask_all(app: App, said: list[str]) -> None:
    async def some(part: list[str]) -> None:
        for number, text in enumerate(part):
            message = Message(text, "web", f"user {number % 50}", f"m {hash(text)}")
            handled = await app.handle(message, draft if number % 2 else None)
            if handled.delivery is not None:
                await app.judge(handled.delivery.token, "down", ("不对",), text)

    await asyncio.gather(*(some(said[start::16]) for start in range(16)))


async def test_no_planted_number_is_left_anywhere(
    tmp_path: Path, desk: Desk, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(7)
    numbers = [planted(chance) for _ in range(COUNT)]
    said = [f"{chance.choice(SAYING)}，{typed}，{chance.choice(SAYING)}" for _, typed in numbers]
    url = f"sqlite+aiosqlite:///{tmp_path}/log.db"
    journal.set_up("json")
    logging.getLogger("reformbot").setLevel(logging.DEBUG)
    async with running(load_settings(database_url=url, rate_limit_user=0), desk) as app:
        await ask_all(app, said)
        await app.recorder.settle()
        await app.recorder.drain()
        assert await app.querylog.count() == COUNT
        await asyncio.to_thread(backups.back_up, url, tmp_path / "backups", dt.datetime.now(dt.UTC), lambda *_: None)
        write = Spool(tmp_path / "some.spool")
        write.append([Arrival(_row(text)) for text in said[:500]])
        (tmp_path / "wal.copy").write_bytes((tmp_path / "log.db-wal").read_bytes())
        (tmp_path / "health.json").write_text(str(app.health()), encoding="utf-8")
        (tmp_path / "metrics.txt").write_bytes(app.metrics_text())
    for number, command in enumerate((["log", "-n", "2000", "--json"], ["stats", "--json"], ["gaps", "--json"])):
        monkeypatch.setattr(sys, "argv", ["reformbot", *command, "--database", url])
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main)
        assert ended.value.code in {0, None}
        captured = capsys.readouterr()
        (tmp_path / f"said-{number}.txt").write_text(captured.out + captured.err, encoding="utf-8")
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert len(files) >= 8
    assert any("僵尸车".encode() in content for content in files.values())
    secrets = sorted({text.encode() for pair in numbers for text in pair})
    finder = BytesAhoCorasick(secrets)
    assert len(finder.find_matches_as_indexes(b" ".join(secrets))) >= COUNT, "what stands there is found"
    left = {path.name: finder.find_matches_as_indexes(content)[:3] for path, content in files.items()}
    assert {name: [secrets[at] for at, *_ in found] for name, found in left.items() if found} == {}


def _row(text: str) -> LogRow:
    return row(Message(text, "web"), "u", Reply(Status.NONE, ()), "v", 0.1, dt.datetime.now(dt.UTC))
