"""What a maintainer sees of a gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt

    from bot.querylog.rows import Logged

STATES = {"open": "待处理", "drafted": "已起草", "done": "已解决", "outside": "不归这里"}
KINDS = {"missing": "缺知识", "matching": "没对上"}
PROPOSALS = {"wording": "补问法", "entry": "写新条目", "outside": "记为资料以外", "region": "这个地区没有"}


@dataclass(frozen=True, slots=True)
class Nearest:
    """An entry that came near, and why it was not given."""

    id: str
    why: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that failed and ask the same, as of the last refresh.

    `people` counts each person once a month; `trend` is the number of questions of each of the last eight weeks,
    oldest first; `wordings` are the most frequent ones; `reasons` and `channels` count questions. `kind` is a key of
    `KINDS`, `proposal` of `PROPOSALS`, `state` of `STATES`; `target` is the entry that wants more wordings.
    """

    id: int
    title: str
    count: int
    people: int
    first_at: dt.datetime | None
    last_at: dt.datetime | None
    trend: tuple[int, ...]
    channels: dict[str, int]
    wordings: tuple[tuple[str, int], ...]
    nearest: tuple[Nearest, ...]
    kind: str
    proposal: str
    state: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """One question of a gap; `reason` is a key of `collect.REASONS`."""

    logged: Logged
    reason: str


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What a refresh changed: questions taken in; gaps that are new, were closed, were opened again."""

    questions: int = 0
    new: tuple[int, ...] = ()
    closed: tuple[int, ...] = ()
    reopened: tuple[int, ...] = ()
