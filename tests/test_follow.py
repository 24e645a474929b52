"""A few words after an answer: what they are about."""

from __future__ import annotations

import pytest

from bot.desk import Desk
from bot.follow import declined, picked
from bot.model import Status, Turn
from bot.render import plain
from bot.understand.correction import corrected
from tests.test_answer import ask


@pytest.mark.parametrize(
    ("turns", "entry"),
    [
        (("微法院", "怎么用"), "nb-mobile-micro-court"),
        (("微法院", "老年人怎么用"), "nb-mobile-micro-court"),
        (("加装电梯", "那要交钱吗"), "nb-old-estate-lifts"),
        (("加装电梯", "最快多久能弄完"), "nb-old-estate-lifts"),
        (("爱心车轮食堂", "多少钱一餐"), "zh-love-wheel-canteen"),
        (("卤肉一件事", "以前呢"), "nb-braised-meat-one-thing"),
        (("加装电梯", "有什么好处"), "nb-old-estate-lifts"),
        (("加装电梯", "有哪些政策"), "nb-old-estate-lifts"),
        (("微法院", "访问量"), "nb-mobile-micro-court"),
        (("灵活保多少钱", "外地人可以参加吗"), "nb-flexible-work-insurance"),
        (("加装电梯", "镇海怎么样"), "nb-old-estate-lifts"),
        (("加装电梯", "阿拉鄞州这边呢"), "nb-old-estate-lifts"),
        (("北仑有没有加装电梯", "那宁波呢"), "nb-old-estate-lifts"),
        (("灵活保", "上哪儿买"), "nb-flexible-work-insurance"),
        (("微法院", "用的人多不多"), "nb-mobile-micro-court"),
        (("科技副总", "有啥例子"), "zh-tech-vice-president"),
        (("加装电梯", "归哪个局管的"), "nb-old-estate-lifts"),
    ],
)
def test_the_answer_before_is_meant(desk: Desk, turns: tuple[str, ...], entry: str) -> None:
    reply = ask(desk, *turns)
    assert (reply.status, reply.ids[0]) == (Status.ANSWER, entry)


def test_whether_somebody_may_is_answered_with_whom_it_is_for(desk: Desk) -> None:
    reply = ask(desk, "灵活保多少钱", "老人能买吗")
    assert reply.ids == ("nb-flexible-work-insurance",)
    assert "对象" in plain(reply) or "没有写" in plain(reply) or "资料没写" in plain(reply)


@pytest.mark.parametrize("text", ["狗证怎么办", "公积金可以提吗"])
def test_a_topic_outside_leans_on_nothing(desk: Desk, text: str) -> None:
    assert ask(desk, "加装电梯", text).status is Status.NONE


def test_a_few_words_that_lead_elsewhere_without_being_sure_are_asked_back(desk: Desk) -> None:
    reply = ask(desk, "僵尸车怎么处理", "罚款吗")
    assert reply.status is Status.CHOICES
    assert reply.ids[0] == "zh-zombie-cars"
    assert ask(desk, "僵尸车怎么处理", "罚款吗", "1").ids == ("zh-zombie-cars",)


@pytest.mark.parametrize(
    ("before", "text", "entry"),
    [
        ("全域国土整治", "不对，我问的是镇海的，不是宁波全市的", "zh-county-land-consolidation"),
        ("加装电梯", "不是这个，我说的是那个僵尸车", "zh-zombie-cars"),
        ("宁海36条", "那鄞州呢", "yz-grassroots-power-lists"),
        ("六争攻坚", "江北呢", "jb-six-contests"),
        ("加装电梯", "江北呢", "nb-old-estate-lifts"),
    ],
)
def test_what_is_put_right_or_moved_elsewhere(desk: Desk, before: str, text: str, entry: str) -> None:
    reply = ask(desk, before, text)
    assert (reply.status, reply.ids[0]) == (Status.ANSWER, entry)


def test_what_somebody_says_to_have_meant() -> None:
    assert corrected("那不是医院，我问的是卖菜的") == "卖菜的"
    assert corrected("不对，我说的是镇海，不是江北") == "镇海"
    assert corrected("我问的是不是你") == "我问的是不是你"
    assert corrected("我想问的是") == "我想问的是"
    assert corrected("加装电梯") == "加装电梯"


@pytest.mark.parametrize("text", ["换个问题，绿道那个呢", "还是说刚才的绿道那个", "绿道那条呢"])
def test_a_word_points_back_to_what_was_answered_some_turns_ago(desk: Desk, text: str) -> None:
    before = ("达人村在哪", "江北滨江绿道获过奖吗", "三园建设进展")
    assert ask(desk, *before, text).ids == ("jb-riverside-greenway",)
    assert picked(text, [Turn("达人村在哪", ("jb-daren-village",))], desk) is None


