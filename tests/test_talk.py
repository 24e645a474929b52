"""Conversations as people have them: bare words, corrections, other things in between, lists that go on."""

from __future__ import annotations

import pytest

from bot import honours, several
from bot.answer import answer
from bot.browse import MAX_LINES, browse_on
from bot.desk import Desk
from bot.model import Status, Turn
from bot.render import plain
from bot.understand import bare
from bot.understand.correction import corrected
from bot.understand.query import understand
from tests.test_answer import TODAY, ask

LIFTS = "nb-old-estate-lifts"


@pytest.mark.parametrize("particle", ["吗", "伐", "不", "么"])
def test_every_particle_asks(desk: Desk, particle: str) -> None:
    query = understand(f"那收费{particle}", desk.lexicon)
    assert (query.asked, query.has_content) == (("费用",), False)


@pytest.mark.parametrize(
    ("turns", "entry"),
    [
        (("书记一点通", "那别的区的老百姓能打不"), "yz-secretary-one-touch"),
        (("书记一点通", "夜里打会有人接伐"), "yz-secretary-one-touch"),
        (("灵活保", "我爸六十二岁好参加伐"), "nb-flexible-work-insurance"),
        (("医共体", "阿拉村的小诊所包括伐"), "nb-county-medical-community"),
        (("科技副总", "我们厂算不算"), "zh-tech-vice-president"),
        (("码上智办", "省里表扬过吗"), "zh-mashang-zhiban"),
        (("宁海加装电梯", "盖的章还剩几个"), LIFTS),
        (("微法院", "有几个省也在推广"), "nb-mobile-micro-court"),
        (("锋领红帮", "谁可以问问"), "nb-fengling-hongbang"),
        (("企航镇海", "能帮点什么"), "zh-qihang"),
    ],
)
def test_bare_words_are_about_what_was_answered(desk: Desk, turns: tuple[str, ...], entry: str) -> None:
    reply = ask(desk, *turns)
    assert (reply.status, reply.ids) == (Status.ANSWER, (entry,))


@pytest.mark.parametrize(
    ("turns", "entry"),
    [
        (("加装电梯", "灵活就业"), "nb-flexible-work-insurance"),
        (("镇海老年助餐", "快递小哥摔伤了能赔几钿"), "nb-flexible-work-insurance"),
        (("健康驿站", "36 条是啥"), "nh-36-village-powers"),
        (("一证通办", "手机上好办的有几样"), "jb-palm-handling"),
    ],
)
def test_words_that_name_another_thing_are_no_follow_up(desk: Desk, turns: tuple[str, ...], entry: str) -> None:
    assert ask(desk, *turns).ids == (entry,)


@pytest.mark.parametrize("text", ["我家想装地暖找谁", "那水表坏了找谁", "我要补驾照去哪"])
def test_another_need_is_not_answered_with_the_entry_before(desk: Desk, text: str) -> None:
    assert ask(desk, "加装电梯", text).status is Status.NONE


@pytest.mark.parametrize("text", ["谁做的", "要钱吗", "谁办的"])
def test_after_a_refusal_what_is_asked_of_it_is_refused(desk: Desk, text: str) -> None:
    assert ask(desk, "狗证在哪办", text).status is Status.NONE
    assert ask(desk, "灵活保", "驾照丢了怎么补", text).ids == ()


@pytest.mark.parametrize(
    "turns", [("狗证在哪办", "网上可以伐"), ("电动车上牌要什么材料", "那旧的呢"), ("孩子上哪个小学", "那食堂呢")]
)
def test_few_words_after_a_refusal_lead_to_no_unsure_answer(desk: Desk, turns: tuple[str, ...]) -> None:
    assert ask(desk, *turns).status is Status.NONE
    assert ask(desk, turns[0], "装电梯呢").ids == (LIFTS,)


@pytest.mark.parametrize(
    ("turns", "entry"),
    [
        (("加装电梯", "多少钱一台"), LIFTS),
        (("灵活保", "能退保吗"), "nb-flexible-work-insurance"),
        (("城中村贷款", "利率多少"), "zh-urban-village-loan"),
    ],
)
def test_words_of_a_topic_outside_that_say_nothing_new_are_about_what_was_answered(
    desk: Desk, turns: tuple[str, ...], entry: str
) -> None:
    assert ask(desk, *turns).ids == (entry,)
    assert ask(desk, turns[0], "公积金利率多少").status is Status.NONE


def test_of_a_shared_name_the_district_takes_its_own(desk: Desk) -> None:
    assert ask(desk, "六争攻坚三年攀高是啥", "那江北的六争呢").ids == ("jb-six-contests",)
    assert ask(desk, "江北的六争").ids == ("jb-six-contests",)


def test_a_year_and_what_is_asked_of_it_are_no_question(desk: Desk) -> None:
    assert ask(desk, "2005年多少钱").status is Status.NONE


