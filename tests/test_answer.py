"""The whole way of one message, on the shipped knowledge."""

from __future__ import annotations

import datetime as dt
import re
from copy import copy
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.answer import answer, by_heart, give
from bot.desk import Desk
from bot.knowledge.book import parse
from bot.model import Query, Reply, Status, Turn
from bot.render import payload, plain, terminal
from tests.conftest import TODAY


def ask(desk: Desk, *texts: str) -> Reply:
    turns: list[Turn] = []
    for text in texts[:-1]:
        turns.append(answer(text, desk, turns, TODAY).turn)
    return answer(texts[-1], desk, turns, TODAY, explain=True)


def test_an_answer_names_place_period_and_source(desk: Desk) -> None:
    reply = ask(desk, "灵活就业专属伤害保险")
    assert reply.status is Status.ANSWER
    assert reply.ids == ("nb-flexible-work-insurance",)
    assert reply.score == 1.0
    kinds = [block.kind for block in reply.blocks]
    assert kinds[0] == "title"
    assert "summary" in kinds
    assert "source" in kinds
    assert 1 <= kinds.count("fact") <= 4
    assert kinds.count("caution") == 1
    assert "宁波市" in reply.blocks[0].text
    assert "2022" in plain(reply)
    assert reply.sources[0].id == "steady-progress-2022"


def test_the_fact_that_was_asked_for_comes_first(desk: Desk) -> None:
    def first_fact(text: str) -> str:
        return next(block.text for block in ask(desk, text).blocks if block.kind == "fact")

    assert "0.3元" in first_fact("灵活保一天多少钱")
    assert "1556件" in first_fact("信访超市2018年调成了多少件")


def test_a_fact_that_the_source_does_not_tell_is_said_to_be_unknown(desk: Desk) -> None:
    reply = ask(desk, "加装电梯补贴多少钱")
    assert reply.ids == ("nb-old-estate-lifts",)
    assert any(block.kind == "note" and "没有写" in block.text for block in reply.blocks)


@pytest.mark.sweep
def test_only_a_name_is_said_to_be_only_a_name(desk: Desk) -> None:
    entries = [entry for entry in desk.book.entries.values() if entry.detail != "described"]
    assert len(entries) == 22
    for entry in entries:
        text = plain(ask(desk, entry.name))
        assert re.search("只提到|只有|没有写|没写", text), entry.id


@pytest.mark.parametrize(
    ("turns", "entry"),
    [
        (("跑外卖有没有保险", "要多少钱"), "nb-flexible-work-insurance"),
        (("老小区加装电梯", "哪个部门管"), "nb-old-estate-lifts"),
        (("宁海的36条是什么", "什么时候的事"), "nh-36-village-powers"),
        (("宁海的36条是什么", "那鄞州呢"), "yz-grassroots-power-lists"),
    ],
)
def test_follow_ups(desk: Desk, turns: tuple[str, ...], entry: str) -> None:
    reply = ask(desk, *turns)
    assert reply.status is Status.ANSWER
    assert reply.ids[0] == entry


def test_a_new_subject_drops_the_old_one(desk: Desk) -> None:
    assert ask(desk, "灵活保一天多少钱", "僵尸车怎么处理").ids == ("zh-zombie-cars",)


def test_a_number_picks_from_the_choices(desk: Desk) -> None:
    choices = ask(desk, "方舱")
    assert choices.status is Status.CHOICES
    assert choices.options[-1].id == ""
    assert ask(desk, "方舱", "2").ids == (choices.ids[1],)
    assert ask(desk, "方舱", "第一个").ids == (choices.ids[0],)
    assert ask(desk, "2").status is not Status.ANSWER


def test_none_of_the_choices_is_a_miss(desk: Desk) -> None:
    reply = ask(desk, "方舱", "都不是")
    assert reply.status is Status.NONE
    assert "换个说法" in plain(reply)
    assert "都不是" in reply.reason
    assert ask(desk, "都不是").reason != reply.reason
    assert plain(reply) == desk.book.texts["not_these_reply"]
    assert plain(give("", "都不是", desk, TODAY)) == desk.book.texts["not_these_reply"]


def test_two_questions_get_two_answers(desk: Desk) -> None:
    reply = ask(desk, "装电梯最快几天能批？另外骑手那个保险一天多少钱")
    assert reply.ids == ("nb-old-estate-lifts", "nb-flexible-work-insurance")
    assert "10天" in plain(reply)
    assert "0.3元" in plain(reply)


