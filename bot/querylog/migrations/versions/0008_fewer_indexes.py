"""SQLite keeps no index whose entries come in another order than the rows: each cost as much as the row itself."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_COLUMNS = {
    "ix_query_log_status": ["status"],
    "ix_query_log_entry": ["entry", "id"],
    "ix_query_log_user_key": ["user_key", "id"],
}


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in _COLUMNS:
            op.drop_index(name, "query_log")


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name, columns in _COLUMNS.items():
            op.create_index(name, "query_log", columns)
