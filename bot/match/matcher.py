"""Query → ranked candidates with their evidence. One pass of numpy over the bank, then care for the first few."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz.fuzz import ratio

from bot.match import tokens
from bot.match.features import INDEX, LEAN_WEIGHTS, WEIGHTS
from bot.match.index import Index, saturate, spelling
from bot.match.postings import Weighed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.match.bank import Bank

    Floats = NDArray[np.floating[Any]]

CANDIDATES = 12
DECOYS = 2
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
    asked: Floats
    told: Floats
    central: Floats
    row: Weighed
    length: int
    body: set[str] | None = None
    """Tokens of the entry a wording of which is held out."""
    held_place: int = -1


class Matcher:
    """Ranks the items of a bank for a query. Read only after construction."""

    def __init__(self, bank: Bank, weights: Sequence[float] | None = None) -> None:
        self.bank = bank
        self.index = Index(bank)
        self.weights = tuple(weights or (LEAN_WEIGHTS if bank.lean else WEIGHTS))
        self.regions = [item.region for item in bank.items]
        self.decoys = np.array([item.decoy for item in bank.items], dtype=bool)

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
        first = self._first(preliminary, ~self.decoys, CANDIDATES) + self._first(preliminary, self.decoys, DECOYS)
        found = [self._candidate(asked, evidence, place, names, keywords) for place in first]
        return sorted(found, key=lambda candidate: (-candidate.blend, candidate.id))

    def _evidence(self, asked: Asked, held_out: HeldOut | None) -> _Evidence:
        index = self.index
        row = Weighed(tokens.of_core(asked.core), index.weights)
        sounds = Weighed(tokens.of_sounds(asked.syllables), index.sound_weights)
        (common,) = index.chars.overlaps(row)
        (heard,) = index.sounds.overlaps(sounds)
        told, held, central = (total / np.float32(row.mass) for total in index.told.overlaps(row))
        body = None
        if held_out is not None and held_out.group is not None:
            place = held_out.place
            for at in self._group(held_out):
                common[at] = heard[at] = 0.0
            rest = index.entry_tokens(place, index.char_tokens, held_out.group)
            body = rest.union(*(tokens.of_core(core) for core in self.bank.items[place].body))
            held[place], told[place] = row.share(rest), row.share(body)
            central[place] = self._central_without(held_out, row)
        return _Evidence(
            dice=2 * common / (index.chars.masses + np.float32(row.mass)),
            share=common / np.maximum(index.chars.masses, _SHORT_WORDING),
            sound=2 * heard / (index.sounds.masses + np.float32(sounds.mass)),
            spoken=heard / np.maximum(index.sounds.masses, _SHORT_WORDING),
            asked=held,
            told=told,
            central=central,
            row=row,
            length=max(len(spelling(asked.text)), 1),
            body=body,
            held_place=held_out.place if held_out is not None else -1,
        )

    def _group(self, held_out: HeldOut) -> list[int]:
        """Wordings of the held-out group."""
        index, place = self.index, held_out.place
        span = range(int(index.starts[place]), int(index.ends[place]))
        return [at for at in span if index.wordings[at].group == held_out.group]

    def _central_without(self, held_out: HeldOut, row: Weighed) -> float:
        count = self.index.counts[held_out.place].copy()
        for at in self._group(held_out):
            count.subtract(self.index.char_tokens[at])
        return sum(weight * saturate(count[token]) for token, weight in row.pairs) / row.mass

    def _preliminary(self, evidence: _Evidence, latin: bool) -> Floats:
        per_wording = evidence.dice + 0.3 * evidence.share
        if latin:
            per_wording = np.maximum(per_wording, evidence.sound + 0.3 * evidence.spoken)
        else:
            per_wording = per_wording + 0.4 * evidence.sound
        best: Floats = np.maximum.reduceat(per_wording, self.index.starts)
        best += 0.4 * evidence.asked + 0.3 * evidence.told + 0.5 * evidence.central
        return best

    def _first(self, preliminary: Floats, among: NDArray[np.bool_], limit: int) -> list[int]:
        """Places of the best `limit` items of those in `among`, in no order."""
        places = np.flatnonzero(among & (preliminary > 0))
        if len(places) > limit:
            places = places[np.argpartition(-preliminary[places], limit - 1)[:limit]]
        return [int(place) for place in places]

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

    def _candidate(
        self,
        asked: Asked,
        evidence: _Evidence,
        place: int,
        names: dict[int, str],
        keywords: dict[int, list[str]],
    ) -> Candidate:
        index = self.index
        low, high = int(index.starts[place]), int(index.ends[place])
        dice = evidence.dice[low:high]
        by_chars = low + int((dice + 0.3 * evidence.share[low:high]).argmax())
        by_sound = low + int((evidence.sound[low:high] + 0.3 * evidence.spoken[low:high]).argmax())
        best = sorted(dice.tolist())[-3:]
        name = names.get(place, "")
        words = keywords.get(place, [])
        region = self.regions[place]
        told = evidence.body if place == evidence.held_place and evidence.body is not None else index.told_sets[place]
        heaviest = evidence.row.heaviest_missing(told) / max(index.weights.unknown, 1e-6)
        wording = index.wordings[by_sound if asked.latin else by_chars]
        sound = float(evidence.sound[by_sound])
        spoken = float(evidence.spoken[by_sound])
        if asked.latin:  # typed pinyin: the sound stands in for the characters
            first = (sound, min(1.0, spoken), sound, sound)
            likeness, heaviest, centre, nearest, extra = sound, 0.0, sound, sound, 0.0
        else:
            first = (
                float(evidence.dice[by_chars]),
                min(1.0, float(evidence.share[by_chars])),
                float(evidence.asked[place]),
                float(evidence.told[place]),
            )
            likeness = ratio(asked.core, wording.core) / 100
            extra = index.heaviest_beyond(by_chars, evidence.row.tokens) / max(index.weights.unknown, 1e-6)
            centre, nearest = float(evidence.central[place]), sum(best) / len(best)
        features = (
            *first,
            min(1.0, len(name) / evidence.length),
            sound,
            min(1.0, spoken),
            1.0 - 0.5 ** len(words),
            likeness,
            min(1.0, heaviest),
            1.0 if region is not None and region in asked.own_regions else 0.0,
            centre,
            nearest,
            extra,
        )
        return Candidate(
            place=place,
            id=index.ids[place],
            blend=sum(weight * value for weight, value in zip(self.weights, features, strict=True)),
            features=features,
            wording=by_sound if asked.latin else by_chars,
            decoy=self.bank.items[place].decoy,
            name=name,
            keywords=tuple(words),
        )
