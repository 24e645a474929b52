"""⑦ A question and its reply as a row for the log: redacted, cut, without who asked."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.model import Status
from bot.querylog.rows import LogRow
from bot.redact import redact

if TYPE_CHECKING:
    import datetime as dt

    from bot.model import Message, Reply

MAX_TEXT = 400
"""Characters of a question that are kept."""

_RAW_CAP = 8_000
_HALF_TAG = re.compile("〔[^〔〕]{0,4}$")


@dataclass(frozen=True, slots=True)
class Words:
    """A question and the reason of its reply as the log keeps them: redacted and cut."""

    text: str
    reason: str

    @classmethod
    def of(cls, text: str, reply: Reply) -> Words:
        """Redacted first, cut after: half a number is still personal."""
        return cls(_kept(text), _kept(reply.reason))


def row(
    message: Message,
    user_key: str,
    reply: Reply,
    version: str,
    took_ms: float,
    asked_at: dt.datetime,
    words: Words | None = None,
) -> LogRow:
    """The row to store: `took_ms` in milliseconds, `asked_at` with its time zone. A limited question leaves no text.

    `words` are those of this question and reply, where they are known already.
    """
    words = words or Words.of(message.text, reply)
    return LogRow(
        asked_at=asked_at,
        channel=message.channel,
        user_key=user_key,
        message_id=_storable(message.message_id or "") or None,
        text="" if reply.status is Status.LIMITED else words.text,
        status=str(reply.status),
        entries=reply.ids,
        score=min(1.0, _number(reply.score)),
        runner_up=reply.runner_up,
        knowledge_version=version,
        took_ms=_number(took_ms),
        reason=words.reason,
    )


def _kept(text: str) -> str:
    clean = redact(text[:_RAW_CAP]).strip()
    return clean if len(clean) <= MAX_TEXT else _HALF_TAG.sub("", clean[:MAX_TEXT])


def _storable(text: str) -> str:
    """Without what a database refuses: lone surrogates and NUL."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def _number(value: float) -> float:
    return max(0.0, value) if math.isfinite(value) else 0.0
