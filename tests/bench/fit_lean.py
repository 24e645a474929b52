"""Fits the weights for banks of hardly more than one wording an entry, on the development half of an FAQ set.

    python -m tests.bench.fit_lean DIR

DIR holds `faq.jsonl` and `queries.jsonl` as `tests.bench.peers` reads them. Prints `LEAN_WEIGHTS` of
`bot/match/features.py`, then `LEAN` of `bot/match/calibrate.py`, fitted to the ranking by those weights. Top-1 is
told for a fifth of the entries, with weights from the others. The test half takes no part.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bot.match.evidence import lean_evidence
from bot.match.matcher import Candidate
from bot.understand.query import understand
from tests.bench.fit_weights import Row, fit, top1
from tests.bench.peers import Question, imported

KINDS = {"in": 1.0, "near": 3.0, "far": 0.3}
"""How much a question of each kind counts for the confidence; there are few near ones, and many far ones."""
PULL = 3e-3

Asked = list[tuple[Question, list[Candidate]]]


def rows_of(asked: Asked, names: dict[str, str]) -> list[Row]:
    """Features of the entries found for every question whose right entry is among them."""
    rows: list[Row] = []
    for question, ranked in asked:
        entries = [item for item in ranked if not item.decoy]
        ids = [names[item.id] for item in entries]
        if question.id is not None and question.id in ids:
            rows.append((np.array([item.features for item in entries]), ids.index(question.id), question.id))
    return rows


def blended(ranked: Sequence[Candidate], weights: NDArray[np.float64]) -> list[Candidate]:
    """Candidates ranked by other weights."""
    again = [item._replace(blend=float(np.dot(weights, item.features))) for item in ranked]
    return sorted(again, key=lambda item: -item.blend)


def confidence(asked: Asked, names: dict[str, str]) -> NDArray[np.float64]:
    """Logistic weights that tell right first entries from wrong ones, with a pull towards zero of all but the bias."""
    rows, right, counts = [], [], []
    for question, ranked in asked:
        entries = [item for item in ranked if not item.decoy]
        if entries and question.kind in KINDS:
            rows.append(lean_evidence(ranked))
            right.append(float(names[entries[0].id] == question.id))
            counts.append(KINDS[question.kind])
    table, truth, count = np.array(rows), np.array(right), np.array(counts)
    spread = np.append(table[:, :-1].std(axis=0), 0.0)  # the pull is the same for every scale; the bias is free

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = table @ weights
        value = count @ (np.logaddexp(0.0, z) - truth * z) / count.sum() + PULL * ((spread * weights) ** 2).sum()
        slope = table.T @ (count * (1 / (1 + np.exp(-z)) - truth)) / count.sum()
        return float(value), slope + 2 * PULL * spread**2 * weights

    return np.asarray(minimize(loss, np.zeros(table.shape[1]), jac=True, method="L-BFGS-B").x)


def main() -> None:
    """Fit, cross-check and print."""
    data = imported(Path(sys.argv[1]))
    desk = data.desk
    asked = [(question, desk.match(understand(question.text, desk.lexicon))) for question in data.dev]
    rows = rows_of(asked, data.ours)
    held = set(sorted({row[2] for row in rows})[::5])
    rest = [row for row in rows if row[2] in held]
    checked = fit([row for row in rows if row[2] not in held])
    print(f"held-out entries: before {top1(rest, desk.matcher.weights):.4f}, after {top1(rest, checked):.4f}")
    weights = fit(rows)
    print("LEAN_WEIGHTS =", tuple(round(float(weight), 2) for weight in weights))
    again = [(question, blended(ranked, weights)) for question, ranked in asked]
    print("LEAN =", tuple(round(float(weight), 2) for weight in confidence(again, data.ours)))


if __name__ == "__main__":
    main()
