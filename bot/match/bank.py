"""The wordings by which entries are found: names, aliases, phrasings, English, and the text of the facts.

A bank knows nothing of reforms: an imported list of questions makes one as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


LEAN_BELOW = 3.0
"""Wordings an entry, on average."""


class Wording(NamedTuple):
    """One way to ask: `text` as written, `core` and `syllables` as understanding makes them.

    `readings` are the syllables as words are really read, for pinyin that people type.
    `group` numbers the template it came from: wordings of one template are held out together.
    """

    text: str
    core: str
    syllables: tuple[str, ...]
    kind: str
    group: int
    readings: tuple[str, ...] = ()


class Item(NamedTuple):
    """One entry as the matcher sees it.

    `body` holds the cores of summary and facts, `spellings` the exact spelling of every wording; `wordings` has
    each core once.
    """

    id: str
    region: str | None
    wordings: tuple[Wording, ...]
    body: tuple[str, ...] = ()
    spellings: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    decoy: bool = False
    """A topic outside the material: it competes with the entries, and is never answered."""


@dataclass(frozen=True, slots=True)
class Bank:
    """Items, and the exact spelling of every wording → the items that own it."""

    items: tuple[Item, ...]
    exact: Mapping[str, tuple[str, ...]]
    initials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sounds: Mapping[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)
    """Syllables of a whole wording → the items that own it; four syllables and more."""

    background: tuple[Wording, ...] = ()
    """Everyday phrases of asking, for a lean bank: by them its topics are told from what every question says."""

    @property
    def lean(self) -> bool:
        """Whether entries have hardly more than one wording, so that none can be held out."""
        return is_lean(self.items)


def is_lean(items: Sequence[Item]) -> bool:
    """Whether items have fewer than `LEAN_BELOW` wordings on average; decoys do not count."""
    counts = [len(item.wordings) for item in items if not item.decoy]
    return bool(counts) and sum(counts) < LEAN_BELOW * len(counts)
