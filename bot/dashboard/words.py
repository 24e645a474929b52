"""What numbers, moments and codes look like on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.model import Status
from bot.querylog.daily import CITY_TIME

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping

NOTHING = "—"
STATUSES: Mapping[str, str] = {
    Status.ANSWER: "答了",
    Status.CHOICES: "给选项",
    Status.LIST: "列清单",
    Status.NONE: "没答上",
    Status.SMALLTALK: "寒暄",
    Status.LIMITED: "太快，没答",
    Status.ERROR: "出错",
}
CHANNELS: Mapping[str, str] = {
    "web": "网页",
    "console": "终端",
    "telegram": "Telegram",
    "wecom": "企业微信",
    "wecom-kf": "微信客服",
    "wecom-bot": "企业微信机器人",
}
REGISTRIES: Mapping[str, str] = {
    "audiences": "给谁用",
    "elsewhere": "外地地名",
    "facets": "问哪一方面",
    "golden": "要保住的问题",
    "outside": "资料里没有的事",
    "regions": "地区和地名",
    "smalltalk": "寒暄",
    "sources": "来源",
    "synonyms": "同义词",
    "texts": "机器人自己的话",
    "themes": "主题",
}
"""What the files at the top of the knowledge hold, by their names."""
ACTIONS: Mapping[str, str] = {"pause": "暂停", "resume": "恢复", "gap.state": "改缺口的状态"}
VERDICTS: Mapping[str | None, str] = {"up": "有用", "down": "没用", None: "收回"}


def number(value: float) -> str:
    """1,234"""
    return f"{value:,.0f}"


def percent(share: float | None) -> str:
    """93%; a dash for none."""
    return NOTHING if share is None else f"{share * 100:.0f}%"


def milliseconds(value: float) -> str:
    """0.42, 5.1 or 320, without the unit."""
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def moment(value: dt.datetime) -> str:
    """The city's time, to the second."""
    return value.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M:%S")


def short_moment(value: dt.datetime) -> str:
    """The city's time without year and seconds."""
    return value.astimezone(CITY_TIME).strftime("%m-%d %H:%M")


def status(code: str) -> str:
    """A status in Chinese; the code itself when it is not known."""
    return STATUSES.get(code, code)


def channel(code: str) -> str:
    """A channel in Chinese; the code itself when it is not known."""
    return CHANNELS.get(code, code)


def change(now: float, before: float) -> str:
    """How much more or less than before."""
    difference = now - before
    return "持平" if not difference else f"{'多' if difference > 0 else '少'} {number(abs(difference))}"


def action(code: str) -> str:
    """What was done, in Chinese; the code itself when it is Chinese already."""
    return ACTIONS.get(code, code)


FILTERS = {
    "number": number,
    "percent": percent,
    "ms": milliseconds,
    "moment": moment,
    "short_moment": short_moment,
    "status": status,
    "channel": channel,
    "action": action,
    "verdict": lambda code: VERDICTS.get(code, code),
}
"""For the templates."""
