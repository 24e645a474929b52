"""The web channel without a network: every route, every kind of broken request, headers, colours."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from bot.channels.service import Draft, Handled
from bot.channels.web.pages import SILENT, STATIC, paragraphs, shown
from bot.channels.web.routes import ASK_LIMIT, COOKIE, FEEDBACK_LIMIT, create_web
from bot.channels.web.security import BodyLimit, same_origin
from bot.model import Message, Reply, Status

BASE = "http://chat.test"
FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


@dataclass
class FakeService:
    """Echoes; remembers what it was asked."""

    seen: list[Message] = field(default_factory=list)
    votes: list[tuple[int, str, str]] = field(default_factory=list)
    state: str = "ok"
    extra: dict[str, Any] = field(default_factory=dict)

    async def handle(self, message: Message, draft: Draft | None = None) -> Handled:
        self.seen.append(message)
        answer: dict[str, Any] = {
            "q": message.text[:200],
            "status": "answer",
            "ids": ["nb-old-estate-lifts"],
            "score": 0.9,
            "text": "老小区能装电梯。",
            "sources": [],
            "options": [{"id": "jb-street-whistle", "label": "街道吹哨"}, {"id": "", "label": "都不是"}],
            "took_ms": 0.4,
            "id": 7,
            "blocks": [
                {"kind": "title", "text": "老旧小区加装电梯｜宁波市"},
                {"kind": "fact", "text": "5个部门一起审。"},
                {"kind": "fact", "text": "最快10天。"},
                {"kind": "caution", "text": "数字截至2019年。"},
            ],
        }
        return Handled(answer | self.extra, Reply(Status.ANSWER, ()))

    async def feedback(self, row_id: int, verdict: str, message: Message) -> bool:
        self.votes.append((row_id, verdict, message.user))
        return row_id == 7

    def health(self) -> dict[str, Any]:
        return {"status": self.state}

    def ready(self) -> bool:
        return True

    def metrics_text(self) -> bytes:
        return b""

    def welcome(self) -> tuple[str, list[str]]:
        return "您好。<b>", ["微信能打官司吗", "装电梯\"'&"]


@pytest.fixture
def service() -> FakeService:
    return FakeService()


def call(service: FakeService, method: str, path: str, **request: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=create_web(service), client=("203.0.113.9", 4000))
        async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
            return await client.request(method, path, **request)

    return asyncio.run(send())


def ask(service: FakeService, body: bytes | dict[str, Any]) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return call(service, "POST", "/api/ask", content=content, headers=JSON)


def test_ask_returns_the_payload_as_readable_json(service: FakeService) -> None:
    response = ask(service, {"text": "装电梯", "session": "s1"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert response.json()["id"] == 7
    assert "老旧小区" in response.text  # not \u escapes
    assert service.seen == [Message("装电梯", "web", "s1", None, "203.0.113.9")]


@pytest.mark.parametrize("session", ["absent", None, ""])
def test_without_a_session_a_caller_is_nobody(service: FakeService, session: str | None) -> None:
    body = {"text": "你好"} if session == "absent" else {"text": "你好", "session": session}
    ask(service, body)
    ask(service, body)
    assert [(message.user, message.passing) for message in service.seen] == [("", True)] * 2


BROKEN = {
    "empty": b"",
    "not json": b"{",
    "not utf-8": b'{"text": "\xff"}',
    "list": b"[]",
    "string": b'"text"',
    "null": b"null",
    "no text": b'{"session": "s"}',
    "text null": b'{"text": null}',
    "text number": b'{"text": 12345}',
    "text list": b'{"text": ["a"]}',
    "session number": b'{"text": "a", "session": 5}',
    "session list": b'{"text": "a", "session": ["x"]}',
    "session long": b'{"text": "a", "session": "' + b"x" * 129 + b'"}',
    "session surrogate": b'{"text": "a", "session": "\\ud800"}',
    "deep": b"[" * 200_000,
    "deep object": b'{"text":' * 100_000,
    "huge number": b'{"text": ' + b"9" * 10_000 + b"}",
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("path", ["/api/ask", "/api/feedback"])
def test_broken_json_gets_one_chinese_sentence(service: FakeService, path: str, body: bytes) -> None:
    response = call(service, "POST", path, content=body, headers=JSON)
    assert 400 <= response.status_code < 500
    assert list(response.json()) == ["error"]
    assert re.search("[一-鿿]", response.json()["error"])
    assert not service.seen
    assert not service.votes


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_the_api_takes_nothing_but_json(service: FakeService, kind: str) -> None:
    """A page of another site can post these types without asking; JSON it cannot."""
    response = call(service, "POST", "/api/ask", content=b'{"text": "a"}', headers={"content-type": kind})
    assert response.status_code == 415
    assert "error" in response.json()


ODD = {
    "empty": "",
    "blank": " \t\n",
    "100,000 characters": "电" * 100_000,
    "3,000 lines": "电梯\n" * 3_000,
    "nul": "a\x00b",
    "bidi": "\u202eabc\u2066",
    "emoji": "👩‍👩‍👧‍👦" * 50,
    "markup": "<script>alert(1)</script>{{ 7 * 7 }}",
    "lone surrogates": "\ud800电梯\udfff",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_any_text_gets_a_reply_that_encodes(service: FakeService, text: str) -> None:
    response = ask(service, {"text": text, "session": "s"})
    assert response.status_code == 200
    service.seen[0].text.encode("utf-8")
    assert response.json()["q"] == re.sub("[\ud800-\udfff]", "\ufffd", text)[:200]


def test_a_reply_with_lone_surrogates_still_encodes(service: FakeService) -> None:
    service.extra = {"q": "\udc00", "blocks": [{"kind": "fact", "text": "\ud800"}]}
    assert ask(service, {"text": "a"}).json()["q"] == "\ufffd"
    assert "\ufffd" in call(service, "POST", "/", data={"text": "a"}).text


@pytest.mark.parametrize(
    ("path", "limit"), [("/api/ask", ASK_LIMIT), ("/api/feedback", FEEDBACK_LIMIT), ("/", ASK_LIMIT)]
)
@pytest.mark.parametrize("declared", [True, False])
def test_long_bodies_are_refused(service: FakeService, path: str, limit: int, declared: bool) -> None:
    async def chunks() -> Any:
        for _ in range(limit // 1024 + 1):
            yield b"x" * 1024

    content = b"x" * (limit + 1) if declared else chunks()
    response = call(service, "POST", path, content=content, headers=FORM if path == "/" else JSON)
    assert response.status_code == 413
    assert "太长" in response.text
    assert not service.seen


def test_a_body_that_never_ends_is_given_up() -> None:
    sent: list[Any] = []

    async def never(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the application must not be reached")

    async def receive() -> Any:
        await asyncio.sleep(60)

    async def send(message: Any) -> None:
        sent.append(message)

    def refuse(status: int, text: str) -> Any:
        return PlainTextResponse(text, status)

    limited = BodyLimit(never, limit=10, refuse=refuse, seconds=0.01)
    asyncio.run(limited({"type": "http", "headers": [], "method": "POST"}, receive, send))
    assert sent[0]["status"] == 408


def test_feedback_reaches_the_service(service: FakeService) -> None:
    good = call(service, "POST", "/api/feedback", json={"id": 7, "verdict": "up", "session": "s"})
    unknown = call(service, "POST", "/api/feedback", json={"id": 8, "verdict": "down", "session": "s"})
    assert (good.status_code, good.json()) == (200, {"ok": True})
    assert (unknown.status_code, list(unknown.json())) == (404, ["error"])
    assert service.votes == [(7, "up", "s"), (8, "down", "s")]
    assert call(service, "POST", "/api/feedback", json={"id": 7, "verdict": "up"}).status_code == 200
    assert service.votes[-1] == (7, "up", "")


@pytest.mark.parametrize(
    "body",
    [
        {"id": True, "verdict": "up"},
        {"id": "7", "verdict": "up"},
        {"id": 7.0, "verdict": "up"},
        {"id": 0, "verdict": "up"},
        {"id": -1, "verdict": "up"},
        {"id": 2**63, "verdict": "up"},
        {"verdict": "up"},
        {"id": 7},
        {"id": 7, "verdict": "UP"},
        {"id": 7, "verdict": ["up"]},
        {"id": 7, "verdict": {}},
    ],
)
def test_feedback_of_wrong_types_is_refused(service: FakeService, body: dict[str, Any]) -> None:
    assert call(service, "POST", "/api/feedback", json=body).status_code == 400
    assert not service.votes


@pytest.mark.parametrize(("state", "status"), [("ok", 200), ("degraded", 503)])
def test_health(service: FakeService, state: str, status: int) -> None:
    service.state = state
    response = call(service, "GET", "/healthz")
    assert (response.status_code, response.json()) == (status, {"status": state})


def test_the_page_greets_and_escapes(service: FakeService) -> None:
    page = call(service, "GET", "/").text
    assert '<html lang="zh-CN">' in page
    assert "您好。&lt;b&gt;" in page
    assert 'value="装电梯&#34;&#39;&amp;"' in page
    assert 'role="log" aria-live="polite"' in page
    assert 'href="tel:12345"' in page
    assert 'maxlength="200"' in page
    assert COOKIE not in page


def test_the_page_has_nothing_inline_and_nothing_foreign(service: FakeService) -> None:
    for page in (call(service, "GET", "/").text, call(service, "POST", "/", data={"text": "a"}).text):
        assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=|javascript:", page)
        links = re.findall(r'(?:src|href|action)="([^"]*)"', page)
        assert links
        assert all(link.startswith(("/", "tel:")) and not link.startswith("//") for link in links)


def test_the_form_answers_without_javascript(service: FakeService) -> None:
    response = call(service, "POST", "/", data={"text": "装电梯<img src=x onerror=alert(1)>"})
    page = response.text
    assert response.status_code == 200
    assert "&lt;img src=x" in page
    assert "<img src=x" not in page
    assert '老旧小区加装电梯<span class="place">宁波市</span>' in page
    assert re.search(r'<ul class="facts">\s*<li>5个部门一起审。</li>\s*<li>最快10天。</li>\s*</ul>', page)
    assert '<button class="chip" name="text" value="都不是">' in page
    assert page.count('aria-label="有用"') == 2  # the reply's, and the template for the script
    cookie = response.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    assert service.seen[0].channel == "web"
    assert service.seen[0].user == response.cookies[COOKIE]


def test_the_cookie_is_the_session_and_a_forged_one_is_replaced(service: FakeService) -> None:
    kept = "Ab-_" * 8
    call(service, "POST", "/", data={"text": "a"}, headers={"cookie": f"{COOKIE}={kept}"})
    call(service, "POST", "/", data={"text": "a"}, headers={"cookie": f"{COOKIE}=chosen-by-me"})
    call(service, "POST", "/", data={"text": "a"}, headers={"cookie": f"{COOKIE}={'x' * 200}"})
    assert service.seen[0].user == kept
    assert all(re.fullmatch("[A-Za-z0-9_-]{32}", message.user) for message in service.seen[1:])
    assert len({message.user for message in service.seen}) == 3
    secure = call(service, "POST", "https://chat.test/", data={"text": "a"})
    assert "secure" in secure.headers["set-cookie"].lower()


def test_opening_the_page_ends_the_session(service: FakeService) -> None:
    opened = call(service, "GET", "/", headers={"cookie": f"{COOKIE}={'a' * 32}"})
    assert f'{COOKIE}=""' in opened.headers["set-cookie"]
    assert "Max-Age=0" in opened.headers["set-cookie"]
    assert "set-cookie" not in call(service, "GET", "/").headers


def test_a_vote_without_javascript(service: FakeService) -> None:
    assert "记下了" in call(service, "POST", "/", data={"id": "7", "verdict": "up"}).text
    for row in ("8", "x", "", "9" * 30, "٣", "-1"):
        assert "没有记上" in call(service, "POST", "/", data={"id": row, "verdict": "down"}).text
    assert [vote[:2] for vote in service.votes] == [(7, "up"), (8, "down")]


@pytest.mark.parametrize("data", [{}, {"text": ""}, {"text": " \n"}, {"other": "x"}])
def test_a_form_without_a_question_asks_for_one(service: FakeService, data: dict[str, str]) -> None:
    response = call(service, "POST", "/", data=data, headers=FORM)
    assert response.status_code == 400
    assert "还没有写问题" in response.text
    assert not service.seen


@pytest.mark.parametrize("content", [b"&" * 100, b"text=%ff%00%ed%a0%80", b"text=" + b"%E7%94%B5" * 100_000])
def test_odd_forms_never_break(service: FakeService, content: bytes) -> None:
    response = call(service, "POST", "/", content=content, headers=FORM)
    assert response.status_code in (200, 400)
    assert len(response.content) < 20_000


def test_a_form_of_another_type_is_refused(service: FakeService) -> None:
    assert call(service, "POST", "/", files={"text": b"a"}).status_code == 415


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": ""}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://a.cn"}, False),
        ({"origin": "https://a.cn"}, True),
        ({"origin": "http://A.cn:80"}, True),
        ({"origin": "https://a.cn:8443"}, False),
        ({"origin": "https://evil.cn"}, False),
        ({"origin": "https://a.cn.evil.cn"}, False),
        ({"origin": "null"}, False),
        ({"origin": ""}, False),
        ({"origin": "http://[::1"}, False),
    ],
)
def test_same_origin(headers: dict[str, str], allowed: bool) -> None:
    assert same_origin({"host": "a.cn"} | headers) is allowed


def test_a_form_of_another_site_is_refused(service: FakeService) -> None:
    response = call(service, "POST", "/", data={"text": "a"}, headers={"sec-fetch-site": "cross-site"})
    assert response.status_code == 403
    assert "set-cookie" not in response.headers
    assert not service.seen


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/", 200),
        ("POST", "/", 415),
        ("PUT", "/", 405),
        ("GET", "/api/ask", 405),
        ("POST", "/api/ask", 415),
        ("GET", "/api/none", 404),
        ("GET", "/healthz", 200),
        ("GET", "/static/chat.js", 200),
        ("POST", "/static/chat.js", 405),
        ("GET", "/static/", 404),
        ("GET", "/static/none.js", 404),
        ("GET", "/static/%00", 404),
        ("GET", "/static/" + "x" * 5000, 404),
        ("GET", "/static/..%2froutes.py", 404),
        ("GET", "/static/../routes.py", 404),
        ("GET", "/%ff%fe", 404),
        ("GET", "/nothing", 404),
    ],
)
def test_every_response_carries_the_security_headers(service: FakeService, method: str, path: str, status: int) -> None:
    response = call(service, method, path)
    assert response.status_code == status
    policy = response.headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert "default-src 'self'" in policy[0]
    assert "frame-ancestors 'none'" in policy[0]
    assert "unsafe" not in policy[0]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "same-origin"
    if status >= 400:
        assert re.search("[一-鿿]", response.text)
        assert ("error" in response.text) == path.startswith("/api/")


def test_embedding_is_a_setting(service: FakeService) -> None:
    async def send() -> httpx.Response:
        app = create_web(service, frame_ancestors="'self' https://www.example.cn")
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as client:
            return await client.get("/")

    headers = asyncio.run(send()).headers
    assert "frame-ancestors 'self' https://www.example.cn" in headers["content-security-policy"]
    assert "x-frame-options" not in headers


def test_static_files_are_kept_only_under_their_version(service: FakeService) -> None:
    versioned = re.findall(r'"(/static/[^"]+)"', call(service, "GET", "/").text)
    assert len(set(versioned)) == 4
    for address in versioned:
        assert "immutable" in call(service, "GET", address).headers["cache-control"]
    plain = call(service, "GET", "/static/chat.css?v=0")
    assert plain.headers["cache-control"] == "no-cache"
    again = call(service, "GET", "/static/chat.css", headers={"if-none-match": plain.headers["etag"]})
    assert again.status_code == 304


def test_neighbouring_paragraphs_of_a_kind_stand_together() -> None:
    blocks = [{"kind": kind, "text": text} for kind, text in (("fact", "一"), ("fact", "二"), ("note", "三"))]
    assert paragraphs({"blocks": blocks}) == [("fact", ["一", "二"]), ("note", ["三"])]
    assert paragraphs({"text": "只有文字"}) == [("summary", ["只有文字"])]
    assert paragraphs({"text": "", "blocks": []}) == [("summary", [SILENT])]
    assert SILENT in (STATIC / "chat.js").read_text(encoding="utf-8")


def test_a_question_is_shown_without_control_characters_and_not_endless() -> None:
    assert shown(" a\x00b\nc ") == "ab\nc"
    assert shown("电" * 100_000) == "电" * 500 + "……"


GROUNDS = {
    "paper": ("ink", "muted", "jade"),
    "surface": ("ink", "muted", "jade"),
    "tint": ("on-tint",),
    "mine": ("on-mine",),
    "amber": ("on-amber",),
    "jade": ("on-jade",),
    "jade-strong": ("on-jade",),
}


def _themes() -> dict[str, dict[str, str]]:
    themes: dict[str, dict[str, str]] = {"light": {}, "dark": {}}
    for name in ("palette.css", "chat.css"):
        css = (STATIC / name).read_text(encoding="utf-8")
        parts = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[:2]
        for colours, part in zip(themes.values(), parts, strict=True):
            colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", part))
    return themes


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_meet_wcag_aa(theme: str) -> None:
    colours = _themes()[theme]
    for ground, inks in GROUNDS.items():
        for ink in inks:
            assert _contrast(colours[ground], colours[ink]) >= 4.5, (ground, ink)
    assert _contrast(colours["paper"], colours["edge"]) >= 3
    assert _contrast(colours["surface"], colours["edge"]) >= 3
