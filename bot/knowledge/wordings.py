"""Phrasings and synonyms: none empty, none twice, and no test that is a phrasing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.knowledge.schema import Entry
from bot.model import Severity
from bot.text.expand import expand
from bot.text.normalise import key, normalise

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.knowledge.nodes import Path, Tree
    from bot.knowledge.schema import Faq


def check_synonyms(tree: Tree, groups: Sequence[Sequence[str]]) -> None:
    """Note the words that stand in two groups of synonyms."""
    seen: dict[str, int] = {}
    for index, group in enumerate(groups):
        for at, word in enumerate(group):
            spelling = normalise(word)
            if spelling in seen:
                other = tree.at((seen[spelling],))[0]
                message = f"“{word}”已经在第 {other} 行那一组里，一个词只能在一组"
                tree.add(tree.at((index, at)), "K303", message)
            seen.setdefault(spelling, index)


def check(tree: Tree, index: int, item: Entry | Faq) -> dict[str, Path]:
    """Note the problems of one item; return the spelling of each phrasing with where it first stands."""
    if not isinstance(item, Entry):
        return {key(normalise(text)): path for path, text in _of_faq(index, item)}
    named: dict[str, Path] = {key(normalise(item.name)): (index, "name")}
    for at, alias in enumerate(item.aliases):
        named.setdefault(key(normalise(alias)), (index, "aliases", at))
    return _asked(tree, index, item) | named


def _of_faq(index: int, faq: Faq) -> Iterator[tuple[Path, str]]:
    yield (index, "question"), faq.question
    for at, text in enumerate(faq.questions):
        yield (index, "questions", at), text


def _asked(tree: Tree, index: int, entry: Entry) -> dict[str, Path]:
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
    return {spelling: (index, "ask", at) for spelling, at in asked.items()}
