"""How well failed questions are grouped, beside TF-IDF with DBSCAN and HDBSCAN in the same run, and how fast.

    python -m tests.bench.grouping --faq DIR [--fit]
    python -m tests.bench.grouping --size 50000

`--faq`: a folder of `faq.jsonl` (id, question) and `queries.jsonl` (text, id or null, kind, split). The questions of a
group are an entry's own and what other people wrote for it. Settings: *at work*, a bot that knows the other half of the
entries, groups in both steps, as `reformbot gaps` does; *cold*, the shipped knowledge, which has no word of the field,
so that the second step takes every medicine for one unknown thing, whatever is asked of it. Settings of every method
are chosen on the development half. `--fit` fits the
weights of `bot/gaps/likeness.py` on the development half alone.

`--size`: so many different made questions, grouped at once, then a hundred more that join; CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.cluster import DBSCAN, HDBSCAN
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics import pairwise_distances

from bot.desk import Desk
from bot.exchange import plan, read
from bot.gaps.group import group
from bot.gaps.likeness import WEIGHTS, Likeness
from bot.gaps.wording import read as read_wording
from bot.knowledge.book import load_or_raise, parse
from bot.knowledge.place import default_folder

Set = tuple[list[str], list[str]]
"""Texts, and the group of each."""
DISTANCES = (0.3, 0.35, 0.4, 0.45, 0.5, 0.55)
NGRAMS = ((1, 2), (1, 3), (2, 3))
FRAMES = (
    "{}{}怎么办理",
    "{}{}要多少钱",
    "请问{}{}在哪里办",
    "我想问一下{}的{}需要什么材料",
    "{}{}归哪个部门管",
    "听说{}有{}，怎么申请",
    "{}的{}啥时候开始",
    "{}{}要排队伐",
    "家里老人想办{}{}行不行",
    "{}{}电话多少",
    "为什么{}没有{}",
    "外地人能申请{}{}吗",
    "{}在{}能用吗",
    "有没有{}{}的补贴",
    "{}{}审批要几天",
    "网上能不能弄{}{}",
)


def read_set(folder: Path, split: str) -> tuple[Set, dict[str, str]]:
    """The questions of one half with their groups, and the entries' own questions."""
    faq = {row["id"]: row["question"] for row in map(json.loads, (folder / "faq.jsonl").open(encoding="utf-8"))}
    rows = map(json.loads, (folder / "queries.jsonl").open(encoding="utf-8"))
    asked = [(row["text"], row["id"]) for row in rows if row["id"] and row["split"] == split]
    own = {identifier: faq[identifier] for _, identifier in asked}
    pairs = [*asked, *((question, identifier) for identifier, question in own.items())]
    return ([text for text, _ in pairs], [identifier for _, identifier in pairs]), own


