"""Text → Query on the shipped vocabulary."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.desk import Desk
from bot.text.normalise import join_han, normalise_all
from bot.understand import filler, talk
from bot.understand.lexicon import Lexicon
from bot.understand.query import understand
from bot.understand.split import segments, split, windows

asked_of = st.lists(
    st.sampled_from(
        ["请问", "鄞州", "宁波", "微法院", "三十六条", "多少钱", "没有", "吗", "app", "apps", "?", " ", "3.5", "_"]
    ),
    max_size=8,
).map("".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raws=st.lists(st.text(st.characters(codec=None), max_size=20) | asked_of, max_size=9))
def test_many_texts_at_once_have_the_cores_of_each_alone(desk: Desk, raws: list[str]) -> None:
    texts = [join_han(text) for text in normalise_all(raws)]
    needs = desk.lexicon.all_without_districts(texts)
    assert needs == [desk.lexicon.without_districts(text) for text in texts]
    assert desk.lexicon.cores(needs) == [desk.lexicon.core(need) for need in needs]


@pytest.mark.parametrize(
    ("text", "regions"),
    [
        ("镇海有食堂吗", ("镇海区",)),
        ("鎮海有食堂嗎", ("镇海区",)),
        ("zhenhai you shitang ma", ("镇海区",)),
        ("江北和鄞州哪个多", ("江北区", "鄞州区")),
        ("宁波有没有", ("宁波市",)),
        ("宁波鄞州的村", ("鄞州区",)),
        ("随便问问", ()),
    ],
)
def test_regions(desk: Desk, text: str, regions: tuple[str, ...]) -> None:
    assert understand(text, desk.lexicon).regions == regions


@pytest.mark.parametrize(
    ("text", "facet"),
    [
        ("要多少钱", "费用"),
        ("要等多久", "时限"),
        ("归哪个部门管", "部门"),
        ("打什么电话", "电话"),
        ("什么时候开始的", "日期"),
        ("一共多少家", "数量"),
        ("现在还有效吗", "现状"),
    ],
)
def test_what_is_asked(desk: Desk, text: str, facet: str) -> None:
    query = understand(text, desk.lexicon)
    assert facet in query.asked
    assert not query.has_content


@pytest.mark.parametrize("text", ["那鄞州呢", "要多少钱", "是哪个部门管的呀", "什么时候的事"])
def test_nothing_but_a_place_or_a_facet_has_no_content(desk: Desk, text: str) -> None:
    assert not understand(text, desk.lexicon).has_content


@pytest.mark.parametrize("text", ["加装电梯要多少钱", "那僵尸车呢", "weifayuan"])
def test_a_need_is_content(desk: Desk, text: str) -> None:
    assert understand(text, desk.lexicon).has_content


def test_elsewhere_is_about_a_place_and_not_towards_it(desk: Desk) -> None:
    assert understand("杭州的老小区装电梯", desk.lexicon).elsewhere == "杭州"
    assert understand("想去东南亚办厂", desk.lexicon).elsewhere is None
    assert understand("镇海的老小区", desk.lexicon).elsewhere is None


def test_core_drops_what_carries_no_need(desk: Desk) -> None:
    core = desk.lexicon.core
    assert core("请问打官司") == core("打官司呢？谢谢") == core("诉讼")
    assert core("三十六条") == core("36条")


@pytest.mark.parametrize(
    ("text", "kept"), [("请问微法院怎么用啊？谢谢", "微法院怎么用"), ("你好", "你好"), ("是什么", "是什么")]
)
def test_politeness_is_stripped_but_never_everything(text: str, kept: str) -> None:
    assert filler.strip(text) == kept


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("装电梯要几天？另外骑手保险多少钱", ("装电梯要几天", "骑手保险多少钱")),
        ("问两个事 一是微法院在哪 二是三十六条得过什么奖", ("微法院在哪", "三十六条得过什么奖")),
        ("装电梯要几天", ("装电梯要几天",)),
        ("在吗？好的", ("在吗？好的",)),
        ("去年投了12.5亿元的项目怎么申请", ("去年投了12.5亿元的项目怎么申请",)),
        ("1.5亿元的项目怎么申请？骑手保险多少钱", ("1.5亿元的项目怎么申请", "骑手保险多少钱")),
        ("1.装电梯要几天 2.骑手保险多少钱", ("装电梯要几天", "骑手保险多少钱")),
    ],
)
def test_split(text: str, parts: tuple[str, ...]) -> None:
    assert split(text) == parts


def test_segments_need_four_characters_each() -> None:
    assert segments("最多跑一次多少项 一证通办多少项") == ("最多跑一次多少项", "一证通办多少项")
    assert segments("骑手 保险") == ()


@pytest.mark.parametrize("text", ["你好", "您好呀", "在吗", "谢谢侬", "谢谢 再见", "你是谁", "hello"])
def test_small_talk(desk: Desk, text: str) -> None:
    assert talk.recognise(text, desk.lexicon) is not None


@pytest.mark.parametrize("text", ["你好，装电梯要几天", "加装电梯", "谢谢，那镇海呢"])
def test_a_need_is_no_small_talk(desk: Desk, text: str) -> None:
    assert talk.recognise(text, desk.lexicon) is None


@given(raw=st.text(st.characters(codec=None), max_size=250))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_understanding_is_total(desk: Desk, raw: str) -> None:
    query = understand(raw, desk.lexicon)
    assert query.raw == raw
    assert len(query.text) <= 200


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("装电梯要几天？骑手保险多少钱？停车怎么收费；哪里报名；谁来管理", 4),
        ("装电梯要几天\n骑手保险多少钱", 2),
        ("装电梯要几天，还有，骑手保险多少钱", 2),
        ("一是装电梯要几天 二是骑手保险多少钱", 2),
        ("要几天？骑手保险多少钱", 1),
        ("怎么报名？骑手保险多少钱", 2),
    ],
)
def test_split_into_so_many(text: str, parts: int) -> None:
    found = split(text)
    assert len(found) == parts
    assert all(part == part.strip(" ,，。、") for part in found)
    assert parts > 1 or found == (text,)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("一证通办, 多少项，，最多跑一次", ()),
        ("一证通办, 多少事项，，最多跑一次", ("一证通办", "多少事项", "最多跑一次")),
        ("一证通办 多少事项 最多跑一次 谁来管理", ("一证通办", "多少事项", "最多跑一次", "谁来管理")),
        ("一证通办 多少事项 最多跑一次 谁来管理 哪里报名", ()),
        ("一证通办", ()),
        ("一证通 多少事项", ()),
        (" 一证通办。多少事项", ("一证通办", "多少事项")),
    ],
)
def test_segments(text: str, found: tuple[str, ...]) -> None:
    assert segments(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("一二三四五六", ()),
        ("一二三四五 六七八九十一", ()),
        ("一二三四五六，七八九十一二", ("一二三四五六", "七八九十一二")),
        ("一二三四五六七八九十一二三四五六,一二三四五六", ("一二三四五六七八九十一二三四五六", "一二三四五六")),
        ("甲" * 8 + "乙" * 9 + "，丙丙丙丙丙", ("甲" * 8 + "乙" * 8, "乙" * 9)),
        ("甲" * 8 + "乙" * 8 + "丙" * 8, ("甲" * 8 + "乙" * 8, "乙" * 8 + "丙" * 8)),
        ("甲" * 8 + "乙" * 8 + "丙" * 9, ("甲" * 8 + "乙" * 8, "乙" * 8 + "丙" * 8, "丙" * 9)),
        ("一二三四五六，" + "甲" * 16 + "乙" * 8, ("一二三四五六", "甲" * 16, "甲" * 8 + "乙" * 8)),
        ("。".join(["一二三四五六"] * 7), ("一二三四五六",) * 5),
    ],
)
def test_windows_over_a_story(text: str, found: tuple[str, ...]) -> None:
    assert windows(text) == found


def test_a_lexicon_that_was_packed_up_reads_as_before(desk: Desk) -> None:
    again = pickle.loads(pickle.dumps(desk.lexicon))
    for text in ("你好呀", "鄞州的三十六条", "zhenhai you shitang ma", "杭州的公积金要多少钱"):
        assert understand(text, again) == understand(text, desk.lexicon)
        assert talk.recognise(text, again) == talk.recognise(text, desk.lexicon)


def test_a_place_of_one_syllable_is_not_heard_in_pinyin(desk: Desk) -> None:
    regions = desk.book.regions
    harbour = regions["北仑区"].model_copy(update={"places": ("港", "白峰")})
    lexicon = Lexicon(replace(desk.book, regions=regions | {"北仑区": harbour}))
    assert understand("baifeng you shitang ma", lexicon).regions == ("北仑区",)
    assert understand("gang li you shitang ma", lexicon).regions == ()


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("老年人有什么服务", {"audiences": ("老年人",), "browse_lightly": True, "follow_up": False}),
        ("老人和企业都能申请吗", {"audiences": ("老年人", "企业"), "themes": ("民生保障",)}),
        ("医疗和养老有哪些", {"themes": ("医疗", "民生保障"), "browse": True}),
        ("2018年和2019年", {"years": (2018, 2019)}),
        ("全国首创", {"honour": True, "browse": False}),
        ("那江北呢", {"follow_up": True, "regions": ("江北区",)}),
        ("什么时候开始收多少钱", {"asked": ("日期", "费用"), "follow_up": False}),
        ("wo zai zhenhai shangban", {"regions": ("镇海区",), "latin": True, "english": False}),
        ("xiang qu jiangbei kanbing", {"regions": ("江北区",), "latin": True}),
        ("I am in Jiangbei", {"regions": ("江北区",), "english": True}),
        ("镇海yinzhou", {"regions": ("镇海区", "鄞州区")}),
    ],
)
def test_what_a_question_names(desk: Desk, text: str, known: dict[str, object]) -> None:
    query = understand(text, desk.lexicon)
    assert {name: getattr(query, name) for name in known} == known
