"""One message, several questions: what parts it, and what leaves it whole."""

from __future__ import annotations

import pytest

from bot import decide
from bot.desk import Desk
from bot.several import parts

COURT, INSURANCE, SITES = "nb-mobile-micro-court", "nb-flexible-work-insurance", "jb-no-illegal-build"


def ids(text: str, desk: Desk) -> list[str]:
    return [decision.ids[0] for decision, _ in parts(text, desk)]


def test_names_of_three_characters_are_compared(desk: Desk) -> None:
    found = parts("微法院和灵活保有什么区别", desk)
    assert [(decision.ids, decision.reason) for decision, _ in found] == [
        ((COURT,), "比较两件事"),
        ((INSURANCE,), "比较两件事"),
    ]


def test_what_is_asked_of_two_things_is_asked_of_each(desk: Desk) -> None:
    found = parts("微法院和灵活保分别什么时候开始的", desk)
    assert [(decision.ids[0], query.asked) for decision, query in found] == [
        (COURT, ("日期",)),
        (INSURANCE, ("日期",)),
    ]


@pytest.mark.parametrize("text", ["拆违和灵活保分别多少钱", "灵活保和助餐分别多少钱"])
def test_a_thing_of_two_characters_is_not_set_beside_another(desk: Desk, text: str) -> None:
    assert parts(text, desk) == []


def test_without_a_question_mark_only_sure_questions_part_unless_they_name_different_districts(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decide, "SURE_AT", 0.95)
    insurance, sites = "灵活保一天多少钱", "江北无违建什么时候开始的"
    assert ids(f"{insurance} {sites}", desk) == [INSURANCE, SITES]
    assert parts(f"{sites} {insurance}", desk) == [], "both are of one district, and one is not sure"


@pytest.mark.parametrize("text", ["镇海和北仑的老年食堂分别在哪", "宁海和江北的清单各几条"])
def test_a_question_about_two_districts_needs_an_answer_of_each(desk: Desk, text: str) -> None:
    assert ids("宁海和鄞州的清单各几条", desk) == ["nh-36-village-powers", "yz-grassroots-power-lists"]
    assert parts(text, desk) == []
