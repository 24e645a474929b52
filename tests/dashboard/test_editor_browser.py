"""The knowledge editor in a real browser: type, see the problem, mend, preview, try, save, undo, and a conflict."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bot.desk import Desk
from tests.dashboard.test_browser import AXE, CHROMIUM, SIZES, Server, browser, page_of
from tests.dashboard.test_editor import COURT, FILE, WORDS, with_phrase

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

playwright = pytest.importorskip("playwright.sync_api")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")
__all__ = ["browser"]

SHOTS = os.environ.get("REFORMBOT_TEST_SHOTS")
"""A folder for pictures of the pages, to look at."""
PATIENCE = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, few: Path) -> Path:
    made = tmp_path_factory.mktemp("edited") / "knowledge"
    shutil.copytree(few, made)
    return made


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, few_desk: Desk, folder: Path) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("editor"), few_desk, knowledge=folder).running() as made:
        yield made


def shot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=f"{SHOTS}/{name}.png", full_page=True, caret="initial")


def settled(page: Page) -> None:
    """Wait for what the last button started."""
    page.wait_for_function("!document.querySelector('#outcome[aria-busy]')", timeout=PATIENCE)


def write(page: Page, text: str) -> None:
    """Replace all that stands in the editor, as somebody who pastes."""
    page.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")  # or the browser would style what replaces a selection, which our policy forbids
    page.keyboard.insert_text(text)


def test_a_clerk_edits_a_file(browser: Browser, server: Server, folder: Path) -> None:
    path = folder / FILE
    before = path.read_text(encoding="utf-8")
    with page_of(browser, server, SIZES[1]) as page:
        page.set_default_timeout(PATIENCE)
        page.goto(f"{server.base}/admin/knowledge")
        shot(page, "list")
        page.get_by_label("找条目").fill("微法院")
        page.get_by_role("button", name="查找").click()
        page.get_by_role("link", name="宁波移动微法院").click()
        page.get_by_text("没有问题。").wait_for()

        write(page, with_phrase(before).replace("  region:", "  regoin:", 1))
        page.locator("#problems .error").first.wait_for()
        assert "region" in page.locator("#problems").inner_text()
        page.locator("#problems .error a").first.click()
        page.locator(".cm-lint-marker-error").first.wait_for()
        assert page.evaluate("document.querySelector('.editor').shadowRoot.activeElement !== null")
        shot(page, "problem")

        write(page, with_phrase(before))
        page.get_by_text("没有问题。").wait_for()
        page.get_by_label("看哪一条怎样答").select_option(COURT)
        page.locator("#outcome pre").first.wait_for()
        settled(page)
        assert "<b>宁波移动微法院" in page.locator("#outcome pre").first.inner_text()
        shot(page, "preview")
        page.get_by_label("问一句").fill(WORDS)
        page.get_by_label("问一句").press("Enter")
        page.get_by_role("heading", name="改了以后").wait_for()
        assert "没答上" in page.get_by_role("heading", name="现在").inner_text()
        assert "答了" in page.get_by_role("heading", name="改了以后").inner_text()
        shot(page, "try")
        page.get_by_role("button", name="再问一遍").click()
        page.get_by_role("heading", name="这个文件自己的问题").wait_for()
        shot(page, "replay")
        assert path.read_text(encoding="utf-8") == before

        page.get_by_label("改了什么").fill("补一句问法")
        page.get_by_role("button", name="保存").click()
        page.get_by_text("存好了").wait_for()
        assert path.read_text(encoding="utf-8") == with_phrase(before)
        shot(page, "saved")

        page.get_by_role("link", name="版本").click()
        page.locator("ol.files a").last.click()
        shot(page, "version")
        page.get_by_role("button", name="退回到这一版").click()
        page.get_by_text("退回好了").wait_for()
        assert path.read_text(encoding="utf-8") == before

        page.goto(f"{server.base}/admin/knowledge/edit?file={FILE}")
        theirs = with_phrase(before, "别人加的问法怎么办")
        path.write_text(theirs, encoding="utf-8")
        write(page, with_phrase(before))
        page.get_by_text("没有问题。").wait_for()
        page.get_by_role("button", name="保存").click()
        page.get_by_text("别人存过这个文件").wait_for()
        assert "别人加的问法怎么办" in page.get_by_label("别人存的全文").input_value()
        assert WORDS in page.locator("#content").input_value()
        assert path.read_text(encoding="utf-8") == theirs
        shot(page, "conflict")
        path.write_text(before, encoding="utf-8")


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_pages_fit_and_axe_finds_no_serious_fault(browser: Browser, server: Server, size: tuple[int, int]) -> None:
    scheme = "dark" if size == SIZES[0] else "light"
    with page_of(browser, server, size, color_scheme=scheme, bypass_csp=True) as page:
        for path in ("", f"/edit?file={FILE}", f"/history?file={FILE}"):
            page.goto(f"{server.base}/admin/knowledge{path}")
            if "edit" in path:
                page.get_by_text("没有问题。").wait_for(timeout=PATIENCE)
            shot(page, f"{size[0]}-{path[1:5] or 'list'}")
            assert page.evaluate("document.documentElement.scrollWidth") <= size[0], path
            page.evaluate(AXE)
            found = page.evaluate("axe.run({resultTypes: ['violations']})")
            bad = [
                (fault["id"], [node["html"][:120] for node in fault["nodes"]][:3])
                for fault in found["violations"]
                if fault["impact"] in {"serious", "critical"}
            ]
            assert bad == [], path


def test_it_works_without_javascript(browser: Browser, server: Server, folder: Path) -> None:
    before = (folder / FILE).read_text(encoding="utf-8")
    with page_of(browser, server, SIZES[0], java_script_enabled=False) as page:
        page.set_default_timeout(PATIENCE)
        page.goto(f"{server.base}/admin/knowledge/edit?file={FILE}")
        assert page.get_by_label("内容").input_value() == before
        page.get_by_label("内容").fill("- id: [")
        page.get_by_role("button", name="预览").click()
        assert page.locator("#problems .error").count() >= 1
        assert page.get_by_label("内容").input_value() == "- id: ["
        page.get_by_role("button", name="保存").click()
        assert "没有保存" in page.get_by_role("alert").inner_text()
        assert (folder / FILE).read_text(encoding="utf-8") == before
