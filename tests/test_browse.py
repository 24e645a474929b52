"""Headings instead of questions: places, years, themes, honours, alone and one after the other."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from bot.answer import answer
from bot.browse import browse
from bot.desk import Desk
from bot.knowledge.schema import Faq
from bot.model import Status
from bot.render import plain
from bot.understand.query import understand
from tests.test_answer import ask
from tests.test_decide import ranked


def regions(desk: Desk, ids: tuple[str, ...]) -> set[str]:
    return {desk.region_of(identifier) for identifier in ids}


@pytest.mark.parametrize("text", ["鄞州的改革", "鄞州区的服务", "鄞州怎么样", "鄞州有啥好项目", "鄞州"])
def test_a_place_alone_lists_what_it_has(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert reply.status is Status.LIST
    assert len(reply.ids) > 20
    assert regions(desk, reply.ids) == {"鄞州区"}


def test_a_place_with_one_entry_has_that_one(desk: Desk) -> None:
    reply = ask(desk, "宁海有哪些改革")
    assert (reply.status, reply.ids) == (Status.ANSWER, ("nh-36-village-powers",))
    assert "只有这一条" in reply.reason


@pytest.mark.parametrize("text", ["慈溪改革", "余姚有什么", "北仑怎么样"])
def test_a_place_without_entries_has_those_of_the_city(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert reply.status is Status.LIST
    assert regions(desk, reply.ids) == {"宁波市"}
    assert "没有单独的资料" in plain(reply)


def test_a_year_narrows(desk: Desk) -> None:
    reply = ask(desk, "江北2018年的改革")
    assert reply.status is Status.LIST
    entries = [desk.book.entries[identifier] for identifier in reply.ids]
    assert all(any(fact.as_of.startswith("2018") for fact in entry.facts) for entry in entries)
    assert regions(desk, reply.ids) == {"江北区"}


@pytest.mark.parametrize("text", ["1998年有哪些改革", "今年有什么新政策", "最近的改革", "2025 年的政策"])
def test_a_time_without_material_is_no_guess(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert (reply.status, reply.ids) == (Status.NONE, ())
    assert "2018–2024" in plain(reply)
    assert "12345" in plain(reply)


@pytest.mark.parametrize("text", ["科技2025是什么", "科技 2025 有哪些"])
def test_a_year_within_a_name_is_no_time(desk: Desk, text: str) -> None:
    found = ask(desk, text)
    assert found.ids == ("nb-sti-2025",)
    assert "没有 2025 年" not in plain(found)


@pytest.mark.parametrize("text", ["全国首创", "宁波有哪些全国第一", "全省第一个", "有没有全国首创的"])
def test_honours(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert reply.status is Status.LIST
    for identifier in reply.ids:
        assert any("荣誉" in fact.about for fact in desk.book.entries[identifier].facts), identifier


@pytest.mark.parametrize("text", ["有哪些改革", "你们有哪些改革", "政策"])
def test_nothing_but_a_word_for_all_of_it_asks_what_there_is(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert reply.status is Status.SMALLTALK
    assert "您可以这样问" in plain(reply)


@pytest.mark.parametrize(
    ("text", "among"),
    [
        ("看病方面有没有", "jb-ninth-hospital"),
        ("老人用得上的", "zh-elderly-meals"),
        ("市国资委的", "nb-rent-relief"),
        ("海曙区有过哪些改革", "hs-smart-party-centre"),
        ("鄞州干部管理方面有几种制度", "yz-fault-tolerance"),
        ("有关看病的都列给我", "jb-ninth-hospital"),
        ("市科技局都弄了点啥", "nb-double-hundred-matching"),
        ("江北城管那块呢", "jb-non-contact-enforcement"),
        ("镇海给企业有啥帮忙的", "zh-value-added-services"),
    ],
)
def test_a_field_an_audience_or_a_department_has_several(desk: Desk, text: str, among: str) -> None:
    reply = ask(desk, text)
    assert reply.status is Status.LIST
    assert among in reply.ids


def test_a_topic_that_the_place_does_not_have(desk: Desk) -> None:
    reply = ask(desk, "鄞州的菜市场")
    assert regions(desk, reply.ids) == {"宁波市"}
    assert "没有单独的资料" in plain(reply)


def test_two_characters_here_and_there_are_no_topic(desk: Desk) -> None:
    assert "zh-agri-makers" not in ask(desk, "镇海养老服务").ids


@pytest.mark.parametrize(
    ("turns", "places", "year", "audience"),
    [
        (("镇海区有哪些改革", "那江北呢"), {"江北区"}, "", ""),
        (("镇海区有哪些改革", "企业的呢"), {"镇海区"}, "", "企业"),
        (("镇海区有哪些改革", "2023年的有哪些"), {"镇海区"}, "2023", ""),
        (("2019年有哪些改革", "2022年呢"), set(), "2022", ""),
        (("老年人有什么服务", "镇海的呢"), {"镇海区"}, "", ""),
        (("江北有哪些改革", "2018年的", "企业的"), {"江北区"}, "2018", "企业"),
    ],
)
def test_a_list_is_narrowed_by_the_next_heading(
    desk: Desk, turns: tuple[str, ...], places: set[str], year: str, audience: str
) -> None:
    reply = ask(desk, *turns)
    assert reply.status is Status.LIST
    assert not places or regions(desk, reply.ids) == places
    for entry in (desk.book.entries[identifier] for identifier in reply.ids):
        assert any(fact.as_of.startswith(year) for fact in entry.facts)
    assert not audience or audience in desk.book.entries[reply.ids[0]].audience


def test_the_home_region_comes_first(desk: Desk) -> None:
    reply = answer("全国首创的有哪些", desk, (), dt.date(2026, 11, 20), home="江北区")
    assert desk.region_of(reply.ids[0]) == "江北区"


def test_what_can_be_applied_for_tells_of_money_or_of_whom_it_is_for(desk: Desk) -> None:
    reply = ask(desk, "我能申请什么")
    assert reply.status is Status.LIST
    assert "能申请、享受的" in plain(reply)
    for identifier in reply.ids:
        assert any({"费用", "对象"} & set(fact.about) for fact in desk.book.entries[identifier].facts), identifier


def test_a_heading_after_choices_narrows_nothing(desk: Desk) -> None:
    assert ask(desk, "菜篮子").status is Status.CHOICES
    assert ask(desk, "菜篮子", "江北呢").ids == ask(desk, "江北").ids


def test_a_bank_of_questions_and_answers_alone_has_no_headings(desk: Desk) -> None:
    card = Faq(id="card", question="借书证怎么办", answer="带身份证来。", period="2022 年", source="pioneer-board-2019")
    small = Desk(replace(desk.book, entries={}, golden=(), faqs={"card": card}))
    assert ask(small, "江北有哪些改革").status is Status.NONE
    reply = ask(small, "借书证怎么办")
    assert [block.kind for block in reply.blocks] == ["title", "summary", "period", "source"]
    assert reply.sources[0].id == "pioneer-board-2019"


def test_an_empty_bank_knows_nothing(desk: Desk) -> None:
    empty = Desk(replace(desk.book, entries={}, golden=(), faqs={}, outside=(), talk=()))
    assert ask(empty, "加装电梯要几天").status is Status.NONE


@pytest.mark.parametrize("text", ["多少钱的有哪些", "护照可以申请什么", "高铁有哪些"])
def test_what_names_no_heading_of_the_material_is_no_list(desk: Desk, text: str) -> None:
    reply = ask(desk, text)
    assert (reply.status, reply.ids) == (Status.NONE, ())


def test_in_a_bank_of_one_entry_a_question_for_several_has_that_one(desk: Desk) -> None:
    entry = desk.book.entries["nb-old-estate-lifts"].model_copy(update={"related": ()})
    small = Desk(replace(desk.book, entries={entry.id: entry}, golden=(), faqs={}))
    assert ask(small, "老楼里有哪些好处").ids == (entry.id,)
    assert ask(small, "加电梯政府有哪些扶持").ids == (entry.id,)
    assert ask(small, "月亮有哪些地方").ids == ()
    assert ask(small, "全国首创").reason == "没有这一类的条目"


def test_what_names_nothing_asks_what_there_is_and_says_why(desk: Desk) -> None:
    reply = ask(desk, "有哪些改革")
    assert (reply.status, reply.reason, reply.score) == (Status.SMALLTALK, "问的是能问什么", 1.0)


@pytest.mark.parametrize(
    ("text", "entry"),
    [("宁海有哪些全国首创", "nh-36-village-powers"), ("海曙有哪些党建", "hs-smart-party-centre")],
)
def test_a_heading_with_one_entry_has_that_one(desk: Desk, text: str, entry: str) -> None:
    reply = ask(desk, text)
    assert (reply.status, reply.ids, reply.reason) == (Status.ANSWER, (entry,), "这一类只有这一条")


@pytest.mark.parametrize("turns", [("全省第一的有哪些", "镇海的"), ("镇海有什么改革", "得过奖的")])
def test_an_honour_holds_on_when_the_list_is_narrowed(desk: Desk, turns: tuple[str, ...]) -> None:
    reply = ask(desk, *turns)
    assert reply.status is Status.LIST
    assert regions(desk, reply.ids) == {"镇海区"}
    for identifier in reply.ids:
        assert any("荣誉" in fact.about for fact in desk.book.entries[identifier].facts), identifier


def test_a_theme_lists_its_own_and_what_tells_of_it(desk: Desk) -> None:
    reply = ask(desk, "镇海有什么", "人才的")
    others = [identifier for identifier in desk.book.entries if desk.region_of(identifier) == "镇海区"]
    assert 5 < len(reply.ids) < len(others) / 2
    for identifier in reply.ids:
        assert "人才" in desk.book.entries[identifier].theme or "人才" in desk.body_text(identifier), identifier


def test_what_fits_two_headings_comes_before_what_fits_one(desk: Desk) -> None:
    reply = ask(desk, "镇海区有哪些改革", "企业的呢")
    fits = ["企业" in desk.book.entries[identifier].audience for identifier in reply.ids]
    assert len(fits) > 3
    assert fits == sorted(fits, reverse=True)


@pytest.mark.parametrize(
    ("blends", "sure", "lists"),
    [
        ((8.0, 4.5), 0.8, False),
        ((8.0, 4.5), 0.79, True),
        ((8.0, 4.6), 0.8, True),
        ((8.0, 5.0, 1.0), 0.9, True),
        ((8.0,), 0.8, False),
        ((8.0,), 0.79, True),
    ],
)
def test_what_stands_out_is_answered_though_several_are_asked_for(
    desk: Desk, blends: tuple[float, ...], sure: float, lists: bool
) -> None:
    found = browse(understand("食堂有哪些好处", desk.lexicon), ranked(desk, *blends, sure=sure), desk)
    assert (found is not None and found.status is Status.LIST) is lists
