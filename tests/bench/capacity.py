"""What a question costs the log: bytes, write-ahead log, processor time; and what backup and purge take.

    python -m tests.bench.capacity [--rows 200000] [--single 3000]

`--rows` are stored in groups of 256, as under load, `--single` one by one, as at night. Times are of the processor.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bot.querylog import backup
from bot.querylog.arrivals import Arrival
from bot.querylog.deliveries import NewDelivery
from bot.querylog.rows import LogRow
from bot.querylog.store import QueryLog
from tests.bench.load import bank
from tests.postgres import new_database, run_sql

_GROUP = 256
_DAYS = 90
_SIZES = (
    "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')",
    "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('query_log') WHERE isleaf",
)


def arrivals(count: int, pushed: bool, now: dt.datetime) -> Iterator[Arrival]:
    """Questions over ninety days; `pushed`: of a chat platform, with the id of a message and a reply to send."""
    texts = bank()
    for number in range(count):
        at = now - dt.timedelta(days=_DAYS) * (1 - number / count)
        channel, name = ("telegram", f"{number:032x}") if pushed else ("web", None)
        text = texts[number % len(texts)]
        row = LogRow(at, channel, f"{number % 5000:016x}", name, text, "answer", ("nb-mobile-micro-court",), 0.93)
        post = NewDelivery(f"{number:016d}", f"{number}", ({"html": f"<b>{text}</b>" + "答" * 300},), 1)
        yield Arrival(row, post=post if pushed else None)


async def fill(querylog: QueryLog, made: Iterator[Arrival], group: int) -> float:
    """Store them; seconds of the processor for each."""
    begun, count = time.process_time(), 0
    while batch := list(itertools.islice(made, group)):
        await asyncio.gather(*(querylog.take(one) for one in batch))
        count += len(batch)
    return (time.process_time() - begun) / count


async def sizes(querylog: QueryLog, file: Path | None) -> tuple[float, float]:
    """Bytes written ahead so far, and bytes of the table (PostgreSQL), or of the file."""
    if file is not None:
        return 0.0, float(file.stat().st_size + file.with_name(file.name + "-wal").stat().st_size)
    return float((await run_sql(querylog, _SIZES[0]))[0][0]), float((await run_sql(querylog, _SIZES[1]))[0][0] or 0)


async def measure(engine: str, count: int, single: int, folder: Path) -> None:
    """Print one engine's figures."""
    file = folder / "log.db" if engine == "sqlite" else None
    url = f"sqlite+aiosqlite:///{file}" if file else new_database()
    querylog, now = await QueryLog.open(url), dt.datetime.now(dt.UTC)
    for label, pushed, number, group in (
        ("web, in groups", False, count, _GROUP),
        ("web, one by one", False, single, 1),
        ("pushed, in groups", True, count // 10, _GROUP),
    ):
        before, whole = await sizes(querylog, file), time.monotonic()
        cost = await fill(querylog, arrivals(number, pushed, now), group)
        after, wall = await sizes(querylog, file), time.monotonic() - whole
        kept, ahead = (after[1] - before[1]) / number, (after[0] - before[0]) / number
        written = "" if file else f"  {ahead:6.0f} bytes of WAL a row"
        print(
            f"{engine:<11}{label:<19}{number:>8} rows  {cost * 1e6:6.0f} µs of ours a row  "
            f"{number / wall:7.0f} rows/s  {kept:5.0f} bytes a row{written}"
        )
    total = await querylog.count()
    begun = time.monotonic()
    await asyncio.to_thread(backup.back_up, url, folder / "backups", now, lambda *_: None)
    print(f"{engine:<11}backup of {total} rows, checked: {time.monotonic() - begun:.1f} s")
    begun = time.monotonic()
    gone = await querylog.purge(now - dt.timedelta(days=_DAYS // 2))
    print(f"{engine:<11}purge of {gone} rows: {time.monotonic() - begun:.1f} s")
    await querylog.close()


def main() -> None:
    """Both engines."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--single", type=int, default=3_000)
    given = parser.parse_args()
    for engine in ("sqlite", "postgresql"):
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(measure(engine, given.rows, given.single, Path(folder)))


if __name__ == "__main__":
    main()
