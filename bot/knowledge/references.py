"""What a single file cannot tell: ids that repeat, names that point nowhere, words and phrasings that stand twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz import fuzz, process

from bot.knowledge.schema import Entry
from bot.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from bot.knowledge.book import Book
    from bot.knowledge.nodes import Path
    from bot.knowledge.page import Page
    from bot.knowledge.schema import Faq, RegionItem

NEEDED_TEXTS = (
    "name", "welcome", "help", "none", "none_outside", "none_elsewhere", "choices_lead", "list_lead", "empty",
    "limited", "error", "neighbour_offer", "not_these", "not_these_reply", "gone", "list_lead_city", "which",
    "other_year", "not_city", "other_place", "old_fact_caution", "closed", "paused", "paused_all", "no_period",
)  # fmt: skip

_CLOSE = 60
"""Percent of its characters that a known name shares with one that is meant for it: 宁波 and 宁波市 80."""


def check_references(book: Book, pages: Mapping[str, Page]) -> list[Problem]:
    """Problems across files, in no order."""
    return [
        *_repeated_ids(pages),
        *_repeated_phrasings(pages),
        *_entries(book, pages),
        *_faqs(book, pages),
        *_standing(book, pages),
        *_registries(book, pages),
    ]


def _at(page: Page, path: Path, code: str, message: str, severity: Severity = Severity.ERROR) -> Problem:
    return Problem(page.name, *page.tree.at(path), code, message, severity)


def _items(pages: Iterable[Page]) -> Iterator[tuple[Page, int, Entry | Faq]]:
    for page in pages:
        items: tuple[Entry | Faq, ...] = (*page.entries, *page.faqs)
        for index, item in enumerate(items):
            yield page, index, item


def _known(page: Page, path: Path, value: str, known: Collection[str], what: str, where: str) -> Iterator[Problem]:
    if value in known:
        return
    close = process.extractOne(value, sorted(known), scorer=fuzz.ratio, score_cutoff=_CLOSE)
    hint = f"，是不是想写“{close[0]}”？" if close else f"，请先在 {where} 里登记"
    yield _at(page, path, "K302", f"没有“{value}”这个{what}{hint}")


def _entries(book: Book, pages: Mapping[str, Page]) -> Iterator[Problem]:
    themes = {theme.name for theme in book.themes}
    audiences = {audience.name for audience in book.audiences}
    folders = {region.id: region for region in book.regions.values()}
    for page in pages.values():
        if _resolved(page, book, themes, audiences, folders):
            continue
        for index, entry in enumerate(page.entries):
            yield from _known(page, (index, "region"), entry.region, book.regions, "地区", "regions.yaml")
            theirs, right = folders.get(page.name.split("/")[0]), book.regions.get(entry.region)
            if theirs is not None and right is not None and theirs != right:
                told = f"文件夹 {theirs.id} 是{theirs.name}的，这一条却写着{entry.region}"
                message = f"{told}；请改地区，或挪到 {right.id} 文件夹"
                yield _at(page, (index, "region"), "K307", message, Severity.WARNING)
            yield from _known(page, (index, "theme"), entry.theme, themes, "主题", "themes.yaml")
            for at, audience in enumerate(entry.audience):
                yield from _known(page, (index, "audience", at), audience, audiences, "人群", "audiences.yaml")
            for at, other in enumerate(entry.related):
                yield from _known(page, (index, "related", at), other, book.entries, "条目", "各条目文件")
                if other == entry.id:
                    yield _at(page, (index, "related", at), "K304", "related 里写了自己，请删掉")
            for at, fact in enumerate(entry.facts):
                yield from _known(
                    page, (index, "facts", at, "source"), fact.source, book.sources, "来源", "sources.yaml"
                )


def _resolved(
    page: Page,
    book: Book,
    themes: set[str],
    audiences: set[str],
    folders: Mapping[str, RegionItem],
) -> bool:
    """Whether all that the entries of a file name is there, told at a glance; what is not is looked for one by one."""
    named, folder = page.named, folders.get(page.name.split("/")[0])
    return (
        (named.regions <= book.regions.keys() if folder is None else named.regions <= {folder.name})
        and named.themes <= themes
        and named.audiences <= audiences
        and named.related <= book.entries.keys()
        and named.sources <= book.sources.keys()
        and not named.itself
    )


def _faqs(book: Book, pages: Mapping[str, Page]) -> Iterator[Problem]:
    for page in pages.values():
        for index, faq in enumerate(page.faqs):
            for name, known, what, where in (
                ("entry", book.entries, "条目", "各条目文件"),
                ("region", book.regions, "地区", "regions.yaml"),
                ("source", book.sources, "来源", "sources.yaml"),
            ):
                value = getattr(faq, name)
                if value is not None:
                    yield from _known(page, (index, name), value, known, what, where)


def _standing(book: Book, pages: Mapping[str, Page]) -> Iterator[Problem]:
    """Where entries are sent on to, and from when until when they stand."""
    known: dict[str, Entry | Faq] = {**book.entries, **book.faqs}
    for page, index, item in _items(page for page in pages.values() if page.named.dated):
        if item.valid_from and item.valid_until and item.valid_from > item.valid_until:
            message = f"到期的“{item.valid_until}”在开始的“{item.valid_from}”前面，永远答不了；请核对"
            yield _at(page, (index, "valid_until"), "K309", message)
        if item.redirect is None:
            continue
        yield from _known(page, (index, "redirect"), item.redirect, known, "条目", "各条目文件")
        if _circles(item.id, item.redirect, known):
            message = f"转给“{item.redirect}”，转来转去又回到本条，请改给真正回答的那一条"
            yield _at(page, (index, "redirect"), "K308", message)


def _circles(start: str, target: str | None, known: Mapping[str, Entry | Faq]) -> bool:
    """Whether following redirects from a target comes back to where it started."""
    passed: set[str] = set()
    while target is not None and target in known and target not in passed:
        if target == start:
            return True
        passed.add(target)
        target = known[target].redirect
    return False


def _repeated_ids(pages: Mapping[str, Page]) -> Iterator[Problem]:
    """Every item whose id stands earlier already. Files that share none are passed over as a whole."""
    first: dict[str, Page] = {}
    for page in pages.values():
        repeated = first.keys() & page.named.ids
        if repeated or len(page.named.ids) < len(page.entries) + len(page.faqs):
            seen: dict[str, int] = {}
            for _, index, item in _items((page,)):
                other = first.get(item.id, page)
                at = seen.setdefault(item.id, index) if other is page else _index_of(item.id, other)
                if (other, at) != (page, index):
                    where = f"{other.name}:{other.tree.at((at, 'id'))[0]}"
                    yield _at(page, (index, "id"), "K301", f"编号“{item.id}”已经用在 {where}，请换一个")
        first |= dict.fromkeys(page.named.ids - repeated, page)


def _index_of(identifier: str, page: Page) -> int:
    return next(index for _, index, item in _items((page,)) if item.id == identifier)


def _repeated_phrasings(pages: Mapping[str, Page]) -> Iterator[Problem]:
    """One phrasing of two entries: asked so, the bot can only let people choose.

    Two entries that name each other as related share a name on purpose.
    """
    first: dict[str, Page] = {}
    for page in pages.values():
        repeated = first.keys() & page.asked.keys()
        for spelling in repeated | page.named.twice:
            other = first.get(spelling, page)
            there = other.asked[spelling][0]
            for path in page.asked[spelling]:
                mine, theirs = page.part[path[0]], other.part[there[0]]
                if mine is theirs or _together(mine, theirs):
                    continue
                where = f"{other.name}:{other.tree.at(there)[0]} 的 {theirs.id}"
                message = f"“{_written(page, path)}”和 {where} 的问法相同，这样问只能请市民自己挑；请改得能分清"
                yield _at(page, path, "K312", message, Severity.WARNING)
        first |= dict.fromkeys(page.asked.keys() - repeated, page)


def _together(mine: Entry | Faq, theirs: Entry | Faq) -> bool:
    """Whether one of two is a question and answer under the other, both are under one, or each names the other."""
    if (
        isinstance(mine, Entry)
        and isinstance(theirs, Entry)
        and mine.id in theirs.related
        and theirs.id in mine.related
    ):
        return True
    return bool((getattr(mine, "entry", None) or mine.id) == (getattr(theirs, "entry", None) or theirs.id))


def _written(page: Page, path: Path) -> str:
    value = page.part[path[0]]
    for step in path[1:]:
        value = value[step] if isinstance(step, int) else getattr(value, step)
    return str(value)


def _registries(book: Book, pages: Mapping[str, Page]) -> Iterator[Problem]:
    golden = pages["golden.yaml"]
    answerable = {**book.entries, **book.faqs}
    for index, item in enumerate(book.golden):
        yield from _known(golden, (index, "id"), item.id, answerable, "条目", "各条目文件")
    regions = pages["regions.yaml"]
    ids = {region.id for region in book.regions.values()}
    for index, region in enumerate(regions.part):
        if region.parent is not None:
            yield from _known(regions, (index, "parent"), region.parent, ids, "地区编号", "regions.yaml")
    for name in NEEDED_TEXTS:
        if name not in book.texts:
            yield _at(pages["texts.yaml"], (), "K201", f"缺少“{name}”，请补上")
    if "费用" not in {facet.name for facet in book.facets}:
        yield _at(pages["facets.yaml"], (), "K201", "缺少“费用”，请补上")
