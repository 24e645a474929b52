"""A Bank, compiled: its wordings by characters and by sound, its entries as a whole, and the tables of names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from bot.match import tokens
from bot.match.closeness import closeness
from bot.match.memory import give_back
from bot.match.postings import Background, Beside, Forward, Postings, Vocabulary, Weighed, is_first, merged, unique
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
        give_back()

    def _characters(self) -> None:
        """Wordings one by one, and each entry's wordings and statements together."""
        size, entries = len(self.wordings), len(self.ids)
        bodies = [(at, core) for at, item in enumerate(self.bank.items) for core in item.body]
        self.cores = [wording.core for wording in self.wordings]
        cores = self.cores + [core for _, core in bodies]
        owner = np.concatenate([self._owner, np.array([at for at, _ in bodies], dtype=np.int64)])
        lines = self.alphabet.learn(cores)
        self._spelled = [
            core if core == line else line for core, line in zip(self.cores, lines.split("\n"), strict=False)
        ]
        token, text = distinct(*tokens.explode(lines), len(cores))
        phrases = self.bank.background
        background = _background(self.alphabet.learn(phrase.core for phrase in phrases), len(phrases))
        if self.one_each:  # an entry is its one wording
            self.vocabulary = Vocabulary(token, entries, background)
            self.told = self.chars = Postings(self.vocabulary, token, text, size)
            self._known = self.content = Forward(self.vocabulary, token, text, size)
            return
        in_wording = text < size
        (entry_token, entry), marks = _together(token, owner[text], in_wording, entries)
        self.vocabulary = Vocabulary(entry_token, entries, background)
        self.chars = Postings(self.vocabulary, token[in_wording], text[in_wording], size)
        self.content = Forward(self.vocabulary, token[in_wording], text[in_wording], size)
        worths = worth(marks & 1, 1, saturate(marks >> 1))
        self.told = Postings(self.vocabulary, entry_token, entry, entries, worths)
        self._known = Forward(self.vocabulary, entry_token, entry, entries, marks)

    def _sounds(self) -> None:
        """Wordings by their plain readings, which give the mass, and by how words are really read."""
        size, entries = len(self.wordings), len(self.ids)
        plain = distinct(*tokens.explode(self.alphabet.learn_sounds(item.syllables for item in self.wordings)), size)
        other = [(at, item) for at, item in enumerate(self.wordings) if item.readings is not item.syllables]
        token, text = plain
        if other:
            more, line = tokens.explode(self.alphabet.learn_sounds(item.readings for _, item in other))
            whose = np.array([at for at, _ in other])[line]
            token, text = together(plain, distinct(more, whose, size), size)
        entry_token = token if self.one_each else distinct(token, self._owner[text], entries)[0]
        phrases = self.bank.background
        background = _background(self.alphabet.learn_sounds(phrase.syllables for phrase in phrases), len(phrases))
        self.sound_vocabulary = Vocabulary(entry_token, entries, background)
        self.sounds = Postings(self.sound_vocabulary, token, text, size)
        self.spoken = Forward(self.sound_vocabulary, token, text, size)
        if other:
            self.sounds.masses = self.sound_vocabulary.masses(*plain, size)

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

    def tokens(self, core: str) -> set[int]:
        """Distinct tokens of a core."""
        return tokens.of(self.alphabet.spell(core))

    def weights(self, core: str) -> dict[int, float]:
        """The known tokens of a core with their weights."""
        found = self.weigh(core)
        return dict(zip(self.vocabulary.tokens[found.places].tolist(), found.weights.tolist(), strict=True))

    def weigh(self, core: str) -> Weighed:
        """A question's core, against the characters of the bank."""
        return Weighed(self.tokens(core), self.vocabulary)

    def weigh_sounds(self, syllables: Sequence[str]) -> Weighed:
        """A question's syllables, against the sounds of the bank."""
        return Weighed(tokens.of(self.alphabet.spell_sounds(syllables)), self.sound_vocabulary)

    def closeness(self, core: str, query: Weighed, wordings: Ints, beside: Beside) -> NDArray[np.floating[Any]]:
        """A question's core beside some wordings, whose tokens are compared already, character by character."""
        spelled = [self._spelled[at] for at in wordings.tolist()]
        return closeness(self.alphabet.spell(core), spelled, query, beside, self.vocabulary)

    def beside(self, wordings: Ints, query: Weighed) -> Beside:
        """Tokens of some wordings, compared with a query's."""
        return self.content.several(wordings).beside(query, self.vocabulary)

    def marks(self, places: Ints, query: Weighed) -> Ints:
        """For each of some entries a mark for each of the query's places, 0 where it lacks it.

        The mark is twice the number of texts that hold the token, and one more when a wording does.
        """
        return self._known.marks(places, query.places)

    def marks_without(self, place: int, held_out: Sequence[int], query: Weighed) -> Ints:
        """The same of one entry without some of its wordings."""
        every = np.arange(self.starts[place], self.ends[place])
        out = np.isin(every, held_out)
        held = self.content.marks(every, query.places) > 0
        left = (self._known.marks(np.array([place]), query.places)[0] >> 1) - held[out].sum(axis=0)
        return np.where(left > 0, 2 * left + held[~out].any(axis=0), 0)

    def rough(self, query: Weighed, common: NDArray[np.float32]) -> NDArray[np.float32]:
        """For every entry how much of the query it asks, tells and is about, in one number: weight, not a share.

        `common` are the query's overlaps with the wordings.
        """
        if self.one_each:  # an entry is its one wording
            return common * np.float32(worth(1, 1, saturate(1)))
        return self.told.overlaps(query, scaled=True)


