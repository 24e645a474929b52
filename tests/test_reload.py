"""New knowledge goes live by itself, whole or not at all, while questions are answered."""

from __future__ import annotations

import asyncio
import os
import pickle
import shutil
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.answer import answer
from bot.app import App, running
from bot.desk import Desk
from bot.examine import Examined, examine, steady
from bot.knowledge.book import load, load_or_raise
from bot.model import Message, Problem
from bot.reload import Reloader, _room, _take_over, signature
from bot.settings import load_settings
from tests.conftest import KNOWLEDGE, TODAY

ENTRY = "nb-mobile-micro-court"
QUESTION = "微法院"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "k"
    made.mkdir()
    for path in KNOWLEDGE.glob("*.yaml"):
        shutil.copy(path, made)
    (made / "golden.yaml").write_text(f"- {{id: {ENTRY}, questions: [微法院]}}\n", encoding="utf-8")
    (made / "ningbo").mkdir()
    (made / "ningbo" / "justice.yaml").write_text(entry_file("不用出门就能打官司。"), encoding="utf-8")
    return made


def entry_file(summary: str) -> str:
    text = (KNOWLEDGE / "ningbo" / "justice.yaml").read_text(encoding="utf-8")
    lines = ("- id:" + text.split("- id:", 2)[1]).rstrip().splitlines()
    lines = lines[: lines.index("  rejects:")]
    kept = [line for line in lines if not line.startswith("  related:")]
    return "\n".join(f"  summary: {summary}" if line.startswith("  summary:") else line for line in kept) + "\n"


@pytest.fixture
async def app(folder: Path, tmp_path: Path) -> AsyncIterator[App]:
    url = f"sqlite+aiosqlite:///{tmp_path}/log.db"
    settings = load_settings(knowledge=folder, database_url=url, rate_limit_user=0, rate_limit_address=0)
    async with running(settings, Desk(load_or_raise(folder))) as made:
        yield made


async def said(app: App) -> str:
    return str((await app.handle(Message(QUESTION, user="u"))).payload["text"])


async def test_a_change_goes_live_and_a_mistake_does_not(app: App, folder: Path) -> None:
    swapped: list[str] = []

    async def hook(swapped_app: App) -> None:
        swapped.append(swapped_app.desk.book.version)

    app.after_swap.append(hook)
    file = folder / "ningbo" / "justice.yaml"
    first = app.desk.book.version
    file.write_text(entry_file("新的说法。"), encoding="utf-8")
    assert (await app.reload()).ok
    second = app.desk.book.version
    assert second != first
    assert swapped == [second]
    assert "新的说法" in await said(app)

    file.write_text(entry_file("又一种。").replace("summary:", "sumary:"), encoding="utf-8")
    found = await app.reload()
    assert not found.ok
    assert "ningbo/justice.yaml:8" in found.text.replace(str(folder), "")
    assert "K202" in found.text
    assert app.desk.book.version == second
    assert "新的说法" in await said(app)
    assert "K202" in app.health()["alerts"]["knowledge"]

    file.write_text(entry_file("新的说法。"), encoding="utf-8")
    assert "没有变化" in (await app.reload()).text
    assert "alerts" not in app.health()
    rows = await app.querylog.recent(2)
    assert {row.row.knowledge_version for row in rows} == {second}


async def test_a_question_that_is_lost_keeps_the_old_knowledge(app: App, folder: Path) -> None:
    first = app.desk.book.version
    golden = folder / "golden.yaml"
    golden.write_text(f"- {{id: {ENTRY}, questions: [月亮上能不能种白菜]}}\n", encoding="utf-8")
    found = await app.reload()
    assert not found.ok
    assert "K401" in found.text
    assert app.desk.book.version == first


async def test_a_bout_of_edits_is_one_reload(folder: Path) -> None:
    calls: list[str] = []
    reloader = Reloader(folder)

    async def changed() -> None:
        calls.append((folder / "ningbo" / "justice.yaml").read_text(encoding="utf-8"))

    watching = asyncio.create_task(reloader.watch(changed))
    await asyncio.sleep(0.3)
    for number in range(50):
        (folder / "ningbo" / "justice.yaml").write_text(entry_file(f"第 {number} 稿。"), encoding="utf-8")
        await asyncio.sleep(0.01)
    await waited(lambda: len(calls) == 1)
    assert calls == [entry_file("第 49 稿。")]
    beside = folder / "ningbo" / ".justice.new"
    beside.write_text(entry_file("换名存的。"), encoding="utf-8")
    beside.replace(folder / "ningbo" / "justice.yaml")
    await waited(lambda: len(calls) == 2)
    reloader.asked.set()
    await waited(lambda: len(calls) == 3)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def waited(ready: object, seconds: float = 30.0) -> None:
    assert callable(ready)
    until = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < until
        await asyncio.sleep(0.05)


