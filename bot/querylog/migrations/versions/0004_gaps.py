"""Gaps and what became of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "gap",
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
        sa.Column("first_at", sa.Text),
        sa.Column("last_at", sa.Text),
        sa.Column("weeks", sa.Text, nullable=False),
        sa.Column("channels", sa.Text, nullable=False),
        sa.Column("treated_at", sa.Text),
        sa.Column("treated_count", sa.Integer, nullable=False),
        sa.CheckConstraint("state IN ('open', 'drafted', 'done', 'outside')", name="ck_gap_state"),
        sa.Index("ix_gap_state", "state", "people"),
        sqlite_autoincrement=True,
        sqlite_strict=True,
    )
    op.create_table(
        "gap_member",
        sa.Column("query_id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("gap_id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Index("ix_gap_member_gap", "gap_id"),
        sa.Index("ix_gap_member_name", "name"),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("gap_member")
    op.drop_table("gap")
