"""Words that carry no need: politeness, particles, and the cues of browsing and of following up."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def any_of(words: str) -> str:
    """One alternation of space-parted words, the longest first."""
    return "|".join(sorted(words.split(), key=len, reverse=True))


_LEAD = any_of(
    """
    请问一下 请问 请教一下 请教 您好 你好 麻烦问一下 麻烦问下 麻烦你 麻烦 我想问一下 我想问下 我想问问 我想问
    想问一下 想问下 想问问 想问 问一下 问下 问问 我想了解一下 我想了解 想了解一下 想了解 我想知道 想知道
    我想咨询一下 想咨询一下 我想咨询 想咨询 咨询一下 咨询 帮我查一下 帮我查下 帮我查查 帮忙查一下 查一下 查查 听说
    听讲 听人讲 不好意思 打扰一下 打扰了 劳驾 师傅 同志 小编 大家好 有人知道 有谁知道 谁知道 那个 就是 话说 这边
    跟我说说 给我讲讲 讲讲 说说 介绍一下 介绍下 告诉我 告诉一下
    """
)
_END = any_of(
    """
    谢谢侬 谢谢你 谢谢您 谢谢 谢了 多谢 感谢 麻烦了 拜托 急 在线等 吗 呢 啊 呀 吧 哦 噢 喔 嘛 哈 啦 伐 咯 喽 哇 诶
    欸 哎 嗯 捏 了没有 了没 的呀 的啊
    """
)
_LEADING = re.compile(rf"^(?:(?:{_LEAD})[\s,，。!！、~]*)+")
_TRAIL = re.compile(rf"(?:[\s,，。.!！?？~、…]|(?<![什怎那这多])么|(?<!有)没有|{_END})+$")
_PARTICLES = re.compile("[吗呢啊呀吧哦噢喔嘛哈啦伐咯喽哇诶欸嗯捏]")
_PUNCTUATION = re.compile(r"[^\w\s%.]|_|(?<![0-9])\.|\.(?![0-9])")

_KINDS = any_of(
    """
    政策 措施 改革 服务 地方 项目 活动 平台 办法 照顾 好处 帮助 园区 做法 工程 经验 成果 创新 去处 景点 福利 扶持
    优惠 路子 门路 渠道 试点 荣誉 场所 园子 举措 动作 招数 名堂 花样 制度 机制
    """
)
BROWSE = re.compile(
    f"哪些[^，。,?？]{{0,6}}(?:{_KINDS})|哪些(?=(?:跟|和|与|同)[^，。,?？]{{1,8}}(?:有关|相关))|有(?:什么|啥)(?:$|[?？])|(?:{_KINDS})(?:都|还)?有(?:哪些|哪几|什么|啥)|有哪[些几](?:事情?|东西|[个项种样条家件])?[啊呀呢]?(?:$|[?？])|"
    "哪些是|(?:搞|做|出|干|办|推|建|造)过(?:哪些|些?什么|些?啥)|"
    "都有(?:什么|啥|哪)|(?:都?做|都?干|搞|弄|整|出|推|办)了?(?:哪些|些什么|[些点]啥|了什么|了啥)|"
    "(?:方面|领域|[这那]一?块)(?:的|有没有|有伐|有几个|有多少|呢|嘞)*[?？]?$|用得上的|享受得到的|"
    "(?:(?<![这那])方面|领域)[都还]?有[点些]?(?:什么|啥)|(?:方面|改革|政策|项目|措施|做法)的?(?:清单|名单|目录|大全)$|"
    "[，, 的]都(?:讲|说|介绍|看)(?:讲|说|一下|看)?$|有(?:什么|啥)(?:可以|能|好)(?:用|办|去|申请|享受|看)|"
    "(?:方面|有关|相关|一类)的?有(?:几|多少)[种个项样条套]|都?列给我|"
    "列一下|列出|列举|列个|列一列|盘点|汇总|一览|介绍几个|说几个|推荐(?:几|一下|些)|"
    "(?:可以|能)(?:申请|享受)[^，。,?？]{0,4}(?:什么|些|哪|啥)|(?:有关|相关|这一?类|方面)的?(?:都|全)?(?:有|是)(?:什么|啥|哪)|"
    "(?:有关|相关)的?(?:都|全)(?:给|看|说)|(?:好玩|可去|能去|玩|逛|看)的地方|"
    "what .*(?:are there|do you have|can i apply)|list (?:of|all|the)|which (?:policies|services|places)"
)
"""Cues of a question that wants several entries."""
APPLY = re.compile("(?:可以|能)(?:申请|享受)[^，。,?？]{0,4}(?:什么|些|哪|啥)")
BROWSE_LIGHTLY = re.compile(f"有(?:什么|啥)(?:新?(?:{_KINDS})+|帮忙)")
"""Cues that ask for several entries or for one: it depends on whether one stands out."""
GENERIC = re.compile(
    any_of(
        """
        做了 做的 做过 做 搞的 搞了 搞 弄 干了 干 办事 事情 事体 事 东西 方面 措施 办法 政策 改革 服务 项目 照顾 帮助 帮
        好处 地方 优惠 扶持 活动 平台 跟 和 与 对 给 能 可以 我 你们 我们 想 去 转转 逛逛 有关 相关 关于 里面 里 好玩 好
        市里 区里 举措 或者 政府 市区 这边 这里 一类 这类 一些 些 去处 新 看看 看
        辰光 时候 那会儿 那阵子 期间 时期
        有过 搞过 办过 出过 拿过 得过 评上过 名堂 块 领域 帮忙 用得上
        """
    )
)
"""Words that say nothing about what a browsing question browses for."""
HONOUR = re.compile(
    "(?:国务院|国家|中央|省里|全国|上级)(?:通报)?(?:表扬|表彰|肯定|点名)过?|[拿得]过(?:国家|全国|全省|省里?|市里?)(?:级|的)?奖|"
    "(?:全国|全省|全市|国内|省内|市里|国家级)?(?:首创|首个|首家|首例|首推|率先|领跑|领先|唯一|独一份|头一个|第一个)|"
    "(?:全国|全省|全市)(?:第一|首)|(?:全国|全省)推广|(?:推广到|推向|走向|推到)(?:了?全国|了?全省)|获奖|得过奖|拿过奖|得奖|荣誉|国家级"
)
KIND = re.compile(_KINDS)
"""Words for what is browsed for, of whatever topic."""
WHICH = re.compile("哪些|哪几个?|哪里|哪儿|什么|啥")
"""Question words of one who browses."""
RECENT = re.compile("今年|明年|去年|前年|最近|近期|近来|近年来?|最新|新近|眼下")
"""Times that are meant by the day on which they are said."""
YEAR = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?=年|[^0-9]|$)(?: ?年度?)?")
FOLLOW = re.compile(
    f"^(?:{any_of('那么 那 这 它 他 她 其 刚才 刚刚 上面 前面 还有呢 然后呢 具体 详细 再')})|"
    f"(?:{any_of('呢 类似的 一样的 同样的 类似的做法 这样的')})$"
)
PRONOUN = re.compile(
    any_of(
        """
        整个 这个 那个 这项 那项 这事 那事 这件事 它们 它 该 此 刚才说的 刚才 上面说的 前面说的 你说的 这种 那种 这里
        那里 那边 这边 我们 咱们 阿拉 那 详细 详细点 详细说说 具体点 展开 多说点 说说看 类似 一样 同样 这样 名字 叫
        有没有 其他 别的 也
        还 又 就 都 是 有 的 了 吧 要 得 在 们 到底 究竟 怎么样 咋样 怎样 具体 大概 一共 总共 总的 现在 目前 当时 后来
        以前 之前 原先 原来 完成
        """
    )
    + "|(?<![0-9])[每一1]个?(?:餐|顿|天|次|月|年|人|户|份)"
)
"""Words that point back, or at nothing, and what a price is for."""


_ENDINGS = frozenset(" ,，。.!！?？~、…么有") | {word[-1] for word in _END.split("|")}
"""Characters that a closing ends in."""


def strip(text: str) -> str:
    """Drop polite openings and closings; never everything."""
    opening = _LEADING.match(text)
    bare = text[opening.end() :] if opening else text
    if bare and (bare[-1] in _ENDINGS or bare[-1].isspace()):
        bare = _TRAIL.sub("", bare, count=1)
    return bare or text


def bare(text: str) -> str:
    """What is left for matching: no politeness, no particles, no punctuation."""
    text = _PARTICLES.sub(" ", strip(text))
    return text if text.isalnum() else " ".join(_PUNCTUATION.sub(" ", text).split())


def bare_all(texts: Iterable[str]) -> list[str]:
    """The same for many texts without line breaks at once."""
    joined = _PARTICLES.sub(" ", "\n".join(map(strip, texts)))
    return [" ".join(line.split()) for line in _PUNCTUATION.sub(" ", joined).split("\n")]
