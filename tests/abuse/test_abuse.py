"""A small share of the abuse; `python -m tests.abuse` has all of it."""

from __future__ import annotations

from pathlib import Path

from tests.abuse.__main__ import run
from tests.abuse.watch import VICTIM, Watch
from tests.abuse.wire import SAMPLES


async def test_no_request_breaks_anything_or_learns_anything(tmp_path: Path) -> None:
    watch, slow = await run(600, 60, 1, tmp_path)
    assert watch.wrong == [], str(watch)
    assert len(watch.seen) >= 6
    assert watch.total > 500
    for kind in ("published API", "every route", "signed callbacks", "every route, logged in", "bare sockets"):
        assert len(watch.seen[kind]) > 1, kind
    assert watch.seen["bare sockets"].total() - watch.seen["bare sockets"][0] > len(SAMPLES) // 2
    assert watch.seen["every route, logged in"][200] > 0
    assert slow.answered > 5


def test_the_watch_sees_what_is_wrong() -> None:
    watch = Watch(("/srv/secret",))
    watch.note("a", "x", 200, "fine")
    watch.note("a", "x", 503, VICTIM, insider=True)
    assert watch.wrong == []
    watch.note("a", "x", 500, "")
    watch.note("a", "x", 200, "in /srv/secret/file")
    watch.note("a", "x", 404, VICTIM)
    assert len(watch.wrong) == 4
