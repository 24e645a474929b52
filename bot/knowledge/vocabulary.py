"""Fixed words of the entry format: what a fact can be about and how much the source tells."""

from __future__ import annotations

from typing import Literal

About = Literal["内容", "办法", "费用", "时限", "日期", "地点", "部门", "对象", "数量", "成效", "荣誉", "合作", "目标"]
Asked = Literal[
    "内容", "办法", "费用", "时限", "日期", "地点", "部门", "对象", "数量", "成效", "荣誉", "合作", "目标",
    "电话", "材料", "网址", "开放时间", "现状",
]  # fmt: skip
Detail = Literal["described", "name-only", "caption-only"]

THE_CITY = "宁波市"
