"""Query → ranked candidates with their evidence. One pass of numpy over the bank, then care for the first few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from rapidfuzz.fuzz import ratio

from bot.match import closeness
from bot.match.coverage import SHARE, SHORT_WORDING, Texts, cover, fit
from bot.match.features import INDEX, LEAN_WEIGHTS, NAMES, WEIGHTS
from bot.match.highest import highest
from bot.match.index import Index, spelling
from bot.match.memory import uncollected
from bot.match.postings import spans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.match.bank import Bank
    from bot.match.coverage import Coverage, Fit
    from bot.match.postings import Weighed

    Floats = NDArray[np.floating[Any]]
    Ints = NDArray[np.integer[Any]]

CANDIDATES = 12
DECOYS = 2
_BY_SOUND = 0.4
_TELLS = 0.2
"""Share of a question that an entry must tell before its district counts for it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the matcher needs of a query."""

    text: str
    core: str
    syllables: tuple[str, ...]
    latin: bool = False
    own_regions: frozenset[str] = frozenset()


class Candidate(NamedTuple):
    """One entry with its features (in the order of `features.NAMES`) and their blend.

    `held` is the weight of the question's tokens that the entry tells, not as a share.
    """

    place: int
    id: str
    blend: float
    features: tuple[float, ...]
    wording: int
    decoy: bool = False
    name: str = ""
    keywords: tuple[str, ...] = ()
    held: float = 0.0

    def feature(self, name: str) -> float:
        """One feature by name."""
        return self.features[INDEX[name]]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Leave-one-out: ignore one group of wordings of an entry, or the whole entry."""

    place: int
    group: int | None


class _Found(NamedTuple):
    """Contained names (the longest an entry), keywords an entry, and entries that a rule rules out."""

    names: dict[int, str]
    keywords: dict[int, list[str]]
    barred: set[int]


