"""Pausing and resuming from the dashboard."""

from __future__ import annotations

import httpx

from bot.model import Message
from tests.dashboard.conftest import Site
from tests.dashboard.test_pages import HOSTILE, checked

ENTRY = "nb-mobile-micro-court"


async def said(site: Site, text: str) -> str:
    return str((await site.app.handle(Message(text, channel="web", user="u"))).payload["text"])


async def post(admin: httpx.AsyncClient, what: str, **fields: str) -> str:
    done = await admin.post(f"/admin/system/{what}", data=fields)
    return (await admin.get(done.headers["location"])).text if done.status_code == 303 else f"{done.status_code}"


async def test_the_whole_bot_and_one_entry_are_paused_and_resumed(site: Site, admin: httpx.AsyncClient) -> None:
    usual = await said(site, "移动微法院怎么用")
    for subject in ("*", ENTRY):
        html = await post(admin, "pause", subject=subject, why=HOSTILE[0])
        assert "已经暂停" in html
        assert HOSTILE[0] in "".join(checked(html).words)
        assert await said(site, "移动微法院怎么用") != usual
        assert "已经恢复" in await post(admin, "resume", subject=subject, why="核对过了")
        assert await said(site, "移动微法院怎么用") == usual
    assert "没有暂停" in await post(admin, "resume", subject=ENTRY)
    audit = (await admin.get("/admin/audit")).text
    for word in ("暂停", "恢复", "整个机器人", ENTRY, "核对过了", "测试"):
        assert word in audit
    assert audit.count("<td>暂停</td>") == audit.count("<td>恢复</td>") == 2


async def test_a_pause_needs_a_reason_and_an_entry(site: Site, admin: httpx.AsyncClient) -> None:
    for fields in ({"subject": ENTRY, "why": " "}, {"subject": "nothing", "why": "x"}, {"why": "x"}):
        assert await post(admin, "pause", **fields) == "400"
    assert site.app.switch.paused.pauses == {}
