"""The first tables: `query_log` and `setting`."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
    op.create_table(
        "query_log",
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
        sa.UniqueConstraint("channel", "message_id", name="uq_query_log_message"),
        sa.CheckConstraint("score BETWEEN 0 AND 1", name="ck_query_log_score"),
        sa.CheckConstraint("took_ms >= 0", name="ck_query_log_took_ms"),
        sa.CheckConstraint("verdict IN ('up', 'down')", name="ck_query_log_verdict"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_index("ix_query_log_asked_at", "query_log", ["asked_at"])
    op.create_index("ix_query_log_status", "query_log", ["status"])
    op.create_table(
        "setting",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("setting")
    op.drop_table("query_log")
