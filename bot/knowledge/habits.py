"""What citizens read, sentence by sentence: typing slips, figures without an origin, texts too long for one message."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.knowledge.schema import Entry
from bot.model import Severity
from bot.text.normalise import plain_digits
from bot.text.tidy import slips

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bot.knowledge.nodes import Path, Tree
    from bot.knowledge.schema import Faq

CHANNEL_BYTES = 2048
"""What one message of WeCom holds, the least of all channels (UTF-8)."""
_FACTS = 4
_FRAME_BYTES = 260
"""Title of the source, its date and the words around them, about."""
_FIGURE = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_YEAR = re.compile(r"(?<![0-9])(?:19|20)[0-9]{2}(?![0-9])")
_HOTLINE = "12345"
_SAYS = {
    "wide": ("K018", "全角的字母、数字或空格"),
    "marks": ("K020", "中文里的半角标点"),
    "spaces": ("K019", "空格不对：中文和数字、字母之间空一格，标点旁边不空，不连着空"),
}


def read_by_citizens(index: int, item: Entry | Faq) -> Iterator[tuple[Path, str]]:
    """Every text of an item that a reply may say, but for names."""
    if not isinstance(item, Entry):
        yield (index, "answer"), item.answer
        return
    yield (index, "summary"), item.summary
    for at, fact in enumerate(item.facts):
        yield (index, "facts", at, "text"), fact.text
        yield (index, "facts", at, "period"), fact.period
    if item.caution:
        yield (index, "caution"), item.caution


def names(item: Entry | Faq) -> tuple[str, ...]:
    """Names, which are spelled as they are."""
    return (item.name, *item.aliases, item.department or "") if isinstance(item, Entry) else ()


def check(tree: Tree, index: int, item: Entry | Faq) -> None:
    """Note the problems of one item."""
    for path, text in read_by_citizens(index, item):
        for kind, mended in slips(text, names(item)).items():
            code, what = _SAYS[kind]
            message = f"{what}；“{_around(text, mended)}”请改成“{_around(mended, text)}”（reformbot check --fix 会改）"
            tree.add(tree.at(path), code, message, Severity.WARNING)
    if isinstance(item, Entry):
        _periods(tree, index, item)
        _origins(tree, index, item)
    else:
        _curated(tree, index, item)
    _length(tree, index, item)


def _around(text: str, other: str) -> str:
    """The stretch where a text begins to differ from another one."""
    at = next((at for at, (mine, theirs) in enumerate(zip(text, other, strict=False)) if mine != theirs), 0)
    return text[max(0, at - 6) : at + 8]


def _periods(tree: Tree, index: int, entry: Entry) -> None:
    for at, fact in enumerate(entry.facts):
        years, year = _YEAR.findall(fact.period), fact.as_of[:4]
        where = tree.at((index, "facts", at, "period"))
        if not years:
            message = f"期间“{fact.period}”没写年份，市民不知道是哪一年的事；请写明，如“{year} 年”"
            tree.add(where, "K315", message, Severity.WARNING)
        elif not min(years) <= year <= max(years):
            message = f"as_of 是 {year} 年，期间写的是“{fact.period}”，对不上；请核对"
            tree.add(where, "K315", message, Severity.WARNING)


def _origins(tree: Tree, index: int, entry: Entry) -> None:
    """The summary has no source of its own: its figures stand in a fact that has one."""
    told = " ".join(f"{fact.text} {fact.period} {fact.as_of}" for fact in entry.facts)
    known = {*_figures(told), *_figures(" ".join(names(entry))), _HOTLINE}
    loose = [figure for figure in _figures(entry.summary) if figure not in known]
    if loose:
        message = f"“{loose[0]}”没有出处：哪条事实里也没有这个数；请补一条带来源的事实，或去掉它"
        tree.add(tree.at((index, "summary")), "K314", message, Severity.WARNING)


def _curated(tree: Tree, index: int, faq: Faq) -> None:
    loose = [figure for figure in _figures(faq.answer) if figure != _HOTLINE]
    if loose and faq.source is None:
        message = f"回答里有“{loose[0]}”这样的数，却没写来源；请补一行 source: …"
        tree.add(tree.at((index, "answer")), "K314", message, Severity.WARNING)
    elif loose and faq.period is None:
        message = f"回答里有“{loose[0]}”这样的数，却没写期间；请补一行 period: …"
        tree.add(tree.at((index, "answer")), "K315", message, Severity.WARNING)


def _figures(text: str) -> list[str]:
    return _FIGURE.findall(plain_digits(text))


def _length(tree: Tree, index: int, item: Entry | Faq) -> None:
    """A reply says the summary, at most four facts and the caution."""
    if isinstance(item, Entry):
        facts = sorted((_size(f"• {fact.text}（{fact.period}）\n") for fact in item.facts), reverse=True)
        size = _size(f"{item.name}{item.region}{item.summary}{item.caution or ''}") + sum(facts[:_FACTS])
        path: Path = (index, "summary")
    else:
        size, path = _size(f"{item.question}\n{item.answer}"), (index, "answer")
    if size + _FRAME_BYTES > CHANNEL_BYTES:
        message = f"回答约 {size + _FRAME_BYTES} 字节，企业微信一条消息放不下（{CHANNEL_BYTES}），会拆成几条；最好缩短"
        tree.add(tree.at(path), "K313", message, Severity.WARNING)


def _size(text: str) -> int:
    return len(text.encode())
