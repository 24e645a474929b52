"""Gaps as a table for a spreadsheet or a program. No cell is taken for a formula."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import openpyxl

from bot.exchange.cells import clean, defuse
from bot.gaps.model import KINDS, PROPOSALS, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.gaps.model import Gap

COLUMNS = (
    "编号",
    "问题",
    "人数",
    "次数",
    "最早",
    "最近",
    "近八周",
    "渠道",
    "问法",
    "最近的条目",
    "判断",
    "建议",
    "状态",
)
_CELL = 32_000
"""Characters of a cell; XLSX can hold 32,767."""


def as_csv(gaps: Sequence[Gap]) -> bytes:
    """With the mark by which spreadsheets know UTF-8."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(map(_cells, gaps))
    return text.getvalue().encode("utf-8-sig")


def as_xlsx(gaps: Sequence[Gap]) -> bytes:
    """One sheet."""
    book = openpyxl.Workbook(write_only=True)
    page = book.create_sheet("缺口")
    page.append(list(COLUMNS))
    for gap in gaps:
        page.append(_cells(gap))
    held = io.BytesIO()
    book.save(held)
    return held.getvalue()


def as_objects(gaps: Sequence[Gap]) -> list[dict[str, Any]]:
    """For JSON: moments as ISO 8601."""
    return [
        {**asdict(gap), **{key: getattr(gap, key).isoformat() for key in ("first_at", "last_at") if getattr(gap, key)}}
        for gap in gaps
    ]


def _cells(gap: Gap) -> list[str]:
    cells = (
        str(gap.id),
        gap.title,
        str(gap.people),
        str(gap.count),
        f"{gap.first_at:%Y-%m-%d}" if gap.first_at else "",
        f"{gap.last_at:%Y-%m-%d}" if gap.last_at else "",
        " ".join(map(str, gap.trend)),
        "；".join(f"{name} {count}" for name, count in gap.channels.items()),
        "\n".join(f"{text}（{count}）" for text, count in gap.wordings),
        "\n".join(f"{item.id}：{item.why}" for item in gap.nearest),
        KINDS[gap.kind],
        PROPOSALS[gap.proposal],
        STATES[gap.state],
    )
    return [defuse(clean(cell))[:_CELL] for cell in cells]
