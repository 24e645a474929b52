"""What each part of one question costs: processor time of this process in µs, the least of some rounds."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import tempfile
import time
from typing import TYPE_CHECKING

from bot import compose, render
from bot.answer import answer, settle
from bot.desk import Desk
from bot.knowledge.book import load_or_raise
from bot.model import Message
from bot.querylog.arrivals import Arrival
from bot.querylog.store import QueryLog
from bot.record import row
from bot.redact import redact
from bot.understand.query import understand
from tests.conftest import KNOWLEDGE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from bot.querylog.rows import LogRow

SIZE, ROUNDS, TOGETHER = 500, 4, 32


def least(work: Callable[[str], object], texts: Sequence[str]) -> float:
    """Microseconds a text, in the round that was disturbed least; no text is given twice."""
    spent = []
    for at in range(0, SIZE * ROUNDS, SIZE):
        begun = time.process_time()
        for text in texts[at : at + SIZE]:
            work(text)
        spent.append((time.process_time() - begun) / SIZE * 1e6)
    return min(spent)


async def storing(rows: Sequence[LogRow]) -> float:
    """Microseconds a row, durable, so many callers at once as wrk has connections."""
    with tempfile.TemporaryDirectory() as folder:
        querylog = await QueryLog.open(f"sqlite+aiosqlite:///{folder}/log.db")
        waiting = iter(rows)

        async def caller() -> None:
            for one in waiting:
                await querylog.take(Arrival(one))

        begun = time.process_time()
        await asyncio.gather(*(caller() for _ in range(TOGETHER)))
        spent = time.process_time() - begun
        await querylog.close()
    return spent / len(rows) * 1e6


def show(kind: str, texts: Sequence[str], bare: float) -> None:
    """Print the table; `bare` is what an echo takes, in µs."""
    desk, now = Desk(load_or_raise(KNOWLEDGE)), dt.datetime.now(dt.UTC)
    today, texts = now.date(), texts[: SIZE * ROUNDS]
    settled = [
        (decision, query) for query, _, decision in (settle(understand(one, desk.lexicon), desk) for one in texts)
    ]
    replies = [answer(text, desk, (), today) for text in texts]
    pairs, said = iter(settled), iter(replies)
    rows = [row(Message(one), "0" * 16, next(said), desk.book.version, 0.5, now) for one in texts]
    said = iter(replies)
    parts = {
        "bare echo: HTTP, routing, JSON": bare,
        "understand": least(lambda text: understand(text, desk.lexicon), texts),
        "match, decide and the rest of the answer": 0.0,
        "compose": least(lambda _: compose.compose(*next(pairs), desk, today), texts),
        "redact": least(redact, texts),
        "reply as JSON": least(
            lambda text: json.dumps(render.payload(text, next(said), 0.5), ensure_ascii=False), texts
        ),
        "row into the log": asyncio.run(storing(rows)),
    }
    whole = least(lambda text: answer(text, desk, (), today), texts)
    parts["match, decide and the rest of the answer"] = max(0.0, whole - parts["understand"] - parts["compose"])
    for name, cost in parts.items():
        print(f"{kind:<14} {cost:6.0f} µs  {name}")
