"""A folder of knowledge files → one immutable Book, or the whole list of its problems."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.errors import KnowledgeError
from bot.knowledge import schema
from bot.knowledge.page import read_page
from bot.knowledge.references import check_references
from bot.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from bot.knowledge.nodes import Tree
    from bot.knowledge.page import Page


SUFFIXES = (".yaml", ".yml")
"""Of knowledge files, in small or capital letters."""
_MISNAMED = re.compile(r"(.*)[.．。]ya?ml(?:[.．。](?:txt|text|docx?|rtf))?", re.IGNORECASE | re.DOTALL)
"""What an editor makes of a knowledge file's name, or an input method of its dot."""


@dataclass(frozen=True, slots=True)
class Book:
    """All knowledge of one moment. `version` is a hash over the names and bytes of its files."""

    version: str
    entries: Mapping[str, schema.Entry]
    sources: Mapping[str, schema.SourceItem]
    regions: Mapping[str, schema.RegionItem]
    themes: tuple[schema.ThemeItem, ...]
    audiences: tuple[schema.AudienceItem, ...]
    facets: tuple[schema.FacetItem, ...]
    synonyms: tuple[tuple[str, ...], ...]
    outside: tuple[schema.OutsideItem, ...]
    elsewhere: tuple[schema.ElsewhereItem, ...]
    talk: tuple[schema.TalkItem, ...]
    texts: Mapping[str, str]
    golden: tuple[schema.GoldenItem, ...]
    faqs: Mapping[str, schema.Faq]

    def text(self, key: str, **values: str) -> str:
        """One of the fixed texts, with its `{placeholders}` filled."""
        result = self.texts[key]
        for name, value in values.items():
            result = result.replace("{" + name + "}", value)
        return result


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of reading a folder: `book` is None when there are errors."""

    book: Book | None
    problems: tuple[Problem, ...]
    trees: Mapping[str, Tree]


def read_folder(folder: Path) -> dict[str, bytes]:
    """Bytes of every YAML file under `folder`, by relative POSIX path, sorted. Raises OSError for one it cannot read.

    Of a name that is no UTF-8 the odd bytes are spelled out.
    """
    return {name: path.read_bytes() for name, path in _files(folder) if path.suffix.lower() in SUFFIXES}


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file, by relative name, but those that `.` or `_` hides."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = path.relative_to(folder)
        if not any(part.startswith((".", "_")) for part in name.parts):
            yield name.as_posix().encode("utf-8", "backslashreplace").decode(), path


def unread(folder: Path) -> list[Problem]:
    """Files that look like knowledge and are not read, for their names."""
    found: list[Problem] = []
    for name, path in _files(folder):
        meant = None if path.suffix.lower() in SUFFIXES else _MISNAMED.fullmatch(path.name)
        if meant:
            message = f"文件名不是以 .yaml 结尾，没有读它；请改名为 {meant[1]}.yaml（在“查看”里显示文件扩展名才看得到）"
            found.append(Problem(name, 1, 1, "K006", message, Severity.WARNING))
    return found


def load(folder: Path) -> Loaded:
    """Read and validate a folder. Never raises for what its files hold."""
    if not folder.is_dir():
        problem = Problem(folder.name, 1, 1, "K000", "找不到知识目录，请用 --knowledge 指定")
        return Loaded(None, (problem,), {})
    try:
        return parse(read_folder(folder))
    except OSError as error:
        return Loaded(None, (unreadable(folder, error),), {})


def unreadable(folder: Path, error: OSError) -> Problem:
    """What keeps a folder from being read, for a maintainer."""
    file = f"“{error.filename}”" if error.filename else ""
    message = f"读不了知识目录：{error.strerror or error}{file}；请检查文件还在不在、有没有读的权限"
    return Problem(folder.name, 1, 1, "K000", message)


def parse(files: Mapping[str, bytes]) -> Loaded:
    """Validate files given as bytes: the same as `load`, without a disk."""
    return bind({name: read_page(name, content) for name, content in files.items()})


def bind(pages: Mapping[str, Page]) -> Loaded:
    """Put files together that were read one by one. Pages are not changed, so they may be kept and bound again."""
    problems = [problem for page in pages.values() for problem in page.tree.problems]
    missing = [name for name in schema.REGISTRIES if name not in pages]
    problems += [Problem(name, 1, 1, "K004", "缺少这个文件，请从上一版恢复") for name in missing]
    book = None
    if not missing and all(page.part is not None for page in pages.values()):
        book = _assemble(pages)
        problems += check_references(book, pages)
    broken = any(problem.severity is Severity.ERROR for problem in problems)
    trees = {name: page.tree for name, page in pages.items()}
    return Loaded(None if broken else book, tuple(sorted(problems)), trees)


def load_or_raise(folder: Path) -> Book:
    """Read a folder; raise KnowledgeError with all its problems when it cannot be used."""
    loaded = load(folder)
    if loaded.book is None:
        raise KnowledgeError([problem for problem in loaded.problems if problem.severity is Severity.ERROR])
    return loaded.book


def _version(pages: Mapping[str, Page]) -> str:
    digest = hashlib.sha256()
    for name, page in sorted(pages.items()):
        digest.update(name.encode() + b"\0" + page.digest)
    return digest.hexdigest()[:12]


def _by(items: Iterable[Any], attribute: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for item in items:
        result.setdefault(getattr(item, attribute), item)
    return result


def _assemble(pages: Mapping[str, Page]) -> Book:
    parts = {name: page.part for name, page in pages.items()}
    in_order = [page for _, page in sorted(pages.items())]
    entries = _by((entry for page in in_order for entry in page.entries), "id")
    faqs = _by((faq for page in in_order for faq in page.faqs), "id")
    return Book(
        version=_version(pages),
        entries=dict(sorted(entries.items())),
        sources=_by(parts["sources.yaml"], "id"),
        regions=_by(parts["regions.yaml"], "name"),
        themes=parts["themes.yaml"],
        audiences=parts["audiences.yaml"],
        facets=parts["facets.yaml"],
        synonyms=parts["synonyms.yaml"],
        outside=parts["outside.yaml"],
        elsewhere=parts["elsewhere.yaml"],
        talk=parts["smalltalk.yaml"],
        texts=parts["texts.yaml"],
        golden=parts["golden.yaml"],
        faqs=dict(sorted(faqs.items())),
    )
