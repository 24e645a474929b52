"""Editing knowledge in the dashboard: every address, drafts that are wrong, saving, conflicts, and the way back."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.dashboard.drafts import DRAFT_BYTES
from bot.desk import Desk
from bot.editing import keep
from bot.knowledge.book import load_or_raise
from tests.dashboard.conftest import Site, opened

FILE = "ningbo/justice.yaml"
COURT = "nb-mobile-micro-court"
WORDS = "月亮上种白菜要交几块"
BAD_NAMES = [
    "../outside.yaml",
    "ningbo/../../outside.yaml",
    "/etc/passwd",
    "ningbo\\justice.yaml",
    ".history/x.yaml",
    "ningbo/justice.yml",
    "ningbo/justice.yaml\x00",
    "a/b/c.yaml",
    "",
]


@pytest.fixture
def folder(tmp_path: Path, few: Path) -> Path:
    made = tmp_path / "knowledge"
    shutil.copytree(few, made)
    return made


@pytest.fixture
async def site(tmp_path: Path, folder: Path, few_desk: Desk, password_hash: str) -> AsyncIterator[Site]:
    url = f"sqlite+aiosqlite:///{tmp_path}/log.db"
    async with opened(url, few_desk, admin_password_hash=password_hash, knowledge=folder) as made:
        yield made


@pytest.fixture
def text(folder: Path) -> str:
    return (folder / FILE).read_text(encoding="utf-8")


def form(text: str, opened: str = "", **more: str) -> dict[str, str]:
    return {"file": FILE, "content": text, "opened": opened, **more}


def with_phrase(text: str, phrase: str = WORDS) -> str:
    return text.replace("  ask:\n", f"  ask:\n    - {phrase}\n", 1)


async def post(admin: httpx.AsyncClient, action: str, values: dict[str, str]) -> httpx.Response:
    return await admin.post(f"/admin/knowledge/{action}", data=values)


def read(response: httpx.Response) -> str:
    return html.unescape(response.text)


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


async def versions_of(admin: httpx.AsyncClient) -> list[str]:
    page = read(await admin.get(f"/admin/knowledge/history?file={FILE}"))
    return re.findall(r"/knowledge/version\?file=[^&]+&id=([\w-]+)", page)


async def test_the_files_are_listed_and_entries_found_by_name(admin: httpx.AsyncClient, folder: Path) -> None:
    page = read(await admin.get("/admin/knowledge"))
    for called in ("宁波市", "民生保障", "livelihood.yaml", "同义词"):
        assert called in page
    links = re.findall(r"edit\?file=([\w/.%-]+)", page)
    assert {name.replace("%2F", "/") for name in links} == {
        path.relative_to(folder).as_posix() for path in folder.rglob("*.yaml")
    }
    found = read(await admin.get("/admin/knowledge?q=微法院"))
    assert "宁波移动微法院" in found
    assert re.search(rf"edit\?file={FILE}&line=[1-9]", found)
    assert "没有这样的条目" in read(await admin.get("/admin/knowledge?q=月球"))
    (folder / FILE).write_text("- id: [", encoding="utf-8")
    assert "1 个错误" in read(await admin.get("/admin/knowledge"))


async def test_a_file_is_shown_as_it_stands(admin: httpx.AsyncClient, text: str) -> None:
    page = read(await admin.get(f"/admin/knowledge/edit?file={FILE}&line=7"))
    assert text in page
    assert keep.digest(text.encode()) in page
    assert 'data-line="7"' in page
    fresh = await admin.get("/admin/knowledge/edit?file=ningbo/brand-new.yaml")
    assert keep.digest(b"") in fresh.text


@pytest.mark.parametrize("name", BAD_NAMES)
async def test_names_that_lead_elsewhere_are_refused(admin: httpx.AsyncClient, tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.yaml").write_text("- secret\n", encoding="utf-8")
    for page in ("edit", "history", "version"):
        response = await admin.get(f"/admin/knowledge/{page}", params={"file": name, "id": "abc"})
        assert response.status_code == 400, page
        assert "secret" not in response.text
    for action in ("check", "preview", "try", "replay", "save", "undo"):
        values = {"file": name, "content": "- x\n", "opened": keep.digest(b""), "id": "abc"}
        assert (await post(admin, action, values)).status_code == 400, action
    assert (tmp_path / "outside.yaml").read_text(encoding="utf-8") == "- secret\n"


async def test_a_link_out_of_the_folder_is_refused(admin: httpx.AsyncClient, folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("- secret\n", encoding="utf-8")
    (folder / "ningbo" / "linked.yaml").symlink_to(outside)
    response = await admin.get("/admin/knowledge/edit?file=ningbo/linked.yaml")
    assert response.status_code == 400
    assert "secret" not in response.text
    values = {"file": "ningbo/linked.yaml", "content": "- x\n", "opened": keep.digest(outside.read_bytes())}
    assert (await post(admin, "save", values)).status_code == 400
    assert outside.read_text(encoding="utf-8") == "- secret\n"


async def test_problems_are_told_at_their_line(admin: httpx.AsyncClient, text: str) -> None:
    fine = (await post(admin, "check", form(text))).json()
    assert [one for one in fine["problems"] if one["error"]] == []
    assert COURT in [item["id"] for item in fine["items"]]
    broken = text.replace("  region: 宁波市", "  regoin: 宁波市", 1)
    line = broken[: broken.index("regoin")].count("\n") + 1
    found = (await post(admin, "check", form(broken))).json()["problems"]
    assert line in [one["line"] for one in found if one["error"]]
    assert all(one["message"] and one["code"].startswith("K") for one in found)
    unreadable = (await post(admin, "check", form("- id: ["))).json()
    assert unreadable["problems"]
    assert unreadable["items"] == []


async def test_windows_line_ends_change_nothing(admin: httpx.AsyncClient, text: str, folder: Path) -> None:
    crlf = with_phrase(text).replace("\n", "\r\n")
    done = await post(admin, "save", form(crlf, keep.digest(text.encode())))
    assert done.status_code == 303
    assert (folder / FILE).read_text(encoding="utf-8") == with_phrase(text)


async def test_an_answer_is_previewed_for_each_channel(admin: httpx.AsyncClient, text: str) -> None:
    changed = text.replace("summary: ", "summary: 先看<这>句。", 1)
    page = (await post(admin, "preview", form(changed, entry=COURT))).text
    assert "宁波移动微法院" in page
    assert re.search(rf'value="{COURT}" selected', page)
    for heading in ("网页", "Telegram", "企业微信"):
        assert f"<h2>{heading}</h2>" in page
    assert "&lt;b&gt;" in page
    first = re.findall(r'<option value="([^"]+)"', page)[0]
    shown = (await post(admin, "preview", form(changed, entry=first))).text
    assert "先看&lt;这&gt;句。" in shown
    assert "先看&amp;lt;这&amp;gt;句。" in shown
    refused = await post(admin, "preview", form("- id: [", entry=COURT))
    assert "改好才能试" in refused.text
    assert "- id: [" in refused.text


async def test_a_question_is_tried_on_both(admin: httpx.AsyncClient, text: str) -> None:
    page = read(await post(admin, "try", form(with_phrase(text), question=WORDS)))
    now, later = page[page.index("<h2>现在") :].split("<h2>改了以后", 1)
    assert "没答上" in now
    assert "宁波移动微法院" in later.split("最像的条目")[0]


async def test_logged_questions_tell_what_a_draft_would_change(site: Site, admin: httpx.AsyncClient, text: str) -> None:
    for number in range(3):
        await site.ask(WORDS, status="none", user_key=f"u{number}")
    await site.ask("微法院是什么", entries=(COURT,))
    page = read(await post(admin, "replay", form(with_phrase(text))))
    assert "2 种问法" in page
    assert "新答上的 1 个" in page
    assert f"<p>{WORDS} <span" in page
    assert "3 人问过" in page
    assert "都答对" in page
    assert "答得都和现在一样" in read(await post(admin, "replay", form(text)))


async def test_what_must_be_reviewed_is_listed_old_and_often_asked_first(site: Site, admin: httpx.AsyncClient) -> None:
    asked = "nb-flexible-work-insurance"
    ids = re.findall(r"questions\?entry=([\w-]+)", read(await admin.get("/admin/entries?view=old")))
    assert ids[0] != asked
    for user in ("a", "b"):
        await site.ask("灵活保一天多少钱", entries=(asked,), user_key=user)
    page = read(await admin.get("/admin/entries?view=old"))
    ids = re.findall(r"questions\?entry=([\w-]+)", page)
    assert ids[0] == asked
    assert len(ids) == len(site.app.desk.book.entries) > 5
    assert page.count("也没写 review_by") == len(ids)


async def test_what_a_draft_would_steal_is_told(site: Site, admin: httpx.AsyncClient, text: str) -> None:
    """A draft that takes another entry's question: two people asked it, and it was answered well."""
    question, owner = "灵活保一天多少钱", "nb-flexible-work-insurance"
    for user in ("a", "b"):
        await site.ask(question, entries=(owner,), user_key=user)
    page = read(await post(admin, "replay", form(with_phrase(text, question))))
    assert "答得不一样的 1 个" in page
    stolen = page[page.index("从别的条目抢来的") :]
    assert re.search(r"灵活就业专属伤害保险.*→ 宁波移动微法院 <span[^>]*>2 次，2 人", stolen)
    assert "从别的条目抢来的" not in read(await post(admin, "replay", form(with_phrase(text))))