def test_the_first_of_several_questions_may_lean_on_the_turn_before(desk: Desk) -> None:
    reply = ask(desk, "灵活保", "那个最高赔多少？另外宁海的村干部权力清单有几条？")
    assert reply.ids == ("nb-flexible-work-insurance", "nh-36-village-powers")


def test_thanks_before_another_question_are_no_small_talk(desk: Desk) -> None:
    assert ask(desk, "加装电梯", "谢谢，那护照去哪里办").status is Status.NONE


def test_a_few_words_that_the_entry_before_tells_are_about_it_though_another_is_near(desk: Desk) -> None:
    reply = ask(desk, "江北城管不当面罚款的做法", "什么时候开的会")
    assert (reply.status, reply.ids[0]) == (Status.ANSWER, "jb-non-contact-enforcement")


def test_what_one_district_does_not_have_is_asked_of_the_next(desk: Desk) -> None:
    assert ask(desk, "慈溪有没有僵尸车处理").status is Status.NONE
    assert ask(desk, "慈溪有没有僵尸车处理", "镇海呢").ids == ("zh-zombie-cars",)
    again = ask(desk, "慈溪有没有僵尸车处理", "那余姚呢")
    assert again.status is Status.NONE
    assert "镇海区" in plain(again)
    assert ask(desk, "慈溪怎么样", "镇海呢").status is Status.LIST


def test_a_turn_on_purpose_is_no_follow_up(desk: Desk) -> None:
    assert "zh-zombie-cars" not in ask(desk, "僵尸车怎么处理", "那菜市场检测呢").ids


def test_another_place_without_the_thing_is_the_neighbours(desk: Desk) -> None:
    reply = ask(desk, "爱心车轮食堂", "江北有吗")
    assert reply.status is Status.NONE
    assert "镇海区" in plain(reply)


def test_a_list_of_a_district_lends_its_place(desk: Desk) -> None:
    assert ask(desk, "留学的人上哪里招").status is not Status.ANSWER
    assert ask(desk, "江北有哪些改革", "留学的人上哪里招").ids == ("jb-micro-hq",)
    assert ask(desk, "江北有什么服务", "农村医疗条件差").ids == ("nb-county-medical-community",)


@pytest.mark.parametrize(
    ("before", "text"),
    [("美力乡村江北", "非遗项目怎么申报"), ("独立机构评江北审批，冠军保持了多久", "志愿者服务时长怎么查")],
)
def test_a_place_that_is_lent_makes_nothing_an_answer(desk: Desk, before: str, text: str) -> None:
    assert ask(desk, before).status is Status.ANSWER
    assert ask(desk, text).status is ask(desk, before, text).status is Status.NONE


def test_a_question_that_is_sure_by_itself_leans_on_nothing(desk: Desk) -> None:
    reply = ask(desk, "加装电梯", "送外卖受伤了有保险吗")
    assert (reply.status, reply.ids) == (Status.ANSWER, ("nb-flexible-work-insurance",))


def test_a_few_words_about_another_thing_lean_on_nothing(desk: Desk) -> None:
    assert ask(desk, "镇海拿到的省以上改革试点一共有几项", "快递打包多少钱").status is Status.NONE
    for text in ("水稻亩产多少斤", "打金银首饰的店哪里有"):
        assert ask(desk, "加装电梯", text).status is Status.NONE
    assert ask(desk, "加装电梯", "装好了多少部").ids == ("nb-old-estate-lifts",)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        *[(text, 0) for text in ("1", "一", "第一个", "我要第1条", "就第一个吧")],
        *[(text, 1) for text in ("2", "二", "两", "选2", "选第二个", "要第二个", "第二个的", "2。", "第 2 个")],
        *[(text, None) for text in ("0", "3", "第", "个", "12", "第二个问题")],
    ],
)
def test_a_number_picks_however_it_is_said(desk: Desk, text: str, at: int | None) -> None:
    offered = ("nb-makeshift-hospital", "nb-vegetable-market-fangcang")
    assert picked(text, [Turn("方舱", offered=offered)], desk) == (None if at is None else offered[at])
    later = picked(text, [Turn("方舱", offered=offered), Turn("别的")], desk)
    assert later == (offered[at] if at is not None and "第" in text else None)
    assert picked(text, [], desk) is None


