"""Every page on an empty log, on a made-up one, and with hostile words in it."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from bot import demo
from bot.dashboard import panel
from bot.dashboard.access import COOKIE
from bot.desk import Desk
from bot.errors import StoreError
from bot.gaps.refresh import refresh
from bot.querylog.store import QueryLog
from tests.dashboard.conftest import NOW, Site, opened

PAGES = [
    "/",
    "/?days=7",
    "/channels",
    "/regions",
    "/entries",
    "/entries?view=never",
    "/entries?view=down",
    "/entries?view=old",
    "/questions",
    "/questions?q=微法院&status=answer&from=2026-11-01&to=2026-11-30",
    "/questions/1",
    "/wordings",
    "/wordings?view=missed",
    "/gaps",
    "/gaps?state=done",
    "/gaps/1",
    "/system",
    "/audit",
    "/login",
    "/nothing",
]
HOSTILE = [
    "<img src=x onerror=\"document.title='hacked'\">",
    "</title></script><script>alert(1)</script>",
    "{{ 31337 * 31337 }}{% raw %}",
    "=cmd()|' /C calc'!A0",
    "+1+1",
    "@SUM(A1)",
    "-2+3",
    "\"'&amp;><",
]
VOID = frozenset({"meta", "link", "img", "input", "br", "hr"})


class Checker(HTMLParser):
    """Every element is closed in order; what is an event handler, a script or a style of its own is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag in {"script", "style", "iframe", "object"} or any(
            name.startswith("on") or name == "style" for name in names
        ):
            self.wrong.append(self.get_starttag_text() or tag)
        if len(names) != len(attrs):
            self.wrong.append(f"repeated attribute in {tag}")
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def checked(html: str) -> Checker:
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.wrong == []
    assert checker.open == []
    assert len(checker.ids) == len(set(checker.ids))
    assert "Undefined" not in html
    assert "<Macro" not in html
    assert not re.search(r">\s*None\s*<", html)
    return checker


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory, desk: Desk) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.db"

    async def fill() -> int:
        querylog = await QueryLog.open(f"sqlite+aiosqlite:///{path}")
        try:
            count = await demo.fill(querylog, desk, 3, 1, NOW)
            await refresh(querylog, desk, NOW)
            return count
        finally:
            await querylog.close()

    assert asyncio.run(fill()) > 100
    return path


@pytest.fixture
async def lively(made_up: Path, desk: Desk) -> AsyncIterator[Site]:
    async with opened(f"sqlite+aiosqlite:///{made_up}", desk) as site:
        yield site


async def test_pages_of_an_empty_log(site: Site, admin: httpx.AsyncClient) -> None:
    for path in PAGES:
        response = await admin.get("/admin" + path)
        expected = 404 if path in {"/questions/1", "/gaps/1", "/nothing"} else 200
        assert response.status_code == expected, path
        checked(response.text)


async def test_pages_of_a_lively_log(lively: Site) -> None:
    async with lively.client(await lively.cookie()) as client:
        for path in PAGES:
            response = await client.get("/admin" + path)
            assert response.status_code == (404 if path == "/nothing" else 200), path
            checked(response.text)
            if path not in {"/login", "/nothing"}:
                assert "演示数据" in response.text, path


async def test_the_navigation_leads_everywhere_and_says_where_one_is(site: Site, admin: httpx.AsyncClient) -> None:
    html = (await admin.get("/admin/questions")).text
    links = set(re.findall(r'<li><a href="(/admin/[a-z]*)"', html))
    assert len(links) >= 8
    for address in links:
        page = (await admin.get(address)).text
        assert f'href="{address}" aria-current="page"' in page


async def test_hostile_words_do_nothing(site: Site, admin: httpx.AsyncClient) -> None:
    for text in HOSTILE:
        for status in ("answer", "none"):
            await site.ask(text, status=status, entries=(text,), channel=text, runner_up=text, reason=text)
    for path in [*PAGES, "/questions?q=" + "%3Cimg", "/questions?channel=%3Cimg", "/questions/2"]:
        html = (await admin.get("/admin" + path)).text
        checked(html)
        assert "<img src=x" not in html
        assert "<script>" not in html
        assert "982007569" not in html
    words = "".join(checked((await admin.get("/admin/questions")).text).words)
    for text in HOSTILE:
        assert text in words


