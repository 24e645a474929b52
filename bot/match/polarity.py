"""Opposites, which likeness of strings cannot see: 办理 and 注销, 可以 and 不可以, 开 and 关."""

from __future__ import annotations

import re

_OPPOSITES = (
    ("办理|办证|领证|开户|注册|登记", "注销|吊销|销户|撤销登记"),
    ("申请|申领|申报", "撤回|撤销申请|取消申请"),
    ("报名|参加|加入", "退出|退会"),
    ("投保|参保|买保险", "退保"),
    ("加装|安装|新装", "拆除|拆掉|拆走"),
    ("开通|启用|打开", "关闭|停用|关掉"),
    ("开业|开馆|开张", "歇业|停业|闭馆|关门了"),
    ("转入|迁入", "转出|迁出"),
    ("买入|购买|想买", "卖出|出售|想卖"),
    ("增加|提高|上涨|涨价", "减少|降低|下降|降价"),
    ("批准|同意|通过", "驳回|拒绝|没通过|不通过"),
)
_PAIRS = tuple((re.compile(left), re.compile(right)) for left, right in _OPPOSITES)
_EITHER = re.compile("|".join(word for pair in _OPPOSITES for word in pair))
_FORBIDS = re.compile("不可以|不能|不许|不准|不让|禁止|不得|勿好|勿能")
_ALLOWS = re.compile("(?<!不)可以|(?<![不勿可])能(?!不能)|允许|可不可以|能不能|准不准")


def opposed(question: str, known: str) -> bool:
    """Whether the question has the opposite of a word of what is known, which does not have the word itself."""
    if not _EITHER.search(question):
        return False
    for left, right in _PAIRS:
        for mine, other in ((left, right), (right, left)):
            asked = mine.search(question) and not other.search(question)
            if asked and other.search(known) and not mine.search(known):
                return True
    return False


def negated(question: str, wording: str) -> bool:
    """Whether one of two questions asks what is forbidden and the other what is allowed."""
    return (_forbids(question) and _allows(wording)) or (_allows(question) and _forbids(wording))


def _forbids(text: str) -> bool:
    return bool(_FORBIDS.search(text)) and not _ALLOWS.search(text)


def _allows(text: str) -> bool:
    return bool(_ALLOWS.search(text)) and not _FORBIDS.search(text)
