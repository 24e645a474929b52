"""The tables of the dashboard: counts by day, and who is let in."""

from __future__ import annotations

import sqlalchemy as sa

from bot.querylog.columns import REAL, UtcText, metadata

daily = sa.Table(
    "daily",
    metadata,
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, primary_key=True),
    sa.Column("entry", sa.Text, primary_key=True),
    sa.Column("questions", sa.Integer, nullable=False),
    sa.Column("up", sa.Integer, nullable=False),
    sa.Column("down", sa.Integer, nullable=False),
    sqlite_strict=True,
)
"""Questions and verdicts of one day of the city (`YYYY-MM-DD`); no entry is an empty one. Outlives the purge."""

daily_channel = sa.Table(
    "daily_channel",
    metadata,
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("people", sa.Integer, nullable=False),
    sa.Column("p50_ms", REAL, nullable=False),
    sa.Column("p95_ms", REAL, nullable=False),
    sqlite_strict=True,
)
"""People and milliseconds of one day; the empty channel is all of them together. Outlives the purge."""

login_link = sa.Table(
    "login_link",
    metadata,
    sa.Column("token", sa.Text, primary_key=True),
    sa.Column("expires_at", UtcText, nullable=False),
    sqlite_strict=True,
)
"""Links into the dashboard that nobody used yet, by the hash of their token."""

admin_session = sa.Table(
    "admin_session",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("started_at", UtcText, nullable=False),
    sa.Column("expires_at", UtcText, nullable=False),
    sqlite_strict=True,
)
"""Who is logged in to the dashboard, by the hash of what the cookie holds."""
