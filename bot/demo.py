"""Made-up traffic for a database of its own, so that a newcomer sees the dashboard alive.

The questions are wordings of the knowledge, some of topics outside it; they are really answered. The same seed gives
the same questions.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import random
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.answer import answer
from bot.errors import ReformbotError
from bot.model import Message, Reply, Status
from bot.querylog.daily import begin, city_day
from bot.querylog.tables import feedback, metadata, query_log
from bot.record import row as row_of
from bot.text.expand import expand

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.desk import Desk
    from bot.querylog.rows import LogRow
    from bot.querylog.store import QueryLog

DATABASE = "sqlite+aiosqlite:///data/demo.db"
KEY = "demo"
"""Small value that marks a database as made up; the dashboard shows it on every page."""

_A_DAY = 90.0
_CHANNELS = {"web": 46, "telegram": 12, "wecom": 24, "wecom-kf": 18}
_HOURS = (1, 1, 1, 1, 1, 2, 5, 9, 14, 17, 17, 14, 9, 11, 15, 16, 15, 12, 9, 10, 11, 9, 6, 3)
_WEEK = (1.1, 1.05, 1.0, 1.0, 0.95, 0.6, 0.55)
_UNKNOWN, _TALK = 0.11, 0.04
_ASKS = ("{}怎么办理", "{}在哪里办", "{}要什么材料", "请问{}", "{}多少钱", "{}")
_SHORT = 4
"""Words up to so many characters name a thing that can be asked about in several ways."""
_AGAIN = 0.35
"""Chance that somebody who got no answer tries once more."""
_OTHER_WORDS = ("怎么弄", "的事找谁", "，宁波的")
_VERDICTS = {
    Status.ANSWER: (0.10, 0.9),
    Status.LIST: (0.06, 0.7),
    Status.CHOICES: (0.05, 0.5),
    Status.NONE: (0.08, 0.1),
}
"""Status → chance of a verdict, and the share of good ones."""
_UNLIKED = 9
"""Every so many-th entry disappoints."""
_CHUNK = 2_000


class DemoError(ReformbotError):
    """The database holds real questions, so that nothing made up may be put into it."""


@dataclass(frozen=True, slots=True)
class _Said:
    """One made-up question: the row, and a verdict if there was one."""

    row: LogRow
    verdict: str | None


async def fill(
    querylog: QueryLog,
    desk: Desk,
    days: int,
    seed: int,
    now: dt.datetime,
    watch: Callable[[Iterable[int], int], Iterable[int]] = lambda numbers, _: numbers,
) -> int:
    """Replace what the database holds by `days` days of made-up questions until `now`; how many there are.

    `watch` sees the days go by. Raises DemoError for a database with real questions.
    """
    if await querylog.get(KEY) is None and await querylog.count():
        raise DemoError("这个数据库里有真实的提问，不能写演示数据：请用 --database 换一个")
    traffic = _Traffic(desk, days, seed, now)
    said = [one for number in watch(range(days), days) for one in traffic.of_day(number)]
    await querylog.run(_empty)
    await querylog.put(KEY, f"{days} 天的提问全部是程序编的（种子 {seed}），不是市民说的话。")
    for start in range(0, len(said), _CHUNK):
        await querylog.run(partial(_store, said=said[start : start + _CHUNK], first=start + 1))
    await querylog.tally()
    return len(said)


async def _empty(connection: AsyncConnection) -> None:
    """Forget an earlier demonstration, and whatever was made of it."""
    for table in metadata.sorted_tables:
        await connection.execute(sa.delete(table))


async def _store(connection: AsyncConnection, said: Sequence[_Said], first: int) -> None:
    rows, verdicts = [], []
    for identifier, one in enumerate(said, first):
        judged_at = one.row.asked_at + dt.timedelta(seconds=20) if one.verdict else None
        rows.append({"id": identifier, **one.row.values(), "verdict": one.verdict, "verdict_at": judged_at})
        if judged_at:
            verdict: dict[str, Any] = {"query_id": identifier, "at": judged_at, "verdict": one.verdict}
            verdicts.append({**verdict, "reasons": json.dumps([]), "text": ""})
    await connection.execute(sa.insert(query_log), rows)
    if verdicts:
        await connection.execute(sa.insert(feedback), verdicts)


class _Traffic:
    """The questions of each day until `now`, oldest first; days are to be taken in order."""

    def __init__(self, desk: Desk, days: int, seed: int, now: dt.datetime) -> None:
        self._chance = random.Random(seed)
        self._people = _People(desk, self._chance)
        self._days, self._now = days, now

    def of_day(self, number: int) -> list[_Said]:
        """Those of one day, 0 being the first."""
        chance = self._chance
        day = city_day(self._now) - dt.timedelta(days=self._days - 1 - number)
        growth = 0.7 + 0.6 * number / max(1, self._days - 1)
        visits = round(_A_DAY * growth * _WEEK[day.weekday()] * chance.uniform(0.85, 1.15))
        starts = sorted(_moment(day, chance) for _ in range(visits))
        said = [one for start in starts if start < self._now for one in self._people.visit(start)]
        return sorted((one for one in said if one.row.asked_at < self._now), key=lambda one: one.row.asked_at)


def _moment(day: dt.date, chance: random.Random) -> dt.datetime:
    (hour,) = chance.choices(range(24), _HOURS)
    return begin(day) + dt.timedelta(hours=hour, seconds=chance.uniform(0, 3599))


class _People:
    """Citizens who never were: what they ask, in which words, and what they think of the reply."""

    def __init__(self, desk: Desk, chance: random.Random) -> None:
        self._chance = chance
        self._reply = _answers(desk)
        self._version = desk.book.version
        self._entries = list(desk.book.entries.values())
        chance.shuffle(self._entries)
        self._weights = [1 / (place + 3) for place in range(len(self._entries) - len(self._entries) // 12)]
        self._unliked = {entry.id for entry in self._entries[::_UNLIKED]}
        words = [word for item in desk.book.outside for word in item.words]
        self._unknown = chance.sample(words, min(len(words), 80))
        self._talk = [wording for item in desk.book.talk for template in item.ask for wording in expand(template)[:2]]

    def visit(self, start: dt.datetime) -> Iterator[_Said]:
        """What one person says at a sitting."""
        chance = self._chance
        (channel,) = chance.choices(list(_CHANNELS), list(_CHANNELS.values()))
        place = list(_CHANNELS).index(channel)
        person = f"demo{place:02x}{int(chance.paretovariate(0.5)) % 4096:010x}"
        at = start
        for _ in range(1 + min(3, int(chance.expovariate(1.4)))):
            text = self._question()
            reply = self._reply(text)
            yield self._said(text, reply, channel, person, at)
            at += dt.timedelta(seconds=chance.uniform(12, 90))
            if reply.status is Status.NONE and chance.random() < _AGAIN:
                again = text.rstrip("？?吗") + chance.choice(_OTHER_WORDS)
                yield self._said(again, self._reply(again), channel, person, at)
                at += dt.timedelta(seconds=chance.uniform(12, 90))

    def _question(self) -> str:
        chance, kind = self._chance, self._chance.random()
        if kind < _TALK and self._talk:
            return chance.choice(self._talk)
        if kind < _TALK + _UNKNOWN and self._unknown:
            place = min(int(chance.paretovariate(0.6)) - 1, len(self._unknown) - 1)
            word = self._unknown[place]
            return chance.choice(_ASKS).format(word) if len(word) <= _SHORT else word
        (entry,) = chance.choices(self._entries[: len(self._weights)], self._weights)
        return chance.choice(expand(chance.choice(entry.ask)))

    def _said(self, text: str, reply: Reply, channel: str, person: str, at: dt.datetime) -> _Said:
        took_ms = math.exp(self._chance.gauss(-0.1, 0.6))
        row = row_of(Message(text, channel), person, reply, self._version, took_ms, at)
        often, good = _VERDICTS.get(reply.status, (0.0, 0.0))
        if row.entry in self._unliked:
            often, good = often * 2, good * 0.4
        judged = self._chance.random() < often
        return _Said(row, ("up" if self._chance.random() < good else "down") if judged else None)


def _answers(desk: Desk) -> Callable[[str], Reply]:
    """Replies without context, each wording answered once."""
    today = dt.datetime.now(dt.UTC).date()

    @cache
    def reply(text: str) -> Reply:
        return answer(text, desk, (), today, explain=False)

    return reply
