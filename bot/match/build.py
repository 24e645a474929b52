"""A Book → the Bank that the matcher works on."""

from __future__ import annotations

from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from bot.match.bank import Bank, Item, Wording, is_lean
from bot.match.index import spelling
from bot.match.memory import uncollected
from bot.spread import spread
from bot.text import pinyin
from bot.text.expand import expand
from bot.text.normalise import join_han, normalise_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from bot.knowledge.book import Book
    from bot.knowledge.schema import Entry, Faq
    from bot.understand.lexicon import Lexicon

Key = TypeVar("Key")

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
_NO_RULES = ((), (), ())
_TOGETHER = 500
"""Items that are spelled at once: a thousand texts are as fast as a million, and take no memory."""
_WORTH = 4
"""Of such batches, from how many on it is worth sharing them."""


_Row = tuple[str, str, int]
"""Text, kind and group of a wording."""


class _Draft(NamedTuple):
    """An item with its texts as they stand in the book; of `names` of them it is called."""

    id: str
    region: str | None
    rows: Sequence[_Row]
    body: Sequence[str] = ()
    names: int = 0
    rules: Sequence[Sequence[str]] = ()
    decoy: bool = False


@uncollected()
def build(book: Book, lexicon: Lexicon, workers: int = 1) -> Bank:
    """Compile every entry of a Book; a large one is shared by several workers."""
    drafts = chain(
        map(_of_entry, book.entries.values()),
        (_of_faq(faq, book, lexicon) for faq in book.faqs.values()),
        (_of_topic(DECOY + topic.name, (topic.name, *topic.words)) for topic in book.outside),
        (_of_topic(TALK + talk.id, chain.from_iterable(map(expand, talk.ask))) for talk in book.talk),
    )
    batches = list(iter(lambda: list(islice(drafts, _TOGETHER)), []))
    items = list(chain.from_iterable(spread(_items, batches, lexicon, workers, worth=_WORTH)))
    owned = items[: len(book.entries) + len(book.faqs)]
    exact = _owners((item.id, item.spellings) for item in owned)
    initials = _owners((item.id, _initials(item)) for item in owned if item.names)
    sounds = _owners((item.id, _sounds(item)) for item in owned)
    background = tuple(_background(book, lexicon)) if is_lean(items) else ()
    return Bank(tuple(items), exact, initials, sounds, background)


def _owners(owned: Iterable[tuple[str, Iterable[Key]]]) -> dict[Key, tuple[str, ...]]:
    """Key → ids of those that have it, in order, without repeats."""
    found: dict[Key, tuple[str, ...]] = {}
    for identifier, keys in owned:
        alone = (identifier,)
        for key in keys:
            ids = found.setdefault(key, alone)
            if ids is not alone and identifier not in ids:
                found[key] = (*ids, identifier)
    return found


def _initials(item: Item) -> Iterator[str]:
    return (short for short in map(pinyin.initials, item.names) if len(short) >= INITIALS_LENGTH)


def _sounds(item: Item) -> Iterator[tuple[str, ...]]:
    """The sounds of whole wordings by which an item is known."""
    for _, _, syllables, kind, _, readings in item.wordings:
        least = NAME_SOUND_LENGTH if kind in _NAMES else SOUND_LENGTH
        if len(syllables) >= least:
            yield syllables
        if readings is not syllables and len(readings) >= least:
            yield readings


def _of_entry(entry: Entry) -> _Draft:
    called = [("name", (entry.name,)), *(("alias", (alias,)) for alias in entry.aliases)]
    groups: list[tuple[str, Iterable[str]]] = [*called, *(("ask", expand(template)) for template in entry.ask)]
    groups += [("english", (phrase,)) for phrase in entry.english]
    return _Draft(
        entry.id,
        entry.region,
        [(text, kind, number) for number, (kind, texts) in enumerate(groups) for text in texts],
        [*filter(None, (entry.summary, *(fact.text for fact in entry.facts), entry.department, entry.theme))],
        len(called),
        (entry.match.any, entry.match.all, entry.match.none),
    )


def _of_faq(faq: Faq, book: Book, lexicon: Lexicon) -> _Draft:
    """A question and answer; it has no name."""
    region = faq.region or (book.entries[faq.entry].region if faq.entry else lexicon.city)
    return _Draft(faq.id, region, _asked((faq.question, *faq.questions)), (faq.answer,))


def _of_topic(identifier: str, texts: Iterable[str]) -> _Draft:
    return _Draft(identifier, None, _asked(texts), decoy=True)


def _asked(texts: Iterable[str]) -> list[_Row]:
    return [(text, "ask", number) for number, text in enumerate(dict.fromkeys(texts))]


def _items(drafts: Sequence[_Draft], lexicon: Lexicon) -> list[Item]:
    """All texts of some items, spelled at once, and put together again."""
    rows = [row for draft in drafts for row in draft.rows]
    clean = _plain([text for text, _, _ in rows])
    texts, keys, wordings = iter(clean), map(spelling, clean), _wordings(rows, clean, lexicon)
    bodies = iter(lexicon.cores(normalise_all([text for draft in drafts for text in draft.body], None)))
    words = iter(_plain([word for draft in drafts for rule in draft.rules for word in rule]))
    items: list[Item] = []
    for draft in drafts:
        number = len(draft.rows)
        spelled, own, asked = tuple(islice(texts, number)), tuple(islice(keys, number)), islice(wordings, number)
        some, every, none = [tuple(islice(words, len(rule))) for rule in draft.rules] if draft.rules else _NO_RULES
        item = Item(
            id=draft.id,
            region=draft.region,
            wordings=_distinct(asked) if draft.names else _with_core(asked),
            body=tuple(islice(bodies, len(draft.body))),
            spellings=() if draft.decoy else own,
            names=tuple(dict.fromkeys(spelled[: draft.names])),
            any=some,
            all=every,
            none=none,
            decoy=draft.decoy,
        )
        items.append(item)
    return items


def _with_core(wordings: Iterable[Wording]) -> tuple[Wording, ...]:
    """Those that ask something; the first when none does."""
    every = tuple(wordings)
    return tuple([wording for wording in every if wording.core]) or every[:1]


def _distinct(wordings: Iterable[Wording]) -> tuple[Wording, ...]:
    """The first with each core."""
    first: dict[str, Wording] = {}
    for wording in _with_core(wordings):
        first.setdefault(wording.core, wording)
    return tuple(first.values())


def _background(book: Book, lexicon: Lexicon) -> Iterator[Wording]:
    """The phrases by which every kind of fact is asked for."""
    phrases = dict.fromkeys(word for facet in book.facets for word in facet.words if not word.isascii())
    rows = [(text, "facet", number) for number, text in enumerate(phrases)]
    return _wordings(rows, _plain([text for text, _, _ in rows]), lexicon)


def _plain(texts: Sequence[str]) -> list[str]:
    return join_han("\n".join(normalise_all(texts))).split("\n") if texts else []


def _wordings(rows: Sequence[_Row], clean: Sequence[str], lexicon: Lexicon) -> Iterator[Wording]:
    needs = lexicon.all_without_districts(clean)
    spelled = zip(rows, lexicon.cores(needs), pinyin.of_all(needs), strict=True)
    for (text, kind, group), core, (syllables, readings) in spelled:
        if kind == "english":
            yield Wording(text, core, (), kind, group)
        else:
            yield Wording(text, core, syllables, kind, group, readings)