def test_a_number_goes_up_to_five(desk: Desk) -> None:
    offered = tuple(desk.book.entries)[:6]
    turns = [Turn("有哪些", offered=offered)]
    assert [picked(text, turns, desk) for text in "12345"] == list(offered[:5])
    assert [picked(text, turns, desk) for text in "一二三四五"] == list(offered[:5])
    assert picked("6", turns, desk) is None


def test_a_word_picks_only_what_one_option_has_in_its_name(desk: Desk) -> None:
    offered = ("nb-makeshift-hospital", "nb-vegetable-market-fangcang", "gone-since")
    turns = [Turn("方舱", offered=offered)]
    assert picked("说的是医院那个", turns, desk) == offered[0]
    assert picked("就要菜", turns, desk) is None
    assert picked("方舱的", turns, desk) is None
    assert picked("第三个", turns, desk) == "gone-since"


def test_the_options_are_turned_down_in_their_own_words_only(desk: Desk) -> None:
    offering, plain_turn = Turn("方舱", offered=("nb-makeshift-hospital",)), Turn("方舱")
    assert declined("都不是。", [offering], "都不是")
    assert not declined("都是", [offering], "都不是")
    assert not declined("都不是", [plain_turn], "都不是")
    assert not declined("都不是", [], "都不是")
    assert not declined("都不是", [offering, plain_turn], "都不是")


def test_what_holds_for_the_city_is_answered_for_a_district(desk: Desk) -> None:
    for start in ("打官司不用跑法院的那个", "老小区装电梯"):
        first = ask(desk, start)
        reply = ask(desk, start, "江北的呢")
        assert reply.ids == first.ids
        assert any("没有单独写江北区" in block.text for block in reply.blocks)
        assert ask(desk, start, "大概多少", "那象山呢").ids == first.ids


def test_what_another_district_has_alone_is_offered_as_its_own(desk: Desk) -> None:
    reply = ask(desk, "镇海的老人吃饭", "江北有没有")
    assert reply.status is Status.NONE
    assert "下面是镇海区的做法" in " ".join(block.text for block in reply.blocks)


def test_one_of_a_list_is_asked_about_by_its_number(desk: Desk) -> None:
    offered = ask(desk, "江北有哪些好玩的").turn.offered
    reply = ask(desk, "江北有哪些好玩的", "第二个在哪")
    assert reply.ids == offered[1:2]
    assert ask(desk, "江北有哪些好玩的", "第二个在哪", "算了，第一个呢").ids == offered[:1]
    assert ask(desk, "江北有哪些好玩的", "第一个月的工资怎么算").ids != offered[:1]


def test_a_theme_narrows_a_list_though_one_of_it_is_called_so(desk: Desk) -> None:
    assert ask(desk, "镇海有什么", "文化的").status is Status.LIST


@pytest.mark.parametrize("text", ["yao ji ge bu men", "duo shao qian", "yaoduojiu"])
def test_a_follow_up_may_be_typed_in_pinyin(desk: Desk, text: str) -> None:
    assert ask(desk, "老小区装电梯", text).ids == ("nb-old-estate-lifts",)


@pytest.mark.parametrize(
    ("first", "then", "there"),
    [
        ("宁海农村怎么管村官手里那点小权", "鄞州呢", "yz-grassroots-power-lists"),
        ("江北大厅里是不是哪个窗口都收我的件", "奉化呢", "fh-admin-service-centre"),
        ("哪个区当了甬江科创区的主心骨", "鄞州呢", "yz-yongjiang-corridor-integration"),
    ],
)
def test_what_another_district_has_of_the_same_is_answered(desk: Desk, first: str, then: str, there: str) -> None:
    reply = ask(desk, first, then)
    assert (reply.status, reply.ids) == (Status.ANSWER, (there,))


LIFTS, INSURANCE = "nb-old-estate-lifts", "nb-flexible-work-insurance"
TWO = "装电梯最快几天能批？另外骑手那个保险一天多少钱"