def test_a_year_keeps_no_name_from_being_known_by_its_sound(desk: Desk) -> None:
    assert ask(desk, "2016年双节对鄞州").ids == ("yz-double-pairing",)


def test_what_is_joined_to_another_topic_parts_nothing(desk: Desk) -> None:
    assert several.parts("36 条是啥和狗证怎么办", desk) == []
    assert len(several.parts("36 条是啥和三清单是啥", desk)) == 2


def test_a_short_name_is_no_heading(desk: Desk) -> None:
    assert ask(desk, "达人村好玩吗").ids == ("jb-daren-village",)
    assert ask(desk, "江北有哪些好玩的").status is Status.LIST


def test_what_the_bot_is_asked_of_itself_stays_small_talk(desk: Desk) -> None:
    assert ask(desk, "灵活保", "你是谁做的").status is Status.SMALLTALK
    assert ask(desk, "你好", "怎么用").status is Status.SMALLTALK


@pytest.mark.parametrize(
    ("turns", "entry"),
    [
        (("江北六争攻坚", "市里的呢"), "nb-six-contests"),
        (("江北六争攻坚", "那整个宁波呢"), "nb-six-contests"),
        (("鄞州三清单一流程", "几张清单", "宁海的清单呢"), "nh-36-village-powers"),
        (("海曙开放空间", "谁在搞", "那鄞州呢"), "yz-resident-talk"),
    ],
)
def test_the_same_in_another_place_whatever_was_asked_in_between(
    desk: Desk, turns: tuple[str, ...], entry: str
) -> None:
    assert ask(desk, *turns).ids[:1] == (entry,)


def test_the_newest_place_stays(desk: Desk) -> None:
    turns = ("微法院", "奉化加装电梯", "那镇海呢", "要多少钱")
    reply = ask(desk, *turns)
    assert (reply.ids, reply.turn.regions) == ((LIFTS,), ("镇海区",))


def test_another_place_is_asked_with_a_word_of_the_entry_before(desk: Desk) -> None:
    reply = ask(desk, "村里权力清单有几条", "鄞州的清单")
    assert reply.ids == ("yz-grassroots-power-lists",)


def test_what_says_nothing_is_not_asked_again_of_another_place(desk: Desk) -> None:
    assert answer("那江北呢", desk, [Turn("怎么弄", regions=("镇海区",))], TODAY).status is Status.LIST


@pytest.mark.parametrize("text", ["换个话题，火星上有水伐", "我是说鄞州有哪些党建项目", "我说的是党建"])
def test_what_is_meant_may_have_no_answer(desk: Desk, text: str) -> None:
    assert ask(desk, "加装电梯", text).status is not Status.ANSWER


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("错了错了，鄞州的那份，不是象山的", "鄞州的那份"),
        ("不是车险，是跑腿的保险", "跑腿的保险"),
        ("不是这条，我要的是常年展", "常年展"),
        ("你听错了 我要的是卤肉那个", "卤肉那个"),
        ("写错字了，僵尸车", "僵尸车"),
        ("我是说江北的", "江北的"),
        ("换个话题，装电梯几天", "装电梯几天"),
        ("不是说不收钱吗", "不是说不收钱吗"),
        ("是不是全国首创", "是不是全国首创"),
        ("不对吧", "不对吧"),
    ],
)
def test_what_is_meant(said: str, meant: str) -> None:
    assert corrected(said) == meant


@pytest.mark.parametrize(
    ("turns", "entry"),
    [
        (("鄞领驿站", "不是驿站 是政治生活馆"), "yz-political-life-hall"),
        (("方舱医院", "弄错了，是蔬菜批发那个方舱"), "nb-vegetable-market-fangcang"),
        (("宁波六争攻坚", "我是说江北的"), "jb-six-contests"),
        (("你好", "不对，我说的是科创平台，不是实验室"), "zh-high-level-platforms"),
    ],
)
def test_a_correction_is_answered_not_what_it_turns_down(desk: Desk, turns: tuple[str, ...], entry: str) -> None:
    assert entry in ask(desk, *turns).ids[:3]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("微法院怎么立案\n鄞州金匠怎么评", {"nb-mobile-micro-court", "yz-practical-talent-evaluation"}),
        ("达人村在哪\n\n灵活保几钿一天", {"jb-daren-village", "nb-flexible-work-insurance"}),
        ("科技副总是干啥的，爱心车轮食堂还开着不", {"zh-tech-vice-president", "zh-love-wheel-canteen"}),
        ("方舱医院几天建好和场所码几天做好", {"nb-makeshift-hospital", "nb-place-code"}),
        ("一证通办多少项跟三清单一流程是啥", {"jb-one-id", "yz-grassroots-power-lists"}),
        ("放心菜场多少家，再一个，卤肉一件事是啥", {"nb-farmers-market-upgrade", "nb-braised-meat-one-thing"}),
    ],
)
def test_each_question_of_a_message_is_answered(desk: Desk, text: str, ids: set[str]) -> None:
    assert set(ask(desk, text).ids) == ids


