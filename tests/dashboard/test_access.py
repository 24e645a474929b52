"""Who gets in, and who does not: every route, every way of asking."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import BaseRoute, Mount, Route

from bot.dashboard.access import COOKIE, Access, new_link
from bot.dashboard.attempts import IN_ALL, PER_ADDRESS, WINDOW, Attempts
from bot.dashboard.login import link
from bot.dashboard.site import base_of, is_on
from bot.desk import Desk
from bot.errors import SettingsError
from bot.settings import load_settings
from tests.dashboard.conftest import PASSWORD, Site, opened

ROUTES = {
    ("GET", "/admin/login"),
    ("POST", "/admin/login"),
    ("POST", "/admin/logout"),
    ("GET", "/admin/export/{name}.{kind}"),
    ("GET", "/admin/"),
    ("GET", "/admin/channels"),
    ("GET", "/admin/regions"),
    ("GET", "/admin/entries"),
    ("GET", "/admin/questions"),
    ("GET", "/admin/questions/{id}"),
    ("GET", "/admin/wordings"),
    ("GET", "/admin/gaps"),
    ("GET", "/admin/gaps/export.{kind}"),
    ("POST", "/admin/gaps/refresh"),
    ("GET", "/admin/gaps/{id}"),
    ("GET", "/admin/gaps/{id}/issue.md"),
    ("POST", "/admin/gaps/{id}/state"),
    ("GET", "/admin/system"),
    ("POST", "/admin/system/reload"),
    ("POST", "/admin/system/pause"),
    ("POST", "/admin/system/resume"),
    ("GET", "/admin/audit"),
    ("GET", "/admin/knowledge"),
    ("GET", "/admin/knowledge/edit"),
    ("GET", "/admin/knowledge/live"),
    ("GET", "/admin/knowledge/history"),
    ("GET", "/admin/knowledge/version"),
    ("POST", "/admin/knowledge/check"),
    ("POST", "/admin/knowledge/preview"),
    ("POST", "/admin/knowledge/try"),
    ("POST", "/admin/knowledge/replay"),
    ("POST", "/admin/knowledge/save"),
    ("POST", "/admin/knowledge/undo"),
}
"""Every route of the dashboard. The guard refuses a new one without a login, and this test fails until it is listed."""

OPEN = {("GET", "/admin/login"), ("POST", "/admin/login")}
BROKEN_HEADERS = [
    {"host": "["},
    {"host": ""},
    {"host": "bot:99999999"},
    {"content-length": "-1"},
    {"content-length": "x"},
    {"content-type": "\xff/\xfe"},
    {"origin": "\xff"},
    {"sec-fetch-site": "\x01"},
    {"x-forwarded-for": "'; DROP TABLE"},
    {"accept-language": "," * 4000},
]
BROKEN_QUERIES = [
    "?days=x&view=%00&q=%ff%fe&status=%27&before=0",
    "?before=99999999999999999999&from=2026-99-99&to=0001-01-01",
    "?from=9999-12-31&to=9999-12-31&entry=..%2f&channel=%3Cimg%3E",
    "?q=" + "%25_%5C" * 30 + "&verdict=up&verdict=down",
    "?said=%3Cscript%3E",
]
ORIGINS: list[tuple[dict[str, str], bool]] = [
    ({}, True),
    ({"sec-fetch-site": "same-origin"}, True),
    ({"sec-fetch-site": "none"}, True),
    ({"sec-fetch-site": "cross-site"}, False),
    ({"sec-fetch-site": "same-site"}, False),
    ({"sec-fetch-site": "cross-site", "origin": "http://bot"}, False),
    ({"origin": "http://bot"}, True),
    ({"origin": "http://evil.test"}, False),
    ({"origin": "null"}, False),
    ({"origin": "http://["}, False),
]
FORM = {"content-type": "application/x-www-form-urlencoded"}
FORGED = ["", "x", "a.b.c", "é" * 40, '";,\\', "%00", "ImEi.AAAA", "ImEi" * 400, "null", "..", "\x7f"]


def routes_of(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in routes:
        if isinstance(route, Mount):
            inner = list(route.routes)
            yield from routes_of(inner, prefix + route.path)
        elif isinstance(route, Route):
            path = re.sub(r":\w+}", "}", prefix + route.path)
            yield from ((method, path) for method in route.methods or () if method != "HEAD")


def enumerated(site: Site) -> set[tuple[str, str]]:
    return {(method, path) for method, path in routes_of(site.web.routes) if path.startswith("/admin")}


def address(path: str) -> str:
    return path.replace("{id}", "1").replace("{name}", "questions").replace("{kind}", "csv")


async def test_every_route_is_listed(site: Site) -> None:
    assert enumerated(site) == ROUTES


async def test_every_route_is_refused_without_a_login(site: Site) -> None:
    await site.ask("市民的话")
    closed = enumerated(site) - OPEN
    assert len(closed) > 8
    for cookie in (None, "forged.cookie"):
        async with site.client(cookie) as client:
            for method, path in closed:
                response = await client.request(method, address(path), headers=FORM)
                assert response.status_code == 401, (method, path)
                assert response.headers["www-authenticate"]
                assert "市民的话" not in response.text


@pytest.mark.parametrize("path", ["/admin/nothing", "/admin/questions/x", "/admin/questions/", "/admin/static"])
async def test_what_is_not_there_is_refused_too(site: Site, path: str) -> None:
    async with site.client() as client:
        assert (await client.get(path)).status_code in {401, 404, 307}
    async with site.client(await site.cookie(), follow_redirects=True) as client:
        assert (await client.get(path)).status_code in {404, 200}


async def test_forms_count_only_from_our_own_pages(site: Site) -> None:
    posts = sorted(path for method, path in enumerated(site) if method == "POST")
    assert posts
    for path in posts:
        for headers, allowed in ORIGINS:
            async with site.client(await site.cookie()) as client:
                response = await client.post(address(path), headers=FORM | headers, content=b"")
                refused = response.status_code == 403 and "别的网站" in response.text
                assert refused is not allowed, (path, headers)


async def test_malformed_cookies_are_refused(site: Site) -> None:
    async with site.client() as client:
        for cookie in FORGED:
            for header in (f"{COOKIE}={cookie}", f'{COOKIE}="{cookie}', f";;={cookie};{COOKIE}", cookie):
                response = await client.get("/admin/questions", headers={"cookie": header.encode("utf-8", "replace")})
                assert response.status_code == 401, header


async def test_malformed_headers_never_break(site: Site) -> None:
    async with site.client() as stranger:
        for headers in BROKEN_HEADERS:
            given = {name: value.encode("latin-1") for name, value in headers.items()}
            async with site.client(await site.cookie()) as client:
                for method, path in sorted(ROUTES):
                    response = await client.request(method, address(path), headers=given)
                    assert response.status_code < 500, (method, path, headers)
                assert (await stranger.get("/admin/", headers=given)).status_code in {400, 401}


async def test_malformed_addresses_never_break(site: Site) -> None:
    await site.ask("一句话", status="none")
    await site.app.gaps.refresh(site.app.desk)
    async with site.client(await site.cookie()) as client:
        for query in BROKEN_QUERIES:
            for method, path in sorted(ROUTES):
                if method == "GET":
                    assert (await client.get(address(path) + query)).status_code in {200, 400}, (path, query)
        assert (await client.get("/admin/questions/99999999999999999999")).status_code == 404


async def test_a_password_lets_in_and_out(site: Site) -> None:
    async with site.client() as client:
        refused = await client.get("/admin/questions?status=none")
        assert 'value="/admin/questions?status=none"' in refused.text
        wrong = await client.post("/admin/login", data={"password": "wrong"})
        assert (wrong.status_code, "set-cookie" in wrong.headers) == (403, False)
        entered = await client.post("/admin/login", data={"password": PASSWORD, "onward": "/admin/questions"})
        assert (entered.status_code, entered.headers["location"]) == (303, "/admin/questions")
        held = entered.headers["set-cookie"]
        assert "HttpOnly" in held
        assert "SameSite=lax" in held
        assert "Path=/admin" in held
        assert "Max-Age=43200" in held
        assert "Secure" not in held
        cookie = client.cookies[COOKIE]
        assert (await client.get("/admin/")).status_code == 200
        assert (await client.post("/admin/logout", data={"everybody": "1"})).status_code == 303
    async with site.client(cookie) as stolen:  # ended on the server, not only in the browser
        assert (await stolen.get("/admin/")).status_code == 401


async def test_the_cookie_is_for_https_only_where_there_is_https(site: Site) -> None:
    transport = httpx.ASGITransport(site.web)
    async with httpx.AsyncClient(transport=transport, base_url="https://bot") as client:
        entered = await client.post("/admin/login", data={"password": PASSWORD})
        assert "Secure" in entered.headers["set-cookie"]


@pytest.mark.parametrize(
    "onward", ["//evil.test", "https://evil.test/admin/", "/admin/../x\r\nA: b", "/other", "/admin/\\"]
)
async def test_a_login_goes_on_only_within_the_dashboard(site: Site, onward: str) -> None:
    async with site.client() as client:
        entered = await client.post("/admin/login", data={"password": PASSWORD, "onward": onward})
        assert entered.headers["location"] == "/admin/"


async def test_a_link_works_once_and_not_by_being_looked_at(site: Site) -> None:
    token = await new_link(site.app.querylog, site.clock.now)
    async with site.client() as client:
        for _ in range(3):
            assert token in (await client.get(f"/admin/login?token={token}")).text
        assert (await client.post("/admin/login", data={"token": token})).status_code == 303
        assert (await client.get("/admin/")).status_code == 200
    async with site.client() as other:
        again = await other.post("/admin/login", data={"token": token})
        assert again.status_code == 403
        assert "已经用过" in again.text


async def test_links_and_sessions_grow_old(site: Site) -> None:
    token = await new_link(site.app.querylog, site.clock.now)
    cookie = await site.cookie()
    site.clock.later(minutes=11)
    async with site.client(cookie) as client:
        assert (await client.post("/admin/login", data={"token": token})).status_code == 403
        assert (await client.get("/admin/")).status_code == 200
        site.clock.later(hours=12)
        assert (await client.get("/admin/")).status_code == 401


async def test_the_database_lets_nobody_in(site: Site, tmp_path: Path) -> None:
    token, cookie = await new_link(site.app.querylog, site.clock.now), await site.cookie()
    with closing(sqlite3.connect(tmp_path / "log.db")) as other:
        dumped = "\n".join(other.iterdump())
    assert "admin_session" in dumped
    assert token not in dumped
    assert cookie.split(".")[0] not in dumped
    stored = re.findall(r'INTO "(?:admin_session|login_link)" VALUES\(\'(\w+)\'', dumped)
    assert len(stored) == 2
    async with site.client() as client:
        for value in stored:
            assert (await client.post("/admin/login", data={"token": value})).status_code == 403


async def test_a_new_password_ends_every_session(site: Site) -> None:
    cookie = await site.cookie()
    before = Access(site.app.querylog, site.app.settings.admin_password_hash.get_secret_value(), lambda: site.clock.now)  # type: ignore[union-attr]
    after = Access(site.app.querylog, "another hash", lambda: site.clock.now)
    assert await before.session(cookie) is not None
    assert await after.session(cookie) is None


async def test_everybody_can_be_sent_out(site: Site, admin: httpx.AsyncClient) -> None:
    async with site.client(await site.cookie()) as other:
        assert (await other.get("/admin/")).status_code == 200
        await admin.post("/admin/logout", data={"everybody": "1"})
        assert (await other.get("/admin/")).status_code == 401


async def test_guessing_ends_after_a_few_attempts(site: Site) -> None:
    async with site.client() as client:
        for _ in range(PER_ADDRESS):
            assert (await client.post("/admin/login", data={"token": "guess"})).status_code == 403
        assert (await client.post("/admin/login", data={"password": PASSWORD})).status_code == 429
        site.clock.later(seconds=WINDOW)
        assert (await client.post("/admin/login", data={"password": PASSWORD})).status_code == 303


def test_attempts_are_counted_by_network_and_in_all() -> None:
    attempts = Attempts()
    assert all(attempts.admit(f"2001:db8::{number:x}", 0) for number in range(PER_ADDRESS))
    assert not attempts.admit("2001:db8::ffff", 0)
    assert attempts.admit("192.0.2.1", 0)
    attempts.forgive("2001:db8::1")
    assert attempts.admit("2001:db8::2", 0)
    many = sum(attempts.admit(f"198.51.{number}.1", 1) for number in range(IN_ALL))
    assert many == IN_ALL - PER_ADDRESS - 2
    assert attempts.admit("203.0.113.9", WINDOW + 2)


async def test_every_action_leaves_a_line(site: Site, admin: httpx.AsyncClient) -> None:
    async with site.client() as client:
        await client.post("/admin/login", data={"password": "wrong"})
    await admin.get("/admin/export/questions.csv?status=none")
    shown = (await admin.get("/admin/audit")).text
    for word in ("登录失败", "导出", "questions.csv", "none", "测试"):
        assert word in shown
    assert "wrong" not in shown


async def test_security_headers_are_on_every_reply(site: Site, admin: httpx.AsyncClient) -> None:
    for path in ("/admin/", "/admin/login", "/admin/nothing", "/admin/static/dashboard.css"):
        headers = (await admin.get(path)).headers
        assert headers["x-frame-options"] == "DENY", path
        assert headers["content-security-policy"].startswith("default-src 'self';")
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        if "static" not in path:
            assert headers["cache-control"] == "no-store"


async def test_too_large_a_form_is_refused(site: Site, admin: httpx.AsyncClient) -> None:
    response = await admin.post("/admin/logout", headers=FORM, content=b"a=" + b"x" * (5 * 1024 * 1024))
    assert response.status_code == 413


@pytest.mark.parametrize(
    ("values", "on"),
    [
        ({}, True),
        ({"host": "localhost"}, True),
        ({"host": "::1"}, True),
        ({"host": "0.0.0.0"}, False),
        ({"host": "bot.example"}, False),
        ({"host": "0.0.0.0", "admin_password_hash": "hash"}, True),
    ],
)
def test_it_is_off_until_configured(values: dict[str, Any], on: bool, password_hash: str) -> None:
    if "admin_password_hash" in values:
        values = values | {"admin_password_hash": password_hash}
    assert is_on(load_settings(**values)) is on


def test_links_lead_to_where_people_reach_the_site() -> None:
    assert link(base_of(load_settings()), "t") == "http://127.0.0.1:8080/admin/login?token=t"
    assert base_of(load_settings(host="::1")) == "http://[::1]:8080"
    assert link(base_of(load_settings(public_url="https://bot.example/")), "t").startswith("https://bot.example/admin/")


def test_what_is_no_hash_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="reformbot password") as caught:
        load_settings(admin_password_hash="secret-in-clear")
    assert "secret-in-clear" not in str(caught.value)


async def test_without_a_password_only_links_let_in(tmp_path: Path, desk: Desk) -> None:
    async with opened(f"sqlite+aiosqlite:///{tmp_path}/log.db", desk) as site, site.client() as client:
        assert "password" not in (await client.get("/admin/login")).text.replace("reformbot password", "")
        assert (await client.post("/admin/login", data={"password": ""})).status_code == 403
