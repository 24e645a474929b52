"""A Bank, compiled: three overlapping views of its wordings and the tables to look names up."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from bot.match import tokens
from bot.match.postings import Postings, Weighed, Weights
from bot.text.normalise import key
from bot.text.phrases import Phrases

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bot.match.bank import Bank, Wording


class Index:
    """Arrays over wordings (sorted by entry) and over entries."""

    def __init__(self, bank: Bank) -> None:
        self.bank = bank
        self.ids = [item.id for item in bank.items]
        self.place = {identifier: at for at, identifier in enumerate(self.ids)}
        self.wordings: list[Wording] = [wording for item in bank.items for wording in item.wordings]
        counts = [len(item.wordings) for item in bank.items]
        self.starts: NDArray[np.int64] = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        self.ends: NDArray[np.int64] = np.cumsum(counts).astype(np.int64)
        self.char_tokens = [tokens.of_core(wording.core) for wording in self.wordings]
        self.sound_tokens = [tokens.of_sounds(wording.syllables, wording.readings) for wording in self.wordings]
        self._weigh()
        self._look_up()

    def _weigh(self) -> None:
        asked = [self.entry_tokens(at, self.char_tokens) for at in range(len(self.ids))]
        told = [
            own.union(*(tokens.of_core(core) for core in item.body)) if item.body else own
            for own, item in zip(asked, self.bank.items, strict=True)
        ]
        sounds = [self.entry_tokens(at, self.sound_tokens) for at in range(len(self.ids))]
        self.weights = Weights(told)
        self.sound_weights = Weights(sounds)
        self.chars = Postings(self.char_tokens, self.weights)
        self.heavy = [Weighed(row, self.weights).heaviest_first for row in self.char_tokens]
        self.sounds = Postings(self.sound_tokens, self.sound_weights)
        plain = (tokens.of_sounds(wording.syllables) for wording in self.wordings)
        self.sounds.masses = np.array([Weighed(row, self.sound_weights).mass for row in plain], dtype=np.float32)
        counts = [self._counts(at) for at in range(len(self.ids))]
        held = [1.0 if token in own else 0.0 for count, own in zip(counts, asked, strict=True) for token in count]
        central = [saturate(number) for count in counts for number in count.values()]
        self.told = Postings([list(count) for count in counts], self.weights, [held, central])
        self.told_sets = told
        self.counts = counts

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

    def _counts(self, entry: int) -> Counter[str]:
        """How many wordings and statements of an entry hold each token."""
        count: Counter[str] = Counter()
        for at in range(int(self.starts[entry]), int(self.ends[entry])):
            count.update(self.char_tokens[at])
        for core in self.bank.items[entry].body:
            count.update(tokens.of_core(core))
        return count

    def heaviest_beyond(self, wording: int, known: frozenset[str]) -> float:
        """Weight of the heaviest token of a wording that is not among the known ones."""
        return next((weight for token, weight in self.heavy[wording] if token not in known), 0.0)

    def entry_tokens(self, entry: int, rows: list[list[str]], without: int | None = None) -> set[str]:
        """Tokens of all wordings of an entry, but those of the group `without`."""
        found: set[str] = set()
        for at in range(int(self.starts[entry]), int(self.ends[entry])):
            if without is None or self.wordings[at].group != without:
                found.update(rows[at])
        return found


def saturate(number: float) -> float:
    """How central a token is that `number` wordings of an entry hold, in [0, 1)."""
    return number / (number + 1.5) if number > 0 else 0.0


def spelling(text: str) -> str:
    """The exact-match key of a wording or a question."""
    return key(text)
