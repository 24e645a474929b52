"""What several replicas share; on PostgreSQL the log is cut into months."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_INTO_MONTHS = (
    'ALTER TABLE query_log ALTER COLUMN asked_at TYPE TEXT COLLATE "C"',
    "ALTER TABLE query_log RENAME TO query_log_flat",
    "ALTER TABLE query_log_flat DROP CONSTRAINT query_log_pkey",
    "CREATE TABLE query_log (LIKE query_log_flat INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
    " PARTITION BY RANGE (asked_at)",
    "ALTER SEQUENCE query_log_id_seq OWNED BY query_log.id",
    "ALTER TABLE query_log ADD PRIMARY KEY (id, asked_at)",
    "CREATE TABLE query_log_rest PARTITION OF query_log DEFAULT",
    "INSERT INTO query_log SELECT * FROM query_log_flat",
)


def upgrade() -> None:
    real: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
    op.create_table(
        "conversation",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("turns", sa.Text, nullable=False),
        sa.Column("heard_at", sa.Text, nullable=False),
        sa.Index("ix_conversation_heard", "heard_at"),
        sqlite_strict=True,
    )
    op.create_table(
        "bucket",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("tokens", real, nullable=False),
        sa.Column("at", real, nullable=False),
        sa.Column("said", real, nullable=False),
        sa.Index("ix_bucket_at", "at"),
        sqlite_strict=True,
    )
    if op.get_bind().dialect.name == "postgresql":
        _into_months()


def _into_months() -> None:
    """Every index of the flat table comes again; rows of earlier months stay in the partition for the rest."""
    connection = op.get_bind()
    found = sa.text(
        "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'query_log' AND indexname <> 'query_log_pkey'"
    )
    indexes = connection.execute(found).all()
    for name, _ in indexes:
        op.execute(f"DROP INDEX {name}")
    for statement in _INTO_MONTHS:
        op.execute(statement)
    for _, definition in indexes:
        op.execute(definition)
    op.execute("DROP TABLE query_log_flat")


def downgrade() -> None:
    op.drop_table("bucket")
    op.drop_table("conversation")
