"""Personal data goes, hotlines, dates and figures stay. All numbers here are made up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import redact as redact_module
from bot.redact import redact

GONE = [
    ("我的手机13812345678谢谢", "我的手机〔手机号〕谢谢"),
    ("１３８１２３４５６７８", "〔手机号〕"),
    ("138-1234-5678", "〔手机号〕"),
    ("138 1234 5678", "〔手机号〕"),
    ("138.1234.5678", "〔手机号〕"),
    ("138·1234·5678", "〔手机号〕"),
    ("1 3 8 1 2 3 4 5 6 7 8", "〔手机号〕"),
    ("1381234\n5678", "〔手机号〕"),
    ("1\u200b3\u200b812345678", "〔手机号〕"),
    ("1️⃣3️⃣8️⃣1️⃣2️⃣3️⃣4️⃣5️⃣6️⃣7️⃣8️⃣", "〔手机号〕"),
    ("①③⑧①②③④⑤⑥⑦⑧", "〔手机号〕"),
    ("١٣٨١٢٣٤٥٦٧٨", "〔手机号〕"),
    ("+86 138 1234 5678", "〔手机号〕"),
    ("+86-13812345678", "〔手机号〕"),
    ("(+86)13812345678", "〔手机号〕"),
    ("008613812345678", "〔手机号〕"),
    ("打一三八一二三四五六七八", "打〔手机号〕"),
    ("幺三八 零零幺三 八零零零", "〔手机号〕"),
    ("一三8一二3四五6七八", "〔手机号〕"),
    ("我有一13812345678一共", "我有一〔手机号〕一共"),
    ("13812345678，13987654321", "〔手机号〕,〔手机号〕"),
    ("13812345678 12345", "〔手机号〕 12345"),
    ("0574-87654321", "〔座机〕"),
    ("（0574）87654321", "〔座机〕"),
    ("（0574-87654321）", "(〔座机〕)"),
    ("(0574) 8765 4321", "〔座机〕"),
    ("010-12345678", "〔座机〕"),
    ("86-574-87654321", "〔座机〕"),
    ("400-123-4567转1", "〔座机〕转1"),
    ("330203199001011234", "〔身份证〕"),
    ("33020319900101123X", "〔身份证〕"),
    ("33020319900101123x号", "〔身份证〕号"),
    ("330203 1990 0101 1234", "〔身份证〕"),
    ("330203 1990-01-01 123X", "〔身份证〕"),
    ("330203900101123", "〔身份证〕"),
    ("护照E12345678", "护照〔护照〕"),
    ("ea1234567", "〔护照〕"),
    ("G 12345678", "〔护照〕"),
    ("6222021234567890", "〔银行卡〕"),
    ("6222 0212 3456 7890 123", "〔银行卡〕"),
    ("6222-0212-3456-7890", "〔银行卡〕"),
    ("编号123456789", "编号〔号码〕"),
    ("8765 4321", "〔号码〕"),
    ("浙B12345", "〔车牌〕"),
    ("浙b·12345", "〔车牌〕"),
    ("浙 B 12345", "〔车牌〕"),
    ("辽BD12345", "〔车牌〕"),
    ("浙B-D12345停哪", "〔车牌〕停哪"),
    ("浙B12345D", "〔车牌〕"),
    ("浙B1234学", "〔车牌〕"),
    ("邮箱zhang.san+1@example.com谢谢", "邮箱〔邮箱〕谢谢"),
    ("13812345678＠qq．com", "〔邮箱〕"),
    ("zhangsan艾特qq点com", "〔邮箱〕"),
    ("微信号abc_12345", "微信号〔微信号〕"),
    ("微信：zhangsan88", "微信:〔微信号〕"),
    ("加我zhangsan", "加我〔微信号〕"),
    ("wx abc12345", "wx 〔微信号〕"),
    ("VX：abcdefgh", "VX:〔微信号〕"),
    ("V信abc12345", "V信〔微信号〕"),
    ("QQ12345678", "QQ〔微信号〕"),
    ("qq号：1234567", "qq号:〔微信号〕"),
    ("加我1381234 5678", "加我〔手机号〕"),
    ("我住在宁波市鄞州区中山东路123号", "我住在〔地址〕"),
    ("我住中山路12弄3号402室", "我住〔地址〕"),
    ("家住幸福小区5幢2单元301室", "家住〔地址〕"),
    ("幸福小区3-2-501", "〔地址〕"),
    ("解放街三十二号", "〔地址〕"),
    ("5幢301", "〔地址〕"),
    ("我叫张三", "我叫〔姓名〕"),
    ("我叫李想，", "我叫〔姓名〕,"),
    ("我叫逄小威，电话", "我叫〔姓名〕,电话"),
    ("我叫欧阳小美", "我叫〔姓名〕"),
    ("我是张三想问一下", "我是〔姓名〕想问一下"),
    ("我是高明，", "我是〔姓名〕,"),
    ("姓名：张三电话", "姓名:〔姓名〕电话"),
    ("本人李明，", "本人〔姓名〕,"),
    ("8765432", "〔号码〕"),
    ("1234567X号", "〔号码〕X号"),
    ("1234567x号", "〔号码〕x号"),
    ("1999 2000 110", "〔手机号〕"),
    ("2022-09-21 36 45", "〔号码〕"),
    ("13812345678，13987654321，13712345678", "〔手机号〕,〔手机号〕,〔手机号〕"),
    ("+(86 13812345678", "(〔手机号〕"),
    ("一二三400-123-4567一", "〔号码〕"),
    ("一 - - 13812345678", "一 - - 〔手机号〕"),
    ("一二400-123-4567三", "一二〔座机〕三"),
    ("一5000000元", "一〔号码〕元"),
    ("1 33020319900101123X", "1 〔身份证〕"),
    ("62010219999999123X", "〔身份证〕"),
    ("62010219999999123x", "〔身份证〕"),
    ("8765432 33020319900101123X", "〔号码〕"),
    ("87654321 13812345678", "〔银行卡〕"),
    ("(一13812345678", "(一〔手机号〕"),
    ("620102199001011234", "〔身份证〕"),
    ("330203999999999999", "〔身份证〕"),
    ("622202123456789012", "〔银行卡〕"),
    ("62220212345678901234", "〔号码〕"),
    ("QQ54321", "QQ〔微信号〕"),
    ("qq54321", "qq〔微信号〕"),
    ("微信543210", "微信〔微信号〕"),
    ("微信13812345678", "微信〔手机号〕"),
    ("浙BAB12C", "〔车牌〕"),
]

STAYS = [
    *("12345", "110", "96345", "8:30-17:00", "2026年", "3,000 元", "36 条", "1238项", "2022-09-21", "3天", "17+1"),
    *("nb-mobile-micro-court", "nh-36-village-powers", "微信nb-mobile-micro-court", "0.3元", "11.7亿元", "1,556 件"),
    *("2026-11-20", "2026-11-20 8:30-17:00", "2022年9月21日", "2018-2024", "2018—2024年", "2021.1-2022.12"),
    *("二〇一八-二〇二四", "二〇二二年九月二十一日", "周一至周五8:30-11:30", "3,000,000元", "贷款5000000元"),
    *("贷款50000-100000元", "12345/96345", "12345 96345 110", "打12345一下", "第三十六条", "100%", "1-2-3", "6.5折"),
    *("我是外地人", "我是企业主", "我是老师", "我是党员", "我是宁波人", "我是余姚的", "我是高中生", "我是江北的"),
    *("我叫不到车", "我叫什么", "本人有肺气肿病", "本人于去年三月", "本人和家属", "姓名怎么改"),
    *("微信能打官司吗", "微信pay", "铁路2号线", "地铁5号线", "2楼3号窗口", "36号文件", "甬政办〔2022〕12号", "新Apple"),
    *("新Apples", "新Appl1e", "QQ12345", "微信54321", "微信群abcdefg", "123456", "2022-09-21 36", "(1)2022-09-21"),
    *("13:30-17:30 110", "+2022-09-21"),
]

CHINESE = "宁波微法院怎么办一三七九元年户家市民路号村小区医保，。？！ "
texts = st.text(CHINESE, max_size=12)
digits = st.sampled_from("0123456789")
odd = st.text(st.characters(codec=None), max_size=40)


def number(prefix: st.SearchStrategy[str], size: int) -> st.SearchStrategy[str]:
    return st.builds(str.__add__, prefix, st.text("0123456789", min_size=size, max_size=size))


KINDS = {
    "mobile": number(st.sampled_from([f"1{second}" for second in "3456789"]), 9),
    "landline": number(st.sampled_from(["0574-8", "0574 2", "(0574)8", "057487"]), 7),
    "identity": number(st.sampled_from(["330203", "330226"]), 12),
    "identity x": number(st.just("33020319"), 9).map(lambda text: text + "X"),
    "card": number(st.sampled_from(["6222", "6217 ", "6228-"]), 13),
    "passport": number(st.sampled_from(["E", "G", "ea1"]), 8),
    "e-mail": number(st.just("user"), 5).map(lambda text: text + "@example.com"),
    "plate": number(st.sampled_from(["浙B", "浙b·", "浙 BD", "辽B-"]), 5),
    "wechat": number(st.sampled_from(["微信号wxid_", "加我a", "VX: b", "QQ1"]), 6),
}


@pytest.mark.parametrize(("text", "expected"), GONE)
def test_personal_data_becomes_a_tag(text: str, expected: str) -> None:
    assert redact(text) == expected


@pytest.mark.parametrize("text", STAYS)
def test_hotlines_dates_and_figures_stay(text: str) -> None:
    assert redact(text) == text


def test_times_in_full_width_stay_times() -> None:
    assert redact("８：３０－１７：００") == "8:30-17:00"


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_planted_anywhere_no_digit_is_left(kind: str, data: st.DataObject) -> None:
    planted = data.draw(KINDS[kind])
    if data.draw(st.booleans()):
        planted = "".join(chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in planted)
    result = redact(data.draw(texts) + planted + data.draw(texts))
    assert not re.search("[0-9]", result)
    assert redact(result) == result


@given(KINDS["mobile"], st.lists(st.sampled_from(["", "", " ", "-", ".", "·", "  "]), min_size=11, max_size=11), texts)
def test_a_mobile_number_split_at_will_goes(mobile: str, gaps: list[str], around: str) -> None:
    split = "".join(gap + digit for gap, digit in zip(gaps, mobile, strict=True))
    assert not re.search("[0-9]", redact(around + split + around))


@given(KINDS["mobile"], texts)
def test_a_mobile_number_in_chinese_numerals_goes(mobile: str, around: str) -> None:
    words = mobile.translate(str.maketrans("0123456789", "零一二三四五六七八九"))
    assert words not in redact(f"{around}，{words}，{around}")


@given(odd)
def test_any_string_is_accepted_and_the_result_is_storable(text: str) -> None:
    result = redact(text)
    result.encode()
    assert "\0" not in result
    assert redact(result) == result


CHARS = "我叫是本人张三高路号幢村小区街弄户元年一二九1380 -:+()·.@XxBbE浙微信"
WORDS = "13812345678 0574 2022-09-21 8:30 微信号 abc123 中山路 12号 301室 姓名: @qq.com 一三八 33020319900101123 QQ"
pieces = st.lists(st.sampled_from([*CHARS, *WORDS.split()]), max_size=30)


@given(pieces.map("".join))
def test_a_second_pass_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "(", "a", "a@", "中山路1号", "我叫", "我是张", "1幢301", "微信", "浙B1", "一 "]
)
def test_long_hostile_text_ends(piece: str) -> None:
    hostile = piece * (20_000 // len(piece))
    assert redact(redact(hostile)) == redact(hostile)


PIECES = [
    *(text for text, _ in GONE),
    *"零〇一七幺壹我俺是叫本人姓名住号弄幢栋座室楼元信扣加微浙BKſKİı@.点-·: 0123456789xX()+艾特〔〕",
    "联系人",
    "申请人",
    "户主",
    "名字",
    "at",
    "QQ",
    "中山路",
    "王小明",
]


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=12).map("".join))
def test_a_pattern_that_is_passed_over_would_have_changed_nothing(text: str) -> None:
    text = redact_module._clean(text)
    for possible, pattern, tag in redact_module._PASSES:
        if not possible(text):
            assert pattern.sub(tag, text) == text


@pytest.mark.parametrize(
    ("char", "read"),
    [
        *[(char, "") for char in "\u200b\u0300\U000e0100\U000e01ef"],
        *[(char, " ") for char in "\x00\n\u2028\u2029\u3000\u00a0"],
        *[(char, char) for char in "宁a9\U000e00ff\U000e01f0"],
        ("\u0661", "1"),
        ("\ud800", "\ufffd"),
    ],
)
def test_each_kind_of_character_is_read_the_same_twice(char: str, read: str) -> None:
    table = redact_module._Readable()
    assert [char.translate(table) for _ in range(2)] == [read] * 2


def test_more_characters_than_are_remembered_are_read_all_the_same() -> None:
    table = redact_module._Readable()
    text = "".join(map(chr, range(0x3400, 0x3400 + 9_000))) + "\u200b١"
    assert text.translate(table) == text[:-2] + "1"
    assert len(table) == 8_000
