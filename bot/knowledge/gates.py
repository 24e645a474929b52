"""The keyword rules of one entry: gates that can never open, and words that do nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import Severity
from bot.text.expand import expand
from bot.text.normalise import join_han, normalise

if TYPE_CHECKING:
    from bot.knowledge.nodes import Tree
    from bot.knowledge.schema import Entry


def check(tree: Tree, index: int, entry: Entry) -> None:
    """Note what is the matter with `match`."""
    rules = entry.match
    if not (rules.none or rules.all):
        return
    barred = [(word, _plain(word)) for word in rules.none]
    shut = False
    for kind in ("all", "any"):
        for at, word in enumerate(getattr(rules, kind)):
            bar = next((typed for typed, plain in barred if plain and plain in _plain(word)), None)
            where = tree.at((index, "match", kind, at))
            if bar is not None and kind == "all":
                message = f"all 要有“{word}”，none 又不许有“{bar}”：哪一句也进不来；请删掉一个"
                tree.add(where, "K310", message)
                shut = True
            elif bar is not None:
                message = f"“{word}”里有 none 的“{bar}”，这个特征词永远用不上；请删掉一个"
                tree.add(where, "K311", message, Severity.WARNING)
    if rules.all and not shut:
        _reachable(tree, index, entry)


def _reachable(tree: Tree, index: int, entry: Entry) -> None:
    """At least one phrasing holds all of `all`; otherwise citizens hardly will either."""
    texts = [_plain(wording) for template in entry.ask for wording in expand(template)]
    for at, word in enumerate(entry.match.all):
        if not any(_plain(word) in text for text in texts):
            message = f"问法里没有一句有“{word}”，all 写了它就几乎问不到本条；请删掉，或在 ask 里补一句"
            tree.add(tree.at((index, "match", "all", at)), "K311", message, Severity.WARNING)


def _plain(text: str) -> str:
    return join_han(normalise(text))
