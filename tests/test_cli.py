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

from bot.cli import talk
from bot.desk import Desk
from bot.errors import SettingsError
from bot.serve import bind
from tests.conftest import KNOWLEDGE, ROOT, Command

PATIENCE = 120
"""Seconds in which a process starts or ends, also on a busy machine."""


def run(*arguments: str, cwd: Path, stdin: str | bytes = b"", **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REFORMBOT_")}
    environment |= {"PYTHONPATH": str(ROOT), **settings}
    raw = stdin if isinstance(stdin, bytes) else stdin.encode()
    done = subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=cwd,
        env=environment,
        input=raw,
        capture_output=True,
        timeout=PATIENCE,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


@pytest.fixture
def with_the_desk_of_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(talk, "build_desk", lambda settings: desk)


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


def test_ask_explains(command: Command, with_the_desk_of_others: None) -> None:
    done = command("ask", "跑外卖摔了谁赔", "--json", "--explain")
    found = json.loads(done.stdout)
    assert 1 <= len(found["hits"]) <= 10
    assert found["hits"][0]["id"] == "nb-flexible-work-insurance"
    assert found["hits"][0]["why"]


def test_check_and_schema(tmp_path: Path, few: Path, command: Command) -> None:
    done = run("check", "--knowledge", str(few), cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "0 个错误" in done.stdout
    assert json.loads(command("schema").stdout)["$schema"].startswith("http://json-schema.org/draft-07")


def test_check_names_files_as_typed(tmp_path: Path, few: Path, command: Command) -> None:
    folder = tmp_path / "knowledge"
    shutil.copytree(few, folder)
    target = folder / "ningbo" / "livelihood.yaml"
    target.write_text(
        target.read_text(encoding="utf-8").replace("region: 宁波市", "regoin: 宁波市", 1), encoding="utf-8"
    )
    for typed in ("knowledge/ningbo/livelihood.yaml", "./knowledge/ningbo", "knowledge", str(target)):
        done = command("check", typed, "--format", "json")
        assert done.returncode == 1
        (problem,) = json.loads(done.stdout)["problems"]
        assert (tmp_path / problem["file"]).samefile(target)
        assert problem["file"].startswith(typed.removeprefix("./"))


def test_a_line_without_a_question_is_reported_in_its_place(command: Command, with_the_desk_of_others: None) -> None:
    lines = ["加装电梯", json.dumps({"question": "加装电梯"}), json.dumps({"q": 5}), "", "你好"]
    done = command("ask", "--stdin", "--json", stdin="\n".join(lines))
    assert done.returncode == 1
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [item["status"] for item in found] == ["answer", "error", "error", "none", "smalltalk"]
    assert [line[:5] for line in done.stderr.splitlines()] == ["第 2 行", "第 3 行"]


def test_check_finds_problems(tmp_path: Path, few: Path, command: Command) -> None:
    folder = tmp_path / "knowledge"
    shutil.copytree(few, folder)
    target = folder / "ningbo" / "livelihood.yaml"
    target.write_text(
        target.read_text(encoding="utf-8").replace("region: 宁波市", "regoin: 宁波市", 1), encoding="utf-8"
    )
    done = command("check", "--knowledge", str(folder), "--format", "json")
    assert done.returncode == 1
    found = json.loads(done.stdout)["problems"]
    assert [problem["code"] for problem in found] == ["K202"]
    assert any("region" in problem["message"] for problem in found)
    serve = run("serve", "--port", "0", "--knowledge", str(folder), cwd=tmp_path)
    assert serve.returncode in {1, 2}
    assert "Traceback" not in serve.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("ask",),
        ("ask", "问", "--stdin"),
        ("check", "--format", "xml"),
        ("check", "no-such-folder"),
        ("check", str(KNOWLEDGE / "no-such-file.yaml")),
        ("check", str(ROOT / "README.md")),
        ("eval", "no-such-file"),
        ("nonsense",),
    ],
)
def test_wrong_usage_exits_2(command: Command, arguments: tuple[str, ...]) -> None:
    done = command(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("REFORMBOT_PORT", "eighty"), ("REFORMBOT_PORT", "70000"), ("REFORMBOT_RATE_LIMIT_USER", "-1")],
)
def test_a_wrong_setting_is_one_clear_line(command: Command, name: str, value: str) -> None:
    done = command("chat", **{name: value})
    assert done.returncode == 2
    assert name in done.stderr
    assert value not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("url", ["nonsense", "mysql://u:secret@h/x", "sqlite+aiosqlite://h:secret/x"])
