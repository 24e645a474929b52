"""One knowledge file: read and validated by itself, with all that can be said of it without the others."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from bot.knowledge import gates, habits, nodes, schema, translate, wordings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bot.knowledge.nodes import Path, Tree


NOTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Named:
    """What the items of a file name, as sets, so that many files are compared at a glance.

    `itself` are ids of entries that are related to themselves, `twice` are phrasings of two of the items; `dated` says
    whether any item is sent on to another, or stands from one day until another.
    """

    ids: frozenset[str] = NOTHING
    regions: frozenset[str] = NOTHING
    themes: frozenset[str] = NOTHING
    audiences: frozenset[str] = NOTHING
    related: frozenset[str] = NOTHING
    sources: frozenset[str] = NOTHING
    itself: frozenset[str] = NOTHING
    twice: frozenset[str] = NOTHING
    dated: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """One file. `part` is its validated content, None when it cannot be used; problems stand in `tree`.

    `asked` are the spellings of all its phrasings, each with where it stands, once for each item.
    """

    name: str
    digest: bytes
    tree: Tree
    part: Any = None
    asked: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    named: Named = field(default_factory=Named)

    @property
    def entries(self) -> Sequence[schema.Entry]:
        """The entries of an entry file that is sound."""
        return self.part if self.part is not None and "/" in self.name and not is_faq(self.name) else ()

    @property
    def faqs(self) -> Sequence[schema.Faq]:
        """The questions and answers of a FAQ file that is sound."""
        return self.part if self.part is not None and is_faq(self.name) else ()


def is_faq(name: str) -> bool:
    """Whether a file, by its relative name, holds questions and answers."""
    return name.startswith(schema.FAQ_FOLDER)


def read_page(name: str, content: bytes) -> Page:
    """Read one file. Never raises for what it holds."""
    tree = nodes.read(name, content)
    page = Page(name, hashlib.sha256(content).digest(), tree, _validate(name, tree))
    if page.part is not None and name == "synonyms.yaml":
        wordings.check_synonyms(tree, page.part)
    if page.part is None or "/" not in name:
        return page
    asked: dict[str, list[Path]] = {}
    for index, item in enumerate(page.part):
        for spelling, path in wordings.check(tree, index, item).items():
            asked.setdefault(spelling, []).append(path)
        habits.check(tree, index, item)
        if isinstance(item, schema.Entry):
            gates.check(tree, index, item)
    return replace(page, asked=asked, named=_named(page, asked))


def _named(page: Page, asked: Mapping[str, Sequence[Path]]) -> Named:
    entries = page.entries
    return Named(
        ids=frozenset(item.id for item in page.part),
        regions=frozenset(entry.region for entry in entries),
        themes=frozenset(entry.theme for entry in entries),
        audiences=frozenset(audience for entry in entries for audience in entry.audience),
        related=frozenset(other for entry in entries for other in entry.related),
        sources=frozenset(fact.source for entry in entries for fact in entry.facts),
        itself=frozenset(entry.id for entry in entries if entry.id in entry.related),
        twice=frozenset(spelling for spelling, paths in asked.items() if len(paths) > 1),
        dated=any(item.redirect or (item.valid_from and item.valid_until) for item in page.part),
    )


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
    model = schema.REGISTRIES.get(name, schema.FaqFile if is_faq(name) else schema.EntryFile)
    fields = {
        "": _ITEM_FIELDS.get(name, _fields(schema.Faq if is_faq(name) else schema.Entry)),
        "facts": _fields(schema.Fact),
        "match": _fields(schema.Rules),
    }
    try:
        return model.model_validate(tree.data).root
    except ValidationError as error:
        translate.report(tree, error, fields)
        return None