async def test_save_history_and_undo(site: Site, admin: httpx.AsyncClient, folder: Path, text: str) -> None:
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        git(folder, *command)
    before = keep.digest(text.encode())
    done = await post(admin, "save", form(with_phrase(text), before, who="王敏", why="补一句问法"))
    assert done.status_code == 303
    assert (folder / FILE).read_text(encoding="utf-8") == with_phrase(text)
    page = read(await admin.get(done.headers["location"]))
    assert "存好了" in page
    assert "正在换上" in page
    assert site.app.reloader.asked.is_set()
    await admin.get("/admin/knowledge")
    kept = await versions_of(admin)
    assert len(kept) == 2
    listed = read(await admin.get(f"/admin/knowledge/history?file={FILE}"))
    assert "王敏 补一句问法" in listed
    assert git(folder, "log", "-1", "--format=%an|%s") == "王敏|补一句问法"
    shown = read(await admin.get(f"/admin/knowledge/version?file={FILE}&id={kept[-1]}"))
    assert f"-    - {WORDS}" in shown
    late = {"file": FILE, "id": kept[-1], "opened": before}
    conflict = await post(admin, "undo", late)
    assert conflict.status_code == 409
    back = await post(admin, "undo", {**late, "opened": keep.digest(with_phrase(text).encode())})
    assert back.status_code == 303
    assert "退回好了" in (await admin.get(back.headers["location"])).text
    assert (folder / FILE).read_text(encoding="utf-8") == text
    assert len(await versions_of(admin)) == 3
    audit = read(await admin.get("/admin/audit"))
    for words in ("改知识", "退回知识", FILE, "王敏：补一句问法"):
        assert words in audit


