"""The dashboard in a real browser: nothing overflows, nothing runs, axe-core finds no serious fault."""

from __future__ import annotations

import asyncio
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from bot import demo
from bot.dashboard.access import COOKIE, new_link
from bot.desk import Desk
from tests.conftest import ROOT
from tests.dashboard.conftest import NOW, opened
from tests.dashboard.test_pages import HOSTILE, PAGES

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")

AXE = (ROOT / "tests" / "vendor" / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
SIZES = [(360, 740), (1280, 900)]
ALIKE = frozenset({"/?days=7", "/entries?view=never", "/entries?view=old", "/wordings?view=missed", "/gaps?state=done"})
"""Pages that only show more of what another one shows."""
REFUSALS = (404, 409, 422)
"""What a browser tells of in its console, and is meant to happen."""
LONG_WORD = "gongyeyongdibiaozhundi" * 15


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


class Server(threading.Thread):
    """A dashboard over made-up and hostile questions on a port of its own, in a loop of its own."""

    def __init__(self, folder: Path, desk: Desk, **settings: Any) -> None:
        super().__init__(daemon=True)
        self.settings = settings
        self.url, self.desk = f"sqlite+aiosqlite:///{folder}/log.db", desk
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.base = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.ready, self.server = threading.Event(), None
        self.cookie, self.token = "", ""

    def run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        async with opened(self.url, self.desk, **self.settings) as site:
            await demo.fill(site.app.querylog, self.desk, 8, 1, NOW)
            for text in [*HOSTILE, LONG_WORD]:
                for _ in range(3):
                    row = await site.ask(text, status="none", reason=text, entries=(text,))
                    await site.app.querylog.verdict(row, "down", "u1")
            self.row = row
            await site.app.gaps.refresh(self.desk)
            site.app.channels["telegram"] = lambda: {"status": "degraded", "error": LONG_WORD}
            site.app.alerts.start("telegram", LONG_WORD)
            self.cookie, self.token = await site.cookie(), await new_link(site.app.querylog, site.clock.now)
            self.server = uvicorn.Server(uvicorn.Config(site.web, log_level="warning", lifespan="off", ws="none"))
            self.ready.set()
            await self.server.serve(sockets=[self.listener])

    @contextmanager
    def running(self) -> Iterator[Server]:
        """Serve until the end of the block."""
        self.start()
        assert self.ready.wait(60)
        yield self
        assert self.server is not None
        self.server.should_exit = True
        self.join(20)
        self.listener.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, desk: Desk) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("browser"), desk).running() as made:
        yield made


@contextmanager
def page_of(browser: Browser, server: Server, size: tuple[int, int], **context: Any) -> Iterator[Page]:
    """A page of somebody who is logged in; what the browser complains of fails the test."""
    said: list[str] = []
    made = browser.new_context(viewport={"width": size[0], "height": size[1]}, **context)
    made.add_cookies([{"name": COOKIE, "value": server.cookie, "url": f"{server.base}/admin"}])
    page = made.new_page()
    page.on("console", lambda message: said.append(f"{message.text} {message.location}"))
    page.on("pageerror", lambda error: said.append(str(error)))
    try:
        yield page
    finally:
        made.close()
    assert [line for line in said if not any(f"status of {code}" in line for code in REFUSALS)] == []


def paths(server: Server) -> list[str]:
    return [*PAGES, f"/questions/{server.row}", f"/questions/{server.row - 20}"]


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_nothing_overflows_and_nothing_runs(browser: Browser, server: Server, size: tuple[int, int]) -> None:
    with page_of(browser, server, size) as page:
        for path in paths(server):
            page.goto(f"{server.base}/admin{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
            assert "甬改问答管理" in page.title(), path
            assert page.locator("main img[src='x'], main script").count() == 0
            low = """[...document.querySelectorAll('button, .tabs a, .button, select, input:not([type=hidden])')]
                .filter(each => each.checkVisibility() && each.offsetHeight < 44).length"""
            assert page.evaluate(low) == 0, path


@pytest.mark.parametrize(("size", "scheme"), [(SIZES[0], "dark"), (SIZES[1], "light")], ids=str)
def test_axe_finds_no_serious_fault(browser: Browser, server: Server, size: tuple[int, int], scheme: Any) -> None:
    with page_of(browser, server, size, color_scheme=scheme, bypass_csp=True) as page:
        for path in paths(server):
            if path in ALIKE:
                continue
            page.goto(f"{server.base}/admin{path}")
            page.evaluate(AXE)
            found = page.evaluate("axe.run({resultTypes: ['violations']})")
            assert "color-contrast" in {rule["id"] for rule in found["passes"]}
            bad = [
                (fault["id"], [node["html"][:120] for node in fault["nodes"]][:3])
                for fault in found["violations"]
                if fault["impact"] in {"serious", "critical"}
            ]
            assert bad == [], path


def test_charts_are_drawn_where_they_belong(browser: Browser, server: Server) -> None:
    with page_of(browser, server, SIZES[0]) as page:
        page.goto(f"{server.base}/admin/?days=7")
        outside = """[...document.querySelectorAll('.picture')].flatMap(picture => {
            const frame = picture.getBoundingClientRect();
            return [...picture.querySelectorAll('rect, line, circle')].map(each => each.getBoundingClientRect())
                .filter(box => box.left < frame.left - 2 || box.right > frame.right + 2 || box.bottom > frame.bottom)
        }).length"""
        assert page.evaluate(outside) == 0
        assert page.locator(".picture rect:not(.place)").count() > 10
        page.locator(".chart summary").first.click()
        assert page.locator(".chart table").first.is_visible()


def test_one_comes_in_by_a_link_and_goes_out_without_javascript(browser: Browser, server: Server) -> None:
    made = browser.new_context(java_script_enabled=False, viewport={"width": 360, "height": 740})
    page = made.new_page()
    page.goto(f"{server.base}/admin/questions")
    assert page.locator("h1").inner_text() == "登录"
    page.goto(f"{server.base}/admin/login?token={server.token}")
    page.get_by_role("button", name="进入管理页").click()
    assert page.locator("h1").inner_text() == "概览"
    page.get_by_text("菜单").click()
    page.get_by_role("link", name="提问", exact=True).click()
    page.get_by_label("里面有这些字").fill("onerror")
    page.get_by_role("button", name="查找").click()
    assert page.locator(".question").count() == 3
    page.locator(".question .said").first.click()
    assert HOSTILE[0] in page.locator("h1").inner_text()
    page.get_by_text("菜单").click()
    page.get_by_role("button", name="退出").click()
    page.goto(f"{server.base}/admin/")
    assert page.locator("h1").inner_text() == "登录"
    made.close()
