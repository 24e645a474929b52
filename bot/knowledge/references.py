"""What a single file cannot tell: ids that repeat, names that point nowhere, words that stand twice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rapidfuzz import process

from bot.knowledge.schema import FAQ_FOLDER
from bot.model import Severity
from bot.text.expand import expand
from bot.text.normalise import key, normalise

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from bot.knowledge.book import Book
    from bot.knowledge.nodes import Path, Tree
    from bot.knowledge.schema import Entry

NEEDED_TEXTS = (
    "name", "welcome", "help", "none", "none_outside", "none_elsewhere", "choices_lead", "list_lead", "empty",
    "limited", "error", "neighbour_offer", "not_these", "not_these_reply", "gone", "list_lead_city", "which",
    "other_year", "not_city", "old_fact_caution",
)  # fmt: skip


def check_references(book: Book, trees: Mapping[str, Tree]) -> None:
    """Add cross-file problems to the trees they belong to."""
    _unique_ids(trees)
    regions = set(book.regions)
    themes = {theme.name for theme in book.themes}
    audiences = {audience.name for audience in book.audiences}
    for tree, index, entry in _entries(book, trees):
        _known(tree, (index, "region"), entry.region, regions, "地区", "regions.yaml")
        _shelved(tree, index, book)
        _known(tree, (index, "theme"), entry.theme, themes, "主题", "themes.yaml")
        for at, audience in enumerate(entry.audience):
            _known(tree, (index, "audience", at), audience, audiences, "人群", "audiences.yaml")
        for at, other in enumerate(entry.related):
            _known(tree, (index, "related", at), other, book.entries, "条目", "各条目文件")
            if other == entry.id:
                tree.add(tree.at((index, "related", at)), "K304", "related 里写了自己，请删掉")
        for at, fact in enumerate(entry.facts):
            _known(tree, (index, "facts", at, "source"), fact.source, book.sources, "来源", "sources.yaml")
        _repeats(tree, index, entry)
    _faqs(book, trees)
    _registries(book, trees)


def _entries(book: Book, trees: Mapping[str, Tree]) -> Iterator[tuple[Tree, int, Entry]]:
    for name, tree in trees.items():
        if "/" in name and not name.startswith(FAQ_FOLDER) and isinstance(tree.data, list):
            for index, raw in enumerate(tree.data):
                entry = book.entries.get(raw["id"])
                if entry is not None:
                    yield tree, index, entry


def _shelved(tree: Tree, index: int, book: Book) -> None:
    """An entry stands in the folder of its region; folders that are no region's are left alone."""
    folder, region = tree.file.split("/")[0], tree.data[index]["region"]
    right = book.regions.get(region)
    theirs = next((region.name for region in book.regions.values() if region.id == folder), None)
    if right is not None and theirs is not None and right.id != folder:
        message = f"文件夹 {folder} 是{theirs}的，这一条却写着{region}；请改地区，或挪到 {right.id} 文件夹"
        tree.add(tree.at((index, "region")), "K307", message, Severity.WARNING)


def _faqs(book: Book, trees: Mapping[str, Tree]) -> None:
    for name, tree in trees.items():
        if not name.startswith(FAQ_FOLDER) or not isinstance(tree.data, list):
            continue
        for index, raw in enumerate(tree.data):
            faq = book.faqs[raw["id"]]
            for key_, known, what, where in (
                ("entry", book.entries, "条目", "各条目文件"),
                ("region", book.regions, "地区", "regions.yaml"),
                ("source", book.sources, "来源", "sources.yaml"),
            ):
                value = getattr(faq, key_)
                if value is not None:
                    _known(tree, (index, key_), value, known, what, where)


def _unique_ids(trees: Mapping[str, Tree]) -> None:
    first: dict[str, str] = {}
    for name, tree in trees.items():
        if "/" not in name or not isinstance(tree.data, list):
            continue
        for index, raw in enumerate(tree.data):
            line, column = tree.at((index, "id"))
            if raw["id"] in first:
                tree.add((line, column), "K301", f"编号“{raw['id']}”已经用在 {first[raw['id']]}，请换一个")
            first.setdefault(raw["id"], f"{name}:{line}")


def _known(tree: Tree, path: Path, value: str, known: Collection[str], what: str, where: str) -> None:
    if value in known:
        return
    close = process.extractOne(value, sorted(known), score_cutoff=70)
    hint = f"，是不是想写“{close[0]}”？" if close else f"，请先在 {where} 里登记"
    tree.add(tree.at(path), "K302", f"没有“{value}”这个{what}{hint}")


def _repeats(tree: Tree, index: int, entry: Entry) -> None:
    asked: dict[str, int] = {}
    for at, template in enumerate(entry.ask):
        for wording in expand(template) or ("",):
            spelling = key(normalise(wording))
            if not spelling:
                tree.add(tree.at((index, "ask", at)), "K207", "这句问法里没有文字")
            elif asked.setdefault(spelling, at) != at:
                message = f"“{wording}”和本条第 {asked[spelling] + 1} 句问法相同，请删掉一个"
                tree.add(tree.at((index, "ask", at)), "K305", message, Severity.WARNING)
    for at, question in enumerate(entry.tests):
        if key(normalise(question)) in asked:
            tree.add(tree.at((index, "tests", at)), "K306", "这句测试和 ask 里的问法相同，测不出东西，请换个说法")


def _registries(book: Book, trees: Mapping[str, Tree]) -> None:
    synonyms = trees["synonyms.yaml"]
    seen: dict[str, int] = {}
    for index, group in enumerate(book.synonyms):
        for at, word in enumerate(group):
            spelling = normalise(word)
            if spelling in seen:
                other = synonyms.at((seen[spelling],))[0]
                synonyms.add(synonyms.at((index, at)), "K303", f"“{word}”已经在第 {other} 行那一组里，一个词只能在一组")
            seen.setdefault(spelling, index)
    golden = trees["golden.yaml"]
    for index, item in enumerate(book.golden):
        _known(golden, (index, "id"), item.id, {**book.entries, **book.faqs}, "条目", "各条目文件")
    regions = trees["regions.yaml"]
    ids = {region.id for region in book.regions.values()}
    for index, region in enumerate(book.regions.values()):
        if region.parent is not None:
            _known(regions, (index, "parent"), region.parent, ids, "地区编号", "regions.yaml")
    texts = trees["texts.yaml"]
    for name in NEEDED_TEXTS:
        if name not in book.texts:
            texts.add((1, 1), "K201", f"缺少“{name}”，请补上")
    facets = trees["facets.yaml"]
    from_vocabulary = {facet.name for facet in book.facets}
    if "费用" not in from_vocabulary:
        facets.add((1, 1), "K201", "缺少“费用”，请补上")