async def test_the_running_service_takes_a_save_in_and_says_so(
    site: Site, admin: httpx.AsyncClient, folder: Path, text: str
) -> None:
    done = await post(admin, "save", form(with_phrase(text), keep.digest(text.encode())))
    version = done.headers["location"].rpartition("version=")[2]
    address = f"/admin/knowledge/live?version={version}"
    assert (await admin.get(address)).json()["state"] == "waiting"
    site.app.reloader.asked.clear()  # as its watcher does
    await site.app.swap(Desk(load_or_raise(folder)))
    told = (await admin.get(address)).json()
    assert told["state"] == "live"
    assert version in told["text"]
    site.app.alerts.start("knowledge", "新的知识有 1 个错误")
    assert (await admin.get("/admin/knowledge/live?version=0123456789ab")).json()["state"] == "refused"


async def test_a_conflict_loses_nothing(admin: httpx.AsyncClient, folder: Path, text: str) -> None:
    before = keep.digest(text.encode())
    theirs, mine = with_phrase(text, "别人加的问法怎么办"), with_phrase(text)
    assert (await post(admin, "save", form(theirs, before))).status_code == 303
    refused = await post(admin, "save", form(mine, before))
    assert refused.status_code == 409
    page = read(refused)
    assert (folder / FILE).read_text(encoding="utf-8") == theirs
    assert mine in page
    assert theirs in page
    assert "-    - 别人加的问法怎么办" in page
    assert f"+    - {WORDS}" in page
    again = re.findall(r'name="opened" value="(\w+)"', page)
    assert again == [keep.digest(theirs.encode())]
    assert (await post(admin, "save", form(mine, again[0]))).status_code == 303
    assert (folder / FILE).read_text(encoding="utf-8") == mine
    kept = {keep.content_of(folder, FILE, one.id).decode() for one in keep.versions(folder, FILE)}
    assert kept >= {text, theirs, mine}


