"""A Book → the Bank that the matcher works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bot.match.bank import Bank, Item, Wording, is_lean
from bot.match.index import spelling
from bot.text import pinyin
from bot.text.expand import expand
from bot.text.normalise import join_han, normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.knowledge.book import Book
    from bot.knowledge.schema import Entry, Faq
    from bot.understand.lexicon import Lexicon

DECOY = "outside:"
"""Prefix of the ids of topics outside the material."""
SOUND_LENGTH = 4
"""Syllables from which a wording is known by its sound alone."""
NAME_SOUND_LENGTH = 3
"""The same for names and aliases."""
INITIALS_LENGTH = 3
_NAMES = frozenset({"name", "alias"})
TALK = "talk:"
"""Prefix of the ids of small talk."""


def build(book: Book, lexicon: Lexicon) -> Bank:
    """Compile every entry of a Book."""
    items = (
        *(_item(entry, lexicon) for entry in book.entries.values()),
        *(_faq_item(faq, book, lexicon) for faq in book.faqs.values()),
        *(_decoy(DECOY + topic.name, (topic.name, *topic.words), lexicon) for topic in book.outside),
        *(
            _decoy(TALK + talk.id, [text for template in talk.ask for text in expand(template)], lexicon)
            for talk in book.talk
        ),
    )
    owned = items[: len(book.entries) + len(book.faqs)]
    exact, initials, sounds = _Owners(), _Owners(), _Owners()
    for item in owned:
        for spelled in item.spellings:
            exact.add(spelled, item.id)
        for wording in item.wordings:
            for syllables in {wording.syllables, wording.readings}:
                if len(syllables) >= (NAME_SOUND_LENGTH if wording.kind in _NAMES else SOUND_LENGTH):
                    sounds.add(syllables, item.id)
        for name in item.names:
            short = pinyin.initials(name)
            if len(short) >= INITIALS_LENGTH:
                initials.add(short, item.id)
    background = _background(book, lexicon) if is_lean(items) else ()
    return Bank(items, exact.table(), initials.table(), sounds.table(), background)


class _Owners(dict[Any, list[str]]):
    """Key → ids, in order, without repeats."""

    def add(self, key: Any, identifier: str) -> None:
        ids = self.setdefault(key, [])
        if identifier not in ids:
            ids.append(identifier)

    def table(self) -> dict[Any, tuple[str, ...]]:
        return {key: tuple(ids) for key, ids in self.items()}


def _item(entry: Entry, lexicon: Lexicon) -> Item:
    wordings: list[Wording] = []
    groups: list[tuple[str, Sequence[str]]] = [("name", (entry.name,))]
    groups += [("alias", (alias,)) for alias in entry.aliases]
    groups += [("ask", expand(template)) for template in entry.ask]
    groups += [("english", (phrase,)) for phrase in entry.english]
    seen: set[str] = set()
    spellings: list[str] = []
    for number, (kind, texts) in enumerate(groups):
        for text in texts:
            clean = _plain(text)
            spellings.append(spelling(clean))
            wording = _wording(text, clean, kind, number, lexicon)
            if wording.core and wording.core not in seen:
                seen.add(wording.core)
                wordings.append(wording)
    if not wordings:
        wordings.append(Wording(entry.name, normalise(entry.name), (), "name", 0))
    body = (entry.summary, *(fact.text for fact in entry.facts), entry.department or "", entry.theme)
    return Item(
        id=entry.id,
        region=entry.region,
        wordings=tuple(wordings),
        spellings=tuple(spellings),
        body=tuple(lexicon.core(normalise(text, None)) for text in body if text),
        names=tuple(dict.fromkeys(_plain(name) for name in (entry.name, *entry.aliases))),
        any=tuple(_plain(word) for word in entry.match.any),
        all=tuple(_plain(word) for word in entry.match.all),
        none=tuple(_plain(word) for word in entry.match.none),
    )


def _faq_item(faq: Faq, book: Book, lexicon: Lexicon) -> Item:
    """A question and answer; only a title-like first question counts as its name."""
    texts = dict.fromkeys((faq.question, *faq.questions))
    wordings = tuple(_wording(text, _plain(text), "ask", number, lexicon) for number, text in enumerate(texts))
    spellings = tuple(spelling(_plain(text)) for text in texts)
    region = faq.region or (book.entries[faq.entry].region if faq.entry else lexicon.city)
    body = (lexicon.core(normalise(faq.answer, None)),)
    return Item(faq.id, region, tuple(wording for wording in wordings if wording.core) or wordings[:1], body, spellings)


def _decoy(identifier: str, texts: Sequence[str], lexicon: Lexicon) -> Item:
    wordings = (
        _wording(text, _plain(text), "ask", number, lexicon) for number, text in enumerate(dict.fromkeys(texts))
    )
    return Item(identifier, None, tuple(wording for wording in wordings if wording.core), decoy=True)


def _background(book: Book, lexicon: Lexicon) -> tuple[Wording, ...]:
    """The phrases by which every kind of fact is asked for."""
    phrases = dict.fromkeys(word for facet in book.facets for word in facet.words if not word.isascii())
    return tuple(_wording(text, _plain(text), "facet", number, lexicon) for number, text in enumerate(phrases))


def _plain(text: str) -> str:
    return join_han(normalise(text))


def _wording(text: str, clean: str, kind: str, group: int, lexicon: Lexicon) -> Wording:
    need = lexicon.without_districts(clean)
    core = lexicon.core(need)
    if kind == "english":
        return Wording(text, core, (), kind, group)
    syllables, readings = pinyin.of_characters(need), pinyin.of_text(need)
    return Wording(text, core, syllables, kind, group, syllables if readings == syllables else readings)
