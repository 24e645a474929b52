"""Query × a few entries → exact evidence, all of them at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bot.match.index import saturate, worth

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bot.match.index import Index
    from bot.match.postings import Known, Weighed

    Floats = NDArray[np.floating[Any]]
    Ints = NDArray[np.integer[Any]]

SHARE = 0.3
"""Of how much a wording is contained, beside how like it is."""
SHORT_WORDING = 12.0
"""A wording with less weight than this cannot prove much by being contained."""
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares of a query that each of some entries asks, tells and is about; weight of the heaviest token it lacks."""

    asked: Floats
    told: Floats
    central: Floats
    missing: Floats

    def worth(self) -> Floats:
        """What this adds to the rough scores of the entries."""
        found: Floats = worth(self.asked, self.told, self.central)
        return found

    def put(self, where: NDArray[np.bool_], other: Coverage) -> None:
        """Take the values of one entry from elsewhere."""
        for mine, others in (
            (self.asked, other.asked),
            (self.told, other.told),
            (self.central, other.central),
            (self.missing, other.missing),
        ):
            mine[where] = others


@dataclass(frozen=True, slots=True)
class Fit:
    """The best wording of each of some entries, by its characters and by its sound, and how well it fits.

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


def cover(known: Known, entries: int, row: Weighed) -> Coverage:
    """Coverage by so many entries of whose tokens the marks tell what `Index.known` says."""
    number = row.numbers(known.places)
    met = np.flatnonzero(number)
    number, owner = number[met] - 1, known.units[met]
    mark = known.marks[met] if known.marks.ndim else known.marks
    weight = row.weights[number]
    lacked = row.weights[None].repeat(entries, axis=0)
    lacked[owner, number] = 0.0
    told, asked, central = (
        np.bincount(owner, weights, entries).astype(np.float32) / np.float32(row.mass)
        for weights in (weight, weight * (mark & 1), weight * saturate(mark >> 1))
    )
    return Coverage(
        asked=asked,
        told=told,
        central=central,
        missing=lacked.max(axis=1, initial=row.heaviest_stranger),
    )


def fit(index: Index, places: Ints, row: Weighed, sounds: Weighed, common: Floats, heard: Floats) -> Fit:
    """The best wordings of entries. `common` and `heard` are the overlaps with each wording of theirs, in order."""
    starts, counts = index.starts[places], index.ends[places] - index.starts[places]
    own = counts.cumsum() - counts
    wordings = np.arange(len(common)) + (starts - own).repeat(counts)
    row_of, column = np.arange(len(places)).repeat(counts), np.arange(len(common)) - own.repeat(counts)
    grid = np.zeros((3, len(places), max(int(counts.max()), _NEAREST)))
    mass, loudness = index.chars.masses[wordings], index.sounds.masses[wordings]
    dice, share = 2 * common / (mass + row.mass), common / np.maximum(mass, SHORT_WORDING)
    sound, spoken = 2 * heard / (loudness + sounds.mass), heard / np.maximum(loudness, SHORT_WORDING)
    grid[0, row_of, column] = dice + SHARE * share
    grid[1, row_of, column] = sound + SHARE * spoken
    grid[2, row_of, column] = dice
    by_chars, by_sound = own + grid[:2].argmax(axis=2)
    nearest = np.partition(grid[2], -_NEAREST, axis=1)[:, -_NEAREST:]
    return Fit(
        by_chars=wordings[by_chars],
        by_sound=wordings[by_sound],
        dice=dice[by_chars],
        share=np.minimum(share[by_chars], 1.0),
        nearest=nearest.sum(axis=1) / np.minimum(counts, _NEAREST),
        sound=sound[by_sound],
        spoken=np.minimum(spoken[by_sound], 1.0),
    )
