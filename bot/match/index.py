"""A Bank, compiled: its wordings by characters and by sound, its entries as a whole, and the tables of names."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.match import tokens
from bot.match.closeness import Closeness, closeness
from bot.match.postings import Background, Forward, Postings, Vocabulary, Weighed, is_first, unique
from bot.match.tokens import Alphabet
from bot.text.normalise import key
from bot.text.phrases import Phrases

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.match.bank import Bank, Wording

    Ints = NDArray[np.integer[Any]]


class Index:
    """Arrays over wordings (sorted by entry) and over entries."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.ids = [item.id for item in bank.items]
        self.place = {identifier: at for at, identifier in enumerate(self.ids)}
        self.wordings: list[Wording] = [wording for item in bank.items for wording in item.wordings]
        counts = np.array([len(item.wordings) for item in bank.items], dtype=np.int64)
        self.ends: Ints = np.cumsum(counts)
        self.starts: Ints = self.ends - counts
        self.alphabet = Alphabet()
        self.one_each = bool(len(counts)) and bool((counts == 1).all()) and not any(item.body for item in bank.items)
        self._owner: Ints = np.repeat(np.arange(len(self.ids)), counts)
        self._characters()
        self._sounds()
        self._look_up()

    def _characters(self) -> None:
        """Wordings one by one, and each entry's wordings and statements together."""
        bodies = [(at, core) for at, item in enumerate(self.bank.items) for core in item.body]
        self.spelled = [self.alphabet.learn(wording.core) for wording in self.wordings]
        spelled = self.spelled + [self.alphabet.learn(core) for _, core in bodies]
        owner = np.concatenate([self._owner, np.array([at for at, _ in bodies], dtype=np.int64)])
        token, text = distinct(*tokens.explode(spelled), len(spelled))
        entries = len(self.ids)
        in_wording = text < len(self.wordings)
        told, held, central = _together(token, owner[text], in_wording, entries)
        entry_token, entry = told // entries, told % entries
        background = [self.alphabet.learn(phrase.core) for phrase in self.bank.background]
        self.vocabulary = Vocabulary(entry_token, entries, _background(background))
        self.told = Postings(self.vocabulary, entry_token, entry, entries, [held, central])
        self.known = Forward(self.vocabulary, entry_token, entry, entries)
        size = len(self.wordings)
        self.chars = Postings(self.vocabulary, token[in_wording], text[in_wording], size)
        self.content = Forward(self.vocabulary, token, text, len(spelled))
        self._bodies: dict[int, list[int]] = {}
        for at, (entry_of_body, _) in enumerate(bodies, size):
            self._bodies.setdefault(entry_of_body, []).append(at)

    def _sounds(self) -> None:
        """Wordings by their plain readings, which give the mass, and by how words are really read."""
        size, entries = len(self.wordings), len(self.ids)
        spelled = [self.alphabet.learn_sounds(wording.syllables) for wording in self.wordings]
        plain = distinct(*tokens.explode(spelled), size)
        read = [self.alphabet.learn_sounds(wording.readings) for wording in self.wordings]
        token, text = plain
        if any(read):
            more = tokens.explode(read)
            token, text = distinct(np.concatenate([token, more[0]]), np.concatenate([text, more[1]]), size)
        entry_token, _ = distinct(token, self._owner[text], entries)
        background = [self.alphabet.learn_sounds(phrase.syllables) for phrase in self.bank.background]
        self.sound_vocabulary = Vocabulary(entry_token, entries, _background(background))
        self.sounds = Postings(self.sound_vocabulary, token, text, size)
        if any(read):
            self.sounds.masses = Postings(self.sound_vocabulary, *plain, size).masses

    def _look_up(self) -> None:
        names: dict[str, list[int]] = {}
        rules: dict[str, list[tuple[int, str]]] = {}
        for at, item in enumerate(self.bank.items):
            for name in item.names:
                if len(name) >= 2:
                    names.setdefault(name, []).append(at)
            for kind, words in (("any", item.any), ("all", item.all), ("none", item.none)):
                for word in words:
                    rules.setdefault(word, []).append((at, kind))
        self.names: Phrases[list[int]] = Phrases(names.items())
        self.rules: Phrases[list[tuple[int, str]]] = Phrases(rules.items())
        self.demanding = [at for at, item in enumerate(self.bank.items) if item.all]

    def weigh(self, core: str) -> Weighed:
        """A question's core, against the characters of the bank."""
        return Weighed(tokens.of(self.alphabet.spell(core)), self.vocabulary)

    def weigh_sounds(self, syllables: Sequence[str]) -> Weighed:
        """A question's syllables, against the sounds of the bank."""
        return Weighed(tokens.of(self.alphabet.spell_sounds(syllables)), self.sound_vocabulary)

    @cached_property
    def single_weights(self) -> dict[str, float]:
        """Weight of every single item of the vocabulary, by its character."""
        singles = int(np.searchsorted(self.vocabulary.tokens, tokens.PAIR))
        weights = self.vocabulary.weights[:singles].tolist()
        return {
            chr(code): weight for code, weight in zip(self.vocabulary.tokens[:singles].tolist(), weights, strict=True)
        }

    def closeness(self, core: str, wordings: Sequence[int]) -> list[Closeness]:
        """A question's core beside some wordings, character by character."""
        unknown = max(self.vocabulary.unknown, 1e-6)
        known = [self.spelled[at] for at in wordings]
        return list(closeness(self.alphabet.spell(core), known, self.single_weights, unknown))

    def heaviest_beyond(self, wordings: Sequence[int], query: Weighed) -> NDArray[np.floating[Any]]:
        """For each wording, the weight of its heaviest token that the query lacks."""
        parts = [self.content.of(wording) for wording in wordings]
        own = np.concatenate(parts)
        if not len(own):
            return np.zeros(len(parts))
        weights = np.where(query.lacks(own), self.vocabulary.weights[own], 0.0)
        lengths = np.array([len(part) for part in parts])
        starts = np.minimum(np.cumsum(lengths) - lengths, len(own) - 1)
        return np.where(lengths > 0, np.maximum.reduceat(weights, starts), 0.0)

    def rest(self, entry: int, group: int) -> tuple[Ints, Ints, dict[int, int]]:
        """An entry without one group of its wordings: places told by wordings, by all, and how often each."""
        span = range(int(self.starts[entry]), int(self.ends[entry]))
        worded = [self.content.of(at) for at in span if self.wordings[at].group != group]
        bodies = [self.content.of(at) for at in self._bodies.get(entry, ())]
        nothing = np.zeros(0, dtype=np.int64)
        asked, _ = unique(np.concatenate([nothing, *worded]))
        told, count = unique(np.concatenate([nothing, *worded, *bodies]))
        return asked, told, dict(zip(told.tolist(), count.tolist(), strict=True))


