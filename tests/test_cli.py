"""The command line, as a process."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from tests.conftest import KNOWLEDGE, ROOT


def run(*arguments: str, cwd: Path, stdin: str | bytes = b"", **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REFORMBOT_")}
    environment |= {"PYTHONPATH": str(ROOT), **settings}
    raw = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments], cwd=cwd, env=environment, input=raw, capture_output=True, timeout=60
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_ask_prints_text(tmp_path: Path) -> None:
    done = run("ask", "灵活保一天多少钱", cwd=tmp_path)
    assert done.returncode == 0
    assert "0.3 元" in done.stdout
    assert not (tmp_path / "data").exists()


def test_ask_reads_many_in_order(tmp_path: Path) -> None:
    lines = [
        "加装电梯",
        json.dumps({"q": "要多少钱", "ctx": ["灵活保"]}),
        "",
        "{不是 JSON",
        json.dumps({"q": "\ud800"}),
        "再见",
    ]
    done = run("ask", "--stdin", "--json", cwd=tmp_path, stdin="\n".join(lines) + "\n")
    assert done.returncode == 0
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [item["status"] for item in found] == ["answer", "answer", "none", "none", "none", "smalltalk"]
    assert found[0]["ids"] == ["nb-old-estate-lifts"]
    assert found[1]["ids"] == ["nb-flexible-work-insurance"]
    assert set(found[0]) == {"q", "status", "ids", "score", "text", "sources", "options", "took_ms"}


def test_ask_explains(tmp_path: Path) -> None:
    done = run("ask", "跑外卖摔了谁赔", "--json", "--explain", cwd=tmp_path)
    found = json.loads(done.stdout)
    assert 1 <= len(found["hits"]) <= 10
    assert found["hits"][0]["id"] == "nb-flexible-work-insurance"
    assert found["hits"][0]["why"]


def test_check_and_schema(tmp_path: Path) -> None:
    done = run("check", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "0 个错误" in done.stdout
    assert json.loads(run("schema", cwd=tmp_path).stdout)["$schema"].startswith("http://json-schema.org/draft-07")


def test_check_finds_problems(tmp_path: Path) -> None:
    folder = tmp_path / "knowledge"
    shutil.copytree(KNOWLEDGE, folder)
    target = folder / "ningbo" / "justice.yaml"
    target.write_text(
        target.read_text(encoding="utf-8").replace("region: 宁波市", "regoin: 宁波市", 1), encoding="utf-8"
    )
    done = run("check", "--knowledge", str(folder), "--format", "json", cwd=tmp_path)
    assert done.returncode == 1
    found = json.loads(done.stdout)["problems"]
    assert [problem["code"] for problem in found] == ["K202"]
    assert any("region" in problem["message"] for problem in found)
    serve = run("serve", "--port", "0", "--knowledge", str(folder), cwd=tmp_path)
    assert serve.returncode in {1, 2}
    assert "Traceback" not in serve.stderr


@pytest.mark.parametrize(
    "arguments",
    [("ask",), ("ask", "问", "--stdin"), ("check", "--format", "xml"), ("eval", "no-such-file"), ("nonsense",)],
)
def test_wrong_usage_exits_2(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = run(*arguments, cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("REFORMBOT_PORT", "eighty"), ("REFORMBOT_PORT", "70000"), ("REFORMBOT_RATE_LIMIT_USER", "-1")],
)
def test_a_wrong_setting_is_one_clear_line(tmp_path: Path, name: str, value: str) -> None:
    done = run("serve", cwd=tmp_path, **{name: value})
    assert done.returncode == 2
    assert name in done.stderr
    assert value not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_chat_answers_and_logs(tmp_path: Path) -> None:
    done = run("chat", cwd=tmp_path, stdin="灵活保\n要多少钱\n退出\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("灵活就业专属伤害保险") >= 2
    assert (tmp_path / "data" / "reformbot.db").is_file()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_serve_answers_and_stops_cleanly(tmp_path: Path) -> None:
    port = free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REFORMBOT_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "bot", "serve", "--port", str(port)],
        cwd=tmp_path,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            _wait(client)
            found = client.post("/api/ask", json={"text": "加装电梯最快几天", "session": "s1"}).json()
            assert found["status"] == "answer"
            assert found["id"] == 1
            assert client.post("/api/feedback", json={"id": 1, "verdict": "up", "session": "s1"}).status_code == 200
            assert "甬改问答" in client.get("/").text
        taken = run("serve", "--port", str(port), cwd=tmp_path)
        assert taken.returncode == 2
        assert str(port) in taken.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        out, errors = process.communicate(timeout=15)
    assert process.returncode == 0, errors.decode()
    assert b"Traceback" not in errors
    assert str(port).encode() in out


def _wait(client: httpx.Client) -> None:
    for _ in range(200):
        try:
            if client.get("/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")