class Matcher:
    """Ranks the items of a bank for a query. Read only after construction."""

    @uncollected()
    def __init__(self, bank: Bank, weights: Sequence[float] | None = None) -> None:
        self.bank = bank
        self.lean = bank.lean
        self.index = Index(bank)
        self.weights = np.array(weights or (LEAN_WEIGHTS if self.lean else WEIGHTS))
        self.entries = sum(not item.decoy for item in bank.items)
        index = self.index
        self._masses: Floats = np.array([index.chars.masses, index.sounds.masses])
        self._likeness = {latin: self._counts_for(latin) for latin in (False, True)}
        several = np.flatnonzero(index.ends - index.starts > 1)
        bounds = np.union1d(index.starts[several], index.ends[several])
        bounds = bounds[bounds < len(index.wordings)]
        self._several: tuple[Ints, Ints, Ints] = several, bounds, bounds.searchsorted(index.starts[several])

    def _counts_for(self, latin: bool) -> tuple[Floats, Floats]:
        """What weighted Dice counts for, by characters and by sound, and for each wording that it is contained."""
        dice = np.array([[2.0], [2.0 if latin else 2 * _BY_SOUND]], dtype=np.float32)
        contained = np.float32(SHARE) / np.maximum(self._masses, np.float32(SHORT_WORDING))
        contained[1] *= latin
        return dice, contained

    def exact(self, *texts: str) -> tuple[str, ...]:
        """Ids that own one of the texts as a wording, letter for letter (spaces and marks aside)."""
        for text in dict.fromkeys(texts):
            found = self.bank.exact.get(spelling(text))
            if found:
                return found
        return ()

    def rank(self, asked: Asked, held_out: HeldOut | None = None) -> list[Candidate]:
        """The best candidates, best first; empty when nothing in the bank has anything in common."""
        if not self.bank.items:
            return []
        index, found = self.index, self._look_up(asked)
        row, sounds = self._weigh(asked)
        common = np.array([index.chars.overlaps(row), index.sounds.overlaps(sounds)])
        if held_out is not None:
            common[:, self._group(held_out)] = 0.0
        texts = Texts(common, self._masses, np.array([[row.mass], [sounds.mass]], dtype=np.float32))
        rough = self._rough(asked.latin, row, texts)
        self._adjust(rough, found)
        part = None if held_out is None else self._without(rough, row, held_out)
        places = self._first(rough)
        if not len(places):
            return []
        starts = index.starts.take(places)
        best = fit(texts, starts, index.ends.take(places) - starts)
        marks = index.marks(places, row)
        if held_out is not None and part is not None:
            marks[places == held_out.place] = part
        return self._candidates(asked, row, places, (best, cover(marks, row)), found)

    def judge(self, asked: Asked, places: Sequence[int]) -> list[Candidate]:
        """Some entries as candidates, best first, whatever else the bank holds."""
        index, chosen = self.index, np.array(places, dtype=np.int64)
        row, sounds = self._weigh(asked)
        lows, highs = index.starts.take(chosen), index.ends.take(chosen)
        own, counts = spans(lows, highs), highs - lows
        common = np.array([index.content.overlaps(row, own), index.spoken.overlaps(sounds, own)])
        texts = Texts(common, self._masses.take(own, axis=1), np.array([[row.mass], [sounds.mass]], dtype=np.float32))
        best = fit(texts, counts.cumsum() - counts, counts)
        best = best._replace(by_chars=own[best.by_chars], by_sound=own[best.by_sound])
        evidence = best, cover(index.marks(chosen, row), row)
        return self._candidates(asked, row, chosen, evidence, self._look_up(asked))

    def _weigh(self, asked: Asked) -> tuple[Weighed, Weighed]:
        return self.index.weigh(asked.core), self.index.weigh_sounds(asked.syllables)

    def _group(self, held_out: HeldOut) -> list[int]:
        """Wordings of the held-out group."""
        span = range(int(self.index.starts[held_out.place]), int(self.index.ends[held_out.place]))
        return [at for at in span if held_out.group in {None, self.index.wordings[at].group}]

    def _rough(self, latin: bool, row: Weighed, texts: Texts) -> Floats:
        """A rough score for every entry; shape (items,)."""
        index = self.index
        dice, contained = self._likeness[latin]
        like = texts.masses + texts.mass
        np.divide(dice, like, out=like)
        like += contained
        like *= texts.common
        alike = np.maximum(*like) if latin else np.add(*like)
        rough = index.rough(row, texts.common[0]) * np.float32(1 / row.mass)
        rough += alike if index.one_each else self._best(alike)
        return rough

    def _adjust(self, rough: Floats, found: _Found) -> None:
        """Count names, keywords and rules into the rough scores."""
        for place, name in found.names.items():
            rough[place] += 0.3 + 0.1 * len(name)
        for place, words in found.keywords.items():
            rough[place] += 0.1 * len(words)
        if found.barred:
            rough[list(found.barred)] = 0.0

    def _without(self, rough: Floats, row: Weighed, held_out: HeldOut) -> Ints | None:
        """Take what is held out from the rough scores; the marks of the rest of its entry, None without any rest."""
        place = held_out.place
        if held_out.group is None:
            rough[place] = 0.0
            return None
        part = self.index.marks_without(place, self._group(held_out), row)
        whole = self.index.marks(np.array([place]), row)
        rough[place] += (cover(part[None], row).worth() - cover(whole, row).worth())[0]
        return part

    def _best(self, fit: Floats) -> Floats:
        """For each entry how well its best wording fits."""
        best = fit.take(self.index.starts)
        places, bounds, own = self._several
        if len(places):
            best[places] = np.maximum.reduceat(fit, bounds).take(own)
        return best

    def _first(self, rough: Floats) -> Ints:
        """Places of the best entries and of the best decoys, in no order."""
        entries, decoys = rough[: self.entries], rough[self.entries :]
        first = highest(entries, CANDIDATES)
        return np.concatenate([first, self.entries + highest(decoys, DECOYS)]) if len(decoys) else first

    def _look_up(self, asked: Asked) -> _Found:
        """Contained names (longest per entry), keywords per entry, and entries that a rule rules out."""
        index = self.index
        names: dict[int, str] = {}
        for _, name, places in index.names.find_all(asked.text):
            for place in places:
                if len(name) > len(names.get(place, "")):
                    names[place] = name
        keywords: dict[int, list[str]] = {}
        barred: set[int] = set()
        met: set[tuple[int, str]] = set()
        for _, word, owners in index.rules.find_all(asked.text):
            for place, kind in owners:
                if kind == "any":
                    if word not in keywords.setdefault(place, []):
                        keywords[place].append(word)
                elif kind == "none":
                    barred.add(place)
                else:
                    met.add((place, word))
        for place in index.demanding:
            if any((place, word) not in met for word in self.bank.items[place].all):
                barred.add(place)
        barred = {place for place in barred if place not in names or len(names[place]) < 5}
        return _Found(names, keywords, barred)

    def _candidates(
        self, asked: Asked, row: Weighed, places: Ints, evidence: tuple[Fit, Coverage], found: _Found
    ) -> list[Candidate]:
        """The entries at `places` with all their features, best first."""
        at = places.tolist()
        items = [self.bank.items[place] for place in at]
        best, covered = evidence
        nothing: Floats = np.zeros(len(at))
        names = [found.names.get(place, "") for place in at]
        keywords = [tuple(found.keywords.get(place, ())) for place in at]
        values: dict[str, Any] = {"sound": best.sound, "spoken": best.spoken}
        if asked.latin:  # typed pinyin: the sound stands in for the characters
            wordings, held = best.by_sound, nothing
            values |= dict.fromkeys(("dice", "asked", "told", "ratio", "central", "nearest"), best.sound)
            values |= {"wording": best.spoken}
        else:
            wordings, held = best.by_chars, covered.told * row.mass
            values |= self._by_characters(asked, row, best, covered)
        if found.names:
            length = max(len(spelling(asked.text)), 1)
            values["name"] = [min(len(name) / length, 1.0) for name in names]
        if found.keywords:
            values["keyword"] = [1.0 - 0.5 ** len(words) for words in keywords]
        if asked.own_regions:
            own = np.array([item.region in asked.own_regions for item in items])
            values["region"] = own & (covered.told >= _TELLS)
        features = np.array([values.get(name, nothing) for name in NAMES], dtype=np.float64)
        columns = zip(
            at,
            [item.id for item in items],
            (self.weights @ features).tolist(),
            zip(*features.tolist(), strict=True),
            wordings.tolist(),
            [item.decoy for item in items],
            names,
            keywords,
            held.tolist(),
            strict=True,
        )
        return sorted(map(Candidate._make, columns), key=lambda candidate: (-candidate.blend, candidate.id))

    def _by_characters(self, asked: Asked, row: Weighed, best: Fit, covered: Coverage) -> dict[str, Any]:
        """Features that compare what is written."""
        index, unknown = self.index, max(self.index.vocabulary.unknown, 1e-6)
        beside = index.beside(best.by_chars, row)
        close = index.closeness(asked.core, row, best.by_chars, beside) if self.lean else ()
        return {
            "dice": best.dice,
            "wording": best.share,
            "asked": covered.asked,
            "told": covered.told,
            "ratio": [ratio(asked.core, index.cores[at]) / 100 for at in best.by_chars.tolist()],
            "missing": np.minimum(covered.missing / unknown, 1.0),
            "central": covered.central,
            "nearest": best.nearest,
            "extra": beside.heaviest() / unknown,
            **dict(zip(closeness.NAMES, close, strict=False)),
        }
