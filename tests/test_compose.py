"""What a reply says: which facts, in which order, with which period, caution, source and advice."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from bot.browse import MAX_LINES
from bot.compose import (
    MAX_FACTS,
    _label,
    _usual_period,
    compose,
    compose_parts,
    pick_facts,
    title,
)
from bot.desk import Desk
from bot.knowledge.schema import Faq
from bot.model import Block, Decision, Query, Reply, Status
from bot.notes import _misses_the_point, beside, unknown
from bot.text.normalise import tight
from bot.understand.query import understand
from tests.conftest import TODAY

INSURANCE, LIFTS, CARS, COURT = (
    "nb-flexible-work-insurance",
    "nb-old-estate-lifts",
    "zh-zombie-cars",
    "nb-mobile-micro-court",
)
PAGE = "steady-progress-2022"


def bent(desk: Desk, faqs: tuple[Faq, ...] = (), **changed: object) -> Desk:
    """The desk with other questions and answers, or with INSURANCE changed."""
    other = Desk.__new__(Desk)
    other.__dict__.update(desk.__dict__)
    entries = dict(desk.book.entries)
    entries[INSURANCE] = entries[INSURANCE].model_copy(update=changed)
    other.book = replace(desk.book, entries=entries, faqs={faq.id: faq for faq in faqs})
    return other


def query(text: str = "", **known: object) -> Query:
    return replace(Query(text, text, ""), **known)  # type: ignore[arg-type]


def said(desk: Desk, decision: Decision, asked: Query | None = None, today: dt.date = TODAY) -> list[tuple[str, str]]:
    return [(block.kind, block.text) for block in compose(decision, asked or query(), desk, today).blocks]


def answered(desk: Desk, text: str, identifier: str = INSURANCE, today: dt.date = TODAY) -> list[tuple[str, str]]:
    return said(desk, Decision(Status.ANSWER, (identifier,), 0.9), understand(text, desk.lexicon), today)


def test_an_answer_from_its_title_to_its_caution(desk: Desk) -> None:
    entry = desk.book.entries[INSURANCE]
    decision = Decision(Status.ANSWER, (INSURANCE,), 0.9)
    reply = compose(decision, query(), desk, TODAY)
    assert [(block.kind, block.text) for block in reply.blocks] == [
        ("title", "灵活就业专属伤害保险（“灵活保”）｜宁波市"),
        ("summary", tight(entry.summary)),
        ("fact", "政府给补贴，每天只要0.3元，最高能赔33万元，是全国首创。"),
        ("fact", "推出2个月，投保的就超过4.5万人。（截至2022年9月下旬至10月上旬见报时，推断）"),
        (
            "fact",
            "市人力社保局拉上财政、金融、银保监部门，同太保公司一道开发，从启动到推出只花了2个多月。"
            "（截至2022年9月下旬至10月上旬见报时，推断）",
        ),
        ("fact", "灵活就业的人，当时全国已有2亿，宁波超过150万。"),
        ("period", "资料期间：2022年"),
        ("source", f"来源：《{desk.book.sources[PAGE].title}》（2022年9月下旬至10月中旬，推断）"),
        ("caution", tight(str(entry.caution))),
    ]
    assert (reply.status, reply.ids, reply.score) == (Status.ANSWER, (INSURANCE,), 0.9)
    assert [(option.id, option.label) for option in reply.options] == [
        (other, desk.book.entries[other].name) for other in entry.related
    ]
    assert [source.id for source in reply.sources] == [PAGE]


def test_related_entries_are_three_at_most(desk: Desk) -> None:
    other = bent(desk, related=(LIFTS, CARS, COURT, "jb-run-once"))
    reply = compose(Decision(Status.ANSWER, (INSURANCE,)), query(), other, TODAY)
    assert [option.id for option in reply.options] == [LIFTS, CARS, COURT]


def test_facts_older_than_three_years_are_called_old_where_no_other_caution_stands(desk: Desk) -> None:
    other = bent(desk, caution=None)
    for year, old in ((2025, False), (2026, True)):
        kinds = dict(answered(other, "灵活保", today=dt.date(year, 1, 1)))
        assert kinds.get("caution") == (tight(desk.book.texts["old_fact_caution"]) if old else None)


def test_the_oldest_fact_decides(desk: Desk) -> None:
    facts = [
        fact.model_copy(update={"as_of": year})
        for fact, year in zip(
            desk.book.entries[INSURANCE].facts, ("2030", "2030-05", "2021-12", "2030", "2030"), strict=True
        )
    ]
    other = bent(desk, caution=None, facts=tuple(facts))
    assert "caution" in dict(answered(other, "灵活保"))


def test_at_most_four_facts_and_the_one_that_is_asked_for_leads(desk: Desk) -> None:
    entry = desk.book.entries[INSURANCE]
    order = {
        "灵活保": [0, 1, 2, 3],
        "哪个部门管灵活保": [2, 0, 1, 3],
        "灵活保超过150万人吗": [3, 0, 1, 4],
    }
    for text, expected in order.items():
        facts = pick_facts(entry, understand(text, desk.lexicon), desk)
        assert [entry.facts.index(fact) for fact in facts] == expected, text
    way = pick_facts(entry, query(asked=("办法",)), desk)
    assert [entry.facts.index(fact) for fact in way] == [4, 0, 1, 2]
    assert len(way) == MAX_FACTS < len(entry.facts)


def test_what_a_fact_is_mainly_about_counts_more(desk: Desk) -> None:
    entry = desk.book.entries[INSURANCE]
    asked = query(asked=("数量",))
    assert pick_facts(entry, asked, desk)[0] == entry.facts[1]
    assert pick_facts(entry, query(asked=("荣誉", "对象")), desk)[0] == entry.facts[3]


def test_the_usual_period_is_that_of_most_facts(desk: Desk) -> None:
    facts = desk.book.entries[INSURANCE].facts
    assert _usual_period(facts[1:4]) == facts[1].period
    assert _usual_period(facts[1:5:2]) == facts[1].period
    assert title(desk.book.entries[CARS]) == "废弃汽车（僵尸车）治理一件事｜镇海区"


@pytest.mark.parametrize(
    ("identifier", "text", "lines"),
    [
        (INSURANCE, "灵活保一天多少钱", []),
        (INSURANCE, "灵活保打什么电话", ["电话"]),
        (INSURANCE, "灵活保要带什么材料，在哪个网址，打什么电话", ["电话", "网址"]),
        (INSURANCE, "灵活保归哪个部门管", ["牵头或主管：市人力社保局就业促进和失业保险处。"]),
        (CARS, "僵尸车归哪个部门管", ["部门"]),
        (CARS, "僵尸车在哪里", ["在镇海区，资料里没有写更具体的地址。"]),
        (LIFTS, "加装电梯地点在哪里", ["地点"]),
        (LIFTS, "加装电梯一共多少部", []),
        (LIFTS, "加装电梯多少户同意", ["数量"]),
        (LIFTS, "加装电梯有什么荣誉", []),
        (INSURANCE, "灵活保几岁能买", ["对象"]),
        (INSURANCE, "灵活保怎么退保", ["办法"]),
        (INSURANCE, "灵活保怎么报名", ["办法"]),
        (INSURANCE, "灵活保怎么参加", []),
    ],
)
def test_what_was_asked_for_by_name_and_is_not_told_is_said(
    desk: Desk, identifier: str, text: str, lines: list[str]
) -> None:
    words = {facet.name: facet.unknown for facet in desk.book.facets}
    asked = understand(text, desk.lexicon)
    expected = [words.get(line, line) for line in lines]
    assert sorted(unknown(desk.book.entries[identifier], asked, desk)) == sorted(expected)


def test_a_number_of_nothing_in_particular_is_told_by_any(desk: Desk) -> None:
    assert unknown(desk.book.entries[LIFTS], query("加装电梯数量", asked=("数量",)), desk) == ()


def test_a_point_that_some_fact_tells_is_not_missed(desk: Desk) -> None:
    facet = next(facet for facet in desk.book.facets if facet.name == "对象")
    entry = desk.book.entries[INSURANCE]
    aged = entry.model_copy(update={"summary": "60 岁以上可以参加。"})
    for text, missed in (("几岁能买", True), ("有什么条件", True), ("谁能买", False)):
        assert _misses_the_point(facet, entry, query(text)) is missed
        assert _misses_the_point(facet, aged, query(text)) is (missed and text != "几岁能买")


@pytest.mark.parametrize(
    ("identifier", "text", "lines"),
    [
        (INSURANCE, "2022年的灵活保", []),
        (INSURANCE, "2019年和2031年的灵活保", ["资料里没有 2019、2031 年的说法，下面是资料写到的。"]),
        (INSURANCE, "今年的灵活保", ["资料里没有 2026 年的说法，下面是资料写到的。"]),
        (INSURANCE, "2022年和今年的灵活保", []),
        (INSURANCE, "宁波的灵活保", []),
        ("nb-sti-2025", "科技 2025 是什么", []),
        (CARS, "宁波的僵尸车", ["下面是镇海区的情况，不是宁波全市的。"]),
        (CARS, "镇海的僵尸车", []),
        (CARS, "僵尸车", []),
        ("nh-36-village-powers", "宁海的36条", []),
    ],
)
def test_another_year_or_a_wider_place_is_noted(desk: Desk, identifier: str, text: str, lines: list[str]) -> None:
    entry, asked = desk.book.entries[identifier], understand(text, desk.lexicon)
    assert list(beside(entry, asked, desk, TODAY)) == lines
    notes = [said for kind, said in answered(desk, text, identifier) if kind == "note"]
    assert notes == list(map(tight, lines))


def test_what_holds_for_the_whole_city_is_told_as_such(desk: Desk) -> None:
    def lines(identifier: str, *regions: str) -> tuple[str, ...]:
        return beside(desk.book.entries[identifier], query(regions=regions), desk, TODAY)

    assert lines(LIFTS, "镇海区", "鄞州区") == (
        desk.book.text("other_place", asked="镇海区、鄞州区", region="宁波全市"),
    )
    assert lines(CARS, "余姚市", "镇海区") == (desk.book.text("other_place", asked="余姚市", region="镇海区"),)
    assert lines(LIFTS, "宁波市") == lines(CARS, "余姚市") == lines(LIFTS) == ()


def test_a_curated_answer_stands_as_it_is(desk: Desk) -> None:
    card = Faq(
        id="card",
        question="借书证怎么办",
        answer="带身份证来。\n\n押金 100 元。",
        period="2022 年",
        source=PAGE,
        entry=COURT,
    )
    other = bent(desk, (card,))
    reply = compose(Decision(Status.ANSWER, ("card",), 0.8), query(), other, TODAY)
    assert [(block.kind, block.text) for block in reply.blocks] == [
        ("title", "借书证怎么办"),
        ("summary", "带身份证来。"),
        ("summary", "押金100元。"),
        ("period", "资料期间：2022年"),
        ("source", f"来源：《{desk.book.sources[PAGE].title}》（2022年9月下旬至10月中旬，推断）"),
    ]
    assert (reply.status, reply.ids, reply.score) == (Status.ANSWER, (COURT,), 0.8)
    assert [source.id for source in reply.sources] == [PAGE]
    assert [(option.id, option.label) for option in reply.options] == [(COURT, desk.book.entries[COURT].name)]
    bare = compose(
        Decision(Status.ANSWER, ("card",)),
        query(),
        bent(desk, (card.model_copy(update={"period": None, "source": None, "entry": None}),)),
        TODAY,
    )
    assert [block.kind for block in bare.blocks] == ["title", "summary", "summary"]
    assert (bare.ids, bare.sources, bare.options) == (("card",), (), ())


def test_choices_are_numbered_and_may_be_turned_down(desk: Desk) -> None:
    card = Faq(id="card", question="借书证怎么办", answer="带身份证来。", entry=COURT)
    reply = compose(Decision(Status.CHOICES, (INSURANCE, "card", COURT), 0.4), query(), bent(desk, (card,)), TODAY)
    first, court = desk.book.entries[INSURANCE], desk.book.entries[COURT]
    assert [block.kind for block in reply.blocks] == ["heading", "item", "item", "item"]
    assert reply.blocks[0].text == "有几件事都对得上，您问的是哪一件？"
    assert reply.blocks[1].text.startswith(f"1. {first.name}（宁波市）：")
    assert reply.blocks[2].text == "2. 借书证怎么办"
    assert reply.blocks[3].text.startswith(f"3. {court.name}（宁波市）：")
    assert [option.id for option in reply.options] == [INSURANCE, "card", COURT, ""]
    assert [option.label for option in reply.options] == [first.name, "借书证怎么办", court.name, "都不是"]
    assert (reply.status, reply.ids, reply.score) == (Status.CHOICES, (INSURANCE, COURT), 0.4)
    assert [source.id for source in reply.sources] == [first.facts[0].source, court.facts[0].source]


def test_a_list_stands_under_its_themes_or_its_places(desk: Desk) -> None:
    same = compose(Decision(Status.LIST, (INSURANCE, LIFTS, COURT), 0.7), query(themes=("民生",)), desk, TODAY)
    name = {identifier: desk.book.entries[identifier].name for identifier in (INSURANCE, LIFTS, COURT, CARS)}
    assert [(block.kind, block.text) for block in same.blocks] == [
        ("heading", "“民生”方面有3条，您想看哪一条？"),
        ("heading", "民生保障"),
        ("item", f"· {name[INSURANCE]}"),
        ("item", f"· {name[LIFTS]}"),
        ("heading", desk.book.entries[COURT].theme),
        ("item", f"· {name[COURT]}"),
    ]
    assert (same.status, same.ids, same.score) == (Status.LIST, (INSURANCE, LIFTS, COURT), 0.7)
    assert [(option.id, option.label) for option in same.options] == [(key, name[key]) for key in same.ids]
    several = compose(Decision(Status.LIST, (CARS, LIFTS), note="city"), query(regions=("镇海区",)), desk, TODAY)
    assert [block.text for block in several.blocks if block.kind == "heading"] == [
        "“镇海区”没有单独的资料；宁波全市的有2条，您想看哪一条？",
        "镇海区",
        "宁波市",
    ]
    assert [source.id for source in several.sources] == ["zhenhai-reform-2024", "pioneer-board-2019"]


def test_choices_and_lists_cite_what_their_first_facts_come_from(desk: Desk) -> None:
    facts = desk.book.entries[INSURANCE].facts
    other = bent(desk, facts=(facts[0], facts[1].model_copy(update={"source": "zhenhai-reform-2024"}), *facts[2:]))
    for status in (Status.CHOICES, Status.LIST):
        reply = compose(Decision(status, (INSURANCE, COURT)), query("x"), other, TODAY)
        court = desk.book.entries[COURT].facts[0].source
        assert [source.id for source in reply.sources] == list(dict.fromkeys((PAGE, court)))
    reply = compose(Decision(Status.ANSWER, (INSURANCE,)), query(), other, TODAY)
    assert [source.id for source in reply.sources] == [PAGE, "zhenhai-reform-2024"]
    assert "）；《" in next(block.text for block in reply.blocks if block.kind == "source")


def test_a_long_list_is_cut_and_says_so(desk: Desk) -> None:
    ids = tuple(identifier for identifier, entry in desk.book.entries.items() if entry.region == "宁波市")
    for count in (MAX_LINES, MAX_LINES + 1):
        reply = compose(Decision(Status.LIST, ids[:count]), query("列一下"), desk, TODAY)
        kinds = [block.kind for block in reply.blocks]
        assert kinds.count("item") == MAX_LINES
        assert [block.text for block in reply.blocks if block.kind == "note"] == (
            ["还有1条没有列出，说“还有吗”接着列；也可以加上地区或主题再问。"] if count > MAX_LINES else []
        )
        assert f"{count}条" in reply.blocks[0].text
        assert [option.id for option in reply.options] == list(ids[:5])
        told = {desk.book.entries[identifier].facts[0].source for identifier in ids[:MAX_LINES]}
        assert {source.id for source in reply.sources} == told


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        (
            query("x", regions=("镇海区",), years=(2022,), themes=("民生",), audiences=("企业",)),
            "镇海区、2022 年、民生",
        ),
        (query("x", audiences=("企业",), honour=True), "企业、首创和荣誉"),
        (query("能申请什么"), "市民和企业能申请、享受的"),
        (query("能申请什么", audiences=("企业",)), "企业"),
        (query("养老有哪些政策"), "养老"),
        (query("养老的都有什么?"), "养老"),
        (query("养老政策有哪些"), "养老"),
        (query("what policies are there for cars"), "for cars"),
        (query("有哪些政策"), "有哪些政策"),
    ],
)
def test_what_a_list_is_called(asked: Query, label: str) -> None:
    assert _label(asked) == label


def test_small_talk_varies_with_the_question_alone(desk: Desk) -> None:
    item = next(item for item in desk.book.talk if len(item.answers) > 1)
    decision = Decision(Status.SMALLTALK, talk=item.id, score=1.0)
    for length in range(4):
        (block,) = compose(decision, query("好" * length), desk, TODAY).blocks
        assert block == Block("summary", item.answers[length % len(item.answers)])
        assert compose(decision, query("好" * length), desk, TODAY) == Reply(Status.SMALLTALK, (block,), (), 1.0)
    reply = compose(Decision(Status.SMALLTALK, talk="help", score=1.0), query(), desk, TODAY)
    assert reply == Reply(Status.SMALLTALK, (Block("summary", desk.book.texts["help"]),), (), 1.0)


@pytest.mark.parametrize(
    ("note", "text"),
    [("empty", "empty"), ("which", "which"), ("gone", "gone"), ("not_these", "not_these_reply"), ("", "none")],
)
def test_each_refusal_has_its_own_words(desk: Desk, note: str, text: str) -> None:
    reply = compose(Decision(Status.NONE, note=note, score=0.1), query(), desk, TODAY)
    assert reply.blocks == (Block("summary", tight(desk.book.texts[text])),)
    assert (reply.status, reply.ids, reply.score, reply.options) == (Status.NONE, (), 0.1, ())


def test_refusals_that_name_something(desk: Desk) -> None:
    def first(note: str, near: tuple[str, ...] = (), **known: object) -> list[tuple[str, str]]:
        return said(desk, Decision(Status.NONE, note=note, near=near), query(**known))  # type: ignore[arg-type]

    name = desk.book.entries[CARS].name
    for note, start in (("closed", f"“{name}”这一条现在不能回答"), ("paused", f"“{name}”这一条正在核实")):
        ((kind, text),) = first(note, (CARS,))
        assert (kind, text[: len(start)]) == ("summary", start)
    ((kind, text),) = first("period")
    assert kind == "summary"
    assert "2018–2024年的" in text
    assert first("elsewhere", elsewhere="杭州") == [("summary", "您问的好像是“杭州”的事，我只有宁波的资料，答不了。")]
    assert first("neighbour", (CARS,), regions=("余姚市", "慈溪市")) == [
        ("summary", "余姚市、慈溪市没有这方面的资料；下面是镇海区的做法，仅供参考。"),
        ("item", f"· {name}（镇海区）"),
    ]
    near = first("", (CARS, COURT))
    assert near[1:] == [("note", f"也许您想问：{name}（镇海区）、{desk.book.entries[COURT].name}（宁波市）")]
    reply = compose(Decision(Status.NONE, near=(CARS, COURT), score=0.2), query(), desk, TODAY)
    assert [(option.id, option.label) for option in reply.options] == [
        (CARS, name),
        (COURT, desk.book.entries[COURT].name),
    ]
    assert (reply.status, reply.ids, reply.score) == (Status.NONE, (), 0.2)
    shut = compose(Decision(Status.NONE, near=(CARS,), note="paused", score=0.2), query(), desk, TODAY)
    assert (shut.status, shut.ids, shut.score, shut.options) == (Status.NONE, (), 0.2, ())


def test_a_topic_outside_is_named_with_its_advice(desk: Desk) -> None:
    def outside(hint: str | None, refuse: bool = False) -> list[tuple[str, str]]:
        asked = query(outside="公积金", outside_hint=hint, refuse=refuse)
        return said(desk, Decision(Status.NONE, note="outside"), asked)

    plain = ("summary", "您问的是“公积金”，我的资料里没有这一项，不敢乱说。请拨打 12345 或以主管部门公布的为准。")
    assert outside(None) == [plain]
    assert outside("请问公积金中心。") == [plain, ("note", "请问公积金中心。")]
    assert outside("不敢乱说") == [plain]
    assert outside("这是隐私。", refuse=True) == [("summary", "这是隐私。")]
    assert outside(None, refuse=True)[0][1].startswith("抱歉，我的资料里没有找到这件事")


def test_several_answers_in_one_reply(desk: Desk) -> None:
    parts = [
        (Decision(Status.ANSWER, (INSURANCE,), 0.9), query()),
        (Decision(Status.ANSWER, (COURT,), 0.7), query()),
        (Decision(Status.NONE, note="closed", near=(CARS,), score=0.8), query()),
    ]
    reply = compose_parts(parts, desk, TODAY)
    alone = [compose(decision, asked, desk, TODAY) for decision, asked in parts]
    assert reply.blocks == tuple(block for one in alone for block in one.blocks)
    assert (reply.status, reply.ids, reply.score) == (Status.ANSWER, (INSURANCE, COURT), 0.7)
    assert [source.id for source in reply.sources] == list(
        dict.fromkeys(source.id for one in alone for source in one.sources)
    )
    assert reply.options == (*alone[0].options, *alone[1].options)[:4]
    assert compose_parts(parts[2:], desk, TODAY).status is Status.NONE
    later = compose_parts([(Decision(Status.ANSWER, (CARS,)), query())], desk, dt.date(2040, 1, 1))
    assert tight(desk.book.texts["old_fact_caution"]) in [block.text for block in later.blocks]
