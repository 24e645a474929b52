"""Blend → confidence, fitted to each bank at load by leaving its own wordings out.

A held-out wording is a question that the bank should answer. A held-out wording of a topic outside the
material, or a wording whose whole entry is taken away, is one that it should not; where no topics outside are
listed, neither is a question about nothing. A logistic curve between them makes scores comparable between
questions and between banks, without labels and without settings.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import islice
from operator import mul
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from bot.match.build import DECOY
from bot.match.evidence import Evidence, evidence, lean_evidence
from bot.match.matcher import Asked, HeldOut
from bot.match.nonsense import nonsense
from bot.spread import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from bot.match.bank import Wording
    from bot.match.matcher import Candidate, Matcher

SAMPLES = 400
DECOYS = 2 * SAMPLES
"""Of topics outside: their few surest ones make the threshold."""
_CAP = 0.999
_LEAST = 20
_WORTH = 200
"""Questions from which it is worth forking."""
_FALSE_SHARE = 0.04
"""Of questions about topics outside, the share that may be answered all the same."""
_NEIGHBOUR_SHARE = 0.06
"""The same in a lean bank of questions whose entry was taken away."""
_AWAY_SHARE = 0.25
"""Without topics outside: share of taken-away questions that may be answered (by a neighbour, often rightly)."""
_LOWEST, _HIGHEST = 0.12, 0.6
_RIDGE = 1.0
_ROUNDS = 30
"""More than any bank has needed."""
_TAKEN_AWAY = 0.35
"""Weight of a question whose entry was taken away: its neighbours often answer it rightly all the same."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic weights over `evidence`, the last one the bias; and the confidence from which to answer.

    `answer_at` lets `_FALSE_SHARE` of the bank's held-out unknown questions through.
    """

    weights: tuple[float, ...]
    answer_at: float = 0.5
    evidence: Evidence = evidence

    def confidence(self, ranked: Sequence[Candidate]) -> float:
        """Probability, by the bank's own held-out wordings, that the first entry is right."""
        if not ranked or all(item.decoy for item in ranked):
            return 0.0
        z = sum(map(mul, self.weights, self.evidence(ranked)))
        return min(_CAP, 1 / (1 + math.exp(-min(max(z, -30.0), 30.0))))


PRIOR = Calibration((2.0, 1.5, 1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.0, -6.0))
"""For banks that are too small to fit."""

LEAN = (0.67, 4.17, 0.14, 1.29, 0.18, 2.97, 0.01, 1.87, 0.66, 0.9, 0.42, -0.07, -0.56, -7.87)
"""Weights over `lean_evidence()`, fitted by `tests/bench/fit_lean.py` on the development half of a public FAQ set."""