@pytest.mark.parametrize(
    ("text", "ranked"),
    [
        ("爱心食堂车办了多久了，哪个街道的", 1),  # which street asks nothing by itself
        ("公积金怎么提取？另外骑手那个保险一天多少钱", 2),
        ("装电梯最快几天能批？另外骑手那个保险一天多少钱", 2),
    ],
)
def test_no_more_is_matched_than_two_answers_need(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, text: str, ranked: int
) -> None:
    asked: list[Query] = []
    match = desk.match
    monkeypatch.setattr(desk, "match", lambda query: asked.append(query) or match(query))
    answer(text, desk, (), TODAY)
    assert len(asked) == ranked


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("装电梯要几天，灵活保一天多少钱", ("nb-old-estate-lifts", "nb-flexible-work-insurance")),
        ("镇海的僵尸车怎么处理，宁海的36条有几条", ("zh-zombie-cars", "nh-36-village-powers")),
        ("镇海的僵尸车怎么处理？老年食堂在哪", ("zh-zombie-cars", "zh-elderly-meals")),
        ("镇海的老人吃饭怎么办？另外信访去哪里", ("zh-elderly-meals", "zh-petition-supermarket")),
    ],
)
def test_several_questions_are_told_of_one_by_one(desk: Desk, text: str, ids: tuple[str, ...]) -> None:
    reply = ask(desk, text)
    assert (reply.ids, reply.turn.ids, reply.reason) == (ids, ids, "一次问了几件事")
    assert sum(block.kind == "title" for block in reply.blocks) == 2
    assert 0.0 < reply.score <= 1.0


@pytest.mark.parametrize("second", ["月亮上有什么", "公积金怎么提", "装电梯要几个部门"])
def test_of_several_questions_only_what_is_known_is_told_and_only_once(desk: Desk, second: str) -> None:
    reply = ask(desk, f"装电梯最快几天能批？另外{second}")
    assert (reply.ids, reply.reason) == (("nb-old-estate-lifts",), "得分够高")


@pytest.mark.parametrize("second", ["2高4好示范区"])
def test_of_several_questions_one_that_is_unsure_leaves_the_other(desk: Desk, second: str) -> None:
    assert ask(desk, second).status is Status.ANSWER
    assert ask(desk, f"装电梯最快几天能批？另外{second}").ids == ("nb-old-estate-lifts",)


def test_the_district_of_the_first_of_several_questions_holds_for_the_next(desk: Desk) -> None:
    meals = "老年食堂在哪"
    assert ask(desk, f"装电梯最快几天能批？另外{meals}").ids == ("nb-old-estate-lifts", "zh-elderly-meals")
    assert ask(desk, f"鄞州农村权力清单有几条？另外{meals}").ids == ("yz-grassroots-power-lists",)


def test_lists(desk: Desk) -> None:
    reply = ask(desk, "江北")
    assert reply.status is Status.LIST
    assert {desk.region_of(identifier) for identifier in reply.ids} == {"江北区"}
    assert str(len(reply.ids)) in plain(reply)
    assert ask(desk, "海曙有哪些改革").status is Status.LIST


