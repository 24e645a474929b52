"""Mending, trying, saving and undoing; scaffolding; fuzz."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from bot.answer import answer, by_heart
from bot.check import duplicates, freshness, phrasings, regression
from bot.check.links import dead
from bot.cli import app as commands
from bot.desk import Desk
from bot.editing import keep, trial
from bot.editing.mend import diff, mend
from bot.editing.workbook import Workbook
from bot.knowledge import nodes
from bot.knowledge.book import Loaded, load_or_raise, read_folder
from bot.model import Problem, Status
from bot.querylog.usage import asked_lately
from bot.text.tidy import tidy
from tests.conftest import TODAY, parse
from tests.fuzz_knowledge import run as fuzz

BAD = Path(__file__).parent / "bad"
COURT, FILE = "nb-mobile-micro-court", "ningbo/justice.yaml"
MENDED = [
    "wide-colon", "wide-colon-in-item", "wide-colon-in-braces", "wide-indent",
    "no-break-indent", "tab-indent", "wide-dash",
    "wide-space-after-dash", "no-space-after-dash", "no-space-after-colon",
    "wide-space-after-colon", "no-space-in-braces",
    "wide-brackets", "wide-braces", "wide-close", "wide-digits", "wide-letters-in-summary", "no-space-before-digits",
    "space-beside-comma", "double-space", "half-comma", "half-question-mark",
]  # fmt: skip


# Mending ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MENDED)
def test_what_has_one_mend_is_mended(name: str, shipped: dict[str, bytes]) -> None:
    place, content = f"ningbo/{name}.yaml", (BAD / f"{name}.yaml").read_bytes()
    mended = mend(place, content)
    assert [problem for problem in parse(shipped | {place: mended}).problems if problem.file == place] == []
    assert mend(place, mended) == mended
    assert diff(place, content, mended).startswith(f"--- {place}\n+++ {place}\n@@")


@pytest.mark.parametrize("name", ["colon-in-text", "gbk", "open-quote", "duplicate-key", "deep", "star"])
def test_what_has_no_safe_mend_is_left_alone(name: str) -> None:
    content = (BAD / f"{name}.yaml").read_bytes()
    assert mend(f"ningbo/{name}.yaml", content) == content


def test_the_shipped_files_need_no_mend(shipped: dict[str, bytes]) -> None:
    assert [name for name, content in shipped.items() if mend(name, content) != content] == []


def test_keys_are_put_in_order_with_their_comments(shipped: dict[str, bytes]) -> None:
    text = (BAD / "ok-marks-in-quotes.yaml").read_text(encoding="utf-8")
    moved = text.replace("  name: 夜间公交\n", "").replace("  match:", "  # 正式的名称\n  name: 夜间公交\n  match:")
    in_order = mend("ningbo/x.yaml", text.encode()).decode()
    mended = mend("ningbo/x.yaml", moved.encode()).decode()
    assert mended == in_order.replace("  name: 夜间公交\n", "  # 正式的名称\n  name: 夜间公交\n")
    swapped = text.replace("- id: nb-night-bus\n  name: 夜间公交", "- name: 夜间公交\n  id: nb-night-bus")
    assert mend("ningbo/x.yaml", swapped.encode()).decode() == in_order


def test_names_and_quotations_are_left_as_they_are() -> None:
    assert tidy("姚江1号停了4年", ["姚江1号"]) == "姚江1号停了 4 年"
    assert tidy("说明写着“前洋E商小镇,好”，有3个", []) == "说明写着“前洋E商小镇,好”，有 3 个"
    assert tidy("８:30 到 9:00 开门,不收钱", []) == "8:30 到 9:00 开门，不收钱"


# A draft among the others -------------------------------------------------------------------------------------------


def test_a_draft_is_judged_by_line_and_leaves_no_trace(shipped: dict[str, bytes]) -> None:
    workbook, content = Workbook(shipped), shipped[FILE]
    assert workbook.check(FILE, content) == tuple(p for p in parse(shipped).problems if p.file == FILE)
    wrong = content.replace(b"  region: ", b"  regoin: ", 1)
    (found,) = workbook.check(FILE, wrong)
    line = wrong.split(b"\n").index(next(row for row in wrong.split(b"\n") if b"regoin" in row)) + 1
    assert (found.file, found.line, found.code) == (FILE, line, "K202")
    gone = workbook.check(FILE, content.replace(b"- id: nb-mobile-micro-court\n", b"- id: nb-other-court\n"))
    assert {problem.file for problem in gone} >= {"golden.yaml"}
    assert workbook.check(FILE, content) == tuple(p for p in parse(shipped).problems if p.file == FILE)


def test_a_draft_is_tried_beside_the_live_knowledge(few: Path, few_desk: Desk) -> None:
    files = read_folder(few)
    workbook = Workbook(files)
    assert workbook.compile(FILE, b"- x") is None
    text = files[FILE].decode()
    draft = workbook.compile(FILE, text.replace("  ask:\n", "  ask:\n    - 月亮上种白菜要交几块\n", 1).encode())
    assert draft is not None
    change = trial.compare("月亮上种白菜要交几块", few_desk, draft, TODAY)
    assert (change.before.status, change.after.ids) == (Status.NONE, (COURT,))
    trees = parse(files).trees
    assert trial.failing(draft, trees, FILE, TODAY) == ()
    spoilt = workbook.compile(FILE, text.replace("  tests:\n", "  tests:\n    - 月亮上种白菜要交几块\n", 1).encode())
    assert spoilt is not None
    problems = trial.failing(spoilt, trees, FILE, TODAY)
    assert [problem.code for problem in problems] == ["K401"]


# Saving -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, few: Path) -> Path:
    return Path(shutil.copytree(few, tmp_path / "k"))


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("repository", [False, True], ids=["copies", "git"])
def test_a_save_is_kept_conflicts_are_told_and_all_can_be_undone(folder: Path, repository: bool) -> None:
    if repository:
        git(folder, "init", "-q")
        git(folder, "add", ".")
        git(folder, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "start")
    first = (folder / FILE).read_bytes()
    opened = keep.digest(first)
    keep.save(folder, FILE, first + b"# one\n", opened, "王", "加注")
    assert (folder / FILE).read_bytes() == first + b"# one\n"
    with pytest.raises(keep.ConflictError) as conflict:
        keep.save(folder, FILE, first + b"# two\n", opened, "李", "")
    assert conflict.value.theirs == first + b"# one\n"
    assert (folder / FILE).read_bytes() == first + b"# one\n"
    keep.save(folder, FILE, first + b"# two\n", keep.digest(first + b"# one\n"), "李", "改注")
    found = keep.versions(folder, FILE)
    assert len(found) == 3
    assert [(version.who, version.why) for version in found[:2]] == [("李", "改注"), ("王", "加注")]
    assert [keep.content_of(folder, FILE, version.id) for version in found] == [
        first + b"# two\n",
        first + b"# one\n",
        first,
    ]
    if repository:
        assert git(folder, "status", "--porcelain") == ""
    assert load_or_raise(folder).entries
    assert [path.name for path in (folder / "ningbo").iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize(
    "name", ["../x.yaml", "/etc/x.yaml", "ningbo/../../x.yaml", "ningbo/x.txt", ".hidden.yaml", "a/b/c.yaml"]
)
def test_names_stay_inside_the_folder(folder: Path, name: str) -> None:
    for call in (
        lambda: keep.save(folder, name, b"x", keep.digest(b""), "王", ""),
        lambda: keep.versions(folder, name),
        lambda: keep.content_of(folder, name, "1"),
    ):
        with pytest.raises(keep.SaveError):
            call()
    with pytest.raises(keep.SaveError):
        keep.content_of(folder, FILE, "../../x")


# What check tells ---------------------------------------------------------------------------------------------------


def edited(shipped: dict[str, bytes], old: str, new: str) -> Loaded:
    loaded = parse(shipped | {FILE: shipped[FILE].decode().replace(old, new, 1).encode()})
    assert loaded.book is not None, loaded.problems
    return loaded


def test_a_phrasing_that_cannot_reach_its_entry_is_told(shipped: dict[str, bytes]) -> None:
    loaded = edited(shipped, "  ask:\n", "  ask:\n    - 你好\n")
    assert loaded.book is not None
    found = list(phrasings.unreached(Desk(loaded.book), loaded.trees, TODAY))
    assert [(problem.file, problem.code) for problem in found] == [(FILE, "K403")]
    assert "你好" in found[0].message


def test_competing_entries_are_told_with_their_scores(desk: Desk, shipped: dict[str, bytes]) -> None:
    case = regression.Case(FILE, (1, 1), "tests", "菜篮子", answer_ids(desk)[0], True)
    found = regression.ask(case, desk, TODAY)
    assert found is not None
    assert found.code == "K404"
    assert all(f"{identifier}（0." in found.message for identifier in answer_ids(desk))


def answer_ids(desk: Desk) -> tuple[str, ...]:
    return trial.compare("菜篮子", desk, desk, TODAY).before.ids


def test_a_phrasing_of_two_entries_is_told_also_within_one_file_unless_each_names_the_other(
    shipped: dict[str, bytes],
) -> None:
    name = "ningbo/night.yaml"
    bus = (BAD / "ok-stays-text.yaml").read_text(encoding="utf-8").rstrip("\n") + "\n"
    bus = bus[bus.index("- id:") :]
    tram = bus.replace("id: nb-night-bus", "id: nb-night-tram").replace("name: 夜间公交", "name: 夜间电车")
    told = {problem.message.split("”")[0] for problem in shared(shipped, name, bus + tram)}
    assert "“17:00" in told
    assert {problem.line > bus.count("\n") for problem in shared(shipped, name, bus + tram)} == {True}
    assert shared(shipped, name, related(bus, "nb-night-tram") + tram) != []
    assert shared(shipped, name, related(bus, "nb-night-tram") + related(tram, "nb-night-bus")) == []


def related(entry: str, other: str) -> str:
    return f"{entry}  related: [{other}]\n"


def shared(shipped: dict[str, bytes], name: str, text: str) -> list[Problem]:
    return [problem for problem in parse(shipped | {name: text.encode()}).problems if problem.code == "K312"]


def test_what_is_settled_by_heart_is_what_the_whole_way_gives(desk: Desk) -> None:
    """Every seventh wording of the bank, and the same asked politely."""
    texts = [wording.text for item in desk.matcher.bank.items for wording in item.wordings][::7]
    known = {text: by_heart(text, desk, TODAY) for asked in texts for text in (asked, f"请问{asked}呢")}
    settled = {text: entry for text, entry in known.items() if entry is not None}
    assert len(settled) > len(texts)
    assert len(settled) < len(known)
    for text, entry in settled.items():
        reply = answer(text, desk, (), TODAY)
        assert (reply.status, reply.ids) == (Status.ANSWER, (entry,)), text


def test_look_alikes_are_told(shipped: dict[str, bytes]) -> None:
    text = shipped[FILE].decode()
    block = "- id:" + text.split("- id:")[1]
    copy = block.replace(f"id: {COURT}", "id: nb-copy").replace("name: 宁波移动微法院", "name: 宁波移动微法院啊")
    loaded = parse(shipped | {FILE: (text.rstrip("\n") + "\n" + copy).encode()})
    assert loaded.book is not None, loaded.problems
    found = list(duplicates.alike(loaded.book, loaded.trees))
    assert [(problem.file, problem.code) for problem in found] == [(FILE, "K405")]
    assert list(duplicates.alike(loaded.book, loaded.trees, {"ningbo/health.yaml"})) == []


def test_dates_are_watched(shipped: dict[str, bytes]) -> None:
    line = f"- id: {COURT}\n"
    more = "  valid_until: 2026-11-01\n  review_by: 2026-11-10\n"
    loaded = edited(shipped, line, line + more)
    assert loaded.book is not None
    found = list(freshness.dated(loaded.book, loaded.trees, TODAY))
    assert [(problem.line, problem.code) for problem in found] == [(3, "K601"), (4, "K602")]
    early = edited(shipped, line, line + "  valid_from: 2026-12-01\n")
    assert early.book is not None
    assert [p.code for p in freshness.dated(early.book, early.trees, TODAY)] == ["K601"]
    stale = freshness.stale(loaded.book, loaded.trees, TODAY, {"jb-toilet-sewage-waste": 50, COURT: 2})
    assert stale[0].id == "jb-toilet-sewage-waste"
    assert next(item for item in stale if item.id == COURT).days == 10
    assert len(stale) > 50


async def test_links_are_tried(shipped: dict[str, bytes]) -> None:
    linked = shipped["sources.yaml"].decode().replace("\n  file:", "\n  url: https://news.test/1\n  file:", 1)
    loaded = parse(shipped | {"sources.yaml": linked.encode()})
    assert loaded.book is not None, loaded.problems[:2]

    def served(request: httpx.Request) -> httpx.Response:
        return httpx.Response(405 if request.method == "HEAD" else 404)

    found = await dead(loaded.book, loaded.trees, httpx.AsyncClient(transport=httpx.MockTransport(served)))
    assert {(problem.file, problem.code) for problem in found} == {("sources.yaml", "K603")}
    assert "HTTP 404" in found[0].message
    fine = httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200)))
    assert await dead(loaded.book, loaded.trees, fine) == []


async def test_without_a_log_nothing_was_asked(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/none.db"
    assert await asked_lately(url, dt.datetime(2026, 11, 20, tzinfo=dt.UTC)) == {}
    assert not (tmp_path / "none.db").exists()


# Commands -----------------------------------------------------------------------------------------------------------

ANSWERS = [
    "夜间公交", "1", "", "民生保障", "1", "晚上十点以后还有公交。", "晚上十点以后还有车。", "时限", "2022-09",
    "2022 年 9 月见报时", "1", "n", "夜里有公交吗", "半夜怎么坐车回家", "夜班车在哪坐", "下夜班没车怎么办", "",
    "末班车几点", "", "凌晨下班有公交伐", "",
]  # fmt: skip


def test_a_new_entry_is_asked_for_and_put_where_it_belongs(folder: Path) -> None:
    before = (folder / "ningbo" / "livelihood.yaml").read_bytes()
    done = CliRunner().invoke(commands, ["new", "--knowledge", str(folder)], input="\n".join(ANSWERS) + "\n")
    assert done.exit_code == 0, done.output
    assert "至少 5 句，现在 4 句" in done.output
    after = (folder / "ningbo" / "livelihood.yaml").read_bytes()
    assert after.startswith(before)
    entry = load_or_raise(folder).entries["nb-ye-jian-gong-jiao"]
    assert (entry.name, len(entry.ask), entry.facts[0].about) == ("夜间公交", 5, ("时限",))
    assert nodes.read("ningbo/x.yaml", after).problems == []


def test_check_mends_and_lists_what_is_stale(folder: Path, tmp_path: Path) -> None:
    shutil.copy(BAD / "wide-digits.yaml", folder / "ningbo" / "wide-digits.yaml")
    database = f"sqlite+aiosqlite:///{tmp_path}/none.db"
    listed = CliRunner().invoke(commands, ["check", "--stale", "--knowledge", str(folder), "--database", database])
    assert "条该复核" in listed.stdout.splitlines()[-1]
    done = CliRunner().invoke(
        commands, ["check", str(folder / "ningbo" / "wide-digits.yaml"), "--fix", "--knowledge", str(folder)]
    )
    assert "+    - text: 晚上 10 点以后还有 B 线。" in done.output
    assert "改了 1 个文件" in done.output
    assert "晚上 10 点以后还有 B 线" in (folder / "ningbo" / "wide-digits.yaml").read_text(encoding="utf-8")


def test_check_tries_links_when_told_to(folder: Path) -> None:
    """Nobody listens at port 1 of this machine."""
    for file in [*folder.glob("*/*.yaml")]:
        if file.name != "justice.yaml":
            file.unlink()
    (folder / "golden.yaml").write_text(f"- {{id: {COURT}, questions: [微法院]}}\n", encoding="utf-8")
    for place in folder.glob("*/justice.yaml"):
        lines = place.read_text(encoding="utf-8").splitlines(keepends=True)
        place.write_text("".join(line for line in lines if "  related:" not in line), encoding="utf-8")
    sources = folder / "sources.yaml"
    text = sources.read_text(encoding="utf-8").replace("\n  file:", "\n  url: https://127.0.0.1:1/\n  file:", 1)
    sources.write_text(text, encoding="utf-8")
    for more, expected in (([], 0), (["--links"], 1)):
        done = CliRunner().invoke(commands, ["check", *more, "--knowledge", str(folder)])
        assert done.output.count("提醒[K603]") == expected, done.output


def test_mutations_are_knowledge_or_positioned_problems() -> None:
    found = fuzz(count=150, seed=dt.date(2026, 11, 20).toordinal())
    assert found.refused > 50
