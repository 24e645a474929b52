"""One text → one Query. Pure: the lexicon is an argument."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.model import Query
from bot.text import pinyin
from bot.text.normalise import join_han, key, normalise, plain_digits
from bot.text.phrases import blanked
from bot.understand import filler
from bot.understand.lexicon import without

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.understand.lexicon import Lexicon

_TOWARDS = re.compile("(?:去|到|跟|和|与|对|往|从|来自|飞|向|同|借|通|、|给)(?:[^，。,.!?？ ]{0,3})$")
_OURS = re.compile("我|咱|爸|妈|儿子|女儿|孩子|老公|老婆|爱人|家里人")
_STAYS = re.compile("(?:那边|那里)?(?:干活|打工|上班|工作|做生意|读书|上学|出差|当兵|跑车)")
_LATIN = re.compile("[a-z]{2,}")
_HAN = re.compile("[\u3400-\u9fff]")


def understand(raw: str, lexicon: Lexicon) -> Query:
    """Read one question. Never raises; an empty text gives a query without content."""
    text = join_han(plain_digits(normalise(raw)))
    districts, places, topics, away, things, audiences, themes = lexicon.slots.find(text)
    need = without(text, districts)
    typed = pinyin.of_typed(need) if _LATIN.search(need) else None
    bare = filler.bare(need)
    core = lexicon.compared(bare)
    syllables = typed if typed is not None else pinyin.of_characters(bare)
    sounds = " ".join(syllables) if typed is not None and not _HAN.search(text) else ""
    outside = next((item for _, _, item in topics if item.refuse), topics[0][2] if topics else None)
    regions = _regions(places, sounds and " ".join(pinyin.of_typed(text) or ()), lexicon)
    rest = filler.bare(lexicon.facets.blank(" ".join(blanked(text, places).split())))
    return Query(
        raw=raw,
        text=text,
        core=core,
        syllables=syllables,
        latin=bool(sounds),
        regions=regions,
        elsewhere=_elsewhere(text, away),
        outside=outside.name if outside else None,
        outside_words=tuple([word for _, word, _ in topics]),
        outside_hint=outside.hint if outside else None,
        refuse=outside.refuse if outside else False,
        english=typed is None and bool(_LATIN.search(text)) and not _HAN.search(text),
        asked=_asked(things, sounds, lexicon),
        audiences=_names(audiences),
        themes=_names(themes),
        years=tuple(int(year) for year in filler.YEAR.findall(text)),
        honour=bool(filler.HONOUR.search(text)),
        browse=bool(filler.BROWSE.search(text)),
        browse_lightly=bool(filler.BROWSE_LIGHTLY.search(text)),
        follow_up=bool(filler.FOLLOW.search(text)),
        rest=rest,
        has_content=_has_content(rest) or bool(typed and not regions),
    )


def _names(found: Iterable[tuple[int, str, str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for _, _, name in found))


def _regions(places: Iterable[tuple[int, str, str]], sounds: str, lexicon: Lexicon) -> tuple[str, ...]:
    found = [name for _, _, name in places]
    if sounds:
        found += [name for at, _, name in lexicon.region_sounds.find_all(sounds) if at == 0 or sounds[at - 1] == " "]
    districts = [name for name in found if name != lexicon.city]
    return tuple(dict.fromkeys(districts or found))


def _elsewhere(text: str, found: Iterable[tuple[int, str, str]]) -> str | None:
    """A place outside the city that the question is about; not one that is gone to or dealt with (去东南亚, 跟捷克).

    Nor one where somebody of ours stays (我在新疆干活).
    """
    for start, word, name in found:
        before, after = text[:start], text[start + len(word) :]
        if not _TOWARDS.search(before) and not (_OURS.search(before) and _STAYS.match(after)):
            return name
    return None


def _asked(found: Iterable[tuple[int, str, str]], sounds: str, lexicon: Lexicon) -> tuple[str, ...]:
    longest_first = sorted(found, key=lambda item: -len(item[1]))
    names = [name for _, _, name in longest_first]
    if sounds:
        names += [
            name for words, name in lexicon.facet_sounds.items() if " " in words and f" {words} " in f" {sounds} "
        ]
    return tuple(dict.fromkeys(names))


def _has_content(rest: str) -> bool:
    """Whether anything is left once pronouns are gone as well."""
    return len(key(filler.PRONOUN.sub(" ", rest))) >= 2