def _background(spelled: str, phrases: int) -> Background | None:
    """Distinct tokens of each of so many spelled phrases; None without phrases."""
    return Background(distinct(*tokens.explode(spelled), phrases)[0], phrases) if phrases else None


def distinct(token: Ints, unit: Ints, units: int) -> tuple[Ints, Ints]:
    """Each (token, unit) once, sorted."""
    both = _packed(token, unit, units)
    both.sort()
    return _parted(both[is_first(both)], units)


def together(left: tuple[Ints, Ints], right: tuple[Ints, Ints], units: int) -> tuple[Ints, Ints]:
    """Two sorted lists of (token, unit) as one, each once."""
    both = merged([_packed(token, unit, units) for token, unit in (left, right)])
    return _parted(both[is_first(both)], units)


def _packed(token: Ints, unit: Ints, units: int) -> Ints:
    """A token and one of so many units in one number."""
    both = token << units.bit_length()
    both |= unit
    return both


def _parted(both: Ints, units: int) -> tuple[Ints, Ints]:
    bits = units.bit_length()
    return both >> bits, both & (1 << bits) - 1


def _together(token: Ints, entry: Ints, in_wording: NDArray[np.bool_], entries: int) -> tuple[tuple[Ints, Ints], Ints]:
    """Each (token, entry) once, sorted, and the marks of the tokens there."""
    both = _packed(token, entry, entries)
    asked = both[in_wording]
    both.sort()
    told, count = unique(both)
    marks = 2 * count
    by_wording = np.zeros(len(told), dtype=bool)
    by_wording[told.searchsorted(asked)] = True
    marks += by_wording
    return _parted(told, entries), marks


def worth(asked: Any, told: Any, central: Any) -> Any:
    """Shares of a query that an entry asks, tells and is about → part of its rough score."""
    return _ASKED * asked + _TOLD * told + _CENTRAL * central


_ASKED, _TOLD, _CENTRAL = 0.4, 0.3, 0.5
_SATURATION = 1.5


def saturate(number: Any) -> Any:
    """How central a token is that `number` texts of an entry hold, in [0, 1)."""
    return number / (number + _SATURATION)


def spelling(text: str) -> str:
    """The exact-match key of a wording or a question."""
    return key(text)
