"""Entries: which are asked for, which never, which disappoint, and which have grown old."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from starlette.routing import Route

from bot.check.freshness import due
from bot.dashboard import reports
from bot.dashboard.panel import Page
from bot.dashboard.reports import Tally

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from bot.dashboard.panel import Panel
    from bot.knowledge.book import Book

VIEWS = {"asked": "问得多的", "never": "没人问的", "down": "差评多的", "old": "该复核的"}
_DOWN_AT = 3
_DOWN_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Line:
    """One entry with its counts; `period` is that of its newest fact, empty when the knowledge tells none.

    `why` says why it is to be reviewed, since `days`; empty when it is not.
    """

    id: str
    name: str
    region: str
    theme: str
    period: str
    why: str
    days: int
    tally: Tally

    @property
    def urgency(self) -> int:
        """Old × often asked."""
        return self.days * self.tally.questions


async def show(panel: Panel, request: Request) -> Response:
    """`GET /entries`."""
    await panel.fresh()
    period = panel.period(request)
    found = await panel.program.querylog.read(partial(reports.by_entry, first=period.first, last=period.last))
    chosen = request.query_params.get("view", "")
    view = chosen if chosen in VIEWS else "asked"
    every = _lines(panel, found)
    sorted_out = {
        "asked": [line for line in every if line.tally.questions],
        "never": [line for line in every if not line.tally.questions],
        "down": sorted(filter(_disappoints, every), key=lambda line: -line.tally.wrong),
        "old": sorted((line for line in every if line.why), key=lambda line: (-line.urgency, -line.days)),
    }
    counts = {name: len(lines) for name, lines in sorted_out.items()}
    return await panel.page(
        request, "entries.html", period=period, view=view, views=VIEWS, counts=counts, lines=sorted_out[view]
    )


def _disappoints(line: Line) -> bool:
    share = line.tally.wrong_share
    return share is not None and line.tally.wrong >= _DOWN_AT and share >= _DOWN_SHARE


def _lines(panel: Panel, tallies: Mapping[str, Tally]) -> list[Line]:
    """Every entry of the knowledge and every one that was given, most asked first."""
    book = panel.program.desk.book
    alone = [faq.id for faq in book.faqs.values() if not faq.entry]
    ids = dict.fromkeys([*tallies, *book.entries, *alone])
    return [_line(panel, book, entry, tallies.get(entry, Tally())) for entry in ids]


def _line(panel: Panel, book: Book, identifier: str, tally: Tally) -> Line:
    name, entry, faq = panel.name(identifier), book.entries.get(identifier), book.faqs.get(identifier)
    if entry is not None:
        newest = max(entry.facts, key=lambda fact: fact.as_of)
        return Line(identifier, name, entry.region, entry.theme, newest.period, *due(entry, panel.today()), tally)
    if faq is not None:
        period = faq.period or ""
        return Line(identifier, name, faq.region or "", "问答", period, *due(faq, panel.today()), tally)
    return Line(identifier, name, "", "已不在知识里", "", "", 0, tally)


PAGE = Page("/entries", "条目", lambda panel: [Route("/entries", partial(show, panel), methods=["GET"])])
