"""What all tables are made with: the type of a moment, the type of a number, and the list that the tables are on."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect


def utc_text(moment: dt.datetime) -> str:
    """A moment as it is stored: ISO 8601 in UTC, always 27 characters. ValueError without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment needs its time zone")
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


class UtcText(sa.types.TypeDecorator[dt.datetime]):
    """A moment as ISO 8601 text in UTC, always 27 characters: sorts, and its first ten are the day, on any database."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Aware moment → text; ValueError for a naive one."""
        return None if value is None else utc_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002
        """Text → aware moment in UTC."""
        return None if value is None else dt.datetime.fromisoformat(value)


REAL: sa.types.TypeEngine[float] = sa.Double().with_variant(sa.REAL(), "sqlite")
metadata = sa.MetaData()
