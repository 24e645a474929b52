"""Query → ranked candidates with their evidence. One pass of numpy over the bank, then care for the first few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz.fuzz import ratio

from bot.match.closeness import NONE, Closeness
from bot.match.features import INDEX, LEAN_WEIGHTS, WEIGHTS
from bot.match.index import Index, saturate, spelling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.match.bank import Bank
    from bot.match.postings import Weighed

    Floats = NDArray[np.floating[Any]]

CANDIDATES = 12
DECOYS = 2
_SHARE = np.float32(0.3)
_TELLS = 0.2
"""Share of a question that an entry must tell before its district counts for it."""
_SHORT_WORDING = np.float32(12)
"""A wording with less weight than this cannot prove much by being contained."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the matcher needs of a query."""

    text: str
    core: str
    syllables: tuple[str, ...]
    latin: bool = False
    own_regions: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Candidate:
    """One entry with its features (in the order of `features.NAMES`) and their blend."""

    place: int
    id: str
    blend: float
    features: tuple[float, ...]
    wording: int
    decoy: bool = False
    name: str = ""
    keywords: tuple[str, ...] = ()
    held: float = 0.0
    """Weight of the question's tokens that the entry tells, not as a share."""

    def feature(self, name: str) -> float:
        """One feature by name."""
        return self.features[INDEX[name]]


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Leave-one-out: ignore one group of wordings of an entry, or the whole entry."""

    place: int
    group: int | None


@dataclass(slots=True)
class _Evidence:
    """Arrays over wordings and over entries for one query."""

    dice: Floats
    share: Floats
    sound: Floats
    spoken: Floats
    by_chars: Floats
    by_sound: Floats
    asked: Floats
    told: Floats
    central: Floats
    row: Weighed
    length: int
    body: NDArray[np.integer[Any]] | None = None
    """Tokens of the entry a wording of which is held out."""
    held_place: int = -1


class Matcher:
    """Ranks the items of a bank for a query. Read only after construction."""

    def __init__(self, bank: Bank, weights: Sequence[float] | None = None) -> None:
        self.bank = bank
        self.index = Index(bank)
        self.lean = bank.lean
        self.weights = tuple(weights or (LEAN_WEIGHTS if self.lean else WEIGHTS))
        self.regions = [item.region for item in bank.items]
        self.spans: list[tuple[int, int]] = list(zip(self.index.starts.tolist(), self.index.ends.tolist(), strict=True))
        self.entries = sum(not item.decoy for item in bank.items)

    def exact(self, *texts: str) -> tuple[str, ...]:
        """Ids that own one of the texts as a wording, letter for letter (spaces and marks aside)."""
        for text in texts:
            found = self.bank.exact.get(spelling(text))
            if found:
                return found
        return ()

    def rank(self, asked: Asked, held_out: HeldOut | None = None) -> list[Candidate]:
        """The best candidates, best first; empty when nothing in the bank has anything in common."""
        if not self.bank.items:
            return []
        evidence = self._evidence(asked, held_out)
        names, keywords, barred = self._look_up(asked)
        preliminary = self._preliminary(evidence, asked.latin)
        for place, name in names.items():
            preliminary[place] += 0.3 + 0.1 * len(name)
        for place, words in keywords.items():
            preliminary[place] += 0.1 * len(words)
        for place in barred:
            preliminary[place] = 0.0
        if held_out is not None and held_out.group is None:
            preliminary[held_out.place] = 0.0
        first = self._first(preliminary)
        found = self._candidates(asked, evidence, first, names, keywords) if first else []
        return sorted(found, key=lambda candidate: (-candidate.blend, candidate.id))

    def _evidence(self, asked: Asked, held_out: HeldOut | None) -> _Evidence:
        index = self.index
        row = index.weigh(asked.core)
        sounds = index.weigh_sounds(asked.syllables)
        (common,) = index.chars.overlaps(row)
        (heard,) = index.sounds.overlaps(sounds)
        told, held, central = self._coverage(row, common)
        body = None
        if held_out is not None and held_out.group is not None:
            place = held_out.place
            group = self._group(held_out)
            common[group] = heard[group] = 0.0
            rest, body, count = index.rest(place, held_out.group)
            held[place], told[place] = row.share(rest), row.share(body)
            pairs = zip(row.places.tolist(), row.weights.tolist(), strict=True)
            central[place] = sum(weight * saturate(count.get(at, 0)) for at, weight in pairs) / row.mass
        dice = 2 * common / (index.chars.masses + np.float32(row.mass))
        share = common / np.maximum(index.chars.masses, _SHORT_WORDING)
        sound = 2 * heard / (index.sounds.masses + np.float32(sounds.mass))
        spoken = heard / np.maximum(index.sounds.masses, _SHORT_WORDING)
        return _Evidence(
            dice=dice,
            share=share,
            sound=sound,
            spoken=spoken,
            by_chars=dice + _SHARE * share,
            by_sound=sound + _SHARE * spoken,
            asked=held,
            told=told,
            central=central,
            row=row,
            length=max(len(spelling(asked.text)), 1),
            body=body,
            held_place=held_out.place if held_out is not None else -1,
        )

    def _coverage(self, row: Weighed, common: Floats) -> tuple[Floats, Floats, Floats]:
        """Shares of the query that each entry tells, asks and is about."""
        if self.index.one_each:  # an entry is its one wording
            share = common / np.float32(row.mass)
            return share, share, share * np.float32(saturate(1))
        told, held, central = (total / np.float32(row.mass) for total in self.index.told.overlaps(row))
        return told, held, central

    def _group(self, held_out: HeldOut) -> list[int]:
        """Wordings of the held-out group."""
        index, place = self.index, held_out.place
        span = range(int(index.starts[place]), int(index.ends[place]))
        return [at for at in span if index.wordings[at].group == held_out.group]

    def _preliminary(self, evidence: _Evidence, latin: bool) -> Floats:
        """A rough score for every entry; shape (items,)."""
        if latin:
            score = np.maximum(evidence.by_chars, evidence.by_sound)
        else:
            score = np.float32(0.4) * evidence.sound
            score += evidence.by_chars
        if self.index.one_each:
            return score
        best: Floats = np.maximum.reduceat(score, self.index.starts)
        best += 0.4 * evidence.asked + 0.3 * evidence.told + 0.5 * evidence.central
        return best

    def _first(self, preliminary: Floats) -> list[int]:
        """Places of the best entries and of the best decoys, in no order."""
        entries = preliminary[: self.entries]
        return self._top(entries, CANDIDATES) + [
            self.entries + place for place in self._top(preliminary[self.entries :], DECOYS)
        ]

    def _top(self, scores: Floats, limit: int) -> list[int]:
        few = len(scores) <= limit  # partitioning is far quicker from this end than from the other
        places = np.arange(len(scores)) if few else np.argpartition(-scores, limit - 1)[:limit]
        return [int(place) for place in places if scores[place] > 0]

    def _look_up(self, asked: Asked) -> tuple[dict[int, str], dict[int, list[str]], set[int]]:
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
        return names, keywords, {place for place in barred if place not in names or len(names[place]) < 5}

    def _candidates(
        self,
        asked: Asked,
        evidence: _Evidence,
        places: list[int],
        names: dict[int, str],
        keywords: dict[int, list[str]],
    ) -> list[Candidate]:
        """The entries at `places` with all their features."""
        by_chars = [self._best(evidence.by_chars, place) for place in places]
        by_sound = [self._best(evidence.by_sound, place) for place in places]
        told = [
            evidence.body if place == evidence.held_place and evidence.body is not None else self.index.known.of(place)
            for place in places
        ]
        unknown = max(self.index.vocabulary.unknown, 1e-6)
        missing = np.minimum(evidence.row.heaviest_missing(told) / unknown, 1.0).tolist()
        extra = (self.index.heaviest_beyond(by_chars, evidence.row) / unknown).tolist()
        close = self.index.closeness(asked.core, by_chars) if self.lean and not asked.latin else [NONE] * len(places)
        rows = zip(places, by_chars, by_sound, missing, extra, close, strict=True)
        return [self._candidate(asked, evidence, row, names.get(row[0], ""), keywords.get(row[0], [])) for row in rows]

    def _best(self, fit: Floats, place: int) -> int:
        """The wording of an entry that fits best."""
        low, high = self.spans[place]
        best: int = low if high - low == 1 else low + int(fit[low:high].argmax())
        return best

    def _candidate(
        self,
        asked: Asked,
        evidence: _Evidence,
        row: tuple[int, int, int, float, float, Closeness],
        name: str,
        words: list[str],
    ) -> Candidate:
        place, by_chars, by_sound, missing, extra, close = row
        index = self.index
        wording = by_sound if asked.latin else by_chars
        sound = float(evidence.sound[by_sound])
        spoken = min(1.0, float(evidence.spoken[by_sound]))
        if asked.latin:  # typed pinyin: the sound stands in for the characters
            first = (sound, spoken, sound, sound)
            likeness, missing, centre, nearest, extra = sound, 0.0, sound, sound, 0.0
        else:
            low, high = self.spans[place]
            best = sorted(evidence.dice[low:high].tolist())[-3:]
            first = (
                float(evidence.dice[by_chars]),
                min(1.0, float(evidence.share[by_chars])),
                float(evidence.asked[place]),
                float(evidence.told[place]),
            )
            likeness = ratio(asked.core, index.wordings[wording].core) / 100
            centre, nearest = float(evidence.central[place]), sum(best) / len(best)
        region = self.regions[place]
        features = (
            *first,
            min(1.0, len(name) / evidence.length),
            sound,
            spoken,
            1.0 - 0.5 ** len(words),
            likeness,
            missing,
            1.0 if region in asked.own_regions and evidence.told[place] >= _TELLS else 0.0,
            centre,
            nearest,
            extra,
            *close,
        )
        return Candidate(
            place=place,
            id=index.ids[place],
            blend=sum(weight * value for weight, value in zip(self.weights, features, strict=True)),
            features=features,
            wording=wording,
            decoy=self.bank.items[place].decoy,
            name=name,
            keywords=tuple(words),
            held=0.0 if asked.latin else float(evidence.told[place]) * evidence.row.mass,
        )