async def test_what_is_wrong_is_not_saved(admin: httpx.AsyncClient, folder: Path, text: str) -> None:
    before = keep.digest(text.encode())
    failing = text.replace("  tests:\n", f"  tests:\n    - {WORDS}\n", 1)
    for draft, words in (("- id: [", "还有错误"), (failing, "会答错"), ("", "还有错误")):
        refused = await post(admin, "save", form(draft, before, why="为了试验"))
        assert refused.status_code == 422
        page = read(refused)
        assert words in page
        assert "为了试验" in page
        assert draft in page
        assert (folder / FILE).read_text(encoding="utf-8") == text
    assert keep.versions(folder, FILE) == []


async def test_what_cannot_be_written_comes_back(
    admin: httpx.AsyncClient, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(keep, "_replace", full)
    refused = await post(admin, "save", form(with_phrase(text), keep.digest(text.encode())))
    assert refused.status_code == 500
    assert with_phrase(text) in read(refused)
    assert (folder / FILE).read_text(encoding="utf-8") == text


async def test_a_draft_may_be_a_mebibyte(admin: httpx.AsyncClient) -> None:
    comment = "# " + "白菜" * ((DRAFT_BYTES - 3) // 6)
    assert (await post(admin, "check", form(comment))).status_code == 200
    assert (await post(admin, "check", form(comment + "白菜"))).status_code == 413


async def test_a_form_from_elsewhere_is_refused(admin: httpx.AsyncClient, folder: Path, text: str) -> None:
    values = form(with_phrase(text), keep.digest(text.encode()))
    for action in ("check", "preview", "try", "replay", "save", "undo"):
        headers = {"sec-fetch-site": "cross-site"}
        response = await admin.post(f"/admin/knowledge/{action}", data=values, headers=headers)
        assert response.status_code == 403, action
    assert (folder / FILE).read_text(encoding="utf-8") == text


async def test_the_bundle_is_the_one_that_its_note_tells_of(admin: httpx.AsyncClient) -> None:
    page = (await admin.get(f"/admin/knowledge/edit?file={FILE}")).text
    scripts = re.findall(r'<script src="([^"]+)" defer></script>', page)
    assert len(scripts) == page.count("<script") == 2
    bundle = await admin.get(scripts[0])
    assert "immutable" in bundle.headers["cache-control"]
    note = (await admin.get("/admin/static/codemirror/README.md")).text
    assert keep.digest(bundle.content) in note