def test_a_database_that_cannot_be_is_a_wrong_setting(command: Command, few: Path, url: str) -> None:
    done = command("chat", "--knowledge", str(few), REFORMBOT_DATABASE_URL=url)
    assert done.returncode == 2
    assert "REFORMBOT_DATABASE_URL" in done.stderr
    assert "secret" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_dotenv_in_another_encoding_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes("REFORMBOT_PORT=8080 # 端口".encode("gbk"))
    done = run("serve", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, "文件 .env 不是 UTF-8 编码，请另存为 UTF-8\n")


def test_unknown_variables_are_told_by_name(tmp_path: Path, few: Path) -> None:
    (tmp_path / ".env").write_text("REFORMBOT_PROT=8081\nOTHER=x\nREFORMBOT_EMPTY=\n", encoding="utf-8")
    words = ("serve", "--host", "no.such.host.invalid", "--knowledge", str(few))
    done = run(*words, cwd=tmp_path, REFORMBOT_TELEGRAM_TOKENS="12:secret")
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert lines[0] == "提醒：不认识设置 REFORMBOT_PROT，没有生效；请核对名字"
    assert lines[1] == "提醒：不认识设置 REFORMBOT_TELEGRAM_TOKENS，没有生效；请核对名字"
    assert "找不到这个主机名" in lines[2]
    assert "换一个端口" not in done.stderr
    assert len(lines) == 3
    assert "secret" not in done.stderr


@pytest.mark.parametrize(
    ("host", "said"), [("192.0.2.1", "本机没有这个地址"), ("a\0b", "找不到"), ("é" * 99, "找不到")]
)
def test_a_host_that_cannot_be_bound_says_so(host: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        bind(host, 8080)


def test_chat_answers_and_logs(tmp_path: Path, few: Path) -> None:
    done = run("chat", "--knowledge", str(few), cwd=tmp_path, stdin="灵活保\n要多少钱\n退出\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("灵活就业专属伤害保险") >= 2
    assert (tmp_path / "data" / "reformbot.db").is_file()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serving(folder: Path, few: Path, port: int, *words: str, **settings: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REFORMBOT_")}
    return subprocess.Popen(
        [sys.executable, *(words or ("-m", "bot")), "serve", "--port", str(port), "--knowledge", str(few)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT), **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_serve_stands_odd_clients_and_an_unfinished_body(tmp_path: Path, few: Path) -> None:
    port = free_port()
    process = serving(tmp_path, few, port)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            _wait(client)
        for sent in (
            b"nonsense\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", port)) as odd:
                odd.sendall(sent)
                assert odd.recv(99).startswith(b"HTTP/1.1 ")
        unfinished = socket.create_connection(("127.0.0.1", port))
        unfinished.sendall(
            b"POST /api/ask HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{"
        )
        time.sleep(0.3)
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=PATIENCE)
    assert unfinished.recv(99).startswith(b"HTTP/1.1 503")
    unfinished.close()
    assert process.returncode == 0
    assert b"Traceback" not in errors
    assert len(errors.splitlines()) <= 1, errors.decode()


@pytest.mark.parametrize("moment", ["bot.app.load_or_raise", "bot.serve.running"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_the_start_ends_it_with_0(tmp_path: Path, few: Path, moment: str, number: int) -> None:
    program = f"""
import importlib, os, sys
owner, name = {moment!r}.rsplit(".", 1)
module = importlib.import_module(owner)
usual = getattr(module, name)
def signalled(*given):
    os.kill(os.getpid(), {int(number)})
    return usual(*given)
setattr(module, name, signalled)
from bot.cli import main
main()
"""
    process = serving(tmp_path, few, free_port(), "-c", program)
    out, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, b""), out


@pytest.mark.parametrize("proxy", ["", "127.0.0.1"])
def test_only_a_trusted_proxy_names_addresses(tmp_path: Path, few: Path, proxy: str) -> None:
    port = free_port()
    process = serving(tmp_path, few, port, REFORMBOT_TRUSTED_PROXY=proxy, REFORMBOT_RATE_LIMIT_ADDRESS="15")
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            _wait(client)
            statuses = [
                client.post(
                    "/api/ask", json={"text": "你好"}, headers={"X-Forwarded-For": f"198.51.100.{number}"}
                ).json()["status"]
                for number in range(9)
            ]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert ("limited" in statuses) is not bool(proxy)


def test_serve_answers_and_stops_cleanly(tmp_path: Path) -> None:
    port = free_port()
    process = serving(tmp_path, KNOWLEDGE, port)
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
        out, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors.decode()
    assert b"Traceback" not in errors
    assert str(port).encode() in out


def _wait(client: httpx.Client) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            if client.get("/healthz").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise AssertionError("the server did not start")
