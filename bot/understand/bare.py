"""The words of which a question about the turn before is made, when it says nothing new (「我妈在别的区能装伐」)."""

from __future__ import annotations

import re

from bot.text.normalise import key
from bot.understand import filler

WHAT = re.compile("什么|啥|怎么|咋|哪|谁|几|多少")
"""Question words."""
_WORDS = re.compile(
    filler.any_of(
        """
        [0-9一二三四五六七八九十百]+(?:岁|来岁|多岁|了|年) 以上 以下
        我妈 我爸 我爷爷 我奶奶 爸妈 父母 老婆 老公 儿子 女儿 孩子 小孩 小人 囡 家里 屋里 家里人 自己 别人 人家 大家
        普通人 老百姓 厂里 厂 店里 公司 单位 村里 我们村 咱 每
        别的区 其他区 其它区 别的地方 其他地方 别的县 外区 外地人 外地户口 外地 本地人 本地 户口 全市 市里 整个
        能 可以 好 会 要 想 得 行 算 有 没 无 不 勿 用 办 弄 搞 装 买 申请 报名 参加 享受 领 拿 查 交 进 去 来 到
        帮 忙 帮忙 管 找 问 打 看 做 讲 联系 试 批 下来 解决 够 收 付 出 退 约 预约 排 排队 开 关 停 拆 掉 完 成 推广
        推行 学 样 叫 接 发 什么 啥 怎么 怎样 咋 哪 哪里 哪儿 谁 啥人 几 多少 为啥 为什么 多 久 大 长 远 高
        现在 以前 今年 去年 几时 辰光 时候 年 月 日 天 号 点 钟 晚上 白天 夜里 周末 开始 结束 以后 到底 还 再 都 也
        就 只 才 已经 个 家 条 项 部 台 辆 名 位 次 遍 份 种 样 块 元 钱 铜钿 钞票 人 户 站 层
        贵 便宜 快 慢 方便 麻烦 难 容易 靠谱 灵 坏 少 真 假 满意 管用 效果 用场 好处 例子 主要 另外
        我 你 他 她 它 阿拉 侬 渠 的 了 吗 伐 啊 呀 么 呢 着 过 地 在 是 和 跟 给 把 被 里 里面 那 这 介 上 下 吧 嗯 哦
        来着 让
        """
    )
)


def beyond(text: str) -> str:
    """What a text says beside such words, parted by spaces; empty when it says nothing else."""
    rest = " ".join(filler.PRONOUN.sub(" ", _WORDS.sub(" ", text)).split())
    return rest if key(rest) else ""
