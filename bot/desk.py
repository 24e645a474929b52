"""One Book, ready to answer: lexicon, matcher and calibration together. Built once, read only, swapped whole."""

from __future__ import annotations

import re
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.match.build import build
from bot.match.calibrate import calibrate
from bot.match.features import LABELS
from bot.match.input_method import InputMethod
from bot.match.matcher import Asked, Matcher
from bot.match.memory import uncollected
from bot.match.near import NearNames
from bot.match.tokens import STOP_WORDS
from bot.model import Hit
from bot.register import Register
from bot.text import pinyin
from bot.text.normalise import join_han, key, normalise, normalise_all
from bot.understand import filler
from bot.understand.lexicon import Lexicon
from bot.understand.query import understand

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from bot.knowledge.book import Book
    from bot.match.bank import Item
    from bot.match.matcher import Candidate
    from bot.match.postings import Weighed
    from bot.model import Query


_WORD = re.compile("[a-z0-9]+")
_TYPED = re.compile("[a-z0-9](?:[a-z0-9 ]*[a-z0-9])?")


class Desk:
    """What the stages look things up in."""

    @uncollected()
    def __init__(self, book: Book, workers: int = 1) -> None:
        """Built by several processes where a book is large and that many are given."""
        self.book = book
        self.lexicon = Lexicon(book)
        self._regions = frozenset(book.regions)
        self.matcher = Matcher(build(book, self.lexicon, workers))
        self.calibration = calibrate(self.matcher, self._read, workers)
        self.near_names = NearNames(
            (name for item in self.matcher.bank.items for name in item.names), self.matcher.index
        )
        headings = [word for theme in book.themes for word in (theme.name, *theme.words)]
        headings += [word for audience in book.audiences for word in (audience.name, *audience.words)]
        headings += [entry.department for entry in book.entries.values() if entry.department]
        self.headings = frozenset(key(normalise(word)) for word in headings)
        self.register = Register(book.entries.values())
        self._fact_weights: dict[str, list[dict[int, float]]] = {}
        self._body_texts: dict[str, str] = {}

    def match(self, query: Query) -> list[Candidate]:
        """Candidates for a query, best first."""
        return self.matcher.rank(self._asked(query))

    def could_be(self, query: Query, entries: Sequence[str], rivals: Sequence[Candidate], least: float) -> bool:
        """Whether one of some entries could answer a query so surely: not unless it would with some rivals alone."""
        if self.exact(query) or self.by_sound(query) or self.by_initials(query):
            return True
        judged = self.matcher.judge(self._asked(query), [item.place for item in rivals])
        first = next((item.id for item in judged if not item.decoy), None)
        return first in entries and self.confidence(judged) >= max(least, self.calibration.answer_at)

    def _read(self, text: str) -> Asked:
        return self._asked(understand(text, self.lexicon))

    def _asked(self, query: Query) -> Asked:
        return Asked(
            text=query.text,
            core=query.core,
            syllables=query.syllables,
            latin=query.latin and not self._is_english(query),
            own_regions=frozenset(query.regions),
        )

    def _is_english(self, query: Query) -> bool:
        """Typed Latin letters that the English wordings know are English, not pinyin."""
        words = query.core.split()
        return bool(words) and sum(bool(len(self.weigh(word).places)) for word in words) * 2 > len(words)

    def confidence(self, ranked: Sequence[Candidate]) -> float:
        """Calibrated confidence in the first candidate."""
        return self.calibration.confidence(ranked)

    def exact(self, query: Query) -> tuple[str, ...]:
        """Entries that own the question as a wording, or whose name has its initials."""
        stripped = filler.strip(query.text)
        found = self.matcher.exact(normalise(query.raw), query.text, stripped)
        return found or self.matcher.bank.initials.get(key(stripped), ())

    def by_sound(self, query: Query) -> tuple[str, ...]:
        """Entries with a wording that sounds like the whole question, whatever its characters."""
        return self.matcher.bank.sounds.get(query.syllables, ())

    def by_initials(self, query: Query) -> tuple[str, ...]:
        """Entries with a name of which the question gives the initials as a word of its own (「wfy 怎么用」)."""
        typed = [word for word in _WORD.findall(query.text) if not word.isdecimal() and pinyin.segment(word) is None]
        known = (self.matcher.bank.initials.get(word, ()) for word in (*typed, "".join(typed)))
        return tuple(dict.fromkeys(chain.from_iterable(known)))

    def spelled_out(self, query: Query) -> str | None:
        """The question with what was typed in pinyin in characters; None when nothing was."""
        text = _TYPED.sub(self._characters, query.text)
        return None if text == query.text else text

    def _characters(self, typed: re.Match[str]) -> str:
        syllables = pinyin.of_typed(typed[0])
        return (syllables and self._input_method.characters(syllables)) or typed[0]

    @cached_property
    def _input_method(self) -> InputMethod:
        """Made when somebody first types pinyin."""
        wordings = (wording.text for item in self.matcher.bank.items for wording in item.wordings)
        return InputMethod(chain(wordings, self.lexicon.words()))

    def _item(self, identifier: str) -> Item:
        return self.matcher.bank.items[self.matcher.index.place[identifier]]

    def region_of(self, identifier: str) -> str:
        """Region of an entry, or of a question and answer."""
        return self._item(identifier).region or self.lexicon.city

    def public(self, identifier: str) -> str:
        """The id that a reply names: the entry's for a question and answer under it."""
        faq = self.book.faqs.get(identifier)
        return identifier if faq is None else faq.entry or identifier

    def label(self, identifier: str) -> str:
        """What an entry, or a question and answer, is called on a button."""
        faq = self.book.faqs.get(identifier)
        return self.book.entries[identifier].name if faq is None else faq.question

    def allowed_regions(self, asked: Sequence[str]) -> frozenset[str]:
        """Regions whose entries answer a question about `asked`: itself, its parts, and the whole city."""
        if not asked:
            return self._regions
        inside = (self.lexicon.region_parts.get(name, ()) for name in asked)
        return frozenset((self.lexicon.city,)).union(*inside)

    def asks(self, text: str) -> bool:
        """Whether a text asks for something by name (how much, how long ...)."""
        return any(True for _ in self.lexicon.facets.find(text))

    def weigh(self, core: str) -> Weighed:
        """The tokens of a core with their weights."""
        return self.matcher.index.weigh(core)

    def words_told(self, query: Query, identifier: str) -> int:
        """How many Latin words of the question the entry knows; at least 2 when it knows the only one."""
        words = [word for word in query.core.split() if word not in STOP_WORDS]
        known = sum(bool(self._marks(identifier, self.weigh(word)).any()) for word in words)
        return max(known, 2) if known == len(words) else known

    def _marks(self, identifier: str, words: Weighed) -> NDArray[np.integer[Any]]:
        """A mark for each known token of some words, 0 where the entry lacks it."""
        index = self.matcher.index
        found: NDArray[np.integer[Any]] = index.marks(np.array([index.place[identifier]]), words)[0]
        return found

    def name_contains(self, identifier: str, words: str) -> bool:
        """Whether a name, alias or keyword of the entry contains the words."""
        item = self._item(identifier)
        return any(words in name for name in item.names) or any(words in word for word in item.any if len(word) > 1)

    def share_told(self, identifier: str, words: Weighed) -> float:
        """Share of the words' weight that the entry's wordings and facts hold, in [0, 1]."""
        held: list[float] = words.weights[self._marks(identifier, words) > 0].tolist()
        return sum(held) / words.mass

    def shares_told(self, words: Weighed) -> NDArray[np.float64]:
        """The same for every entry of the book at once, in its order."""
        shares = self.matcher.index.told.overlaps(words)[: len(self.book.entries)] / words.mass
        return shares.astype(np.float64)

    def fact_weights(self, identifier: str) -> list[dict[int, float]]:
        """For each fact of an entry its tokens with their weights, without those of the entry's name."""
        found = self._fact_weights.get(identifier)
        if found is None:
            entry, index = self.book.entries[identifier], self.matcher.index
            texts = (" ".join((entry.name, *entry.aliases)), *(fact.text for fact in entry.facts))
            name, *facts = map(index.weights, self.lexicon.cores(normalise_all(texts, None)))
            found = [{token: weight for token, weight in fact.items() if token not in name} for fact in facts]
            self._fact_weights[identifier] = found  # an entry is looked at when it is first in question
        return found

    def body_text(self, identifier: str) -> str:
        """Everything that an entry, or a question and answer, says, for looking a word up."""
        if identifier not in self._body_texts:
            self._body_texts[identifier] = _all_told(self.book, identifier)
        return self._body_texts[identifier]

    def hit(self, candidate: Candidate, ranked: Sequence[Candidate]) -> Hit:
        """A candidate as it is shown, scored as if it came first."""
        rest = [candidate, *(item for item in ranked if item is not candidate and item.blend <= candidate.blend)]
        score = self.calibration.confidence(rest)
        wording = self.matcher.index.wordings[candidate.wording].text
        return Hit(candidate.id, round(score, 4), candidate.blend, wording, self._why(candidate, wording))

    def _why(self, candidate: Candidate, wording: str) -> tuple[str, ...]:
        parts: list[str] = []
        for feature, label in LABELS.items():
            value = candidate.feature(feature)
            if value >= 0.25:
                keywords = "、".join(candidate.keywords)
                parts.append(label.format(wording=wording, name=candidate.name, keywords=keywords) + f"（{value:.2f}）")
        return tuple(parts)


def _all_told(book: Book, identifier: str) -> str:
    faq = book.faqs.get(identifier)
    if faq is not None:
        return normalise(f"{faq.question} {faq.answer}", None)
    entry = book.entries[identifier]
    told = (entry.name, *entry.aliases, entry.summary, *(fact.text for fact in entry.facts), *entry.ask)
    return join_han(normalise(" ".join(told), None))