def knowing(questions: dict[str, str]) -> Desk:
    """A bot whose knowledge is these questions, imported as `reformbot import` would."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "faq.jsonl"
        rows = ({"id": key, "question": text, "answer": "见资料。"} for key, text in questions.items())
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        files = plan.make(read.read(file), Path(folder) / "knowledge", default_folder()).files
    book = parse(files).book
    assert book is not None
    return Desk(book)


def score(found: Sequence[int], truth: Sequence[str]) -> tuple[float, float, float]:
    """Pairwise F1, precision, recall."""
    left, right = np.triu_indices(len(truth), 1)
    groups, names = np.asarray(found), np.unique(truth, return_inverse=True)[1]
    same, true = groups[left] == groups[right], names[left] == names[right]
    hits = int((same & true).sum())
    precision, recall = hits / max(int(same.sum()), 1), hits / int(true.sum())
    return 2 * precision * recall / max(precision + recall, 1e-9), precision, recall


def ours(desk: Desk, subjects: bool) -> Callable[[Sequence[str]], list[int]]:
    """What `reformbot gaps` does."""

    def run(texts: Sequence[str]) -> list[int]:
        wordings = [read_wording(text, desk.lexicon) for text in texts]
        return group(wordings, [None] * len(wordings), desk.matcher.index, subjects)

    return run


def alone(labels: Iterable[int]) -> list[int]:
    """Noise (-1) is a group of one each."""
    return [int(label) if label >= 0 else -1 - at for at, label in enumerate(labels)]


def baselines() -> dict[str, list[Callable[[Sequence[str]], list[int]]]]:
    """Name → the same method in several settings."""

    def distances(texts: Sequence[str], grams: tuple[int, int]) -> NDArray[np.float64]:
        vectors = TfidfVectorizer(analyzer="char", ngram_range=grams, sublinear_tf=True).fit_transform(texts)
        return np.asarray(pairwise_distances(vectors, metric="cosine"), dtype=np.float64)

    def dbscan(grams: tuple[int, int], eps: float) -> Callable[[Sequence[str]], list[int]]:
        return lambda texts: alone(
            DBSCAN(eps=eps, min_samples=2, metric="precomputed").fit_predict(distances(texts, grams).clip(0))
        )

    def hdbscan(grams: tuple[int, int]) -> Callable[[Sequence[str]], list[int]]:
        return lambda texts: alone(
            HDBSCAN(min_cluster_size=2, metric="precomputed").fit_predict(distances(texts, grams))
        )

    return {
        "TF-IDF + DBSCAN": [dbscan(grams, eps) for grams in NGRAMS for eps in DISTANCES],
        "TF-IDF + HDBSCAN": [hdbscan(grams) for grams in NGRAMS],
    }


def measure(folder: Path) -> None:
    """Print F1, precision and recall of every method on the test half."""
    (dev, other_half), (test, _) = read_set(folder, "dev"), read_set(folder, "test")
    shipped = Desk(load_or_raise(default_folder()))
    methods = {
        "ours, at work": ours(knowing(other_half), subjects=True),
        "ours, cold, first step": ours(shipped, subjects=False),
        "ours, cold, both steps": ours(shipped, subjects=True),
    }
    for name, tried in baselines().items():
        methods[name] = max(tried, key=lambda method: score(method(dev[0]), dev[1])[0])
    print(f"{len(test[0])} questions, {len(set(test[1]))} groups\nmethod\tF1\tprecision\trecall")
    for name, method in methods.items():
        print(name, *(f"{value:.3f}" for value in score(method(test[0]), test[1])), sep="\t")


def fit(folder: Path) -> None:
    """Print weights fitted on the development half: cold, and with one half of it known to the bot."""
    (texts, groups), own = read_set(folder, "dev")
    ids = sorted(own)
    rows, same = [], []
    settings = [(Desk(load_or_raise(default_folder())), set(ids))]
    for part in (0, 1):
        known = {identifier: own[identifier] for identifier in ids[part::2]}
        settings.append((knowing(known), set(ids) - known.keys()))
    for desk, wanted in settings:
        asked = [(text, name) for text, name in zip(texts, groups, strict=True) if name in wanted]
        wordings = [read_wording(text, desk.lexicon) for text, _ in asked]
        likeness = Likeness(wordings, desk.matcher.index)
        left, right = likeness.candidates()
        places, evidence = likeness.evidence(left, right)
        rows.append(np.stack([*evidence, np.ones(len(places))], axis=1))
        names = np.array([name for _, name in asked])
        same.append(names[left[places]] == names[right[places]])
    table, truth = np.concatenate(rows), np.concatenate(same).astype(float)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        z, ridge = table @ weights, np.append(weights[:-1], 0)
        slope = table.T @ (1 / (1 + np.exp(-z)) - truth)
        return float(np.sum(np.logaddexp(0, z) - truth * z) + ridge @ ridge / 2), slope + ridge

    found = minimize(loss, np.array(WEIGHTS), jac=True, method="L-BFGS-B").x
    print("WEIGHTS =", tuple(round(float(weight), 2) for weight in found))


def speed(size: int) -> None:
    """Print CPU seconds and peak memory for made questions."""
    desk = Desk(load_or_raise(default_folder()))
    chance = random.Random(1)
    told = "".join(entry.summary for entry in desk.book.entries.values())
    chars = sorted({char for char in told if "\u4e00" <= char <= "\u9fff"})

    def word() -> str:
        return "".join(chance.choices(chars, k=2))

    topics = [(word(), word()) for _ in range(size // len(FRAMES) + 10)]
    texts = list(dict.fromkeys(frame.format(*topic) for topic in topics for frame in FRAMES))
    chance.shuffle(texts)
    texts, more = texts[:size], texts[size : size + 100]
    start = time.process_time()
    wordings = [read_wording(text, desk.lexicon) for text in texts]
    read_at = time.process_time()
    groups = group(wordings, [None] * len(wordings), desk.matcher.index)
    done = time.process_time()
    few = {number: text for text, number in zip(texts, groups, strict=True)}
    joined = [read_wording(text, desk.lexicon) for text in (*few.values(), *more)]
    group(joined, [*few, *[None] * len(more)], desk.matcher.index)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    spelling, grouping = read_at - start, done - read_at
    print(f"{len(texts)} questions: {spelling:.1f} s spelling + {grouping:.1f} s grouping, peak {peak:.0f} MB")
    print(f"{len(more)} more among {len(few)} groups: {time.process_time() - done:.2f} s")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faq", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--size", type=int)
    options = parser.parse_args()
    if options.faq:
        (fit if options.fit else measure)(options.faq)
    if options.size:
        speed(options.size)
