"""Ways of asking that once led astray, each by a question of its kind."""

from __future__ import annotations

import datetime as dt

import pytest

from bot.answer import answer
from bot.desk import Desk
from bot.model import Reply, Status, Turn
from bot.render import plain

TODAY = dt.date(2026, 1, 2)


def ask(desk: Desk, *texts: str) -> Reply:
    """The reply to the last of several texts of one conversation."""
    turns: list[Turn] = []
    for text in texts[:-1]:
        turns.append(answer(text, desk, turns, TODAY).turn)
    return answer(texts[-1], desk, turns, TODAY)


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("wfy怎么用", "nb-mobile-micro-court"),
        ("wfy zenme yong", "nb-mobile-micro-court"),
        ("wfy 怎么用", "nb-mobile-micro-court"),
        ("lhb 怎么用", "nb-flexible-work-insurance"),
        ("WFY 要钱吗", "nb-mobile-micro-court"),
        ("lhb 多少钱一天", "nb-flexible-work-insurance"),
        ("zhenhai kjfz shi shenme", "zh-tech-vice-president"),
        ("zjd sqfz", "xs-homestead-three-rights"),
    ],
)
def test_initials_stand_among_other_words(desk: Desk, text: str, entry: str) -> None:
    reply = ask(desk, text)
    assert reply.ids == (entry,)
    assert reply.reason in {"拼音首字母和名称一样", "和库里的问法一字不差"}


def test_initials_of_another_district_are_not_passed_off(desk: Desk) -> None:
    assert ask(desk, "江北 kjfz").ids != ("zh-tech-vice-president",)


@pytest.mark.parametrize("text", ["镇海城市更新有几个项目", "镇海重点改革项目有多少个"])
def test_the_one_that_leads_clearly_is_answered(desk: Desk, text: str) -> None:
    assert ask(desk, text).status is Status.ANSWER


def test_names_that_share_a_word_are_still_offered(desk: Desk) -> None:
    assert ask(desk, "示范区").status is Status.CHOICES


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("宁海和鄞州的清单各有几条", {"nh-36-village-powers", "yz-grassroots-power-lists"}),
        ("镇海和江北的社区治理有什么不同", {"zh-community-governance-pilot", "jb-four-platforms"}),
    ],
)
def test_two_districts_are_answered_each_for_itself(desk: Desk, text: str, entries: set[str]) -> None:
    assert set(ask(desk, text).ids) == entries


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("宁海36条跟鄞州三清单分别几条", ("nh-36-village-powers", "yz-grassroots-power-lists")),
        ("镇海老年食堂和江北达人村分别在哪", ("zh-elderly-meals", "jb-daren-village")),
        ("健康驿站和场所码分别几天弄好的", ("nb-health-stations", "nb-place-code")),
        ("灵活保和随军家属灵活就业是一回事吗", ("nb-flexible-work-insurance", "nb-army-family-flex-jobs")),
    ],
)
def test_two_things_side_by_side_are_answered_each(desk: Desk, text: str, entries: tuple[str, ...]) -> None:
    reply = ask(desk, text)
    assert reply.ids == entries
    assert reply.options
    assert not {option.id for option in reply.options} & set(entries)


def test_the_same_is_told_of_both(desk: Desk) -> None:
    text = plain(ask(desk, "宁海36条跟鄞州三清单分别几条"))
    assert "36条" in text.replace(" ", "")
    assert "93条" in text.replace(" ", "")


def test_where_somebody_stays_is_not_what_is_asked_about(desk: Desk) -> None:
    assert ask(desk, "我在新疆打工，宁波的官司能在手机上打吗").ids == ("nb-mobile-micro-court",)
    assert ask(desk, "新疆的官司能在手机上打吗").status is Status.NONE


def test_whose_it_is_is_asked_of_what_was_answered(desk: Desk) -> None:
    assert ask(desk, "灵活保一天多少钱", "谁开发的").ids == ("nb-flexible-work-insurance",)
    assert ask(desk, "灵活保一天多少钱", "你是谁开发的").status is Status.SMALLTALK
    assert ask(desk, "谁开发的").status is not Status.ANSWER


@pytest.mark.parametrize(
    "text",
    [
        "海曙有什么改革举措",
        "江北有啥新举措",
        "开厂的人能申请到哪些",
        "疫情时候宁波做过些什么",
        "宁波哪些是全国首创或者全国第一",
    ],
)
def test_more_words_browse(desk: Desk, text: str) -> None:
    assert ask(desk, text).status is Status.LIST


def test_an_entry_that_is_a_place_is_no_heading(desk: Desk) -> None:
    assert ask(desk, "鄞州的前洋E商小镇").ids == ("jb-qianyang-ecommerce",)


def test_a_districts_own_entry_gives_way_only_when_it_is_unsure(desk: Desk) -> None:
    assert ask(desk, "江北审批去哪个窗口").ids == ("jb-one-window",)


def test_a_second_wish_is_a_question_of_its_own(desk: Desk) -> None:
    assert ask(desk, "想给老房子装电梯，还想手机上贷点款").ids == ("nb-old-estate-lifts", "nb-mobile-credit")


@pytest.mark.parametrize(
    "text",
    [
        "做骑手自己缴职工养老一年多少",
        "送货的没给我上失业保险咋办",
        "军嫂生娃能领几个月生育津贴",
        "车被交警拖车拖走在哪里赎车",
        "买来的酸奶保质期都过了",
        "超市里的面粉霉变了",
        "申请外观专利有没有专利资助",
        "小区里电梯老是电梯卡住",
        "菜场门口违章被罚单抓了扣几分",
        "手机上办网贷逾期了催收天天打",
        "九年级毕业读职校的录取线",
        "开卤味店的营业执照注销怎么弄",
        "村里承包地到期，承包合同怎么续",
        "工地扬尘大得窗都不敢开",
        "隔壁厂里一股恶臭",
        "化工企业附近基站辐射大伐",
        "老小区的防盗窗要拆吗",
        "法院的传票收到了，要请律师伐",
        "捷克的申根签证几天出签",
        "社区里的流浪猫谁来抓",
    ],
)
def test_another_need_that_shares_words_with_an_entry_is_refused(desk: Desk, text: str) -> None:
    assert ask(desk, text).status is Status.NONE


@pytest.mark.parametrize(
    ("text", "entry"),
    [
        ("给人跑腿送货，摔了有啥保险好赔", "nb-flexible-work-insurance"),
        ("老房子没电梯，阿拉想加一部", "nb-old-estate-lifts"),
        ("家门口一部没人要的破车，生锈了", "zh-zombie-cars"),
        ("人在外头，手机微信里打官司", "nb-mobile-micro-court"),
        ("个体户的房租政府减了多少", "nb-rent-relief"),
        ("菜场里的熟食摊改造", "nb-braised-meat-one-thing"),
        ("办学校的土地好抵押伐", "nb-private-edu-elderly-land-mortgage"),
        ("农村空着的宅基地三权分置", "xs-homestead-three-rights"),
    ],
)
def test_the_need_itself_in_the_same_words_is_answered(desk: Desk, text: str, entry: str) -> None:
    reply = ask(desk, text)
    assert (reply.status, reply.ids) == (Status.ANSWER, (entry,))
