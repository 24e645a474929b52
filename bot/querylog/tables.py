"""What is stored: the tables."""

from __future__ import annotations

import sqlalchemy as sa

from bot.querylog.columns import REAL, UtcText
from bot.querylog.columns import metadata as metadata
from bot.querylog.panel_tables import admin_session as admin_session
from bot.querylog.panel_tables import daily as daily
from bot.querylog.panel_tables import daily_channel as daily_channel
from bot.querylog.panel_tables import login_link as login_link

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
    sa.Index("ix_query_log_status", "status").ddl_if(dialect="postgresql"),
    sa.Index("ix_query_log_entry", "entry", "id").ddl_if(dialect="postgresql"),
    sa.Index("ix_query_log_user_key", "user_key", "id").ddl_if(dialect="postgresql"),
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
"""One question a row. `entries` is a JSON list of ids, `entry` its first; ids are never used again after a purge.

Of the indexes SQLite keeps the one that grows at its end, and that of the few verdicts: each of the others costs a
question as much as its row, and pays only where the log is much larger than one machine's.
"""

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

person = sa.Table(
    "person",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("home", sa.Text, nullable=False),
    sqlite_strict=True,
)
"""What a user has chosen to have remembered, under a key that does not change with the month."""

subscription = sa.Table(
    "subscription",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("created_at", UtcText, nullable=False),
    sa.CheckConstraint("kind IN ('entry', 'question')", name="ck_subscription_kind"),
    sa.UniqueConstraint("person", "kind", "subject", name="uq_subscription"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
"""What a user wants to hear of: an entry (its id, and a digest of what it said) or a question (redacted)."""

setting = sa.Table(
    "setting",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, nullable=False),
    sqlite_strict=True,
)
"""Small values, such as the keys of the months that users are hashed with."""


gap = sa.Table(
    "gap",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("proposal", sa.Text, nullable=False),
    sa.Column("target", sa.Text),
    sa.Column("nearest", sa.Text, nullable=False),
    sa.Column("checked", sa.Text, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("faults", sa.Integer, nullable=False),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("first_at", UtcText),
    sa.Column("last_at", UtcText),
    sa.Column("weeks", sa.Text, nullable=False),
    sa.Column("channels", sa.Text, nullable=False),
    sa.Column("treated_at", UtcText),
    sa.Column("treated_count", sa.Integer, nullable=False),
    sa.CheckConstraint("state IN ('open', 'drafted', 'done', 'outside')", name="ck_gap_state"),
    sa.Index("ix_gap_state", "state", "people"),
    sqlite_autoincrement=True,
    sqlite_strict=True,
)
"""Questions that fail for one reason, counted at the last refresh. It holds none of their words: these go with the log.

`nearest`, `weeks` and `channels` are JSON; `checked` is the knowledge that it was last asked of; `faults` leaves near
ties out of the `count`; `treated_count` is the count when its state was last set.
"""

gap_member = sa.Table(
    "gap_member",
    metadata,
    sa.Column("query_id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("gap_id", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Index("ix_gap_member_gap", "gap_id"),
    sa.Index("ix_gap_member_name", "name"),
    sqlite_strict=True,
)
"""Which row of the log belongs to which gap, and why. Equal texts have equal names."""
