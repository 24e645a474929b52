"""With the source pages at hand: no sentence is copied, and every figure of a fact stands in its source."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.model import Problem
from bot.text.normalise import key, plain_digits

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path as FilePath

    from bot.knowledge.book import Book
    from bot.knowledge.nodes import Path, Tree
    from bot.knowledge.schema import Entry

LONGEST_SHARED = 15
"""Characters in a row (letters and digits) that a text may share with a source, names and figures aside."""

_FIGURE = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_FIGURES = re.compile(r"[0-9.,%～~—-]*[0-9][0-9.,%]*\s*[余多]?[万亿千百]?[\u4e00-\u9fff]?")
_LEAST_NAME = 4


def check_sources(book: Book, trees: Mapping[str, Tree], folder: FilePath) -> list[Problem]:
    """Problems of copying (K501), of figures (K502) and of missing pages (K503)."""
    pages: dict[str, str] = {}
    problems: list[Problem] = []
    for at, source in enumerate(book.sources.values()):
        try:
            pages[source.id] = plain_digits((folder / source.file).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError):
            where = trees["sources.yaml"].at((at, "file"))
            problems.append(Problem("sources.yaml", *where, "K503", f"在来源目录里打不开“{source.file}”"))
    spelled = {identifier: key(page) for identifier, page in pages.items()}
    shingles = {
        text[at : at + LONGEST_SHARED + 1] for text in spelled.values() for at in range(len(text) - LONGEST_SHARED)
    }
    titles = [key(source.title) for source in book.sources.values() if source.title]
    for name, tree in trees.items():
        if "/" not in name or not isinstance(tree.data, list):
            continue
        for index, raw in enumerate(tree.data):
            entry = book.entries.get(raw["id"])
            if entry is None:
                continue
            for path, text in _texts(entry):
                shared = _shared(text, _names(entry, book) + titles, shingles)
                if shared:
                    message = f"和来源原文有 {LONGEST_SHARED + 1} 个字以上相同：“{shared}”，请换自己的话"
                    problems.append(Problem(name, *tree.at((index, *path)), "K501", message))
            problems += _figures(name, tree, index, entry, pages)
    return problems


def _texts(entry: Entry) -> Iterator[tuple[Path, str]]:
    yield ("summary",), entry.summary
    if entry.caution:
        yield ("caution",), entry.caution
    for at, fact in enumerate(entry.facts):
        yield ("facts", at, "text"), fact.text
    for name in ("ask", "tests", "rejects"):
        for at, text in enumerate(getattr(entry, name)):
            yield (name, at), text


def _names(entry: Entry, book: Book) -> list[str]:
    names = [entry.name, *entry.aliases, entry.department or ""]
    names += [book.entries[other].name for other in entry.related if other in book.entries]
    return sorted((key(name) for name in names if len(key(name)) >= _LEAST_NAME), key=len, reverse=True)


def _shared(text: str, names: list[str], shingles: set[str]) -> str:
    """The first run that is too long, once figures and names are cut out; empty when there is none."""
    pieces = [key(piece) for piece in _FIGURES.sub("\n", plain_digits(text)).split("\n")]
    for name in names:
        pieces = [part for piece in pieces for part in piece.split(name)]
    for piece in pieces:
        for at in range(len(piece) - LONGEST_SHARED):
            if piece[at : at + LONGEST_SHARED + 1] in shingles:
                return piece[at : at + LONGEST_SHARED + 1]
    return ""


def _figures(name: str, tree: Tree, index: int, entry: Entry, pages: Mapping[str, str]) -> Iterator[Problem]:
    for at, fact in enumerate(entry.facts):
        page = pages.get(fact.source)
        if page is None:
            continue
        known = set(_FIGURE.findall(page)) | set(_FIGURE.findall(fact.period)) | {fact.as_of[:4]}
        for figure in _FIGURE.findall(plain_digits(fact.text)):
            if figure not in known:
                message = f"来源“{fact.source}”里没有“{figure}”这个数，请核对（原文是汉字数字时请照写汉字）"
                yield Problem(name, *tree.at((index, "facts", at, "text")), "K502", message)
