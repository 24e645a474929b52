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
    """Wordings beside a query, the first row by characters, the second by sound: what both have in common, what each
    wording weighs, and what the query does."""

    common: Floats
    masses: Floats
    mass: Floats


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


_MARKS = np.arange(1 << 15)
_SHARES = np.column_stack([_MARKS & 1, _MARKS > 0, saturate(_MARKS >> 1)])
"""Of a token's weight, by its mark: what an entry asks, tells and is about."""


def cover(marks: Ints, row: Weighed) -> Coverage:
    """Coverage by entries, of whose tokens the marks tell what `Index.marks` says."""
    asked, told, central = (row.weights @ _SHARES.take(marks, axis=0)).T.astype(np.float32) / np.float32(row.mass)
    missing = np.where(marks > 0, 0.0, row.weights).max(axis=1, initial=row.heaviest_stranger)
    return Coverage(asked, told, central, missing)


def fit(texts: Texts, starts: Ints, counts: Ints) -> Fit:
    """The best of some texts for each entry, which has so many of them from its start on."""
    column = np.arange(counts.max())
    at, own = starts[:, None] + column, column < counts[:, None]
    common, masses = texts.common.take(at, axis=1, mode="clip"), texts.masses.take(at, axis=1, mode="clip")
    common *= own
    dice, share = 2 * common / (masses + texts.mass[:, None]), common / np.maximum(masses, SHORT_WORDING)
    best = (dice + SHARE * share).argmax(axis=2)
    by_chars, by_sound = starts + best
    best += np.arange(0, dice.size, len(column)).reshape(best.shape)
    nearest = np.partition(dice[0], -_NEAREST, axis=1)[:, -_NEAREST:] if len(column) > _NEAREST else dice[0]
    likeness, shares = dice.take(best), np.minimum(share.take(best), 1.0)
    return Fit(
        by_chars=by_chars,
        by_sound=by_sound,
        dice=likeness[0],
        share=shares[0],
        nearest=nearest.sum(axis=1, dtype=np.float64) / np.minimum(counts, _NEAREST),
        sound=likeness[1],
        spoken=shares[1],
    )
