"""Fits the weights of `bot/match/features.py` on the shipped knowledge alone.

    python tests/bench/fit_weights.py [KNOWLEDGE_DIR]

Questions are phrasings held out one template at a time, and the entries' own `tests`, which the index never
holds. The loss is the softmax over the candidates of each question; Adam, with a pull towards the old weights.
Prints top-1 on both kinds before and after, for all and for a held-out fifth of the entries.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.desk import Desk
from bot.knowledge.book import load_or_raise
from bot.knowledge.place import default_folder
from bot.match.calibrate import samples
from bot.match.features import NAMES, WEIGHTS
from bot.match.matcher import Asked, Candidate
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
        asked = Asked(query.text, query.core, query.syllables, own_regions=frozenset(query.regions))
        add(desk.matcher.rank(asked, held_out), desk.matcher.index.ids[held_out.place], "ask")
    return found


def top1(rows: list[Row], weights: NDArray[np.float64]) -> float:
    """Share of questions whose right candidate has the highest blend."""
    return float(np.mean([int(np.argmax(features @ weights)) == right for features, right, _ in rows]))


def fit(rows: list[Row], start: NDArray[np.float64], steps: int = 250, rate: float = 0.05) -> NDArray[np.float64]:
    """Softmax regression by Adam."""
    weights, mean, spread = start.copy(), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, steps + 1):
        gradient = 1e-3 * (weights - start)
        for features, right, _ in rows:
            z = features @ weights
            chance = np.exp(z - z.max())
            chance /= chance.sum()
            chance[right] -= 1
            gradient = gradient + features.T @ chance / len(rows)
        mean = 0.9 * mean + 0.1 * gradient
        spread = 0.999 * spread + 0.001 * gradient**2
        weights -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(spread / (1 - 0.999**step)) + 1e-8)
    return weights


def main() -> None:
    """Fit, cross-check and print."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else default_folder()
    rows = rows_of(Desk(load_or_raise(folder)))
    start = np.array(WEIGHTS)
    every = [row for row, _ in rows]
    entries = sorted({row[2] for row in every})
    held = set(entries[::5])
    checked = fit([row for row in every if row[2] not in held], start)
    rest = [row for row in every if row[2] in held]
    print(f"held-out entries: before {top1(rest, start):.4f}, after {top1(rest, checked):.4f} ({len(rest)} questions)")
    final = fit(every, start)
    for kind in ("tests", "ask"):
        chosen = [row for row, name in rows if name == kind]
        print(f"{kind}: before {top1(chosen, start):.4f}, after {top1(chosen, final):.4f} ({len(chosen)} questions)")
    for name, weight in zip(NAMES, final, strict=True):
        print(f"  {name:8s} {weight:6.2f}")


if __name__ == "__main__":
    main()