@pytest.mark.parametrize("text", ["公积金怎么提取", "护照去哪里办", "明天天气怎么样", "帮我写首诗", "杭州的微法院在哪"])
def test_what_is_not_known_is_not_guessed(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert reply.status is Status.NONE
    assert reply.ids == ()
    assert len(reply.options) <= 3


def test_a_neighbours_entry_is_offered_as_the_neighbours(desk: Desk) -> None:
    reply = ask(desk, "余姚的僵尸车怎么处理")
    assert reply.status is Status.NONE
    assert [option.id for option in reply.options] == ["zh-zombie-cars"]
    assert "余姚市" in plain(reply)
    assert "镇海区" in plain(reply)


@pytest.mark.sweep
def test_no_answer_is_of_a_district_that_was_not_asked_for(desk: Desk) -> None:
    districts = [name for name in desk.book.regions if name != desk.lexicon.city]
    checked = 0
    for entry in desk.book.entries.values():
        if entry.region == desk.lexicon.city:
            continue
        other = next(name for name in districts if name != entry.region)
        reply = ask(desk, f"{other}的{entry.tests[0]}") if not _places(desk, entry.tests[0]) else None
        if reply is not None and reply.status is Status.ANSWER:
            checked += 1
            assert desk.region_of(reply.ids[0]) in {other, desk.lexicon.city}
    assert checked


def _places(desk: Desk, text: str) -> bool:
    return any(True for _ in desk.lexicon.regions.find(text))


HOSTILE = [
    "",
    "   ",
    "？？？",
    "a" * 100_000,
    "加装电梯" * 25_000,
    "😀😀😀",
    "\x00\x00",
    "\ud800",
    "<script>alert(1)</script>",
    "' OR 1=1; DROP TABLE query_log;--",
    "微法院\n" * 3_000,
    "{{7*7}} ${jndi:ldap://x}",
    "\u202e\u200b",
    "[" * 5_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_input_gets_a_polite_reply(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert plain(reply)
    assert reply.status in {Status.NONE, Status.ANSWER, Status.CHOICES, Status.SMALLTALK}


@pytest.mark.sweep
@given(raw=st.text(st.characters(codec=None), max_size=120))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
def test_every_text_gets_a_reply_of_the_contract(desk: Desk, raw: str) -> None:
    reply = answer(raw, desk, (), TODAY, explain=True)
    found = payload(raw, reply, 0.1, explain=True)
    assert found["text"]
    assert 0.0 <= found["score"] <= 1.0
    assert all(0.0 <= hit["score"] <= 1.0 for hit in found["hits"])
    assert bool(found["ids"]) == (found["status"] in {"answer", "choices", "list"})
    found["text"].encode("utf-8")


@pytest.mark.sweep
def test_every_name_and_alias_finds_its_entry(desk: Desk) -> None:
    missed = [
        (entry.id, name)
        for entry in desk.book.entries.values()
        for name in (entry.name, *entry.aliases)
        if entry.id not in ask(desk, name).ids
    ]
    assert len(desk.book.entries) == 182
    assert missed == []


@pytest.mark.sweep
def test_a_wording_of_the_bank_scores_one(desk: Desk) -> None:
    for item in desk.matcher.bank.items[:60]:
        if item.decoy:
            continue
        for wording in item.wordings[:5]:
            reply = ask(desk, wording.text)
            if reply.status is Status.SMALLTALK:
                continue
            assert reply.score == 1.0, wording.text
            assert item.id in reply.ids


@pytest.mark.sweep
def test_every_figure_of_a_reply_stands_in_its_entry(desk: Desk) -> None:
    figure = re.compile(r"[0-9][0-9.,]*%?")
    for entry in desk.book.entries.values():
        known = " ".join([entry.name, entry.summary, entry.caution or "", entry.department or ""])
        known += " ".join(f"{fact.text} {fact.period}" for fact in entry.facts)
        known += " ".join(source.date_text + str(source.title) for source in desk.book.sources.values()) + "12345"
        for block in ask(desk, entry.tests[0]).blocks if ask(desk, entry.tests[0]).ids == (entry.id,) else ():
            for found in figure.findall(block.text):
                assert found in known.replace(" ", ""), (entry.id, found)


@pytest.mark.sweep
def test_the_order_of_files_changes_nothing(desk: Desk, shipped: dict[str, bytes]) -> None:
    turned = parse(dict(reversed(shipped.items()))).book
    assert turned is not None
    assert turned.version == desk.book.version
    assert list(turned.entries) == list(desk.book.entries)


@pytest.mark.parametrize("text", ["2031年多少钱", "2031年月亮上有什么"])
def test_a_year_and_nothing_that_is_known_beside_it_is_refused(desk: Desk, text: str) -> None:
    assert ask(desk, text).status is Status.NONE


def test_renderings(desk: Desk) -> None:
    reply = ask(desk, "灵活保一天多少钱")
    assert "0.3元" in plain(reply)
    assert "0.3 元" in terminal(reply)
    assert "相关" in terminal(reply)


def test_old_facts_are_called_old(desk: Desk) -> None:
    entry = next(entry for entry in desk.book.entries.values() if entry.caution is None)
    old = answer(entry.name, desk, (), dt.date(2040, 1, 1))
    fresh = answer(entry.name, desk, (), dt.date(int(entry.facts[0].as_of[:4]), 12, 31))
    assert any(block.kind == "caution" for block in old.blocks)
    assert not any(block.kind == "caution" for block in fresh.blocks)


@pytest.mark.parametrize(
    ("turns", "neighbour"),
    [
        (("江北一证通办", "那鄞州呢"), "jb-one-id"),
        (("镇海老年食堂", "那海曙呢"), "zh-elderly-meals"),
        (("江北最多跑一次", "宁海有吗"), "jb-run-once"),
        (("奉化老年食堂",), "zh-elderly-meals"),
        (("北仑信访去哪",), "zh-petition-supermarket"),
    ],
)
def test_another_district_gets_the_neighbours_offer(desk: Desk, turns: tuple[str, ...], neighbour: str) -> None:
    reply = ask(desk, *turns)
    assert reply.status is Status.NONE
    assert [option.id for option in reply.options] == [neighbour]


def test_an_entry_of_the_whole_city_answers_for_its_districts(desk: Desk) -> None:
    assert ask(desk, "奉化加装电梯").ids == ("nb-old-estate-lifts",)


@pytest.mark.parametrize("text", ["北仑港", "象山海鲜", "海曙停车场", "北仑区政府在哪"])
def test_a_place_name_alone_carries_no_answer(desk: Desk, text: str) -> None:
    assert ask(desk, text).status is not Status.ANSWER


def test_a_list_counts_all_and_says_when_a_district_has_none(desk: Desk) -> None:
    own = sum(entry.region == "鄞州区" for entry in desk.book.entries.values())
    reply = ask(desk, "鄞州有哪些改革")
    assert len(reply.ids) == own == 38
    assert "38条" in plain(reply)
    assert "没有单独的资料" in plain(ask(desk, "北仑有什么改革"))


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("加装电梯多少户同意才行", "没有写"),
        ("灵活保几岁可以买", "没有写"),
        ("灵活保怎么退保", "没有写"),
        ("江北2019年GDP", "2019"),
        ("宁波的僵尸车怎么处理", "不是宁波全市"),
        ("镇海的老小区加装电梯要跑几个部门", "没有单独写镇海区"),
    ],
)
def test_what_the_source_tells_otherwise_is_noted(desk: Desk, text: str, note: str) -> None:
    reply = ask(desk, text)
    assert reply.status is Status.ANSWER
    assert any(block.kind == "note" and note in block.text for block in reply.blocks)


@pytest.mark.parametrize("text", ["什么时候开始", "那个呢", "要多少钱"])
def test_question_words_alone_ask_back(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert reply.status is Status.NONE
    assert "名称" in plain(reply)


def test_a_word_picks_from_the_choices(desk: Desk) -> None:
    assert ask(desk, "方舱", "医院那个").ids == ("nb-makeshift-hospital",)


def test_another_city_after_an_answer_is_another_city(desk: Desk) -> None:
    assert "杭州" in ask(desk, "老小区装电梯", "杭州呢").reason


def test_a_comparison_tells_of_both(desk: Desk) -> None:
    reply = ask(desk, "信访超市和社会治理中心有什么区别")
    assert set(reply.ids) == {"zh-petition-supermarket", "zh-social-governance-centre"}
    assert reply.score == 0.9


@pytest.mark.parametrize(
    "text", ["微发院", "weifayuan", "wei fa yuan", "wei1 fa3 yuan4", "wfy", "微法院", "微法院？？"]
)
def test_sounds_and_initials(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert reply.ids == ("nb-mobile-micro-court",)
    assert reply.score >= 0.95


def test_a_misspelt_name_is_put_right(desk: Desk) -> None:
    reply = ask(desk, "放心莱市场有几个")
    assert reply.ids == ("nb-farmers-market-upgrade",)
    assert reply.reason == "把“放心莱市场”当作“放心菜市场”"
    assert reply.score <= 0.95


@pytest.mark.parametrize(
    ("text", "typed", "name"),
    [
        ("宁波有几个放心莱市场", "放心莱市场", "放心菜市场"),
        ("请问放心莱市场有几个呀", "放心莱市场", "放心菜市场"),
        ("加庄电梯", "加庄电梯", "加装电梯"),
        ("老旧小区加装电悌", "老旧小区加装电悌", "老旧小区加装电梯"),
        ("信坊超市", "信坊超市", "信访超市"),
    ],
)
def test_a_slip_is_found_wherever_it_stands(desk: Desk, text: str, typed: str, name: str) -> None:
    assert desk.near_names.correct(text) == (text.replace(typed, name), typed, name)
    assert desk.near_names.correct(text.replace(typed, name)) is None


@pytest.mark.parametrize(
    ("text", "read", "status"),
    [
        ("fang cang", "方舱", Status.CHOICES),
        ("quanguo shouchuang", "全国首创", Status.LIST),
        ("hangzhou de weifayuan zai na", "杭州的微法院在哪", Status.NONE),
        ("gongjijin zenme tiqu", "公积金怎么提取", Status.NONE),
    ],
)
def test_what_is_typed_in_pinyin_is_read_in_characters(desk: Desk, text: str, read: str, status: Status) -> None:
    reply = ask(desk, text)
    assert (reply.status, reply.ids, reply.reason) == (status, ask(desk, read).ids, f"拼音读作“{read}”")
    assert reply.score <= 0.95


def test_what_else_came_into_question_is_told_when_it_is_asked_for(desk: Desk) -> None:
    reply = ask(desk, "怎么才能给老房子装上电梯")
    assert [hit.id for hit in reply.hits[:2]] == [*reply.ids, reply.runner_up]
    assert reply.hits[0].why
    assert answer("怎么才能给老房子装上电梯", desk, (), TODAY).hits == ()


def test_an_entry_that_has_run_out_is_answered_no_more(desk: Desk) -> None:
    lifts = desk.book.entries["nb-old-estate-lifts"].model_copy(update={"valid_until": "2025-12-31"})
    desk = copy(desk)
    desk.book = replace(desk.book, entries={**desk.book.entries, lifts.id: lifts})
    assert answer("加装电梯", desk, (), dt.date(2025, 12, 31)).ids == (lifts.id,)
    assert answer("加装电梯", desk, (), dt.date(2026, 1, 1)).status is Status.NONE


@pytest.mark.parametrize(
    ("text", "reason"),
    [("放心莱市场的处长手机号是多少", "资料以外的话题：他人隐私"), ("杭州的放心莱市场有几个", "问的是杭州")],
)
def test_a_misspelt_name_in_what_is_refused_is_refused(desk: Desk, text: str, reason: str) -> None:
    reply = ask(desk, text)
    assert (reply.status, reply.ids, reply.reason) == (Status.NONE, (), reason)


def test_a_long_question_in_a_script_that_the_bank_lacks_is_refused(desk: Desk) -> None:
    reply = ask(desk, "Здравствуйте, где можно получить справку о прописке для ребёнка?")
    assert (reply.status, reply.ids, reply.runner_up) == (Status.NONE, (), None)


@pytest.mark.parametrize("text", ["市第一医院专家号怎么挂", "体育公司在哪"])
def test_another_name_is_no_slip(desk: Desk, text: str) -> None:
    assert desk.near_names.correct(text) is None


def test_what_must_not_be_told_is_refused_whatever_it_is_like(desk: Desk) -> None:
    reply = ask(desk, "加装电梯的处长手机号是多少")
    assert (reply.status, reply.ids) == (Status.NONE, ())
    assert "他人隐私" in plain(reply)


def test_the_surest_stretch_of_a_story_is_answered(desk: Desk) -> None:
    first = "医共体能带来哪三方面的提升"
    reply = ask(desk, f"{first}，楼上邻居噪音扰民投诉找谁，没签合同的兼职摔断腿能赔吗")
    assert (reply.status, reply.ids) == (Status.ANSWER, ("nb-county-medical-community",))
    assert reply.reason == f"其中一句：{first}"


def test_two_districts_of_which_one_has_it_are_one_question(desk: Desk) -> None:
    reply = ask(desk, "镇海和余姚的僵尸车分别怎么处理")
    assert (reply.status, reply.ids) == (Status.ANSWER, ("zh-zombie-cars",))
    assert reply.reason == "得分够高"


def test_a_button_of_an_entry_that_is_no_more_says_so(desk: Desk) -> None:
    reply = give("was-here", "从前的事", desk, TODAY)
    assert (reply.status, reply.ids) == (Status.NONE, ())
    assert "撤下" in plain(reply)
    assert give("", "都不是", desk, TODAY).reason == "给的选项都不是"
    given = give("zh-zombie-cars", "僵尸车", desk, TODAY)
    assert (given.ids, given.score, given.reason) == (("zh-zombie-cars",), 1.0, "点选的")


def test_what_is_settled_by_heart_needs_no_matching(desk: Desk) -> None:
    entry = desk.book.entries["zh-zombie-cars"]
    assert by_heart(entry.name, desk, TODAY) == entry.id
    assert by_heart("九成五居民都讲好的小区做法", desk, TODAY) is None, "都 might ask of several"
    polite = "侬晓得奉化的审批大厅伐"
    assert by_heart(polite, desk, TODAY) == "fh-admin-service-centre"
    for text in ("你好", "方舱", f"余姚的{entry.name}", f"{entry.name}？另外{entry.name}", "月亮上有什么"):
        assert by_heart(text, desk, TODAY) is None
