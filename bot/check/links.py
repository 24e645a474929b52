"""Do the addresses of the sources still answer? Asked only where there is a network, and only when told to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from bot.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.knowledge.book import Book
    from bot.knowledge.nodes import Tree

_SECONDS = 10.0
_AT_ONCE = 8
_NO_HEAD = (403, 405, 501)
"""What servers say that answer no HEAD request, though they would answer a GET."""


async def dead(book: Book, trees: Mapping[str, Tree], client: httpx.AsyncClient | None = None) -> list[Problem]:
    """Sources whose address does not answer, or answers with an error (K603)."""
    gate = asyncio.Semaphore(_AT_ONCE)
    tree = trees["sources.yaml"]
    linked = [(at, source.url) for at, source in enumerate(book.sources.values()) if source.url]
    async with client or httpx.AsyncClient(timeout=_SECONDS, follow_redirects=True) as asking:
        said = await asyncio.gather(*(_ask(asking, url, gate) for _, url in linked))
    return [
        Problem(
            "sources.yaml", *tree.at((at, "url")), "K603", f"网址打不开（{what}）；请核对或换一个", Severity.WARNING
        )
        for (at, _), what in zip(linked, said, strict=True)
        if what
    ]


async def _ask(client: httpx.AsyncClient, url: str, gate: asyncio.Semaphore) -> str:
    """What is wrong with an address; empty when it answers."""
    async with gate:
        try:
            response = await client.head(url)
            if response.status_code in _NO_HEAD:
                response = await client.get(url)
        except httpx.HTTPError as error:
            return type(error).__name__
    return f"HTTP {response.status_code}" if response.is_error else ""
