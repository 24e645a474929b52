"""What is stored: the tables, and a row of the log as Python sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from bot.querylog.columns import REAL, UtcText
from bot.querylog.columns import metadata as metadata
from bot.querylog.panel_tables import admin_session as admin_session
from bot.querylog.panel_tables import daily as daily
from bot.querylog.panel_tables import daily_channel as daily_channel
from bot.querylog.panel_tables import login_link as login_link

if TYPE_CHECKING:
    import datetime as dt

query_log = sa.Table(
    "query_log",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("asked_at", UtcText, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("user_key", sa.Text, nullable=False),
    sa.Column("message_id", sa.Text),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("entry", sa.Text),
    sa.Column("entries", sa.Text, nullable=False),
    sa.Column("score", REAL, nullable=False),
    sa.Column("runner_up", sa.Text),
    sa.Column("knowledge_version", sa.Text, nullable=False),
    sa.Column("took_ms", REAL, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text),
    sa.Column("verdict_at", UtcText),
    sa.CheckConstraint("score BETWEEN 0 AND 1", name="ck_query_log_score"),
    sa.CheckConstraint("took_ms >= 0", name="ck_query_log_took_ms"),
    sa.CheckConstraint("verdict IN ('up', 'down')", name="ck_query_log_verdict"),
    sa.Index("ix_query_log_asked_at", "asked_at"),
    sa.Index("ix_query_log_status", "status"),
    sa.Index("ix_query_log_entry", "entry", "id"),
    sa.Index("ix_query_log_user_key", "user_key", "id"),
    sa.Index(
        "ix_query_log_verdict",
        "verdict",
        "id",
        sqlite_where=sa.text("verdict IS NOT NULL"),
        postgresql_where=sa.text("verdict IS NOT NULL"),
    ),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
"""One question a row. `entries` is a JSON list of ids, `entry` its first; ids are never used again after a purge."""

seen = sa.Table(
    "seen",
    metadata,
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("query_id", sa.Integer, nullable=False),
    sa.Index("ix_seen_query", "query_id"),
    sqlite_strict=True,
)
"""Which message of a platform became which row: several, when a question came in pieces."""

delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("query_id", sa.Integer),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False, unique=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("parts", sa.Text, nullable=False),
    sa.Column("receipts", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("owner", sa.Text),
    sa.Column("owned_until", UtcText),
    sa.Column("created_at", UtcText, nullable=False),
    sa.Column("done_at", UtcText),
    sa.CheckConstraint("state IN ('waiting', 'done', 'failed')", name="ck_delivery_state"),
    sa.Index("ix_delivery_query", "query_id"),
    sa.Index("ix_delivery_state", "state", "channel"),
    sa.Index("ix_delivery_created", "created_at"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
"""A reply on its way. `parts` and `receipts` are JSON lists; one that is done forgets its target, later its parts."""

feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("query_id", sa.Integer, nullable=False),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("verdict", sa.Text),
    sa.Column("reasons", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Index("ix_feedback_query", "query_id"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
"""Every verdict in the order it came; without one it is a withdrawal. `reasons` is a JSON list, `text` is redacted."""

conversation = sa.Table(
    "conversation",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("turns", sa.Text, nullable=False),
    sa.Column("heard_at", UtcText, nullable=False),
    sa.Index("ix_conversation_heard", "heard_at"),
    sqlite_strict=True,
)
"""The last turns of a user (by the key of the month), redacted, as JSON; only where several replicas share them."""

bucket = sa.Table(
    "bucket",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("tokens", REAL, nullable=False),
    sa.Column("at", REAL, nullable=False),
    sa.Column("said", REAL, nullable=False),
    sa.Index("ix_bucket_at", "at"),
    sqlite_strict=True,
)
"""Rate limits that several replicas share: seconds since 1970, under a hash of whom they are of."""

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("at", UtcText, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("detail", sa.Text, nullable=False),
    sa.Index("ix_audit_at", "at"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
"""What admins and maintainers did, to what, and why."""

setting = sa.Table(
    "setting",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_strict=True,
)
"""Small values, such as the keys of the months that users are hashed with."""


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
            "entries": json.dumps(self.entries, ensure_ascii=False),
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
