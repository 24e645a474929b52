"""Finding many known phrases in one text, in time that grows with the text alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from ahocorasick_rs import AhoCorasick, MatchKind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

T = TypeVar("T")
_Phrase = tuple[str, T, bool, bool]
"""A phrase, its payload, and whether it begins and ends with a Latin letter."""


class Phrases(Generic[T]):
    """A set of phrases, each with a payload; the longest phrase wins at each place."""

    def __init__(self, pairs: Iterable[tuple[str, T]]) -> None:
        payload: dict[str, T] = {}
        for phrase, told in pairs:
            if phrase:
                payload.setdefault(phrase, told)
        self.items: list[_Phrase[T]] = [
            (phrase, told, _letter(phrase[0]), _letter(phrase[-1])) for phrase, told in payload.items()
        ]
        self._compile()

    def _compile(self) -> None:
        phrases = [phrase for phrase, *_ in self.items]
        self._longest = AhoCorasick(phrases, MatchKind.LeftmostLongest, store_patterns=False)
        self._every = AhoCorasick(phrases, store_patterns=False)

    def __getstate__(self) -> list[_Phrase[T]]:
        """The phrases alone: an automaton cannot be pickled, and is made again in a moment."""
        return self.items

    def __setstate__(self, phrases: list[_Phrase[T]]) -> None:
        """Make the automata again."""
        self.items = phrases
        self._compile()

    def words(self) -> list[str]:
        """Every phrase."""
        return [phrase for phrase, *_ in self.items]

    def find(self, text: str) -> list[tuple[int, str, T]]:
        """Every (start, phrase, payload) from left to right, without overlap."""
        met = search(self._longest, text)
        found = self._whole_words(text, met)
        if len(found) == len(met):
            return found
        found, done = [], 0
        for item in self.find_all(text):  # in the place of a part of a word there may be a shorter phrase
            if item[0] >= done:
                found.append(item)
                done = item[0] + len(item[1])
        return found

    def find_all(self, text: str) -> list[tuple[int, str, T]]:
        """Every (start, phrase, payload) from left to right, the longest first, overlaps included."""
        met = search(self._every, text, every=True)
        met.sort(key=_leftmost_longest)
        return self._whole_words(text, met)

    def _whole_words(self, text: str, met: Iterable[tuple[int, int, int]]) -> list[tuple[int, str, T]]:
        """Those that do not begin or end inside a Latin word."""
        found: list[tuple[int, str, T]] = []
        for number, start, end in met:
            phrase, payload, opens, closes = self.items[number]
            if not _inside_a_word(text, start, end, opens, closes):
                found.append((start, phrase, payload))
        return found

    def replace(self, text: str, symbols: Mapping[str, str]) -> str:
        """Replace each found phrase by its symbol."""
        return _with(text, self.find(text), symbols.__getitem__)

    def blank(self, text: str) -> str:
        """Replace each found phrase by one space."""
        return blanked(text, self.find(text))

    def __len__(self) -> int:
        """Number of phrases."""
        return len(self.items)


class Sets:
    """Several sets of phrases, all looked for in one pass over a text."""

    def __init__(self, *sets: Phrases[Any]) -> None:
        self._sets = sets
        self._compile()

    def _compile(self) -> None:
        owners: dict[str, list[tuple[int, _Phrase[Any]]]] = {}
        for number, phrases in enumerate(self._sets):
            for item in phrases.items:
                owners.setdefault(item[0], []).append((number, item))
        self._owners = list(owners.values())
        self._every = AhoCorasick(owners, store_patterns=False)

    def __getstate__(self) -> tuple[Phrases[Any], ...]:
        """The sets alone."""
        return self._sets

    def __setstate__(self, sets: tuple[Phrases[Any], ...]) -> None:
        """Make the automaton again."""
        self._sets = sets
        self._compile()

    def find(self, text: str) -> list[list[tuple[int, str, Any]]]:
        """What `Phrases.find` of each set finds."""
        met = search(self._every, text, every=True)
        met.sort(key=_leftmost_longest)
        found: list[list[tuple[int, str, Any]]] = [[] for _ in self._sets]
        done = [0] * len(found)
        for number, start, end in met:
            for owner, (phrase, payload, opens, closes) in self._owners[number]:
                if start >= done[owner] and not _inside_a_word(text, start, end, opens, closes):
                    found[owner].append((start, phrase, payload))
                    done[owner] = end
        return found


def _inside_a_word(text: str, start: int, end: int, opens: bool, closes: bool) -> bool:
    """Whether what stands there begins or ends inside a Latin word; `opens`, `closes`: with a letter."""
    return (opens and start > 0 and _letter(text[start - 1])) or (closes and _letter(text[end : end + 1]))


def blanked(text: str, found: Sequence[tuple[int, str, object]]) -> str:
    """The text with one space in the place of each phrase that `Phrases.find` found."""
    return _with(text, found, lambda _: " ")


def _with(text: str, found: Sequence[tuple[int, str, object]], symbol: Callable[[str], str]) -> str:
    if not found:
        return text
    parts, done = [], 0
    for at, phrase, _ in found:
        parts += [text[done:at], symbol(phrase)]
        done = at + len(phrase)
    return "".join(parts) + text[done:]


def search(automaton: AhoCorasick, text: str, every: bool = False) -> list[tuple[int, int, int]]:
    """(number of the phrase, start, end) of what is found."""
    try:
        return automaton.find_matches_as_indexes(text, every)
    except UnicodeEncodeError:  # lone surrogates
        return automaton.find_matches_as_indexes(text.encode("utf-8", "replace").decode(), every)


def _leftmost_longest(match: tuple[int, int, int]) -> tuple[int, int]:
    return match[1], -match[2]


def _letter(char: str) -> bool:
    return "a" <= char <= "z"
