"""Groups by meaning: what belongs together, what does not, and that neither order nor time changes it."""

from __future__ import annotations

import random
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.desk import Desk
from bot.gaps.group import group
from bot.gaps.wording import name_of, read
from tests.gaps.conftest import BUS

SAME = [
    ["宁波动物园几点开门", "宁波动物园几点钟开门啊", "请问宁波动物园什么时候开门"],
    ["夜里听到工地施工太吵找谁", "工地半夜施工太吵了找谁管", "工地夜里施工吵，该找谁"],
    ["小孩打疫苗要带什么", "给小孩打疫苗要带啥", "小囡打疫苗带什么材料"],
]


def groups(desk: Desk, texts: list[str], known: list[int | None] | None = None) -> list[int]:
    return group([read(text, desk.lexicon) for text in texts], known or [None] * len(texts), desk.matcher.index)


def partition(texts: list[str], found: list[int]) -> set[frozenset[str]]:
    return {frozenset(text for text, number in zip(texts, found, strict=True) if number == one) for one in set(found)}


def test_the_same_in_other_words(desk: Desk) -> None:
    texts = [text for one in SAME for text in one]
    assert partition(texts, groups(desk, texts)) == {frozenset(one) for one in SAME}


def test_one_unknown_thing_whatever_is_asked_of_it(desk: Desk) -> None:
    (_, most), *_ = Counter(groups(desk, [*BUS, *SAME[0]])).most_common()
    assert most == len(BUS)


def test_typed_pinyin_and_homophones_meet(desk: Desk) -> None:
    texts = ["宁波动物园门票", "ningbo dongwuyuan menpiao", "宁波动务园门票", "小孩打疫苗要带什么"]
    found = groups(desk, texts)
    assert found[0] == found[1] == found[2] != found[3]


def test_districts_stay_apart(desk: Desk) -> None:
    texts = ["江北有没有夜间门诊", "奉化有没有夜间门诊", "江北的夜间门诊有没有"]
    found = groups(desk, texts)
    assert found[0] == found[2] != found[1]


def test_order_changes_nothing(desk: Desk) -> None:
    texts = [*BUS[:12], *(text for one in SAME for text in one)]
    expected = partition(texts, groups(desk, texts))
    for seed in range(3):
        mixed = random.Random(seed).sample(texts, len(texts))
        assert partition(mixed, groups(desk, mixed)) == expected


def test_new_wordings_join_and_old_groups_stay_apart(desk: Desk) -> None:
    texts = [*SAME[0][:2], *SAME[1][:1], SAME[0][2], "狮子吃什么"]
    found = groups(desk, texts, [7, 8, 9, None, None])
    assert len({*found[:3]}) == 3
    assert found[3] in found[:2]
    assert found[4] not in found[:4]


def test_nothing_and_texts_without_words(desk: Desk) -> None:
    assert groups(desk, []) == []
    assert len(groups(desk, ["", "？", "的", "呢"])) == 4


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=30), max_size=12))
def test_any_texts(desk: Desk, texts: list[str]) -> None:
    found = groups(desk, texts)
    assert len(found) == len(texts)
    assert sorted(set(found)) == list(range(len(set(found))))
    assert all(isinstance(name_of(text), str) for text in texts)