def _background(spelled: Sequence[str]) -> Background | None:
    """Distinct tokens of each of some spelled phrases; None without phrases."""
    return Background(distinct(*tokens.explode(spelled), len(spelled))[0], len(spelled)) if spelled else None


def distinct(token: Ints, unit: Ints, units: int) -> tuple[Ints, Ints]:
    """Each (token, unit) once, sorted."""
    both = token * max(units, 1)
    both += unit
    both.sort()
    both = both[is_first(both)]
    return both // max(units, 1), both % max(units, 1)


def _together(token: Ints, entry: Ints, in_wording: Any, entries: int) -> tuple[Ints, Any, Any]:
    """(token, entry) as one number, each once; whether a wording holds it; how central it is to the entry."""
    both = token * entries + entry
    told, count = unique(both)
    worded, _ = unique(both[in_wording])
    held = np.zeros(len(told), dtype=np.float32)
    held[np.searchsorted(told, worded)] = 1.0
    return told, held, (count / (count + SATURATION)).astype(np.float32)


SATURATION = 1.5


def saturate(number: float) -> float:
    """How central a token is that `number` wordings of an entry hold, in [0, 1)."""
    return number / (number + SATURATION) if number > 0 else 0.0


def spelling(text: str) -> str:
    """The exact-match key of a wording or a question."""
    return key(text)