def samples(matcher: Matcher, decoys: bool, limit: int = SAMPLES) -> list[tuple[Asked, HeldOut]]:
    """Evenly spread wordings of the entries, or by lot of the topics outside, as questions.

    The lot is the wording's own, so that one topic more hardly moves the threshold. English names of topics are left
    out: what English the entries know must not move it for Chinese.
    """
    index = matcher.index
    rows = [
        (at, place)
        for place in range(len(index.ids))
        if matcher.bank.items[place].decoy is decoys
        for at in range(int(index.starts[place]), int(index.ends[place]))
        if index.wordings[at].kind == "ask" and not (decoys and index.wordings[at].text.isascii())
    ]
    if decoys:
        chosen = sorted(rows, key=lambda row: crc32(index.wordings[row[0]].text.encode()))[:limit]
    else:
        chosen = rows[:: max(1, len(rows) // limit)]
    return [(as_question(index.wordings[at]), HeldOut(place, index.wordings[at].group)) for at, place in chosen]


def as_question(wording: Wording) -> Asked:
    """A wording of the bank as if somebody asked it."""
    return Asked(wording.text.lower(), wording.core, wording.syllables)


def calibrate(matcher: Matcher, read: Callable[[str], Asked], workers: int = 1) -> Calibration:
    """Fit the curve to a bank; the prior when the bank has fewer than 20 phrasings. `read` understands a text.

    The questions are shared by several workers.
    """
    if matcher.bank.lean:
        return _calibrate_lean(matcher)
    known = samples(matcher, decoys=False)
    if len(known) < _LEAST:
        return PRIOR
    away = [(asked, HeldOut(held_out.place, None)) for asked, held_out in known]
    decoys = samples(matcher, decoys=True, limit=DECOYS)
    made_up = [] if _has_topics_outside(matcher) else _nonsense(matcher, read)
    part = min(1.0, SAMPLES / max(len(decoys), 1))
    kinds = ((known, 1.0), (away, _TAKEN_AWAY), (decoys, part), (made_up, _TAKEN_AWAY))
    judged = iter(spread(_judge, [question for kind, _ in kinds for question in kind], matcher, workers, _WORTH))
    parts = [_Part([found for found in islice(judged, len(kind)) if found], weight) for kind, weight in kinds]
    rows = np.concatenate([part.rows for part in parts])
    right = np.concatenate([part.right for part in parts])
    found = _fit(rows, right, np.concatenate([part.weights for part in parts]))
    outside = parts[3] if made_up else parts[2]
    unknown = outside.rows if len(outside.rows) > _LEAST else None
    return Calibration(found, _threshold(np.array(found), unknown, parts[1].rows))


_Question = tuple[Asked, "HeldOut | None"]


def _judge(question: _Question, matcher: Matcher) -> tuple[tuple[float, ...], float] | None:
    """Evidence for the first entry and whether it is right; None when no entry comes into question."""
    asked, removal = question
    ranked = matcher.rank(asked, removal)
    first = next((item for item in ranked if not item.decoy), None)
    if first is None:
        return None
    return evidence(ranked), float(removal is not None and first.place == removal.place)


class _Part:
    """Questions of one kind: evidence, whether the first entry is right, and how much each counts."""

    def __init__(self, judged: Sequence[tuple[tuple[float, ...], float]], weight: float) -> None:
        self.rows = np.array([row for row, _ in judged]).reshape(-1, len(PRIOR.weights))
        self.right = np.array([right for _, right in judged])
        self.weights = np.full(len(judged), weight)


def _has_topics_outside(matcher: Matcher) -> bool:
    return any(item.id.startswith(DECOY) for item in matcher.bank.items)


def _nonsense(matcher: Matcher, read: Callable[[str], Asked]) -> list[_Question]:
    """Questions that nothing answers, made up of the wordings of the entries."""
    items = (item for item in matcher.bank.items if not item.decoy)
    texts = (wording.text for item in items for wording in item.wordings if wording.kind == "ask")
    return [(read(text), None) for text in nonsense(texts, SAMPLES)]


def _calibrate_lean(matcher: Matcher) -> Calibration:
    """Fixed weights; a question whose entry was taken away stands for one that is near and unknown."""
    away = [matcher.rank(asked, HeldOut(held_out.place, None)) for asked, held_out in samples(matcher, decoys=False)]
    rows = [lean_evidence(ranked) for ranked in away if any(not item.decoy for item in ranked)]
    if len(rows) < _LEAST:
        return Calibration(LEAN, evidence=lean_evidence)
    z = np.array(rows) @ np.array(LEAN)
    chances = 1 / (1 + np.exp(-np.clip(z, -30, 30)))
    answer_at = float(np.clip(np.quantile(chances, 1 - _NEIGHBOUR_SHARE), _LOWEST, _CAP))
    return Calibration(LEAN, answer_at, lean_evidence)


def _threshold(weights: NDArray[np.float64], outside: NDArray[np.float64] | None, away: NDArray[np.float64]) -> float:
    unknown, share = (away, _AWAY_SHARE) if outside is None else (outside, _FALSE_SHARE)
    chances = 1 / (1 + np.exp(-np.clip(unknown @ weights, -30, 30)))
    return float(np.clip(np.quantile(chances, 1 - share), _LOWEST, _HIGHEST))


def _fit(rows: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]) -> tuple[float, ...]:
    """Weighted logistic regression by damped Newton steps, with a ridge towards the prior."""
    start = np.array(PRIOR.weights)
    ridge = np.full(len(start), _RIDGE)
    ridge[-1] = 1e-3

    def loss(at: NDArray[np.float64]) -> float:
        z = rows @ at
        return float(weights @ (np.logaddexp(0.0, z) - right * z) + 0.5 * ridge @ (at - start) ** 2)

    found, now = start.copy(), loss(start)
    for _ in range(_ROUNDS):
        chance = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        gradient = rows.T @ (weights * (chance - right)) + ridge * (found - start)
        curve = (rows * (weights * chance * (1 - chance))[:, None]).T @ rows + np.diag(ridge)
        step = np.linalg.solve(curve, gradient)
        size = 1.0
        while size > 1e-4 and loss(found - size * step) > now:
            size /= 2
        found = found - size * step
        before, now = now, loss(found)
        if before - now < 1e-6:
            break
    return tuple(float(weight) for weight in found)
