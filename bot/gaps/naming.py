"""Texts → gaps: what was seen before keeps its gap, the rest is grouped with what there is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from bot.gaps.group import group
from bot.gaps.wording import name_of, read
from bot.querylog.tables import gap_member, query_log

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy.ext.asyncio import AsyncConnection

    from bot.desk import Desk

SPOKESMEN = 8
"""Wordings that speak for a gap when new ones are compared with it, the most frequent ones."""
_SPEAKING = 40_000
"""Wordings that are compared with new ones at most: those of the gaps with the most questions."""
_TOGETHER = 20_000
"""New wordings that are grouped at once: more would need much memory."""
_NAMES = 500


@dataclass(frozen=True, slots=True)
class Spokesman:
    """A wording of a gap."""

    gap: int
    text: str


def names(texts: Iterable[str]) -> dict[str, str]:
    """Text → the name that it shares with equal ones; texts without a word in them are left out."""
    found = {text: name_of(text) for text in set(texts)}
    return {text: hashlib.sha256(name.encode()).hexdigest()[:16] for text, name in found.items() if len(name) > 1}


async def known(connection: AsyncConnection, wanted: Sequence[str]) -> dict[str, int]:
    """Name → gap, of the names that are in one; the lowest when an earlier race made two."""
    found: dict[str, int] = {}
    for at in range(0, len(wanted), _NAMES):
        chosen = gap_member.c.name.in_(wanted[at : at + _NAMES])
        lowest = sa.select(gap_member.c.name, sa.func.min(gap_member.c.gap_id)).where(chosen)
        rows = (await connection.execute(lowest.group_by(gap_member.c.name))).all()
        found |= {row[0]: row[1] for row in rows}
    return found


async def spokesmen(connection: AsyncConnection) -> list[Spokesman]:
    """The most frequent wordings of every gap, the greatest gaps first."""
    member = gap_member.c
    often = sa.select(
        member.gap_id,
        sa.func.min(member.query_id).label("query_id"),
        sa.func.count().label("count"),
    ).group_by(member.gap_id, member.name)
    counted = often.subquery()
    whole = sa.func.sum(counted.c.count).over(partition_by=counted.c.gap_id).label("whole")
    order = (counted.c.count.desc(), counted.c.query_id)
    rank = sa.func.row_number().over(partition_by=counted.c.gap_id, order_by=order).label("rank")
    ranked = sa.select(counted.c.gap_id, counted.c.query_id, whole, rank).subquery()
    wanted = (
        sa.select(ranked.c.gap_id, query_log.c.text)
        .join(query_log, query_log.c.id == ranked.c.query_id)
        .where(ranked.c.rank <= SPOKESMEN)
        .order_by(ranked.c.whole.desc(), ranked.c.gap_id, ranked.c.rank)
        .limit(_SPEAKING)
    )
    return [Spokesman(gap, text) for gap, text in await connection.execute(wanted)]


def place(new: Sequence[str], old: Sequence[Spokesman], desk: Desk) -> list[int]:
    """The gap of each new text: an id of `old`, or a negative number that stands for a gap yet to be made."""
    placed: list[int] = []
    speaking = list(old)
    fresh = 0
    for at in range(0, len(new), _TOGETHER):
        part = new[at : at + _TOGETHER]
        wordings = [read(text, desk.lexicon) for text in (*(item.text for item in speaking), *part)]
        groups = group(wordings, [*(item.gap for item in speaking), *[None] * len(part)], desk.matcher.index)
        gap_of = {number: item.gap for number, item in zip(groups, speaking, strict=False)}
        for text, number in zip(part, groups[len(speaking) :], strict=True):
            if number not in gap_of:
                fresh -= 1
                gap_of[number] = fresh
            placed.append(gap_of[number])
            speaking.append(Spokesman(gap_of[number], text))
        speaking = _few(speaking)
    return placed


def _few(speaking: Sequence[Spokesman]) -> list[Spokesman]:
    count: dict[int, int] = {}
    kept: list[Spokesman] = []
    for item in speaking:
        count[item.gap] = count.get(item.gap, 0) + 1
        if count[item.gap] <= SPOKESMEN:
            kept.append(item)
    return kept[:_SPEAKING]
