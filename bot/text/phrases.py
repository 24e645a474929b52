"""Finding many known phrases in one text, in time that grows with the text alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from ahocorasick_rs import AhoCorasick

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

T = TypeVar("T")


class Phrases(Generic[T]):
    """A set of phrases, each with a payload; the longest phrase wins at each place."""

    def __init__(self, pairs: Iterable[tuple[str, T]]) -> None:
        payload: dict[str, T] = {}
        for phrase, told in pairs:
            if phrase:
                payload.setdefault(phrase, told)
        self._phrases = [(phrase, told, _letter(phrase[0]), _letter(phrase[-1])) for phrase, told in payload.items()]
        self._automaton = AhoCorasick(payload, store_patterns=False)

    def find(self, text: str) -> Iterator[tuple[int, str, T]]:
        """Yield (start, phrase, payload) from left to right, without overlap."""
        done = 0
        for start, phrase, payload in self.find_all(text):
            if start >= done:
                yield start, phrase, payload
                done = start + len(phrase)

    def find_all(self, text: str) -> list[tuple[int, str, T]]:
        """Every (start, phrase, payload) from left to right, the longest first, overlaps included."""
        try:
            met = self._automaton.find_matches_as_indexes(text, overlapping=True)
        except UnicodeEncodeError:  # lone surrogates
            met = self._automaton.find_matches_as_indexes(text.encode("utf-8", "replace").decode(), overlapping=True)
        if not met:
            return []
        if len(met) > 1:
            met.sort(key=_leftmost_longest)
        found: list[tuple[int, str, T]] = []
        for number, start, end in met:
            phrase, payload, opens, closes = self._phrases[number]
            if not (
                (opens and start and _letter(text[start - 1])) or (closes and end < len(text) and _letter(text[end]))
            ):  # a Latin phrase must not begin or end inside a Latin word
                found.append((start, phrase, payload))
        return found

    def replace(self, text: str, symbols: Mapping[str, str]) -> str:
        """Replace each found phrase by its symbol."""
        return self._with(text, symbols.__getitem__)

    def blank(self, text: str) -> str:
        """Replace each found phrase by one space."""
        return self._with(text, lambda _: " ")

    def _with(self, text: str, symbol: Callable[[str], str]) -> str:
        parts, done = [], 0
        for at, phrase, _ in self.find(text):
            parts += [text[done:at], symbol(phrase)]
            done = at + len(phrase)
        return "".join(parts) + text[done:] if parts else text

    def __len__(self) -> int:
        """Number of phrases."""
        return len(self._phrases)


def _leftmost_longest(match: tuple[int, int, int]) -> tuple[int, int]:
    return match[1], -match[2]


def _letter(char: str) -> bool:
    return "a" <= char <= "z"
