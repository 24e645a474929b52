"""What the dashboard keeps: counts by day, logins, and the indexes that its pages read by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JUDGED = sa.text("verdict IS NOT NULL")


def upgrade() -> None:
    real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
    op.create_index("ix_query_log_entry", "query_log", ["entry", "id"])
    op.create_index("ix_query_log_user_key", "query_log", ["user_key", "id"])
    op.create_index(
        "ix_query_log_verdict", "query_log", ["verdict", "id"], sqlite_where=_JUDGED, postgresql_where=_JUDGED
    )
    op.create_table(
        "daily",
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("status", sa.Text, primary_key=True),
        sa.Column("entry", sa.Text, primary_key=True),
        sa.Column("questions", sa.Integer, nullable=False),
        sa.Column("up", sa.Integer, nullable=False),
        sa.Column("down", sa.Integer, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "daily_channel",
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("p50_ms", real, nullable=False),
        sa.Column("p95_ms", real, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "login_link",
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("expires_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )
    op.create_table(
        "admin_session",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for table in ("admin_session", "login_link", "daily_channel", "daily"):
        op.drop_table(table)
    for index in ("ix_query_log_verdict", "ix_query_log_user_key", "ix_query_log_entry"):
        op.drop_index(index, "query_log")
