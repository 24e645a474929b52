"""Messages seen, replies on their way, feedback and audit; the log itself loses its unique constraint to `seen`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def _query_log(*constraints: sa.schema.SchemaItem) -> sa.Table:
    real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
    return sa.Table(
        "query_log",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("asked_at", sa.Text, nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("user_key", sa.Text, nullable=False),
        sa.Column("message_id", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("entry", sa.Text),
        sa.Column("entries", sa.Text, nullable=False),
        sa.Column("score", real, nullable=False),
        sa.Column("runner_up", sa.Text),
        sa.Column("knowledge_version", sa.Text, nullable=False),
        sa.Column("took_ms", real, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("verdict_at", sa.Text),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name="ck_query_log_score"),
        sa.CheckConstraint("took_ms >= 0", name="ck_query_log_took_ms"),
        sa.CheckConstraint("verdict IN ('up', 'down')", name="ck_query_log_verdict"),
        sa.Index("ix_query_log_asked_at", "asked_at"),
        sa.Index("ix_query_log_status", "status"),
        *constraints,
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )


def upgrade() -> None:
    op.create_table(
        "seen",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("query_id", sa.Integer, nullable=False),
        sa.Index("ix_seen_query", "query_id"),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO seen SELECT channel, message_id, id FROM query_log WHERE message_id IS NOT NULL")
    unique = sa.UniqueConstraint("channel", "message_id", name="uq_query_log_message")
    with op.batch_alter_table("query_log", copy_from=_query_log(unique)) as batch:
        batch.drop_constraint("uq_query_log_message", type_="unique")
    op.create_table(
        "delivery",
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
        sa.Column("owned_until", sa.Text),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("done_at", sa.Text),
        sa.CheckConstraint("state IN ('waiting', 'done', 'failed')", name="ck_delivery_state"),
        sa.Index("ix_delivery_query", "query_id"),
        sa.Index("ix_delivery_state", "state", "channel"),
        sa.Index("ix_delivery_created", "created_at"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("query_id", sa.Integer, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.Column("reasons", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Index("ix_feedback_query", "query_id"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Index("ix_audit_at", "at"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )


def downgrade() -> None:
    for table in ("audit", "feedback", "delivery", "seen"):
        op.drop_table(table)
