"""Query × a few entries → exact evidence, all of them at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bot.match.index import saturate, worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bot.match.postings import Weighed

    Floats = NDArray[np.floating[Any]]
    Ints = NDArray[np.integer[Any]]

SHARE = 0.3
"""Of how much a wording is contained, beside how like it is."""
SHORT_WORDING = 12.0
"""A wording with less weight than this cannot prove much by being contained."""
_NEAREST = 3


class Coverage(NamedTuple):
    """Shares of a query that each of some entries asks, tells and is about; weight of the heaviest token it lacks."""

    asked: Floats
    told: Floats
    central: Floats
    missing: Floats

    def worth(self) -> Floats:
        """What this adds to the rough scores of the entries."""
        found: Floats = worth(self.asked, self.told, self.central)
        return found


class Texts(NamedTuple):
    """Wordings beside a query: overlaps with its characters and with its sound, what each weighs, and the query's own
    two weights."""

    common: Floats
    heard: Floats
    masses: Floats
    loudness: Floats
    mass: float
    volume: float


class Fit(NamedTuple):
    """Where the best wording of each of some entries stands, by its characters and by its sound, and how well it fits.

    `dice` and `sound` tell how like the two are, `share` and `spoken` how much of the wording the query holds,
    `nearest` is the mean of the three best `dice`.
    """

    by_chars: Ints
    by_sound: Ints
    dice: Floats
    share: Floats
    nearest: Floats
    sound: Floats
    spoken: Floats


def cover(marks: Ints, row: Weighed) -> Coverage:
    """Coverage by entries, of whose tokens the marks tell what `Index.marks` says."""
    held = marks > 0
    told, asked, central = (
        (shares @ row.weights).astype(np.float32) / np.float32(row.mass)
        for shares in (held, marks & 1, saturate(marks >> 1))
    )
    missing = np.where(held, 0.0, row.weights).max(axis=1, initial=row.heaviest_stranger)
    return Coverage(asked, told, central, missing)


def fit(texts: Texts, starts: Ints, counts: Ints) -> Fit:
    """The best of some texts for each entry, which has so many of them from its start on."""
    column = np.arange(max(int(counts.max()), _NEAREST))
    at, beyond = starts[:, None] + column, column >= counts[:, None]
    common, heard = texts.common.take(at, mode="clip"), texts.heard.take(at, mode="clip")
    common[beyond] = heard[beyond] = 0.0
    mass, loudness = texts.masses.take(at, mode="clip"), texts.loudness.take(at, mode="clip")
    dice, share = 2 * common / (mass + texts.mass), common / np.maximum(mass, SHORT_WORDING)
    sound, spoken = 2 * heard / (loudness + texts.volume), heard / np.maximum(loudness, SHORT_WORDING)
    by_chars, by_sound = (dice + SHARE * share).argmax(axis=1), (sound + SHARE * spoken).argmax(axis=1)
    entry = np.arange(len(starts))
    chars, sounds = (entry, by_chars), (entry, by_sound)
    nearest = np.partition(dice, -_NEAREST, axis=1)[:, -_NEAREST:]
    return Fit(
        by_chars=starts + by_chars,
        by_sound=starts + by_sound,
        dice=dice[chars],
        share=np.minimum(share[chars], 1.0),
        nearest=nearest.sum(axis=1, dtype=np.float64) / np.minimum(counts, _NEAREST),
        sound=sound[sounds],
        spoken=np.minimum(spoken[sounds], 1.0),
    )
