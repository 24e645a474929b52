"""One question of the log as Python sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt

    import sqlalchemy as sa


_as_json = json.JSONEncoder(ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class LogRow:
    """One question to be logged: `text` is redacted, `score` in [0, 1], `took_ms` in milliseconds."""

    asked_at: dt.datetime
    channel: str
    user_key: str
    message_id: str | None
    text: str
    status: str
    entries: tuple[str, ...] = ()
    score: float = 0.0
    runner_up: str | None = None
    knowledge_version: str = ""
    took_ms: float = 0.0
    reason: str = ""

    @property
    def entry(self) -> str | None:
        """The best id."""
        return self.entries[0] if self.entries else None

    def values(self) -> dict[str, Any]:
        """The row as values for an INSERT."""
        return {
            "asked_at": self.asked_at,
            "channel": self.channel,
            "user_key": self.user_key,
            "message_id": self.message_id or None,
            "text": self.text,
            "status": self.status,
            "entry": self.entry,
            "entries": _as_json(self.entries),
            "score": self.score,
            "runner_up": self.runner_up,
            "knowledge_version": self.knowledge_version,
            "took_ms": self.took_ms,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class Logged:
    """One question as it stands in the log."""

    id: int
    row: LogRow
    verdict: str | None = None
    verdict_at: dt.datetime | None = None

    @classmethod
    def of(cls, found: sa.Row[Any]) -> Logged:
        """From a row of `select(query_log)`."""
        row = LogRow(
            asked_at=found.asked_at,
            channel=found.channel,
            user_key=found.user_key,
            message_id=found.message_id,
            text=found.text,
            status=found.status,
            entries=tuple(json.loads(found.entries)),
            score=found.score,
            runner_up=found.runner_up,
            knowledge_version=found.knowledge_version,
            took_ms=found.took_ms,
            reason=found.reason,
        )
        return cls(found.id, row, found.verdict, found.verdict_at)
