"""One logged text as grouping compares it: the matcher's own spelling, its sound, and the places it names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.text import pinyin
from bot.text.normalise import join_han, key, normalise, plain_digits
from bot.understand import filler

if TYPE_CHECKING:
    from bot.understand.lexicon import Lexicon


@dataclass(frozen=True, slots=True)
class Wording:
    """`core` and `syllables` as understanding makes them; `typed` when the text is pinyin in Latin letters."""

    text: str
    core: str
    syllables: tuple[str, ...]
    typed: bool = False
    regions: frozenset[str] = frozenset()


def read(text: str, lexicon: Lexicon) -> Wording:
    """Read one text: its subject, without the district and without what is asked of it (how much, where, how ...)."""
    clean = join_han(plain_digits(normalise(text)))
    need = lexicon.without_districts(clean)
    subject = _subject(need, lexicon)
    core = lexicon.core(subject)
    regions = frozenset(name for _, _, name in lexicon.regions.find(clean) if name != lexicon.city)
    typed = pinyin.of_typed(need) if clean.isascii() else None
    if typed is not None:
        return Wording(text, core, typed, True, regions)
    return Wording(text, core, pinyin.of_characters(subject), False, regions)


def _subject(need: str, lexicon: Lexicon) -> str:
    """What is asked about; the whole when hardly anything is left."""
    bare = rest = filler.bare(need)
    for start, phrase, _ in reversed(list(lexicon.facets.find(bare))):
        rest = rest[:start] + " " + rest[start + len(phrase) :]
    return " ".join(rest.split()) if len(key(rest)) > 1 else bare


def name_of(text: str) -> str:
    """The spelling by which two logged texts are the same, whatever the knowledge."""
    return key(normalise(text))