async def test_the_numbers_of_the_overview(site: Site, admin: httpx.AsyncClient) -> None:
    yesterday = NOW - dt.timedelta(days=1)
    for person in "ab":
        await site.ask("甲", user_key=person, entries=("nb-mobile-micro-court",), took_ms=2.0)
    await site.ask("乙", status="none", user_key="b")
    await site.ask("你好", status="smalltalk", user_key="b")
    await site.ask("", status="limited", user_key="c")
    await site.ask("昨天的", asked_at=yesterday)
    assert await site.app.querylog.verdict(1, "down", "a")
    html = (await admin.get("/admin/")).text
    values = re.findall(r'class="value">([^<]*)<', html)
    assert values[:4] == ["4", "3", "67%", "1"]
    assert "比昨天多 3" in html
    assert values[5] == "5"
    assert "宁波移动微法院" in html


async def test_a_page_does_not_wait_for_a_long_count(
    site: Site, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, over = asyncio.Event(), asyncio.Event()

    async def long_count() -> None:
        begun.set()
        await over.wait()

    monkeypatch.setattr(panel, "_FRESH_SECONDS", 0.01)
    monkeypatch.setattr(site.app.querylog, "tally", long_count)
    assert (await admin.get("/admin/")).status_code == 200
    assert begun.is_set()
    over.set()


async def test_a_question_stands_among_what_was_said_around_it(site: Site, admin: httpx.AsyncClient) -> None:
    ids = []
    for number in range(14):
        ids.append(await site.ask(f"第{number}句"))
        await site.ask(f"别人{number}", user_key="u2")
        await site.ask(f"同名{number}", channel="telegram")
        site.clock.later(seconds=30)
    await site.app.querylog.verdict(ids[8], "down", "u1")
    await site.app.querylog.verdict(ids[8], "up", "u1")
    html = (await admin.get(f"/admin/questions/{ids[8]}")).text
    thread = html[html.index('class="thread"') : html.index("</ol>", html.index('class="thread"'))]
    assert re.findall(r"第(\d+)句", thread) == ["2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]
    assert "别人" not in html
    assert "同名" not in html
    verdicts = html[html.index('class="verdicts"') :]
    assert verdicts.index("没用") < verdicts.index("有用")


async def test_what_was_understood_is_told_for_then_and_now(site: Site, admin: httpx.AsyncClient) -> None:
    row = await site.ask("灵活保一天多少钱", status="none", reason="那时候还不知道", runner_up="gone-entry")
    html = (await admin.get(f"/admin/questions/{row}")).text
    assert "那时候还不知道" in html
    assert "gone-entry" in html
    assert "灵活就业专属伤害保险" in html[html.index("现在的知识会怎样答") :]


async def test_questions_are_found_by_words_and_filters(site: Site, admin: httpx.AsyncClient) -> None:
    await site.ask("100% 的_补贴", status="none", channel="telegram")
    await site.ask("WeChat 打官司", entries=("nb-mobile-micro-court",))
    await site.ask("旧的", asked_at=NOW - dt.timedelta(days=9))
    await site.app.querylog.verdict(2, "up", "u1")

    async def found(query: str) -> list[str]:
        html = (await admin.get(f"/admin/questions?{query}")).text
        return re.findall(r'questions/(\d+)"', html)

    assert await found("") == ["3", "2", "1"]
    assert await found("q=wechat") == ["2"]
    assert await found("q=0%25") == ["1"]
    assert await found("q=_") == ["1"]
    assert await found("q=没有的") == []
    assert await found("status=none") == ["1"]
    assert await found("channel=telegram&status=answer") == []
    assert await found("entry=nb-mobile-micro-court") == ["2"]
    assert await found("verdict=up") == ["2"]
    assert await found("from=2026-11-20&to=2026-11-20") == ["2", "1"]
    assert await found("to=2026-11-12") == ["3"]
    assert await found("before=2") == ["1"]


async def test_the_list_goes_back_page_by_page(site: Site, admin: httpx.AsyncClient) -> None:
    for number in range(120):
        await site.ask(f"第{number}问", status="none" if number % 2 else "answer")
    seen: list[str] = []
    address = "/admin/questions?status=none"
    while address:
        html = (await admin.get(address)).text
        seen += re.findall(r"第(\d+)问", html)
        onward = re.search(r'rel="next" href="([^"]+)"', html)
        address = onward[1].replace("&amp;", "&") if onward else ""
    assert seen == [str(number) for number in range(119, 0, -2)]


async def test_wordings_are_counted(site: Site, admin: httpx.AsyncClient) -> None:
    for person, text in ("a甲", "b甲", "b甲", "a乙"):
        await site.ask(text, user_key=person)
    await site.ask("丙", status="none")
    html = (await admin.get("/admin/wordings")).text
    rows = re.findall(r'<th scope="row".*?</tr>', html, re.DOTALL)
    assert len(rows) == 3
    assert re.findall(r'class="figure">([\d,]+)<', rows[0]) == ["3", "2", "0"]
    missed = (await admin.get("/admin/wordings?view=missed")).text
    assert len(re.findall('<th scope="row"', missed)) == 1


async def test_entries_are_sorted_out(site: Site, admin: httpx.AsyncClient) -> None:
    liked, disliked = "nb-mobile-micro-court", "nb-flexible-work-insurance"
    for entry, verdict in ((liked, "up"), (disliked, "down")):
        for _ in range(3):
            row = await site.ask("问", entries=(entry,))
            await site.app.querylog.verdict(row, verdict, "u1")
    await site.ask("问", entries=("no-such-entry",))

    async def listed(view: str) -> set[str]:
        html = (await admin.get(f"/admin/entries?view={view}")).text
        return set(re.findall(r"questions\?entry=([a-z0-9-]+)", html))

    assert await listed("asked") == {liked, disliked, "no-such-entry"}
    assert await listed("down") == {disliked}
    never = await listed("never")
    assert len(never) == len(site.app.desk.book.entries) - 2
    assert liked in await listed("old")


async def test_the_state_of_the_program(site: Site, admin: httpx.AsyncClient) -> None:
    assert "一切正常" in (await admin.get("/admin/system")).text
    site.app.alerts.start("telegram-down", "Telegram 连不上 <b>")
    site.app.channels["telegram"] = lambda: {"status": "degraded", "waiting": 3}
    html = (await admin.get("/admin/system")).text
    checked(html)
    assert "有要处理的情况" in html
    assert "Telegram 连不上 &lt;b&gt;" in html
    assert "degraded" in html
    assert "有要处理的情况" in (await admin.get("/admin/")).text


async def test_a_log_that_cannot_be_read_is_told(
    site: Site, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(work: object) -> None:
        raise StoreError("磁盘坏了")

    assert (await admin.get("/admin/")).status_code == 200
    monkeypatch.setattr(site.app.querylog, "read", broken)
    response = await admin.get("/admin/questions")
    assert response.status_code == 503
    assert "磁盘坏了" in response.text
    checked(response.text)


async def test_a_cookie_of_one_database_is_none_of_another(site: Site, lively: Site) -> None:
    async with lively.client(await site.cookie()) as client:
        assert (await client.get("/admin/")).status_code == 401
        assert COOKIE in client.cookies


@dataclass
class Outcome:
    ok: bool
    text: str


async def test_the_knowledge_can_be_taken_in_again(
    site: Site, admin: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for outcome, said in ((Outcome(True, "多了 2 条"), "已经重新读入"), (Outcome(False, "第 3 行有错"), "没有换上")):

        async def reload(outcome: Outcome = outcome) -> Outcome:
            return outcome

        monkeypatch.setattr(site.app, "reload", reload, raising=False)
        assert "重新读入知识" in (await admin.get("/admin/system")).text
        done = await admin.post("/admin/system/reload")
        assert said in (await admin.get(done.headers["location"])).text
        assert outcome.text in (await admin.get("/admin/system")).text
        assert outcome.text in (await admin.get("/admin/audit")).text
