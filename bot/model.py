"""What travels along the line: Message → Query → Hits → Decision → Reply, and what knowledge is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Status(StrEnum):
    """What kind of reply a question got."""

    ANSWER = "answer"
    CHOICES = "choices"
    LIST = "list"
    NONE = "none"
    SMALLTALK = "smalltalk"
    LIMITED = "limited"
    ERROR = "error"


class Severity(StrEnum):
    """An `ERROR` keeps the knowledge from being used; a `WARNING` only asks for a look."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding in a knowledge file; `line` and `column` count from 1."""

    file: str
    line: int
    column: int
    code: str
    message: str
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        """`file:line:column: 错误[code] message`."""
        word = "错误" if self.severity is Severity.ERROR else "提醒"
        return f"{self.file}:{self.line}:{self.column}: {word}[{self.code}] {self.message}"


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier exchange, as far as a follow-up needs it.

    `ids` are the entries that were answered, `offered` the ones that could be picked by number.
    """

    text: str
    ids: tuple[str, ...] = ()
    offered: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One incoming text. `user` is the channel's own id; it is hashed before it is stored.

    `also` are the ids of further messages that were put together with it, `entry` is what a pressed button stands
    for (empty for 「都不是」), `home` the region that this user calls home, `room` a place with other people, where
    a conversation of its own goes on. A `passing` user is known by nothing and never comes back.
    """

    text: str
    channel: str = "console"
    user: str = ""
    message_id: str | None = None
    address: str | None = None
    also: tuple[str, ...] = ()
    entry: str | None = None
    home: str = ""
    room: str = ""
    passing: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A question as understood: everything matching and wording need, nothing of the channel.

    `core` is what is compared, `rest` what is left without places, politeness and question words.
    """

    raw: str
    text: str
    core: str
    syllables: tuple[str, ...] = ()
    rest: str = ""
    latin: bool = False
    regions: tuple[str, ...] = ()
    elsewhere: str | None = None
    outside: str | None = None
    outside_words: tuple[str, ...] = ()
    outside_hint: str | None = None
    refuse: bool = False
    english: bool = False
    asked: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    years: tuple[int, ...] = ()
    honour: bool = False
    browse: bool = False
    browse_lightly: bool = False
    follow_up: bool = False
    has_content: bool = True
    home: str = ""


@dataclass(frozen=True, slots=True)
class Hit:
    """One candidate: `score` is the confidence in [0, 1], `why` the evidence in plain Chinese."""

    id: str
    score: float
    raw: float = 0.0
    wording: str = ""
    why: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """What to reply with. `reason` tells a maintainer why, in Chinese."""

    status: Status
    ids: tuple[str, ...] = ()
    score: float = 0.0
    reason: str = ""
    near: tuple[str, ...] = ()
    note: str = ""
    talk: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A cited page, as the reply names it. `date` is the text shown, inferred dates say so."""

    id: str
    title: str
    date: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose next; an empty `id` is 「都不是」."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Block:
    """One paragraph of a reply.

    `kind` is one of: title, summary, fact, period, source, caution, note, item, heading.
    """

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply before it is rendered for a channel."""

    status: Status
    blocks: tuple[Block, ...]
    ids: tuple[str, ...] = ()
    score: float = 0.0
    sources: tuple[Source, ...] = ()
    options: tuple[Option, ...] = ()
    hits: tuple[Hit, ...] = ()
    reason: str = ""
    runner_up: str | None = None
    turn: Turn = field(default_factory=lambda: Turn(""))
