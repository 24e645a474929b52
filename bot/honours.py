"""Which honours a text speaks of: by whom (the nation, the province, the city) and what for (first, spread …)."""

from __future__ import annotations

import re
from itertools import product

ANY = ""
"""A scope, or a kind, that is left open."""
_SCOPES = {
    "council": re.compile("国务院"),
    "nation": re.compile("全国|国内|国家|国务院|中央|我国|中国|最高人民法院|住建部|自然资源部"),
    "province": re.compile("全省|省内|省级|省里|省政府|浙江|进了省"),
    "city": re.compile("全市|市里"),
}
_KINDS = {
    "first": re.compile(
        "首创|首[个家例推支单本次架批]|率先|领跑|领先|唯一|独一|只有|头一|第一(?!完成|书记|批|次)|第一次就|最先|最早"
    ),
    "spread": re.compile("推广|推向|推到|推开|走向|走出|共享|样板|写进|收进"),
    "praise": re.compile("表扬|表彰|肯定|点名|批示|激励|评价|入选|案例"),
    "award": re.compile("奖|称号|鼎|评上|捧得"),
}


def asked(text: str) -> tuple[str, str]:
    """Scope and kind of the honour that a question names last, each `ANY` when it names none."""
    return _last(_SCOPES, text), _last(_KINDS, text)


def told(text: str) -> tuple[tuple[str, str], ...]:
    """Every honour that a fact tells of, in each wider sense as well."""
    return tuple(product((*_found(_SCOPES, text), ANY), (*_found(_KINDS, text), ANY)))


def _found(patterns: dict[str, re.Pattern[str]], text: str) -> list[str]:
    return [name for name, pattern in patterns.items() if pattern.search(text)]


def _last(patterns: dict[str, re.Pattern[str]], text: str) -> str:
    ends = {
        name: max((found.end() for found in pattern.finditer(text)), default=-1) for name, pattern in patterns.items()
    }
    best = max(ends, key=ends.__getitem__)
    return best if ends[best] >= 0 else ANY
