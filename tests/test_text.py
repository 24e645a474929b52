"""Spelling: normalising, numerals, templates, pinyin."""

from __future__ import annotations

import pickle
import re
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pypinyin.constants import PHRASES_DICT
from pypinyin.seg.simpleseg import seg

from bot.text import normalise as normalising
from bot.text import numerals, pinyin
from bot.text.expand import MAX_EXPANSIONS, TemplateError, expand
from bot.text.markdown import escape
from bot.text.normalise import MAX_CHARS, join_han, key, normalise, normalise_all, plain_digits, spaced, tight
from bot.text.phrases import Phrases, Sets
from bot.text.tidy import slips, tidy

any_text = st.text(st.characters(codec=None), max_size=300)


@given(any_text)
def test_normalise_is_total_idempotent_and_bounded(raw: str) -> None:
    once = normalise(raw)
    assert normalise(once) == once
    assert len(once) <= MAX_CHARS
    once.encode("utf-8")  # no lone surrogate is left


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("ＡＩ　超市？", "ai 超市?"),
        ("請問微法院", "请问微法院"),
        ("微\u200b法\ufeff院", "微法院"),
        ("a\x00b\x1bc", "a b c"),
        ("\ud800微法院", "微法院"),
        ("  三\n\n十  ", "三 十"),
        ("３６條", "36条"),
        ("", ""),
    ],
)
def test_normalise(raw: str, clean: str) -> None:
    assert normalise(raw) == clean


def test_key_and_spaces() -> None:
    assert key("“最多跑一次”，1238 项！") == "最多跑一次1238项"
    assert join_han("加 装 电梯 ai 超市 36 条 big data") == "加装电梯ai超市36条big data"
    assert tight("共 1238 项，占 95% 以上，AI 超市") == "共1238项，占95%以上，AI 超市"
    assert spaced("共1238项AI超市") == "共 1238 项 AI 超市"
    assert plain_digits("1,556 件，1,000,000 元，1,2 和 3,4567") == "1556 件，1000000 元，1,2 和 3,4567"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[("三十六条", "36条"), ("二零二二年", "2022年"), ("一百零八", "108"), ("两千八百", "2800"), ("十一", "11")],
        *[("二百五", "250"), ("三千五", "3500"), ("一千零五", "1005"), ("两千一百一十一", "2111"), ("二十", "20")],
        *[("九千九百九十九", "9999"), ("〇一二", "12")],
    ],
)
def test_numerals_become_digits(text: str, value: str) -> None:
    assert numerals.to_arabic(text) == value


@pytest.mark.parametrize(
    "text", ["一站式", "十佳", "五帮", "万一", "百十千", "三心二意", "十百", "一二十", "二百三百", "五一", "百五"]
)
def test_words_with_numerals_stay(text: str) -> None:
    assert numerals.to_arabic(text) == text


def test_expand() -> None:
    assert expand("[送]外卖(怎么办|谁管)") == ("外卖怎么办", "外卖谁管", "送外卖怎么办", "送外卖谁管")
    assert expand("没有括号") == ("没有括号",)
    assert expand("甲(甲|乙)[甲]") == ("甲甲", "甲甲甲", "甲乙", "甲乙甲")
    assert expand("((甲|乙)|丙)[丁]") == ("甲", "甲丁", "乙", "乙丁", "丙", "丙丁")


@pytest.mark.parametrize("template", ["(甲", "甲)", "[甲", "甲|乙", "(甲]", "(" * 21 + ")" * 21, "(a|b|c|d|e|f)" * 4])
def test_expand_refuses(template: str) -> None:
    with pytest.raises(TemplateError):
        expand(template)


@pytest.mark.parametrize(
    ("template", "says", "column"),
    [
        ("办(甲", "“(”没有配对的“)”", 1),
        ("办[甲(乙)", "“[”没有配对的“]”", 1),
        ("办甲)", "多了一个“)”", 2),
        ("甲|乙", "多了一个“|”", 1),
        ("(甲|乙]", "多了一个“]”", 4),
        ("(a|b|c|d|e|f)(a|b|c|d|e|f)(a|b|c|d|e|f)", "200 句", 38),
        ("[" * 11 + "(" * 10, "括号太多（最多 20 对），请拆成几句", 0),
    ],
)
def test_expand_tells_what_is_wrong_and_where(template: str, says: str, column: int) -> None:
    with pytest.raises(TemplateError, match=f"^(这一句会展开成 )?{re.escape(says)}(以上，请拆成几句)?$") as caught:
        expand(template)
    assert caught.value.column == column


def test_expand_goes_as_far_as_it_may() -> None:
    assert len(expand("(a|b|c|d|e|f|g|h|i|j)" * 2 + "(a|b)")) == MAX_EXPANSIONS
    assert expand("[a][a][a]") == ("a", "aa", "aaa")
    assert expand("(((((((((((((((((((a)))))))))))))))))))[b]") == ("a", "ab")


