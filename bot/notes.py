"""What a reply says beside its facts: what the source does not tell, and where or when it tells of something else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from bot.knowledge.vocabulary import THE_CITY
from bot.text.normalise import tight

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection

    from bot.desk import Desk
    from bot.knowledge.schema import Entry, FacetItem
    from bot.model import Query

_POINTS = (
    ("对象", "几岁|年龄|多大年纪", "岁|年龄"),
    ("对象", "条件|资格", "条件|资格|须|限于|符合"),
    ("办法", "怎么退|退保|退款|能退", "退"),
    ("办法", "报名", "报名"),
    ("办法", "预约", "预约"),
    ("费用", "门票|票价", "票"),
    ("费用", "罚多少|罚款", "罚"),
    ("费用", "租金|房租", "租"),
)
"""What is asked for, the words that ask for one thing in particular, and the words without which no fact tells it."""
_UNITS = "户人家亩公里米层楼岁件项部座所名辆次处台套间张条届场"
_UNIT = re.compile(f"(?:多少|几)([{_UNITS}])")
_COUNTED = re.compile(f"[0-9余多万亿千百]([{_UNITS}])")
_SAY_UNKNOWN = frozenset({"费用", "时限", "日期", "地点", "部门", "电话", "材料", "网址", "开放时间", "现状"})
"""What a person asks for by name: without such a fact the reply says that the source does not tell."""


def unknown(entry: Entry, query: Query, desk: Desk) -> tuple[str, ...]:
    """What was asked for by name and the source does not tell."""
    if not query.asked:
        return ()
    told = {about for fact in entry.facts for about in fact.about}
    lines = (_gap(facet, entry, query, told) for facet in desk.book.facets if facet.name in query.asked)
    return tuple(line for line in lines if line)[:2]


def _gap(facet: FacetItem, entry: Entry, query: Query, told: Collection[str]) -> str:
    """What to say of one thing that was asked for; empty when a fact tells it."""
    if facet.name == "部门" and entry.department:
        return f"牵头或主管：{entry.department}。"
    if facet.name == "数量" and not _counts(entry, query):
        return facet.unknown
    if facet.name in told:
        return facet.unknown if _misses_the_point(facet, entry, query) else ""
    if facet.name == "地点" and entry.region != THE_CITY:
        return f"在{entry.region}，资料里没有写更具体的地址。"
    return facet.unknown if facet.name in _SAY_UNKNOWN else ""


def _misses_the_point(facet: FacetItem, entry: Entry, query: Query) -> bool:
    """Facts of the kind are there, but none of the very thing: 「几岁」 asks for an age, not for a group of people."""
    told = " ".join((entry.summary, *(fact.text for fact in entry.facts)))
    points = ((word, needed) for name, word, needed in _POINTS if name == facet.name)
    return any(re.search(word, query.text) and not re.search(needed, told) for word, needed in points)


def _counts(entry: Entry, query: Query) -> bool:
    """Whether some fact counts in the unit that is asked for: 「多少户同意」 is no matter of 「31 部」."""
    asked = _UNIT.search(query.text)
    if asked is None:
        return True
    told = tight(" ".join(fact.text for fact in entry.facts))
    return any(found in asked.group(1) for found in _COUNTED.findall(told))


def beside(entry: Entry, query: Query, desk: Desk, today: dt.date) -> tuple[str, ...]:
    """Another year, or a wider or narrower place, was asked for than the entry tells of."""
    years = query.years or ((today.year,) if "今年" in query.text else ())
    if not years and not query.regions:
        return ()
    lines: list[str] = []
    told = " ".join([entry.name, *(f"{fact.as_of} {fact.period} {fact.text}" for fact in entry.facts)])
    other = [year for year in years if str(year) not in told]
    if other:
        lines.append(desk.book.text("other_year", year="、".join(map(str, other))))
    if query.regions == (THE_CITY,) and entry.region != THE_CITY and THE_CITY[:2] not in entry.name:
        lines.append(desk.book.text("not_city", region=entry.region))
    apart = [region for region in query.regions if region != entry.region and region[:2] not in told + entry.summary]
    if apart and entry.region in (THE_CITY, *query.regions):
        here = "宁波全市" if entry.region == THE_CITY else entry.region
        lines.append(desk.book.text("other_place", asked="、".join(apart), region=here))
    return tuple(lines)
