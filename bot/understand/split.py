"""Two questions in one message → its parts, in order."""

from __future__ import annotations

import re

_MARKS = re.compile(
    r"[?？;；\n]+\s*|[,，。.、\s]*(?:另外|还有就是|还有|然后|顺便问一下|顺便问问|顺便|再问一下|再一个|还有一个|再就是|再问|再请问|还想问一下|还想问|以及|同时|(?<=[,，。.、\s])第二个?|其二|二是|(?<![0-9])2[.、](?![0-9]))[,，、:：\s]*"
    r"|[,，]\s*(?=[又也还再]想)"
)
_NUMBERED = re.compile(r"^[\s,，]*(?:问?[两二2]个?(?:事|问题|件事)|一是|第一个?|其一|1[.、](?![0-9]))[,，、:：\s]*")
_COMMAS = re.compile(r"[,，。\s]+")
MAX_PARTS = 4
WINDOW = 16
"""Characters: about as much as a need takes when it is told alone."""
SHORTEST = 6
MAX_WINDOWS = 5


def split(text: str) -> tuple[str, ...]:
    """Parts of at least four characters; one part when the text asks one thing."""
    head = _NUMBERED.sub("", _NUMBERED.sub("", text))
    parts = [part.strip(" ,，。、") for part in _MARKS.split(head)]
    kept = tuple(part for part in parts if len(part) >= 4)
    return kept[:MAX_PARTS] if len(kept) > 1 else (text,)


def segments(text: str) -> tuple[str, ...]:
    """Pieces between commas and spaces, each of at least four characters; for messages without question marks."""
    found = tuple(part for part in _COMMAS.split(text) if part)
    return found if 2 <= len(found) <= MAX_PARTS and all(len(part) >= 4 for part in found) else ()


def windows(text: str) -> tuple[str, ...]:
    """Short readings of a long story: its clauses, and where they are long, overlapping stretches of them."""
    found: list[str] = []
    for clause in _COMMAS.split(text):
        if len(clause) <= WINDOW:
            found.append(clause)
        else:
            found += [clause[at : at + WINDOW] for at in range(0, len(clause) - WINDOW // 2, WINDOW // 2)]
    kept = [part for part in found if len(part) >= SHORTEST]
    return tuple(kept[:MAX_WINDOWS]) if len(kept) > 1 else ()
