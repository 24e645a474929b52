"""A folder of knowledge files → one immutable Book, or the whole list of its problems."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from bot.errors import KnowledgeError
from bot.knowledge import nodes, schema, translate
from bot.knowledge.references import check_references
from bot.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from bot.knowledge.nodes import Tree


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
    """Bytes of every YAML file under `folder`, by relative POSIX path, sorted."""
    found = sorted(path for pattern in ("*.yaml", "*.yml") for path in folder.rglob(pattern) if path.is_file())
    relative = ((path.relative_to(folder), path) for path in found)
    return {
        name.as_posix(): path.read_bytes()
        for name, path in relative
        if not any(part.startswith((".", "_")) for part in name.parts)
    }


def load(folder: Path) -> Loaded:
    """Read and validate a folder. Never raises for what its files hold."""
    if not folder.is_dir():
        problem = Problem(folder.name, 1, 1, "K000", "找不到知识目录，请用 --knowledge 指定")
        return Loaded(None, (problem,), {})
    return parse(read_folder(folder))


def parse(files: Mapping[str, bytes]) -> Loaded:
    """Validate files given as bytes: the same as `load`, without a disk."""
    trees = {name: nodes.read(name, content) for name, content in files.items()}
    parts = {name: _validate(name, tree) for name, tree in trees.items()}
    missing = [name for name in schema.REGISTRIES if name not in files]
    problems = [Problem(name, 1, 1, "K004", "缺少这个文件，请从上一版恢复") for name in missing]
    if not missing and all(part is not None for part in parts.values()):
        book = _assemble(_version(files), parts)
        check_references(book, trees)
    else:
        book = None
    problems += [problem for tree in trees.values() for problem in tree.problems]
    broken = any(problem.severity is Severity.ERROR for problem in problems)
    return Loaded(None if broken else book, tuple(sorted(problems)), trees)


def load_or_raise(folder: Path) -> Book:
    """Read a folder; raise KnowledgeError with all its problems when it cannot be used."""
    loaded = load(folder)
    if loaded.book is None:
        raise KnowledgeError([problem for problem in loaded.problems if problem.severity is Severity.ERROR])
    return loaded.book


def _version(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()[:12]


def _fields(model: type[BaseModel]) -> dict[str, bool]:
    """The keys of a model, each with whether it is needed."""
    return {name: field.is_required() for name, field in model.model_fields.items()}


_ITEM_FIELDS: dict[str, dict[str, bool]] = {
    "sources.yaml": _fields(schema.SourceItem),
    "regions.yaml": _fields(schema.RegionItem),
    "themes.yaml": _fields(schema.ThemeItem),
    "audiences.yaml": _fields(schema.AudienceItem),
    "facets.yaml": _fields(schema.FacetItem),
    "outside.yaml": _fields(schema.OutsideItem),
    "elsewhere.yaml": _fields(schema.ElsewhereItem),
    "smalltalk.yaml": _fields(schema.TalkItem),
    "golden.yaml": _fields(schema.GoldenItem),
}


def _validate(name: str, tree: Tree) -> Any:
    if tree.data is None:
        return None
    if name not in schema.REGISTRIES and "/" not in name:
        known = "、".join(schema.REGISTRIES)
        tree.add((1, 1), "K005", f"条目要放在地区目录里，如 ningbo/justice.yaml；顶层只能有：{known}")
        return None
    is_faq = name.startswith(schema.FAQ_FOLDER)
    model = schema.REGISTRIES.get(name, schema.FaqFile if is_faq else schema.EntryFile)
    fields = {
        "": _ITEM_FIELDS.get(name, _fields(schema.Faq if is_faq else schema.Entry)),
        "facts": _fields(schema.Fact),
        "match": _fields(schema.Rules),
    }
    try:
        return model.model_validate(tree.data).root
    except ValidationError as error:
        translate.report(tree, error, fields)
        return None


def _by(items: Iterable[Any], attribute: str) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for item in items:
        result.setdefault(getattr(item, attribute), item)
    return result


def _assemble(version: str, parts: Mapping[str, Any]) -> Book:
    files: Sequence[str] = sorted(name for name in parts if name not in schema.REGISTRIES)
    faqs = [faq for name in files if name.startswith(schema.FAQ_FOLDER) for faq in parts[name]]
    entries = _by((entry for name in files if not name.startswith(schema.FAQ_FOLDER) for entry in parts[name]), "id")
    return Book(
        version=version,
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
        faqs=dict(sorted(_by(faqs, "id").items())),
    )