@pytest.mark.parametrize(
    "text",
    [
        "微法院和调解是啥关系",
        "老小区装电梯怎么弄，几个部门批",
        "电梯怎么装\n一共几部",
        "我搞研究的，成果在镇海怎么跟工厂牵上线",
    ],
)
def test_one_question_stays_one(desk: Desk, text: str) -> None:
    assert len(ask(desk, text).ids) <= 1


def test_a_list_goes_on_until_nothing_is_left(desk: Desk) -> None:
    turns = ["鄞州有哪些改革"]
    every = ask(desk, *turns)
    seen = list(every.ids[:MAX_LINES])
    for more in ("还有哪些", "还有吗", "别的呢"):
        turns.append(more)
        reply = ask(desk, *turns)
        assert reply.status is Status.LIST
        assert f"还有这{len(every.ids) - len(seen)}条" in plain(reply)
        seen += reply.ids[:MAX_LINES]
    while len(seen) < len(every.ids):
        turns.append("还有呢")
        seen += ask(desk, *turns).ids[:MAX_LINES]
    assert tuple(seen) == every.ids
    last = ask(desk, *turns, "还有吗")
    assert (last.status, "没有别的了" in plain(last)) == (Status.NONE, True)


def test_what_was_no_list_does_not_go_on(desk: Desk) -> None:
    earlier = Turn("1998 年有哪些改革", offered=(LIFTS,))
    assert browse_on(understand("还有吗", desk.lexicon), desk, earlier) is None


def test_what_goes_on_is_the_list_not_an_answer(desk: Desk) -> None:
    assert ask(desk, "加装电梯", "还有呢").ids == (LIFTS,)


def test_the_last_one_of_a_list_is_answered(desk: Desk) -> None:
    found = {len(ask(desk, f"{place}有哪些改革").ids) % MAX_LINES for place in ("镇海", "江北", "鄞州", "宁波")}
    assert found  # whatever the banks hold, one that is left alone is answered as such
    reply = ask(desk, "国务院表扬过的有哪些", "还有吗")
    assert reply.status is Status.NONE


@pytest.mark.parametrize(
    ("text", "scope", "kind"),
    [
        ("全国首创的有哪些", "nation", "first"),
        ("全省第一的改革有哪些", "province", "first"),
        ("拿过国家奖的有哪些", "nation", "award"),
        ("国务院表扬过的有哪些", "council", "praise"),
        ("推广到全国的有哪些", "nation", "spread"),
        ("得过奖的有哪些", honours.ANY, "award"),
    ],
)
def test_a_list_by_honour_holds_that_honour_alone(desk: Desk, text: str, scope: str, kind: str) -> None:
    assert honours.asked(text) == (scope, kind)
    reply = ask(desk, text)
    assert reply.status is Status.LIST
    assert 1 < len(reply.ids) < 25
    for identifier in reply.ids:
        facts = (fact.text for fact in desk.book.entries[identifier].facts if "荣誉" in fact.about)
        assert any((scope, kind) in honours.told(text) for text in facts), identifier


def test_of_two_honours_the_last_is_asked_for(desk: Desk) -> None:
    assert honours.asked("全国首创的有哪些 全市第一的呢") == ("city", "first")
    assert "jb-approval-satisfaction" in ask(desk, "全国首创的有哪些", "全市第一的呢").ids
    assert honours.told("资料没写") == ((honours.ANY, honours.ANY),)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("就医的有哪几个", {"nb-county-medical-community", "jb-ninth-hospital"}),
        ("跟医院有关的有哪些", {"nb-county-medical-community", "jb-ninth-hospital"}),
        ("有哪些跟防疫有关的", {"nb-place-code", "nb-health-stations"}),
        ("农贸市场食品安全领域有些啥措施", {"nb-farmers-market-upgrade", "nb-braised-meat-one-thing"}),
        ("贷款方面的政策清单", {"nb-mobile-credit", "nb-inclusive-finance-zone"}),
        ("老人的都介绍一下", {"zh-elderly-meals", "zh-love-wheel-canteen"}),
    ],
)
def test_a_field_is_listed_whole(desk: Desk, text: str, ids: set[str]) -> None:
    reply = ask(desk, text)
    assert reply.status is Status.LIST
    assert ids <= set(reply.ids)


def test_what_points_to_one_thing_lists_nothing(desk: Desk) -> None:
    assert ask(desk, "镇海网格那个").ids == ("zh-grid-management",)


def test_what_is_beyond_bare_words() -> None:
    assert bare.beyond("我妈在别的区能用伐") == ""
    assert bare.beyond("那护照怎么办") == "护照"
