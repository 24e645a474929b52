"""The files for operators: names that exist, and what their own tools say where these are installed."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bot.metrics import Metrics
from bot.settings import PREFIX, Settings
from tests.conftest import ROOT

DEPLOY = ROOT / "deploy"


def tool(*command: str, cwd: Path = DEPLOY) -> str:
    """What a tool says of a file; skipped where it is not installed."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def texts() -> dict[str, str]:
    found = {path.name: path.read_text(encoding="utf-8") for path in DEPLOY.iterdir() if path.suffix not in {".png"}}
    assert len(found) > 10
    return found


def test_every_setting_that_is_named_exists() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    named = {(name, file) for file, text in texts().items() for name in re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", text)}
    assert len(named) > 10
    assert sorted((name, file) for name, file in named if name not in known) == []


def test_every_metric_that_is_asked_for_is_told() -> None:
    state = {"status": "ok", "knowledge": "v1", "channels": {"telegram": {"status": "ok", "waiting": 0}}}
    metrics = Metrics(lambda: state)
    metrics.asked("web", "answer", 0.001, 0.002)
    metrics.judged("up")
    metrics.happened("reload")
    told = set(re.findall("^(reformbot_[a-z_]+)", metrics.exposition().decode(), re.MULTILINE))
    asked = set(re.findall("reformbot_[a-z_]+", texts()["alerts.yaml"] + texts()["grafana.json"]))
    assert len(asked) > 8
    assert asked - told == set()


def test_the_dashboard_of_grafana_has_panels_that_do_not_overlap() -> None:
    panels = json.loads(texts()["grafana.json"])["panels"]
    assert len(panels) > 10
    cells = [
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(cells) == len(set(cells))


def test_nothing_runs_as_root_or_may_write_its_own_program() -> None:
    dockerfile = texts()["Dockerfile"]
    assert re.findall(r"^USER (.+)$", dockerfile, re.MULTILINE) == ["10001:10001"]
    services: dict[str, Any] = {}
    for name in ("compose.yaml", "compose.fleet.yaml"):
        services |= {f"{name}/{key}": value for key, value in yaml.safe_load(texts()[name])["services"].items()}
    bots = {name: service for name, service in services.items() if service.get("image") == "reformbot"}
    assert len(bots) == 4
    for name, service in bots.items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
    containers = [
        container
        for document in yaml.safe_load_all(texts()["kubernetes.yaml"])
        if document["kind"] == "Deployment"
        for kind in ("initContainers", "containers")
        for container in document["spec"]["template"]["spec"][kind]
    ]
    assert len(containers) == 2
    for container in containers:
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def locked() -> dict[str, list[str]]:
    """Every package of the lock file → its versions; there may be one for each Python."""
    found: dict[str, list[str]] = {}
    for line in re.split(r"\n(?=[A-Za-z0-9])", texts()["requirements.txt"]):
        requirement = Requirement(line.partition(" \\\n")[0])
        (pin,) = requirement.specifier
        assert pin.operator == "==", line
        assert requirement.url is None, line
        assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}\b", line)) >= 1, line
        found.setdefault(canonicalize_name(requirement.name), []).append(pin.version)
    assert len(found) > 30
    return found


def test_the_lock_file_holds_every_dependency_with_hashes() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [Requirement(line) for line in project["dependencies"]]
    assert len(wanted) > 15
    for one in wanted:
        versions = locked()[canonicalize_name(one.name)]
        assert all(one.specifier.contains(version) for version in versions), one


def test_the_lock_file_holds_what_its_packages_need() -> None:
    known, seen = locked(), 0
    for name in known:
        with contextlib.suppress(metadata.PackageNotFoundError):
            for line in metadata.requires(name) or ():
                needed = Requirement(line)
                if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                    seen += 1
                    assert canonicalize_name(needed.name) in known, f"{name} needs {needed}"
    assert seen > 15


def test_the_lock_file_names_no_server() -> None:
    assert re.findall(r"https?://|--(extra-)?index-url|--find-links|-e |git\+", texts()["requirements.txt"]) == []


def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in DEPLOY.glob("reformbot*.*"):
        if unit.suffix in {".service", ".timer"}:
            text = unit.read_text(encoding="utf-8").replace("/opt/reformbot/bin/reformbot", shutil.which("true") or "")
            (tmp_path / unit.name).write_text(text, encoding="utf-8")
    units = sorted(path.name for path in tmp_path.iterdir())
    assert len(units) == 3
    assert tool("systemd-analyze", "verify", *(f"./{name}" for name in units), cwd=tmp_path) == ""


def test_prometheus_accepts_the_rules() -> None:
    assert "SUCCESS: 10 rules found" in tool("promtool", "check", "rules", "alerts.yaml")


def test_caddy_accepts_its_file() -> None:
    assert "Valid configuration" in tool("caddy", "validate", "--config", "Caddyfile", "--adapter", "caddyfile")


def test_nginx_accepts_its_file(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    key, certificate = tmp_path / "tls" / "site.key", tmp_path / "tls" / "site.crt"
    make = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    tool("openssl", *make, "-keyout", str(key), "-out", str(certificate))
    text = re.sub("bot-[abc]:", "127.0.0.1:", texts()["nginx.conf"])
    (tmp_path / "nginx.conf").write_text(text, encoding="utf-8")
    said = tool("nginx", "-t", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-g", "pid nginx.pid;")
    assert "test is successful" in said
