"""The chat page in a real browser: a system Chromium driven by playwright; skipped where either is missing."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
import uvicorn

from bot.channels.service import Draft, Handled
from bot.channels.web.routes import create_web
from bot.model import Reply, Status

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Request

    from bot.model import Message

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on PATH")

HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"
SIZES = [(320, 568), (360, 740), (768, 1024), (1280, 800), (1440, 900)]
LONG_WORD = "gongyeyongdibiaozhundi" * 12


def _blocks(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"kind": kind, "text": text} for kind, text in pairs]


class FakeService:
    """Long answers, choices, nothing known; slow and broken on demand."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.votes: list[tuple[int, str]] = []

    async def handle(self, message: Message, draft: Draft | None = None) -> Handled:
        text = message.text
        self.asked.append(text)
        if text == "慢":
            await asyncio.sleep(1)
        if text == "选哪个":
            options = [{"id": "a", "label": "街道吹哨"}, {"id": "", "label": "都不是"}]
            return self._handled("choices", 3, _blocks(("heading", "您问的是哪一件？")), options)
        if text in ("你好", "都不是"):
            return self._handled("smalltalk", None, _blocks(("summary", "您好。")))
        facts = [("fact", f"第{number}条：{HOSTILE}{LONG_WORD}") for number in range(12)]
        title, caution = ("title", "老旧小区加装电梯｜宁波市"), ("caution", "数字截至2019年。")
        return self._handled("answer", 7, _blocks(title, *facts, ("period", "2019年"), ("source", "来源"), caution))

    @staticmethod
    def _handled(status: str, row: int | None, blocks: Any, options: Any = ()) -> Handled:
        payload = {"q": "", "status": status, "id": row, "text": "", "blocks": blocks, "options": list(options)}
        return Handled(payload, Reply(Status(status), ()))

    async def feedback(self, row_id: int, verdict: str, message: Message) -> bool:
        self.votes.append((row_id, verdict))
        return True

    def health(self) -> dict[str, Any]:
        return {"status": "ok"}

    def ready(self) -> bool:
        return True

    def metrics_text(self) -> bytes:
        return b""

    def welcome(self) -> tuple[str, list[str]]:
        return "您好，我是甬改问答。", ["装电梯", "选哪个"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with playwright.sync_playwright() as driver:
        launched = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def site() -> Iterator[tuple[str, FakeService]]:
    service = FakeService()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_web(service), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}/", service
    server.should_exit = True
    thread.join(10)


