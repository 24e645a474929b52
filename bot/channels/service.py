"""What a channel may ask of the program behind it. `bot.app` implements it; tests bring their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bot.model import Reply

if TYPE_CHECKING:
    from bot.alerts import Alerts
    from bot.desk import Desk
    from bot.metrics import Metrics
    from bot.model import Message
    from bot.querylog.deliveries import Delivery
    from bot.querylog.recorder import Recorder
    from bot.querylog.store import QueryLog
    from bot.reload import Reloaded
    from bot.settings import Settings


@dataclass(frozen=True, slots=True)
class Post:
    """A reply in a channel's own words: whom it goes to, and the requests to send, as JSON objects, in order.

    So many leading parts as `passive` says go back in the HTTP response and count as delivered.
    """

    target: str
    parts: tuple[dict[str, Any], ...]
    passive: int = 0


Draft = Callable[[Reply, str], Post]
"""Words a reply for a channel. The token of 16 url-safe characters stands for the reply in buttons and feedback."""


@dataclass(frozen=True, slots=True)
class Handled:
    """One message, answered.

    `payload` is the answer as JSON (`q`, `status`, `ids`, `score`, `text`, `sources`, `options`, `took_ms`) with
    `id`, the row in the query log or None, and `blocks`, the paragraphs as `{"kind", "text"}`.

    `delivery` is there when a draft was given, and to be sent when the message is `fresh`. A message that was known
    already is not, and its `delivery` is the one that was stored then. One with the id 0 could not be stored. None
    with a draft means: say nothing.
    """

    payload: dict[str, Any]
    reply: Reply
    fresh: bool = True
    delivery: Delivery | None = None

    @property
    def row(self) -> int | None:
        """Id of the row in the query log; None when it could not be written in time."""
        row: int | None = self.payload["id"]
        return row


class Mailbox(Protocol):
    """A channel that can speak first."""

    def notice(self, target: str, reply: Reply) -> Post:
        """Word a reply that nobody asked for just now."""
        ...

    def add(self, delivery: Delivery) -> None:
        """Send a reply that is stored."""
        ...


class Talk(Protocol):
    """What the web chat needs of the program."""

    async def handle(self, message: Message, draft: Draft | None = None, reply: Reply | None = None) -> Handled:
        """Answer one message. Never raises. With a draft, the reply is stored with its row, to be sent.

        A `reply` that is given is what the channel says itself, to a command for instance.
        """
        ...

    async def feedback(self, row_id: int, verdict: str, message: Message) -> bool:
        """Record `up` or `down` for an answer; false if it is not this user's to judge."""
        ...

    def health(self) -> dict[str, Any]:
        """`{"status": "ok", ...}` while everything works."""
        ...

    def ready(self) -> bool:
        """Whether this process should get questions."""
        ...

    def metrics_text(self) -> bytes:
        """The numbers for Prometheus."""
        ...

    def welcome(self) -> tuple[str, list[str]]:
        """The greeting, and example questions to tap."""
        ...


class Service(Talk, Protocol):
    """The program as a push channel sees it."""

    settings: Settings
    desk: Desk
    """Today's knowledge; another one after a reload."""
    querylog: QueryLog
    recorder: Recorder
    alerts: Alerts
    metrics: Metrics
    mailboxes: dict[str, Mailbox]
    """By channel, as long as it runs."""

    async def preview(self, message: Message) -> Reply:
        """The reply that a message would get now; nothing is counted, remembered or stored."""
        ...

    async def forget(self, channel: str, user: str) -> int:
        """Delete everything stored of a user; how many questions that were. Raises StoreError."""
        ...

    async def judge(self, token: str, verdict: str | None, reasons: tuple[str, ...] = (), text: str = "") -> bool:
        """Record `up` or `down`, or take it back (None), for the reply of this token; false if there is none."""
        ...

    async def reload(self) -> Reloaded:
        """Take in the knowledge folder as it stands. `text` of what comes back is for the admin who asked."""
        ...
