"""One table of conversations that every channel must hold: what is said, and what the log must say of it then.

A channel joins by a driver (see `Driver`) in `tests/test_conformance.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

LIFTS, COURT, INSURANCE = "nb-old-estate-lifts", "nb-mobile-micro-court", "nb-flexible-work-insurance"
CARS, MEALS, LOANS = "zh-zombie-cars", "zh-elderly-meals", "nb-inclusive-finance-zone"
VILLAGE = ("yz-clean-village-campaign", "jb-beautiful-villages", "zh-collective-economy-ten")

NONE_OF_THESE = -1


class Driver(Protocol):
    """Somebody who talks to the bot over one channel."""

    async def begin(self) -> None:
        """Become somebody new, with no conversation behind them."""
        ...

    async def say(self, text: str) -> str:
        """Send a text; the reply as it is read, once it has arrived."""
        ...

    async def pick(self, place: int) -> str:
        """Choose from what the last reply offers, as people do on this channel: its `place`-th option, from 0 on,
        or `NONE_OF_THESE`.
        """
        ...


@dataclass(frozen=True, slots=True)
class Turn:
    """One exchange: a text, or the place of an option; the status and the first entries that it must get.

    `told` are words that the reply must hold, spaces aside.
    """

    said: str | int
    status: str
    ids: tuple[str, ...] = ()
    told: str = ""


def one(said: str | int, status: str, *ids: str, told: str = "") -> Turn:
    """A turn."""
    return Turn(said, status, ids, told)


CONVERSATIONS: dict[str, tuple[Turn, ...]] = {
    "by name": (one("微法院", "answer", COURT, told="移动微法院"),),
    "by need": (one("小区里没人要的破车谁来拖", "answer", CARS),),
    "nothing official named": (one("跑外卖摔了谁赔", "answer", INSURANCE),),
    "the fact that was asked for": (one("灵活保一天多少钱", "answer", INSURANCE, told="0.3元"),),
    "what the source does not tell": (one("微法院要多少钱", "answer", COURT, told="收费"),),
    "a department": (one("老小区装电梯要跑几个部门", "answer", LIFTS),),
    "money for a shop": (one("小店贷款难有什么办法", "answer", LOANS),),
    "a homophone": (one("微发院", "answer", COURT),),
    "pinyin": (one("weifayuan", "answer", COURT),),
    "traditional characters": (one("為什麼電梯加裝這麼難", "answer", LIFTS),),
    "English": (one("How can I sue someone on WeChat", "answer", COURT),),
    "full-width and spaces": (one("微　法 院　怎么用？？", "answer", COURT),),
    "a long story": (
        one(
            "我父亲今年八十三岁，腿脚不方便，住在镇海的老房子里，平时就一个人，儿女都在外地上班，"
            "中午自己烧饭不安全，想问问社区有没有送饭上门的服务，大概怎么申请",
            "answer",
            MEALS,
        ),
    ),
    "two questions in one": (one("微法院怎么用，灵活保多少钱一天", "answer", COURT, INSURANCE, told="0.3元"),),
    "two questions, marked": (one("僵尸车谁来拖？电梯加装找哪些部门？", "answer", CARS, LIFTS),),
    "a list by theme": (one("菜场有哪些改革", "list", "nb-braised-meat-one-thing"),),
    "a list by region": (one("镇海有哪些改革", "list", "zh-deepen-reform-plan"),),
    "a list by both": (one("江北的科技人才政策有哪些", "list", "jb-micro-hq"),),
    "a choice made by number": (one("村里", "choices", *VILLAGE), one("2", "answer", VILLAGE[1])),
    "a choice made by a word": (one("村里", "choices", *VILLAGE), one("洁美村庄那个", "answer", VILLAGE[0])),
    "a choice made as the channel offers it": (one("村里", "choices", *VILLAGE), one(0, "answer", VILLAGE[0])),
    "none of these": (
        one("村里", "choices", *VILLAGE),
        one(NONE_OF_THESE, "none", told="换个说法"),
        one("僵尸车谁来拖", "answer", CARS),
    ),
    "none of these, typed": (one("村里", "choices", *VILLAGE), one("都不是", "none", told="换个说法")),
    "a follow-up": (one("灵活保", "answer", INSURANCE), one("要多少钱", "answer", INSURANCE, told="0.3元")),
    "a follow-up on what was picked": (
        one("村里", "choices", *VILLAGE),
        one(1, "answer", VILLAGE[1]),
        one("什么时候开始的", "answer", VILLAGE[1]),
    ),
    "a follow-up after thanks": (
        one("僵尸车谁来拖", "answer", CARS),
        one("谢谢", "smalltalk"),
        one("找哪个部门", "answer", CARS),
    ),
    "a follow-up with nothing before it": (one("要多少钱", "none", told="哪件事"),),
    "another district": (one("北仑的老人能送饭吗", "none", told="镇海"),),
    "another city": (one("杭州的老人能送饭吗", "none", told="宁波"),),
    "a topic outside": (one("公积金怎么提取", "none", told="12345"),),
    "a document outside": (one("护照在哪办", "none", told="12345"),),
    "the weather": (one("今天天气怎么样", "none"),),
    "only marks": (one("？？？", "none", told="打字"),),
    "a greeting": (one("你好", "smalltalk"),),
    "who are you": (one("你是谁", "smalltalk", told="甬改问答"),),
    "what can you do": (one("你能做什么", "smalltalk", told="改革"),),
    "markup that is none": (one('<b>微法院</b> & "怎么用"', "answer", COURT),),
}