@contextmanager
def opened(browser: Browser, address: str, size: tuple[int, int] = (360, 740), **context: Any) -> Iterator[Page]:
    """A page of its own context; anything in the browser's console fails the test."""
    said: list[str] = []
    made = browser.new_context(viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce", **context)
    page = made.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.goto(address)
    try:
        yield page
    finally:
        made.close()
    assert [line for line in said if "ERR_FAILED" not in line] == []


def send(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.keyboard.press("Enter")


def replies(page: Page, count: int) -> None:
    page.wait_for_function(
        "count => document.querySelectorAll('.turn:not(.mine, .welcome, .typing)').length === count", arg=count
    )


def test_a_question_is_answered_in_place(browser: Browser, site: tuple[str, FakeService]) -> None:
    with opened(browser, site[0]) as page:
        send(page, f"装电梯{HOSTILE}")
        replies(page, 1)
        assert page.locator(".mine .said").inner_text() == f"装电梯{HOSTILE}"
        assert page.locator(".turn .title").inner_text().startswith("老旧小区加装电梯")
        assert page.locator(".turn .facts li").count() == 12
        assert page.locator(".turn .caution").is_visible()
        assert page.locator(".turns img").count() == 0
        assert page.title() == "甬改问答"
        assert page.input_value("#text") == ""
        assert page.url == site[0]


def test_a_long_reply_is_shown_from_its_top(browser: Browser, site: tuple[str, FakeService]) -> None:
    with opened(browser, site[0]) as page:
        for count in (1, 2):
            send(page, "装电梯")
            replies(page, count)
            box = page.locator(".turn .title").last.bounding_box()
            assert box is not None
            assert 0 <= box["y"] < 300


@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_overflows(browser: Browser, site: tuple[str, FakeService], size: tuple[int, int], scheme: str) -> None:
    with opened(browser, site[0], size, color_scheme=scheme) as page:
        for count, text in enumerate(("装电梯", "选哪个", LONG_WORD[:200]), 1):
            send(page, text)
            replies(page, count)
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        small = """[...document.querySelectorAll('.bubble p, .bubble li, .chip, .vote, textarea, .send')]
            .filter(each => parseFloat(getComputedStyle(each).fontSize) < (each.matches('.period, .source') ? 14 : 16))
            .length"""
        assert page.evaluate(small) == 0
        low = """[...document.querySelectorAll('.chip, .vote, .send, .imprint a')]
            .filter(each => each.offsetHeight < 44).length"""
        assert page.evaluate(low) == 0


def test_enter_sends_but_not_while_an_ime_composes(browser: Browser, site: tuple[str, FakeService]) -> None:
    with opened(browser, site[0]) as page:
        page.fill("#text", "dian ti")
        for how in ({"isComposing": True}, {"keyCode": 229}):
            press = "key => document.getElementById('text').dispatchEvent(new KeyboardEvent('keydown', key))"
            page.evaluate(press, {"key": "Enter", **how})
        page.keyboard.press("Shift+Enter")
        assert page.locator(".mine").count() == 0
        assert page.input_value("#text") == "dian ti\n"
        page.keyboard.press("Enter")
        replies(page, 1)
        assert site[1].asked[-1] == "dian ti"


def test_chips_ask_and_votes_count(browser: Browser, site: tuple[str, FakeService]) -> None:
    with opened(browser, site[0]) as page:
        page.get_by_role("button", name="选哪个").click()
        replies(page, 1)
        page.get_by_role("button", name="有用").click()
        page.wait_for_selector("text=谢谢，记下了。")
        assert site[1].votes[-1] == (3, "up")
        assert page.get_by_role("button", name="有用").get_attribute("aria-pressed") == "true"
        page.get_by_role("button", name="都不是").click()
        replies(page, 2)
        assert site[1].asked[-1] == "都不是"
        assert page.locator(".votes").count() == 1  # none under small talk


def test_the_indicator_comes_only_when_it_takes_long(browser: Browser, site: tuple[str, FakeService]) -> None:
    with opened(browser, site[0]) as page:
        page.evaluate(
            "window.seen = 0; new MutationObserver(() => { seen += document.querySelectorAll('.typing').length })"
            ".observe(document.getElementById('turns'), {childList: true})"
        )
        send(page, "你好")
        replies(page, 1)
        assert page.evaluate("seen") == 0
        send(page, "慢")
        page.wait_for_selector(".typing")
        replies(page, 2)
        assert page.locator(".typing").count() == 0


def test_a_failed_question_can_be_sent_again(browser: Browser, site: tuple[str, FakeService]) -> None:
    with opened(browser, site[0]) as page:
        page.route("**/api/ask", lambda route: route.abort())
        send(page, "你好")
        page.wait_for_selector("text=网络好像不通")
        page.unroute("**/api/ask")
        page.get_by_role("button", name="重试").click()
        page.wait_for_selector("text=您好。")
        assert page.locator(".mine").count() == 1
        assert page.locator(".failed").count() == 0


def test_the_counter_appears_near_the_limit(browser: Browser, site: tuple[str, FakeService]) -> None:
    with opened(browser, site[0]) as page:
        for length, text in ((100, ""), (190, "还可写 10 字"), (200, "写满了")):
            page.fill("#text", "字" * length)
            assert page.locator("#count").inner_text() == text


def test_a_session_lasts_as_long_as_its_turns_are_shown(browser: Browser, site: tuple[str, FakeService]) -> None:
    tokens: list[str] = []
    with opened(browser, site[0]) as page:

        def keep(sent: Request) -> None:
            if sent.post_data:
                tokens.append(json.loads(sent.post_data)["session"])

        page.on("request", keep)
        for _ in range(2):
            for count in (1, 2):
                send(page, "你好")
                replies(page, count)
            page.reload()
        assert len(tokens) == 4
        assert tokens[0] == tokens[1] != tokens[2] == tokens[3]
        assert len(tokens[0]) >= 32


def test_the_page_works_without_javascript(browser: Browser, site: tuple[str, FakeService]) -> None:
    with opened(browser, site[0], java_script_enabled=False) as page:
        expect = playwright.expect
        page.get_by_role("button", name="选哪个").click()
        expect(page.locator(".mine .said")).to_have_text("选哪个")
        page.get_by_role("button", name="街道吹哨").click()
        expect(page.locator(".facts li")).to_have_count(12)
        page.get_by_role("button", name="没用").click()
        expect(page.get_by_text("评价记下了")).to_be_visible()
        assert site[1].votes[-1] == (7, "down")
        page.fill("#text", "你好")
        page.get_by_role("button", name="发送").click()
        expect(page.get_by_text("您好。", exact=True)).to_be_visible()
        cookies = page.context.cookies()
        assert [cookie["httpOnly"] for cookie in cookies] == [True]


def test_script_and_server_build_the_same_reply(browser: Browser, site: tuple[str, FakeService]) -> None:
    """One look, two makers: their markup may differ in white space only."""
    made: list[str] = []
    for script in (True, False):
        with opened(browser, site[0], java_script_enabled=script) as page:
            page.get_by_role("button", name="选哪个").click()
            page.locator(".turn[data-status=choices]").wait_for()
            made.append(page.locator(".turn[data-status=choices]").evaluate("turn => turn.outerHTML"))
            page.get_by_role("button", name="街道吹哨").click()
            page.locator(".turn[data-status=answer]").wait_for()
            made.append(page.locator(".turn[data-status=answer]").evaluate("turn => turn.outerHTML"))
    tidy = ["".join(html.split()) for html in made]
    assert tidy[:2] == tidy[2:]
