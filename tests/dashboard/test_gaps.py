"""The pages of gaps: what they show, what their buttons do, and that citizens' words do nothing."""

from __future__ import annotations

import csv
import html as markup
import io
import re
from pathlib import Path

import httpx
import openpyxl
import pytest
import sqlalchemy as sa

from bot.dashboard.pages.gaps import ACTIONS
from bot.gaps import store
from bot.gaps.model import STATES
from bot.querylog.tables import gap as gap_table
from tests.dashboard.conftest import Site
from tests.dashboard.test_pages import HOSTILE, checked

ASKED = ("独角兽养殖证怎么办", "火星移民落户要什么材料")


@pytest.fixture
async def gaps(site: Site) -> list[int]:
    """The ids of two gaps: three people asked the first, one the second."""
    for text, people in zip(ASKED, ("abc", "d"), strict=True):
        for person in people:
            await site.ask(text, status="none", user_key=person, channel="telegram", reason="什么都不像")
            site.clock.later(minutes=20)
    await site.app.gaps.refresh(site.app.desk)
    return [gap.id for gap in await site.app.querylog.read(store.gaps)]


async def page(admin: httpx.AsyncClient, path: str) -> str:
    response = await admin.get(f"/admin{path}")
    assert response.status_code == 200, path
    checked(response.text)
    return response.text


async def test_the_list_shows_what_most_people_asked_first(
    site: Site, admin: httpx.AsyncClient, gaps: list[int]
) -> None:
    html = await page(admin, "/gaps")
    assert re.findall(r'class="said" href="/admin/gaps/(\d+)"', html) == [str(item) for item in gaps]
    first = html[html.index(ASKED[0]) : html.index(ASKED[1])]
    for word in ("<strong>3</strong> 人", "3 次", "缺知识", "Telegram 3", "近八周每周几次：0、0、0、0、0、0、0、3"):
        assert word in first
    assert "待处理<small>2</small>" in html
    assert "上次归组" in html
    assert "没有这样的缺口" in await page(admin, "/gaps?state=done")
    assert "待处理的缺口 2 个" in await page(admin, "/")


async def test_one_gap_shows_all_that_helps(site: Site, admin: httpx.AsyncClient, gaps: list[int]) -> None:
    html = await page(admin, f"/gaps/{gaps[0]}")
    links = re.findall(r'class="said" href="/admin/questions/(\d+)"', html)
    assert links == ["3", "2", "1"]
    assert html.count("没答上") >= 3
    found = re.search(r"<pre[^>]*>(.*?)</pre>", html, re.DOTALL)
    assert found
    assert f"缺口 {gaps[0]}：3 人问了 3 次" in found[1]
    assert f"- {ASKED[0]}" in markup.unescape(found[1])
    assert (await admin.get("/admin/gaps/999")).status_code == 404
    assert (await admin.get("/admin/gaps/99999999999999999999")).status_code == 404


async def test_a_gap_is_told_to_an_issue_tracker(admin: httpx.AsyncClient, gaps: list[int]) -> None:
    done = await admin.get(f"/admin/gaps/{gaps[0]}/issue.md")
    assert done.headers["content-type"] == "text/markdown; charset=utf-8"
    assert "attachment" in done.headers["content-disposition"]
    assert done.text.startswith(f"## 缺口 {gaps[0]}：{ASKED[0]}")
    assert "issue.md" in await page(admin, "/audit")


async def test_every_state_leads_on_and_is_audited(site: Site, admin: httpx.AsyncClient, gaps: list[int]) -> None:
    address, state = f"/gaps/{gaps[0]}", "open"
    for onward in ("drafted", "outside", "open", "done", "open"):
        assert onward in ACTIONS[state]
        html = await page(admin, address)
        assert re.findall(r'name="state" value="(\w+)"', html) == list(ACTIONS[state])
        done = await admin.post(f"/admin{address}/state", data={"state": onward, "note": f"因为 {onward}\n=1+1"})
        assert done.status_code == 303
        assert 'role="status"' in (await admin.get(done.headers["location"])).text
        gap = await site.app.querylog.read(lambda connection: store.gap(connection, gaps[0]))
        assert gap is not None
        assert gap.state == onward
        audit = await page(admin, "/audit")
        assert f"{STATES[state]} → {STATES[onward]}：因为 {onward} =1+1" in audit
        assert "测试" in audit
        state = onward
    for data, status in (({"state": "nothing"}, 400), ({}, 415)):
        assert (await admin.post(f"/admin{address}/state", data=data)).status_code == status
    assert (await admin.post("/admin/gaps/999/state", data={"state": "done"})).status_code == 404


async def test_a_button_groups_again(site: Site, admin: httpx.AsyncClient) -> None:
    assert "还没有归过组" in await page(admin, "/gaps")
    await site.ask(ASKED[0], status="none")
    done = await admin.post("/admin/gaps/refresh")
    html = (await admin.get(done.headers["location"])).text
    assert "已经重新归组" in html
    assert ASKED[0] in html
    assert "新的缺口 1 个" in await page(admin, "/audit")


async def test_hostile_words_stay_words(site: Site, admin: httpx.AsyncClient) -> None:
    for text in HOSTILE:
        for person in "ab":
            await site.ask(f"{text}独角兽", status="none", user_key=person, channel=text, reason=text)
        site.clock.later(minutes=20)
    await site.app.gaps.refresh(site.app.desk)
    found = await site.app.querylog.read(store.gaps)
    assert found
    shown = "".join(checked(await page(admin, "/gaps")).words)
    for gap in found:
        assert gap.title in shown
        html = await page(admin, f"/gaps/{gap.id}")
        assert "<img src=x" not in html
        assert "<script>" not in html
    done = await admin.get("/admin/gaps/export.csv")
    rows = list(csv.reader(io.StringIO(done.text.removeprefix("\ufeff"))))
    assert len(rows) == len(found) + 1
    assert [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))] == []
    assert "attachment" in done.headers["content-disposition"]
    sheet = openpyxl.load_workbook(io.BytesIO((await admin.get("/admin/gaps/export.xlsx")).content)).active
    cells = [cell for row in sheet.iter_rows() for cell in row if cell.value]  # type: ignore[union-attr]
    assert len(cells) > len(found)
    assert {cell.data_type for cell in cells} == {"s"}
    assert (await admin.get("/admin/gaps/export.exe")).status_code == 404


async def test_a_folder_that_somebody_is_editing_breaks_no_page(
    site: Site, admin: httpx.AsyncClient, gaps: list[int], tmp_path: Path
) -> None:
    (tmp_path / "ningbo").mkdir()
    (tmp_path / "ningbo" / "broken.yaml").write_bytes(b"\xff\xfe: [")
    site.app.settings = site.app.settings.model_copy(update={"knowledge": tmp_path})
    wording = sa.update(gap_table).values(proposal="wording", target="nb-mobile-micro-court")
    await site.app.querylog.run(lambda connection: connection.execute(wording))
    assert "知识文件现在读不了" in await page(admin, f"/gaps/{gaps[0]}")
    assert (await admin.get(f"/admin/gaps/{gaps[0]}/issue.md")).status_code == 409
