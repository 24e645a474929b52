"""What somebody means who corrects the turn before (「不对，我问的是镇海的」), or leaves it (「换个话题」)."""

from __future__ import annotations

import re

_SAID = "(?:(?:我|阿拉)的?(?:意思|(?:想|要)?(?:问|说|讲|指|要|找)的?)就?)"
_MEANT = re.compile(f"^.{{0,14}}?(?:{_SAID}是(?!不是|否)说?|(?:我|阿拉)是(?:说|问|讲|指|想问)(?!不|过))")
_NOT_THAT = re.compile("[，,。 ]+(?:不是|勿是)[^，,。.]*[。.!！]?$")
_WRONG = re.compile(
    "^(?:[哦啊呃额哎唉喂 ,，]*(?:"
    "不对|勿对|(?:不是|勿是)(?=不是|[,，。!！ ])|(?:不是|勿是)(?:这个|那个|这样|这条|那条)(?!意思)"
    "|错了|[你侬]?[搞弄听看答打说写讲问](?:反|错)字?了|[你侬]?理解错了|[纠更]正一下"
    ")[了啦呀啊哦的]*[ ,，。.!！、:：]*)+"
)
"""That they were misunderstood, or have mistyped."""
_NOT_BUT = re.compile(f"^{_SAID}?(?:不是|勿是)[^，,。是]{{1,12}}?[ ,，。]*(?=而?是(?!不是|否)|(?<=[ ,，。]){_SAID}?)")
_BUT = re.compile(f"^(?:{_SAID}|应该|其实)?而?是(?!不是|否|[啥谁哪几什])")
_LEAVES = re.compile(
    "^[哦啊嗯哎 ,，]*(?:换个?(?:话题|问题)|[不勿](?:聊|说|讲|问|谈)(?:这个|这事|那个)?了|问个?别的|算了|对[了哦])"
    "[了吧啦]*[ ,，。!！:：]+"
)
"""That they go over to another thing."""


def corrected(text: str) -> str:
    """What is meant: 「不对，我问的是镇海的，不是全市的」 → 「镇海的」; the text itself where it corrects nothing."""
    rest = _LEAVES.sub("", _WRONG.sub("", text))
    meant = _MEANT.match(rest)
    if meant is not None:
        rest = rest[meant.end() :]
    elif _NOT_BUT.match(rest) or rest != text:
        rest = _BUT.sub("", _NOT_BUT.sub("", rest))
    else:
        return text
    rest = _NOT_THAT.sub("", rest)
    return rest if len(rest) > 1 else text
