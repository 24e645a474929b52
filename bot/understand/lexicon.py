"""The vocabulary of one Book, compiled: places, what can be asked, people, themes, synonyms, what is not ours."""

from __future__ import annotations

from functools import cache
from itertools import chain
from typing import TYPE_CHECKING, Any

from bot.knowledge.vocabulary import THE_CITY
from bot.text import pinyin
from bot.text.expand import expand
from bot.text.normalise import join_han, key, normalise
from bot.text.numerals import to_arabic
from bot.text.phrases import Phrases, Sets, blanked
from bot.understand import filler

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from bot.knowledge.book import Book
    from bot.knowledge.schema import OutsideItem, RegionItem

_SYMBOLS = 0xF0000
"""Synonym groups become single characters of a private plane, which `normalise` keeps out of user text."""

_PARTICLES = "吗伐不没么否"


class Lexicon:
    """Everything that understanding looks up. Built once a Book; read only."""

    def __init__(self, book: Book) -> None:
        self.city = THE_CITY
        self.regions: Phrases[str] = Phrases(_region_words(book.regions, places=True))
        self._districts: Phrases[str] = Phrases(_region_words(book.regions, places=False))
        self.places: Phrases[str] = Phrases(_place_words(book.regions))
        self.region_sounds: Phrases[str] = Phrases(_region_sounds(book.regions))
        self.region_parts = _parts(book)
        self.facets: Phrases[str] = Phrases(_words((facet.name, _spoken(facet.words)) for facet in book.facets))
        self.facet_sounds = {
            " ".join(pinyin.of_text(normalise(word))): facet.name for facet in book.facets for word in facet.words
        }
        self.audiences: Phrases[str] = Phrases(_words((item.name, (item.name, *item.words)) for item in book.audiences))
        self.themes: Phrases[str] = Phrases(_words((item.name, (item.name, *item.words)) for item in book.themes))
        self.outside: Phrases[OutsideItem] = Phrases(
            (normalise(word), item) for item in book.outside for word in item.words
        )
        self.elsewhere: Phrases[str] = Phrases(
            (normalise(word), item.name) for item in book.elsewhere for word in (item.name, *item.words)
        )
        self.talk = {
            key(normalise(wording)): item.id
            for item in book.talk
            for template in item.ask
            for wording in expand(template)
        }
        self.slots = Sets(  # in the order in which `understand` takes them apart
            self._districts, self.regions, self.outside, self.elsewhere, self.facets, self.audiences, self.themes
        )
        self.talk_near = cache(self._talk_near)
        groups = [tuple(normalise(word) for word in group) for group in book.synonyms]
        self._symbols = {word: chr(_SYMBOLS + number) for number, group in enumerate(groups) for word in group}
        self._synonyms: Phrases[str] = Phrases(self._symbols.items())

    def __getstate__(self) -> dict[str, Any]:
        """Without what is remembered of questions, which cannot be pickled."""
        return {name: value for name, value in self.__dict__.items() if name != "talk_near"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Remember anew."""
        self.__dict__.update(state)
        self.talk_near = cache(self._talk_near)

    def _talk_near(self, length: int, cutoff: float) -> list[str]:
        """Small talk whose length lets it be so like (from 0 to 100) a text of that length."""
        return [text for text in self.talk if 200 * min(len(text), length) >= cutoff * (len(text) + length)]

    def words(self) -> Iterable[str]:
        """Every word that is known of places, of what is asked, of people and of themes, and every synonym."""
        known = (self.regions, self.facets, self.audiences, self.themes, self._synonyms)
        return chain.from_iterable(phrases.words() for phrases in known)

    def fold(self, text: str) -> str:
        """Each word that has synonyms becomes the one symbol of its group."""
        return self._synonyms.replace(text, self._symbols)

    def core(self, text: str) -> str:
        """Normalised text → the spelling that is compared: no filler, numerals as digits, synonyms folded."""
        return self.compared(filler.bare(text))

    def compared(self, bare: str) -> str:
        """The same of a text without filler."""
        return self.fold(to_arabic(join_han(bare)))

    def cores(self, texts: Sequence[str]) -> list[str]:
        """The same for many texts at once."""
        joined = join_han("\n".join(filler.bare_all(texts)))
        return self.fold(to_arabic(joined)).split("\n") if texts else []

    def without_regions(self, text: str) -> str:
        """The text with the names of districts, towns and villages cut out."""
        return " ".join(self.regions.blank(text).split())

    def without_districts(self, text: str) -> str:
        """The text with the names of the city and its districts cut out; the text itself when nothing would be left.

        Places are matched as a slot of their own: as mere words they would carry a question to whatever entry
        mentions them.
        """
        return without(text, self._districts.find(text))

    def all_without_districts(self, texts: Sequence[str]) -> list[str]:
        """The same for many texts at once."""
        lines = self._districts.blank("\n".join(texts)).split("\n")
        return list(map(_rest, lines, texts))


def without(text: str, found: Sequence[tuple[int, str, object]]) -> str:
    """The text with what was found in it cut out; the text itself when nothing would be left."""
    return _rest(blanked(text, found), text)


def _rest(cut: str, text: str) -> str:
    if cut == text:
        return text
    rest = " ".join(cut.split())
    return rest if len(key(rest)) > 1 else text


def _words(groups: Iterable[tuple[str, Iterable[str]]]) -> list[tuple[str, str]]:
    return [(normalise(word), name) for name, words in groups for word in words]


def _spoken(words: Iterable[str]) -> Iterator[str]:
    """The words, those that end in a question particle with every other one as well (要钱吗, 要钱伐, 要钱不)."""
    for word in words:
        if word[-1] in _PARTICLES:
            yield from (word[:-1] + particle for particle in _PARTICLES)
        else:
            yield word


def _region_words(regions: Mapping[str, RegionItem], places: bool) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for region in regions.values():
        words = (region.name, *region.short, *region.aliases, *region.english, *(region.places if places else ()))
        pairs += [(normalise(word), region.name) for word in words if len(word) > 1]
        pairs.append((region.pinyin.lower(), region.name))
    return pairs


def _place_words(regions: Mapping[str, RegionItem]) -> list[tuple[str, str]]:
    return [(normalise(word), region.name) for region in regions.values() for word in region.places]


def _region_sounds(regions: Mapping[str, RegionItem]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for region in regions.values():
        for word in (*region.short, *region.places):
            syllables = pinyin.of_text(normalise(word))
            if len(syllables) > 1:
                pairs.append((" ".join(syllables), region.name))
    return pairs


def _parts(book: Book) -> dict[str, frozenset[str]]:
    """Region → the regions that lie in it, itself included."""
    names = {region.id: region.name for region in book.regions.values()}
    inside: dict[str, set[str]] = {name: {name} for name in book.regions}
    for region in book.regions.values():
        if region.parent in names:
            inside[names[region.parent]].add(region.name)
    return {name: frozenset(found) for name, found in inside.items()}
