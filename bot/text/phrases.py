"""Finding many known phrases in one text, in time that grows with the text alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

T = TypeVar("T")


class Phrases(Generic[T]):
    """A set of phrases, each with a payload; the longest phrase wins at each place."""

    def __init__(self, pairs: Iterable[tuple[str, T]]) -> None:
        self._payload: dict[str, T] = {}
        lengths: dict[str, set[int]] = {}
        for phrase, payload in pairs:
            if phrase:
                self._payload.setdefault(phrase, payload)
                lengths.setdefault(phrase[0], set()).add(len(phrase))
        self._lengths = {first: tuple(sorted(found, reverse=True)) for first, found in lengths.items()}

    def find(self, text: str) -> Iterator[tuple[int, str, T]]:
        """Yield (start, phrase, payload) from left to right, without overlap."""
        lengths, payload, done = self._lengths, self._payload, 0
        if lengths.keys().isdisjoint(text):
            return
        for at, char in enumerate(text):
            if at < done or char not in lengths:
                continue
            for length in lengths[char]:
                phrase = text[at : at + length]
                if phrase in payload and len(phrase) == length and _whole_word(text, at, length):
                    yield at, phrase, payload[phrase]
                    done = at + length
                    break

    def find_all(self, text: str) -> Iterator[tuple[int, str, T]]:
        """Yield every (start, phrase, payload), overlaps included."""
        if self._lengths.keys().isdisjoint(text):
            return
        for at, char in enumerate(text):
            for length in self._lengths.get(char, ()):
                phrase = text[at : at + length]
                if len(phrase) == length and phrase in self._payload and _whole_word(text, at, length):
                    yield at, phrase, self._payload[phrase]

    def replace(self, text: str, symbols: dict[str, str]) -> str:
        """Replace each found phrase by its symbol."""
        parts, done = [], 0
        for at, phrase, _ in self.find(text):
            parts += [text[done:at], symbols[phrase]]
            done = at + len(phrase)
        return "".join(parts) + text[done:]

    def __len__(self) -> int:
        """Number of phrases."""
        return len(self._payload)


def _letter(char: str) -> bool:
    return "a" <= char <= "z"


def _whole_word(text: str, start: int, length: int) -> bool:
    """A Latin phrase must not begin or end inside a Latin word."""
    end = start + length
    if _letter(text[start]) and start and _letter(text[start - 1]):
        return False
    return not (_letter(text[end - 1]) and end < len(text) and _letter(text[end]))