def test_a_folder_that_is_being_written_is_read_when_it_stands_still(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred files that must be of one generation, written slowly, as a checkout does; the pace of both is told
    apart also where the writer waits for the machine.
    """
    monkeypatch.setattr("bot.examine._STILL_SECONDS", 0.6)
    many = folder / "haishu"
    many.mkdir()
    source = entry_file("不用出门就能打官司。")

    def write(generation: int) -> None:
        for number in range(200):
            text = source.replace(ENTRY, f"many-{number}").replace("summary: ", f"summary: 第 {generation} 版，")
            (many / f"many-{number}.yaml").write_text(text, encoding="utf-8")
            time.sleep(0.002)

    write(1)
    writer = threading.Thread(target=write, args=(2,))
    writer.start()
    time.sleep(0.05)
    files = steady(folder)
    writer.join()
    generations = {b"\xe7\xac\xac 2 \xe7\x89\x88" in content for name, content in files.items() if "many-" in name}
    assert generations == {True}


def test_git_at_work_is_waited_for(folder: Path) -> None:
    (folder / ".git").mkdir()
    lock = folder / ".git" / "index.lock"
    lock.touch()
    timer = threading.Timer(0.5, lock.unlink)
    start = time.monotonic()
    timer.start()
    assert steady(folder)
    assert time.monotonic() - start >= 0.5
    timer.join()


def test_what_is_examined_is_a_whole_or_a_list_of_problems(folder: Path, tmp_path: Path) -> None:
    good = examine(folder, "", TODAY)
    assert good.desk is not None
    assert good.questions > 10
    again = examine(folder, good.desk.book.version, TODAY)
    assert (again.changed, again.desk, again.questions) == (False, None, 0)
    (folder / "themes.yaml").unlink()
    assert [problem.code for problem in examine(folder, "", TODAY).problems] == ["K004"]


async def test_the_desk_that_a_worker_hands_over_answers_as_one_compiled_here(folder: Path) -> None:
    made = (await Reloader(folder).make("", TODAY)).desk
    assert made is not None
    here = Desk(load_or_raise(folder))
    assert made.book == here.book
    for question in (QUESTION, "手机上打官司怎么弄", "weifayuan", "月亮上能不能种白菜", "谢谢"):
        assert answer(question, made, (), TODAY, explain=True) == answer(question, here, (), TODAY, explain=True)


def test_what_a_worker_hands_over_is_read_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpickling holds the interpreter: between its pieces others must get their turn, for as long as it had."""
    problems = tuple(Problem(f"{number}.yaml", number, 1, "K101", "x" * 100) for number in range(30_000))
    clock = iter(range(1_000_000))
    pauses: list[float] = []
    monkeypatch.setattr("bot.reload.time.perf_counter", lambda: float(next(clock)))
    monkeypatch.setattr("bot.reload.time.sleep", pauses.append)
    with _room() as out:
        pickle.dump(Examined(None, problems), out)
        found = _take_over(out)
    assert found.problems == problems
    assert len(pauses) >= 10
    assert min(pauses) >= 1


def test_a_signature_sees_every_way_of_changing_a_file(folder: Path) -> None:
    file = folder / "ningbo" / "justice.yaml"
    seen = {signature(folder)}
    told = file.stat()
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "#", encoding="utf-8")
    seen.add(signature(folder))
    beside = folder / "x.tmp"
    beside.write_text(text + "#", encoding="utf-8")
    os.utime(beside, ns=(told.st_atime_ns, told.st_mtime_ns))
    beside.replace(file)
    seen.add(signature(folder))
    file.unlink()
    seen.add(signature(folder))
    assert len(seen) == 4
    (folder / ".hidden.yaml").write_text("x", encoding="utf-8")
    assert signature(folder) in seen


def test_odd_things_in_the_folder_hide_no_change(folder: Path) -> None:
    """Links that lead nowhere or back, folders named like files, capital letters, names that are no UTF-8."""
    (folder / "ningbo" / "away.yaml").symlink_to("nowhere.yaml")
    (folder / "ningbo" / "self.yaml").symlink_to("self.yaml")
    for name in ("round", "back"):
        (folder / "ningbo" / name).symlink_to("..")
    (folder / "ningbo" / "folder.yaml").mkdir()
    capital = folder / "ningbo" / "OTHER.YAML"
    capital.write_text(entry_file("别的。").replace(ENTRY, "nb-other"), encoding="utf-8")
    with open(os.fsencode(folder / "ningbo") + b"/\xff.yaml", "wb") as odd:
        odd.write(entry_file("又一条。").replace(ENTRY, "nb-odd").encode())
    seen = signature(folder)
    assert len(seen) == len(list(folder.glob("*.yaml"))) + 3
    capital.write_text("[]", encoding="utf-8")
    assert signature(folder) != seen
    capital.write_text(entry_file("别的。").replace(ENTRY, "nb-other"), encoding="utf-8")
    loaded = load(folder)
    assert loaded.book is not None, loaded.problems
    assert loaded.book.entries.keys() == {ENTRY, "nb-other", "nb-odd"}
    assert "ningbo/OTHER.YAML" in loaded.trees


def test_a_file_that_cannot_be_read_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refused)
    monkeypatch.setattr("bot.examine._WAIT_SECONDS", 0.3)
    for (problem,) in (load(folder).problems, examine(folder, "", TODAY).problems):
        assert problem.code == "K000"
        assert ".yaml" in problem.message
        assert "权限" in problem.message


async def test_answers_under_reloads_are_never_mixed(app: App, folder: Path) -> None:
    """Each reply says what the version in its row says; broken versions never answer."""
    passed = {app.desk.book.version: "不用出门就能打官司。"}
    wrong: list[str] = []
    stop = asyncio.Event()

    async def ask() -> int:
        count = 0
        while not stop.is_set():
            text = await said(app)
            version = (await app.querylog.recent(1))[0].row.knowledge_version
            wrong.extend([text] if passed.get(version, "?") not in text else [])
            count += 1
            await asyncio.sleep(0.01)
        return count

    asking = asyncio.create_task(ask())
    for number in range(4):
        broken = number % 3 == 1
        text = entry_file(f"第{number}版的说法。")
        (folder / "ningbo" / "justice.yaml").write_text(
            text.replace("ask:", "aks:") if broken else text, encoding="utf-8"
        )
        if not broken:
            passed[load_or_raise(folder).version] = f"第{number}版的说法。"
        assert (await app.reload()).ok is not broken
    stop.set()
    assert await asking > 10
    assert wrong == []
    assert len(passed) == 4
