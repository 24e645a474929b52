"""`login`, `password`, `demo`, and the link that `serve` prints."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import demo
from bot.cli import app as cli
from bot.dashboard.access import Access, matches
from bot.demo import DemoError
from bot.desk import Desk
from bot.errors import SettingsError
from bot.querylog.rows import LogRow
from bot.querylog.store import QueryLog
from tests.dashboard.conftest import NOW

RUNNER = CliRunner()


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_login_prints_a_link_that_works() -> None:
    done = RUNNER.invoke(cli, ["login"])
    assert done.exit_code == 0
    found = re.search(r"http://127\.0\.0\.1:8080/admin/login\?token=(\S+)", done.output)
    assert found

    async def use() -> str | None:
        querylog = await QueryLog.open("sqlite+aiosqlite:///data/reformbot.db")
        try:
            return await Access(querylog, None, lambda: NOW).use_link(found[1])
        finally:
            await querylog.close()

    assert asyncio.run(use())
    assert asyncio.run(use()) is None


def test_login_says_when_the_dashboard_is_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REFORMBOT_HOST", "0.0.0.0")
    done = RUNNER.invoke(cli, ["login"])
    assert isinstance(done.exception, SettingsError)
    assert "REFORMBOT_ADMIN_PASSWORD_HASH" in str(done.exception)
    assert not Path("data").exists()


def test_a_password_becomes_a_setting() -> None:
    done = RUNNER.invoke(cli, ["password"], input="a long password\na long password\n")
    assert done.exit_code == 0
    found = re.search(r"REFORMBOT_ADMIN_PASSWORD_HASH='(\$argon2id\$\S+)'", done.output)
    assert found
    assert matches(found[1], "a long password")
    assert not matches(found[1], "another password")
    assert "a long password" not in done.output


@pytest.mark.parametrize("typed", ["short\nshort\n", "a long password\nanother password\n"])
def test_a_poor_password_is_not_taken(typed: str) -> None:
    done = RUNNER.invoke(cli, ["password"], input=typed)
    assert done.exit_code != 0
    assert "argon2" not in done.output


async def test_the_same_seed_makes_the_same_traffic(tmp_path: Path, desk: Desk) -> None:
    made = []
    for name in "ab":
        querylog = await QueryLog.open(f"sqlite+aiosqlite:///{tmp_path}/{name}.db")
        for _ in range(2):  # a second time it begins anew
            count = await demo.fill(querylog, desk, 2, 7, NOW)
        rows = await querylog.recent(10_000)
        await querylog.close()
        assert len(rows) == count
        made.append([(row.row, row.verdict) for row in rows])
    assert made[0] == made[1]
    rows_made = [row for row, _ in made[0]]
    assert {row.status for row in rows_made} >= {"answer", "none"}
    assert len({row.channel for row in rows_made}) == 4
    assert all(row.user_key.startswith("demo") and row.asked_at < NOW for row in rows_made)
    assert {verdict for _, verdict in made[0]} >= {"up", None}


async def test_real_questions_are_never_overwritten(tmp_path: Path, desk: Desk) -> None:
    querylog = await QueryLog.open(f"sqlite+aiosqlite:///{tmp_path}/log.db")
    await querylog.write(LogRow(NOW, "web", "u1", None, "真的", "answer"))
    with pytest.raises(DemoError):
        await demo.fill(querylog, desk, 1, 1, NOW)
    assert [row.row.text for row in await querylog.recent(10)] == ["真的"]
    await querylog.close()