@given(st.text("甲乙()[]|", max_size=40))
def test_expand_ends_and_is_finite(template: str) -> None:
    try:
        found = expand(template)
    except TemplateError:
        return
    assert len(found) <= 200
    assert len(set(found)) == len(found)


def test_pinyin() -> None:
    assert pinyin.of_text("微法院 36条") == ("wei", "fa", "yuan", "36", "tiao")
    assert pinyin.of_typed("zhenhai laonian shitang") == ("zen", "hai", "lao", "nian", "si", "tan")
    assert pinyin.of_text("银行\n银行") == (*pinyin.of_text("银行"), *pinyin.of_text("银行")) == ("yin", "han") * 2
    assert pinyin.of_typed("weifayuan") == pinyin.of_text("微法院")
    assert pinyin.of_typed("wei1 fa3 yuan4") == pinyin.of_text("微法院")
    assert pinyin.of_typed("wēi fǎ yuàn") == pinyin.of_text("微法院")
    assert pinyin.of_typed("lvse nüren lǚyou celue") == pinyin.of_text("绿色女人旅游策略")
    assert pinyin.of_typed("nve 12 fa") == ("nve", "12", "fa")
    assert pinyin.of_typed("ni'hao，微法院") == ("ni", "hao", "wei", "fa", "yuan")
    assert (pinyin.of_typed("xi an"), pinyin.of_typed("x an")) == (("xi", "an"), None)
    assert (pinyin.of_typed("nan"), pinyin.of_typed("nian")) == (None, ("nian",))
    assert pinyin.of_typed("what is this") is None
    assert pinyin.of_typed("12345") is None
    assert pinyin.initials("微法院") == "wfy"
    assert pinyin.initials("AI 超市") == "acs"
    assert [pinyin._Readings()[char] for char in "微绿"] == ["wei", "lv"]
    assert [pinyin.fold(item) for item in ("zhang", "cheng", "shing", "lue", "bing")] == [
        "zan",
        "cen",
        "sin",
        "lve",
        "bin",
    ]


lines = st.lists(any_text | st.text("微法院重庆银行調解36条 Aａz?，\n", max_size=20), max_size=12)


@given(any_text | st.text("eΩ\u0301\u0338<=？①ｶﾞ가\u1100\u1161宁波 \n", max_size=12))
def test_compatible_characters_are_levelled_where_they_stand_as_in_the_whole(raw: str) -> None:
    assert normalising._COMPATIBLE.sub(normalising._composed, raw) == unicodedata.normalize("NFKC", raw)


@given(lines)
def test_many_texts_at_once_are_spelled_like_each_alone(raws: list[str]) -> None:
    texts = normalise_all(raws)
    assert texts == [normalise(raw) for raw in raws]
    assert [read for _, read in pinyin.of_all(texts)] == [pinyin.of_text(text) for text in texts]
    assert [plain for plain, _ in pinyin.of_all(texts)] == [pinyin.of_characters(text) for text in texts]


@given(any_text)
def test_pinyin_is_total(raw: str) -> None:
    text = normalise(raw)
    pinyin.of_text(text)
    typed = pinyin.of_typed(text)
    assert typed is None or all(typed)


@pytest.mark.sweep
def test_the_readings_of_plain_text_are_those_of_its_words() -> None:
    """The short way is taken only where no word reads a character otherwise than it is read alone."""
    words = sorted(PHRASES_DICT)[::29]
    texts = [*words, *(left + right for left, right in pairwise(words)), "兡银行", "3.6万家，能不能办？", "重庆 长江"]
    assert len(texts) > 2_000
    for text in texts:
        assert pinyin.of_text(text) == tuple(item for word in seg(text) for item in pinyin._read_word(word)), text
    assert sum(pinyin.of_text(text) != pinyin.of_characters(text) for text in texts) > 50


@given(any_text)
def test_printable_text_holds_nothing_that_is_unwanted(raw: str) -> None:
    if raw.isprintable():
        assert not {unicodedata.category(char) for char in raw} & normalising._UNWANTED


def test_phrases_prefer_the_longest_and_whole_words() -> None:
    phrases = Phrases([("人才", 1), ("人才公寓", 2), ("car", 3)])
    assert [item for _, _, item in phrases.find("人才公寓和人才")] == [2, 1]
    assert [item for _, _, item in phrases.find("a car, a card")] == [3]
    assert [item for _, _, item in phrases.find_all("人才公寓")] == [2, 1]
    assert not list(phrases.find(""))