@pytest.mark.parametrize(
    ("turns", "ids", "reason", "score"),
    [
        (("微法院", "怎么用"), ("nb-mobile-micro-court",), "接着上一句问的", 0.9),
        (("加装电梯", "那要交钱吗"), (LIFTS,), "接着上一句问的", 0.9),
        (("加装电梯", "装好了多少部"), (LIFTS,), "接着上一句问的", 0.9),
        (("灵活保多少钱", "老人能买吗"), (INSURANCE,), "接着上一句问的", 0.8),
        (("老小区装电梯", "江北的呢"), (LIFTS,), "接着上一句问的，换了地区", 0.9),
        (("宁海的36条是什么", "那鄞州呢"), ("yz-grassroots-power-lists",), "这个地区相关的一条", None),
        (("爱心车轮食堂", "江北有吗"), (), "上一句的那个地区才有", None),
        (("僵尸车怎么处理", "那余姚呢"), (), "上一句的那个地区才有", None),
        (("加装电梯", "杭州呢"), (), "问的是杭州", None),
        (("加装电梯", "？？"), (), "没有文字", 0.0),
        (("微法院", "加装电梯"), (LIFTS,), "和库里的问法一字不差", 1.0),
        (("方舱", "第一个"), ("nb-makeshift-hospital",), "按序号选的", 1.0),
        (("加装电梯", "审批要几天"), (LIFTS,), "接着上一句问的", 0.9),
        (("镇海有什么改革", "僵尸车"), ("zh-zombie-cars",), "和库里的问法一字不差", 1.0),
        ((TWO, "要多少钱"), (LIFTS,), "接着上一句问的", 0.9),
        ((TWO, "怎么用"), (LIFTS,), "接着上一句问的", 0.9),
        ((TWO, "老人能买吗"), (LIFTS,), "接着上一句问的", 0.8),
        ((TWO, "象山呢"), (LIFTS,), "接着上一句问的，换了地区", 0.9),
    ],
)
def test_each_follow_up_says_why(
    desk: Desk, turns: tuple[str, ...], ids: tuple[str, ...], reason: str, score: float | None
) -> None:
    reply = ask(desk, *turns)
    assert (reply.ids, reply.reason) == (ids, reason)
    assert score is None or reply.score == pytest.approx(score, abs=0.21 if "部" in turns[-1] else 0)


def test_what_may_be_meant_is_offered_only_right_after_the_answer(desk: Desk) -> None:
    cars = "zh-zombie-cars"
    reply = ask(desk, "僵尸车怎么处理", "罚款吗")
    assert (reply.ids[0], reply.reason) == (cars, "没说是不是接着上一句问的")
    for between in ("你好", "公积金怎么提取"):
        assert cars not in ask(desk, "僵尸车怎么处理", between, "罚款吗").ids
    assert INSURANCE not in ask(desk, TWO, "罚款吗").ids, "of two answers the first is leant on"


def test_whether_somebody_may_is_not_asked_of_a_place_the_answer_is_not_about(desk: Desk) -> None:
    assert ask(desk, "灵活保多少钱", "余姚的老人能买吗").status is Status.NONE


def test_whether_somebody_may_do_something_else_is_not_taken_for_it(desk: Desk) -> None:
    reply = ask(desk, "灵活保多少钱", "学生能买奶粉吗")
    assert (reply.status, reply.reason) == (Status.CHOICES, "没说是不是接着上一句问的")


@pytest.mark.parametrize(("text", "told"), [("护照多少钱", "护照与签证"), ("水费多少", "水电气缴费")])
def test_a_few_words_on_a_topic_outside_are_no_follow_up(desk: Desk, text: str, told: str) -> None:
    reply = ask(desk, "加装电梯", text)
    assert (reply.status, reply.reason) == (Status.NONE, f"资料以外的话题：{told}")


def test_the_place_of_a_question_stays_with_what_leans_on_it(desk: Desk) -> None:
    reply = ask(desk, "奉化加装电梯", "装好了多少部")
    assert (reply.ids, reply.turn.regions) == ((LIFTS,), ("奉化区",))
    assert any("没有单独写奉化区" in block.text for block in reply.blocks)


def test_a_word_after_choices_picks_though_it_is_also_a_heading(desk: Desk) -> None:
    assert ask(desk, "方舱").status is Status.CHOICES
    for text in ("医院", "医院的", "是医院"):
        assert ask(desk, "方舱", text).ids == ("nb-makeshift-hospital",)


@pytest.mark.parametrize(("listed", "heading"), [("镇海有什么", "人才"), ("全国首创的有哪些", "土地")])
def test_a_heading_narrows_a_list_though_one_of_it_has_it_in_its_name(desk: Desk, listed: str, heading: str) -> None:
    every = ask(desk, listed)
    assert sum(heading in option.label for option in every.options) == 1
    fewer = ask(desk, listed, f"{heading}的")
    assert (every.status, fewer.status) == (Status.LIST, Status.LIST)
    assert set(fewer.ids) < set(every.ids)


def test_a_district_after_a_question_that_named_nothing_is_asked_about_itself(desk: Desk) -> None:
    assert ask(desk, "镇海多少钱").status is Status.NONE
    reply = ask(desk, "镇海多少钱", "那江北呢")
    assert reply.status is Status.LIST
    assert {desk.region_of(identifier) for identifier in reply.ids} == {"江北区"}
