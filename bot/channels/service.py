"""What a channel may ask of the program behind it. `bot.app` implements it; tests bring their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from bot.model import Message


@dataclass(frozen=True, slots=True)
class Handled:
    """One message, answered.

    `payload` is the answer as JSON (`q`, `status`, `ids`, `score`, `text`, `sources`, `options`, `took_ms`) with
    `id`, the row in the query log or None, and `blocks`, the paragraphs as `{"kind", "text"}`.
    """

    payload: dict[str, Any]


class Service(Protocol):
    """The program as a channel sees it."""

    async def handle(self, message: Message) -> Handled:
        """Answer one message. Never raises."""
        ...

    async def feedback(self, row_id: int, verdict: str, message: Message) -> bool:
        """Record `up` or `down` for an answer; false if it is not this user's to judge."""
        ...

    def health(self) -> dict[str, Any]:
        """`{"status": "ok", ...}` while everything works."""
        ...

    def welcome(self) -> tuple[str, list[str]]:
        """The greeting, and example questions to tap."""
        ...
