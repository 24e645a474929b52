"""The evidence for one entry, as numbers in [0, 1], and the weights that blend them.

The weights come from `tests/bench/fit_weights.py`: a softmax over the candidates of wordings held out from the
shipped knowledge. No question of a test set takes part.
"""

from __future__ import annotations

from bot.match import closeness

NAMES = (
    "dice",  # IDF-weighted Dice with the best wording
    "wording",  # share of that wording that the query holds
    "asked",  # share of the query that the entry's wordings hold
    "told",  # share of the query that wordings and facts together hold
    "name",  # share of the query that the longest contained name or alias makes up
    "sound",  # Dice of the pinyin with the best wording
    "spoken",  # share of that wording's pinyin that the query holds
    "keyword",  # keyword rules: 0, 1/2, 3/4, ...
    "ratio",  # rapidfuzz ratio of the two strings
    "missing",  # weight of the heaviest query token that the entry lacks
    "region",  # the query names the entry's own region
    "central",  # like told, each token by how many of the entry's wordings hold it
    "nearest",  # mean Dice of the three best wordings
    "extra",  # weight of the heaviest token of the best wording that the query lacks
    *closeness.NAMES,  # lean banks only
)
INDEX = {name: at for at, name in enumerate(NAMES)}

WEIGHTS = (1.00, 1.54, 3.25, 4.09, -0.04, 1.51, 1.87, 1.78, 0.70, -1.54, 3.18, 3.63, 1.92, -0.47, *(0.0,) * 6)
"""In the order of `NAMES`, for banks of many wordings an entry."""
LEAN_WEIGHTS = (
    *(1.45, 0.48, 1.97, 1.97, 0.0, 2.47, 1.2, 0.0, 1.29, -0.35),
    *(0.0, 0.79, 1.45, 0.46, 1.95, 2.51, 0.93, -1.4, -0.61, 1.22),
)
"""For banks of hardly more than one wording an entry, by `tests/bench/fit_lean.py` on the development half of a public
FAQ set."""

LABELS = {
    "dice": "和问法「{wording}」字词相近",
    "wording": "问法「{wording}」几乎整句出现",
    "asked": "问题里的字词多数在本条的问法里",
    "told": "问题里的字词在本条的事实里",
    "name": "说到了名称「{name}」",
    "sound": "读音和「{wording}」相近",
    "keyword": "有特征词：{keywords}",
    "missing": "有要紧的字词本条没有",
    "region": "说的就是这个地区",
}
