"""A gap's questions, asked of today's knowledge: are they answered now, what comes near, what would help."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answer import answer
from bot.decide import NEAR_SHARE, SURE_AT
from bot.gaps.collect import CHOICES, NONE, TIE
from bot.gaps.model import Nearest
from bot.model import Status
from bot.understand.query import understand

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from bot.desk import Desk
    from bot.model import Hit, Query, Reply

ASKED = 40
"""Wordings of a gap that are asked again at most, the most frequent ones."""
ANSWERED_SHARE = 0.8
"""Of a gap's questions: so many answered, and it is closed."""
_SHOWN = 3
_TOLD = 0.6
"""Share of a question's weight that an entry must tell before the fault is the matching's."""


@dataclass(frozen=True, slots=True)
class Case:
    """One wording of a gap: how often it was asked, why it is there, and which entry it got then."""

    text: str
    count: int
    reason: str
    entry: str | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """What today's knowledge makes of a gap; `answered` is a share in [0, 1]."""

    answered: float
    kind: str
    proposal: str
    target: str | None
    nearest: tuple[Nearest, ...]


@dataclass(slots=True)
class _Tally:
    total: int = 0
    answered: int = 0
    near: int = 0
    outside: int = 0
    abroad: int = 0


def assess(cases: Sequence[Case], desk: Desk, today: dt.date) -> Assessment:
    """Ask the wordings again and judge the gap by what most of the questions get."""
    tally = _Tally()
    targets: Counter[str] = Counter()
    nearest: dict[str, tuple[float, str]] = {}
    for case in cases:
        reply = answer(case.text, desk, (), today, explain=True)
        _count(case, reply, understand(case.text, desk.lexicon), desk, tally)
        for hit in reply.hits[:_SHOWN]:
            identifier = desk.public(hit.id)
            if hit.score > nearest.get(identifier, (-1.0, ""))[0]:
                nearest[identifier] = hit.score, _why(reply, hit.score, hit.why)
        if reply.hits:
            targets[desk.public(reply.hits[0].id)] += case.count
    best = sorted(nearest.items(), key=lambda item: (-item[1][0], item[0]))[:_SHOWN]
    matching = 2 * tally.near >= tally.total > 0
    proposal = _proposal(tally, matching)
    return Assessment(
        answered=tally.answered / tally.total if tally.total else 0.0,
        kind="matching" if matching else "missing",
        proposal=proposal,
        target=max(targets, key=lambda item: (targets[item], item)) if targets and proposal == "wording" else None,
        nearest=tuple(Nearest(identifier, why) for identifier, (_, why) in best),
    )


def _count(case: Case, reply: Reply, query: Query, desk: Desk, tally: _Tally) -> None:
    tally.total += case.count
    given = reply.status in {Status.ANSWER, Status.LIST}
    better = reply.ids[:1] != (case.entry,) or (case.reason == TIE and reply.score >= SURE_AT)
    if given and (case.reason in {NONE, CHOICES} or better):
        tally.answered += case.count
    first = reply.hits[0] if reply.hits else None
    abroad = first is not None and bool(query.regions) and not _fits(first.id, query, desk)
    if query.outside or query.elsewhere:
        tally.outside += case.count
    elif abroad:
        tally.abroad += case.count
    elif given or reply.status is Status.CHOICES or (first and _is_near(first, query, desk)):
        tally.near += case.count


def _is_near(hit: Hit, query: Query, desk: Desk) -> bool:
    """Whether an entry that was not sure enough at least tells of what is asked about."""
    if hit.score < NEAR_SHARE * desk.calibration.answer_at:
        return False
    return desk.share_told(hit.id, desk.weigh(query.core)) >= _TOLD


def _fits(identifier: str, query: Query, desk: Desk) -> bool:
    return desk.region_of(identifier) in desk.allowed_regions(query.regions)


def _proposal(tally: _Tally, matching: bool) -> str:
    if 2 * tally.outside > tally.total:
        return "outside"
    if 2 * tally.abroad > tally.total:
        return "region"
    return "wording" if matching else "entry"


def _why(reply: Reply, score: float, evidence: tuple[str, ...]) -> str:
    return f"把握 {score:.2f}，{reply.reason or '没给'}" + (f"（{'；'.join(evidence)}）" if evidence else "")
