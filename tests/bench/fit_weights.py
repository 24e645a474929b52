"""Fits the weights of `bot/match/features.py` on the shipped knowledge alone.

    python tests/bench/fit_weights.py [KNOWLEDGE_DIR]

Questions are phrasings held out one template at a time, and the entries' own `tests`, which the index never
holds. The loss is the softmax over the candidates of each question.
Prints top-1 on both kinds before and after, for all and for a held-out fifth of the entries.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from bot.desk import Desk
from bot.knowledge.book import load_or_raise
from bot.knowledge.place import default_folder
from bot.match.calibrate import samples
from bot.match.features import NAMES, WEIGHTS
from bot.match.matcher import Candidate
from bot.understand.query import understand

Row = tuple[NDArray[np.float64], int, str]
"""Features of the candidates, index of the right one, its id."""


def rows_of(desk: Desk) -> list[tuple[Row, str]]:
    """Every question whose right entry is among its candidates, with its kind."""
    found: list[tuple[Row, str]] = []

    def add(ranked: list[Candidate], right: str, kind: str) -> None:
        ids = [item.id for item in ranked]
        if right in ids:
            features = np.array([item.features for item in ranked])
            found.append(((features, ids.index(right), right), kind))

    for entry in desk.book.entries.values():
        for question in entry.tests:
            add(desk.match(understand(question, desk.lexicon)), entry.id, "tests")
    for asked, held_out in samples(desk.matcher, decoys=False, limit=3000):
        query = understand(asked.text, desk.lexicon)
        asked = replace(asked, own_regions=frozenset(query.regions))
        add(desk.matcher.rank(asked, held_out), desk.matcher.index.ids[held_out.place], "ask")
    return found


def top1(rows: list[Row], weights: NDArray[np.float64]) -> float:
    """Share of questions whose right candidate has the highest blend."""
    return float(np.mean([int(np.argmax(features @ weights)) == right for features, right, _ in rows]))


def fit(rows: list[Row], pull: float = 1e-3) -> NDArray[np.float64]:
    """Softmax regression over the candidates of each question, by L-BFGS, with a small pull towards zero."""
    most = max(len(features) for features, _, _ in rows)
    table = np.zeros((len(rows), most, len(NAMES)))
    absent = np.full((len(rows), most), -1e9)
    truth = np.zeros((len(rows), most))
    for at, (features, right, _) in enumerate(rows):
        table[at, : len(features)] = features
        absent[at, : len(features)] = 0.0
        truth[at, right] = 1.0

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z = table @ weights + absent
        z -= z.max(axis=1, keepdims=True)
        chance = np.exp(z)
        chance /= chance.sum(axis=1, keepdims=True)
        value = -np.log((chance * truth).sum(axis=1) + 1e-12).mean() + pull * weights @ weights
        return float(value), np.einsum("nkf,nk->f", table, chance - truth) / len(rows) + 2 * pull * weights

    return np.asarray(minimize(loss, np.zeros(len(NAMES)), jac=True, method="L-BFGS-B").x)


def main() -> None:
    """Fit, cross-check and print."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder()
    rows = rows_of(Desk(load_or_raise(folder)))
    start = np.array(WEIGHTS)
    every = [row for row, _ in rows]
    entries = sorted({row[2] for row in every})
    held = set(entries[::5])
    checked = fit([row for row in every if row[2] not in held])
    rest = [row for row in every if row[2] in held]
    print(f"held-out entries: before {top1(rest, start):.4f}, after {top1(rest, checked):.4f} ({len(rest)} questions)")
    final = fit(every)
    for kind in ("tests", "ask"):
        chosen = [row for row, name in rows if name == kind]
        print(f"{kind}: before {top1(chosen, start):.4f}, after {top1(chosen, final):.4f} ({len(chosen)} questions)")
    for name, weight in zip(NAMES, final, strict=True):
        print(f"  {name:8s} {weight:6.2f}")


if __name__ == "__main__":
    main()
