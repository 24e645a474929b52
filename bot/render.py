"""Reply → one channel's text. Markup is built, never pasted."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bot.text.normalise import spaced

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.model import Block, Hit, Reply

_BULLET = {"fact": "• ", "caution": "注意："}


def plain(reply: Reply) -> str:
    """Plain text; figures stand tight against their units."""
    lines: list[str] = []
    for block in reply.blocks:
        if block.kind == "title" and lines:
            lines.append("")
        lines.append(line(block))
    return "\n".join(lines)


def line(block: Block) -> str:
    """One block as one line."""
    bullet = _BULLET.get(block.kind)
    return bullet + block.text if bullet else block.text


def terminal(reply: Reply) -> str:
    """Plain text for reading in a terminal: spaced, options numbered."""
    text = spaced(plain(reply))
    listed = reply.status.value in {"choices", "list"}
    options = [option.label for option in reply.options if option.id]
    if options and not listed:
        text += "\n相关：" + spaced("、".join(options))
    return text


def payload(question: str, reply: Reply, took_ms: float, explain: bool = False) -> dict[str, Any]:
    """The answer as JSON, by the contract. Lone surrogates are replaced, so it always encodes."""
    result: dict[str, Any] = {
        "q": question.encode("utf-8", "replace").decode("utf-8"),
        "status": reply.status.value,
        "ids": list(reply.ids),
        "score": round(reply.score, 4),
        "text": plain(reply),
        "sources": [{"id": source.id, "title": source.title, "date": source.date} for source in reply.sources],
        "options": [{"id": option.id, "label": option.label} for option in reply.options],
        "took_ms": round(took_ms, 3),
    }
    if explain:
        result["hits"] = [_hit(hit) for hit in reply.hits]
        result["reason"] = reply.reason
    return result


def _hit(hit: Hit) -> dict[str, Any]:
    return {"id": hit.id, "score": hit.score, "why": "；".join(hit.why)}


def parts(blocks: Sequence[Block], limit: int, size: Callable[[str], int]) -> list[tuple[Block, ...]]:
    """The blocks in groups whose lines fit `limit`, as `size` measures text; a block that is too long is cut.

    There is at least one group.
    """
    groups: list[list[Block]] = [[]]
    used = 0
    for block in _cut(blocks, limit, size):
        needed = size(spaced(line(block))) + 2 * size("\n")
        if groups[-1] and used + needed > limit:
            groups.append([])
            used = 0
        groups[-1].append(block)
        used += needed
    return [tuple(group) for group in groups]


def _cut(blocks: Sequence[Block], limit: int, size: Callable[[str], int]) -> Iterator[Block]:
    room = limit - 4 * size("\n")
    for block in blocks:
        rest = block.text
        while size(spaced(line(replace(block, text=rest)))) > room:
            end = _end(replace(block, text=rest), room, size)
            yield replace(block, text=rest[:end])
            rest = rest[end:]
        yield replace(block, text=rest)


def _end(block: Block, room: int, size: Callable[[str], int]) -> int:
    """How many characters of a block fit, at least one."""

    def too_long(end: int) -> bool:
        return size(spaced(line(replace(block, text=block.text[:end])))) > room

    return max(1, bisect_left(range(1, len(block.text) + 1), True, key=too_long))