@given(st.lists(st.text("甲乙丙", min_size=1, max_size=4), max_size=6), st.text("甲乙丙丁", max_size=30))
def test_phrases_find_what_a_slow_search_finds(words: list[str], text: str) -> None:
    found = {(at, word) for at, word, _ in Phrases((word, None) for word in words).find_all(text)}
    slow = {(at, word) for word in words for at in range(len(text)) if text.startswith(word, at)}
    assert found == slow


@given(st.lists(st.text("甲乙ab", min_size=1, max_size=4), max_size=6), st.text("甲乙ab ", max_size=30))
def test_phrases_are_cut_from_left_to_right(words: list[str], text: str) -> None:
    """The longest whole word at each place, whether or not a longer one that is no whole word begins there."""
    phrases = Phrases((word, None) for word in words)
    done, slow = 0, []
    for at, word, _ in phrases.find_all(text):
        if at >= done:
            slow.append((at, word, None))
            done = at + len(word)
    assert phrases.find(text) == slow
    assert phrases.blank(text) == phrases.replace(text, dict.fromkeys(words, " "))


_WORDS = st.lists(st.text("甲乙ab", min_size=1, max_size=4), max_size=5)


@given(_WORDS, _WORDS, st.text("甲乙ab ", max_size=30))
def test_several_sets_are_found_as_each_alone(left: list[str], right: list[str], text: str) -> None:
    one, other = Phrases((word, 1) for word in left), Phrases((word, 2) for word in right)
    sets = Sets(one, other)
    assert sets.find(text) == [one.find(text), other.find(text)]
    assert pickle.loads(pickle.dumps(sets)).find(text) == sets.find(text)


def test_phrases_take_lone_surrogates() -> None:
    assert [item for _, _, item in Phrases([("人才", 1)]).find_all("\ud800人才")] == [1]


def test_phrases_are_as_many_as_differ_and_hold_something() -> None:
    phrases = Phrases([("人才", 1), ("", 2), ("人才", 3), ("公寓", 4)])
    assert len(phrases) == 2
    assert [item for _, _, item in phrases.find("人才公寓")] == [1, 4]
    again = pickle.loads(pickle.dumps(phrases))
    assert again.find("人才公寓") == phrases.find("人才公寓")


def test_a_shorter_whole_word_stands_in_for_a_longer_part_of_one() -> None:
    phrases = Phrases([("甲a", 1), ("甲", 2), ("乙", 3), ("b乙", 4), ("甲乙", 5)])
    assert [item for _, _, item in phrases.find("甲ab乙")] == [2, 3]
    assert [item for _, _, item in phrases.find("甲a 甲乙")] == [1, 5]
    assert phrases.blank("甲ab乙") == " ab "
    chain = Phrases([("甲a", 1), ("乙丙", 2), ("丙丁", 3)])
    assert [item for _, _, item in chain.find("甲ab乙丙丁")] == [2]


def test_a_text_that_never_settles_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(normalising, "_clean", lambda text: text + "a")
    assert normalising._settled("x") == "xaaaa"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[a](b) `c` *d* ~e~ <f> |g| \\h", "［a］(b) ｀c｀ ＊d＊ ～e～ ＜f＞ ｜g｜ ＼h"),
        ("# 一\n- 二\n+ 三\n= 四", "＃ 一\n－ 二\n＋ 三\n＝ 四"),
        ("一 # 二 - 三", "一 # 二 - 三"),
        ("_一_ snake_case_", "＿一＿ snake_case＿"),
    ],
)
def test_markdown_shows_what_was_meant(text: str, shown: str) -> None:
    assert escape(text) == shown
    assert escape(shown) == shown


@pytest.mark.parametrize(
    ("text", "kinds", "mended"),
    [
        ("共１２项", {"wide"}, "共 12 项"),
        ("停车,收费", {"marks"}, "停车，收费"),
        ("停车 ，收费", {"spaces"}, "停车，收费"),
        ("停车  收费", {"spaces"}, "停车 收费"),
        ("“１２项”和《ＡＩ》", set(), "“１２项”和《ＡＩ》"),
        ("姚江1号停了4年", {"spaces"}, "姚江1号停了 4 年"),
        ("姚江1号", set(), "姚江1号"),
        ("\ue000“１”１", {"wide"}, "\ue000“１”1"),
        ("长A1b中", set(), "长A1b中"),
        ("", set(), ""),
    ],
)
def test_slips_are_mended_outside_of_quotations_and_names(text: str, kinds: set[str], mended: str) -> None:
    names = ["江1", "姚江1号", "", "长A1", "长A1b"]
    assert slips(text, names).keys() == kinds
    assert tidy(text, names) == mended


@given(any_text | st.text("\ue000“”《》甲１，, ", max_size=12))
def test_mending_slips_is_total_and_idempotent(text: str) -> None:
    once = tidy(text, ["甲１"])
    assert tidy(once, ["甲１"]) == once
    assert not slips(once, ["甲１"])
