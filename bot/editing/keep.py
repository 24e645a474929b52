"""Saving a file so that nothing is lost: whole or not at all, never over somebody else's change, every version kept."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bot.errors import ReformbotError

HISTORY = ".history"
"""Where versions are kept beside a folder that is no git repository; hidden files are no knowledge."""
_NAME = re.compile(r"(?:[a-z0-9-]+/)?[a-z0-9-]+\.yaml")
_GIT_SECONDS = 30


class ConflictError(ReformbotError):
    """The file is not the one that was opened: somebody else saved it meanwhile. `theirs` is what stands there now."""

    def __init__(self, name: str, theirs: bytes) -> None:
        super().__init__(f"{name} 在您打开以后被别人改过，没有保存；请对照后再存")
        self.theirs = theirs


class SaveError(ReformbotError):
    """The file could not be saved; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Version:
    """One kept version of a file: `id` is what `content_of` wants."""

    id: str
    at: str
    who: str
    why: str


def digest(content: bytes) -> str:
    """What tells one content from another; a file that is not there has the digest of nothing."""
    return hashlib.sha256(content).hexdigest()


def content_now(folder: Path, name: str) -> bytes:
    """A file as it stands, nothing when it is not there. Raises SaveError for what is no knowledge file."""
    path = _path(folder, name)
    try:
        return path.read_bytes() if path.exists() else b""
    except OSError as error:
        raise SaveError(f"读不了 {name}：{error.strerror}") from error


def save(folder: Path, name: str, content: bytes, opened: str, who: str, why: str) -> None:
    """Replace a file whose content still has the digest `opened`, and keep the version with who changed it and why.

    Raises ConflictError when the file is another one by now, SaveError when it cannot be written.
    """
    path = _path(folder, name)
    try:
        theirs = content_now(folder, name)
        if digest(theirs) != opened:
            raise ConflictError(name, theirs)
        repository = _repository(folder)
        if repository is None:
            _copy(folder, name, theirs, "（保存以前）", "")
        _replace(path, content)
    except OSError as error:
        raise SaveError(f"写不了 {name}：{error.strerror}") from error
    if repository is None:
        _copy(folder, name, content, who, why)
    else:
        _commit(folder, name, who, why)


def versions(folder: Path, name: str) -> list[Version]:
    """Kept versions of a file, newest first."""
    _path(folder, name)
    if _repository(folder) is not None:
        told = _git(folder, "log", "--follow", "--format=%H%x1f%aI%x1f%an%x1f%s", "--", name).decode()
        return [Version(*line.split("\x1f")) for line in told.splitlines()]
    kept = sorted((folder / HISTORY / name).glob("*.yaml"), reverse=True)
    return [Version(path.stem, path.stem[:15], *_note(path)) for path in kept]


def content_of(folder: Path, name: str, version: str) -> bytes:
    """A file as it was; save it again to undo what came after. Raises SaveError when there is no such version."""
    _path(folder, name)
    if not re.fullmatch("[0-9A-Za-z-]+", version):
        raise SaveError("没有这个版本")
    if _repository(folder) is not None:
        return _git(folder, "show", f"{version}:./{name}")
    try:
        return (folder / HISTORY / name / f"{version}.yaml").read_bytes()
    except OSError as error:
        raise SaveError("没有这个版本") from error


def _path(folder: Path, name: str) -> Path:
    """The file of a name that stays inside the folder."""
    if not _NAME.fullmatch(name):
        raise SaveError(f"文件名“{name[:40]}”不行：要像 ningbo/livelihood.yaml，用小写字母、数字和减号")
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise SaveError(f"{name} 不在知识目录里")
    return path


def _replace(path: Path, content: bytes) -> None:
    """Write beside, then move there: whoever reads sees the old file or the new one."""
    path.parent.mkdir(exist_ok=True)
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        Path(beside).chmod(path.stat().st_mode & 0o777 if path.exists() else 0o644)
        Path(beside).replace(path)
    finally:
        Path(beside).unlink(missing_ok=True)


def _repository(folder: Path) -> Path | None:
    """The git repository that keeps the folder; None when there is none, or it ignores the folder."""
    try:
        root = _git(folder, "rev-parse", "--show-toplevel").decode().strip()
        _git(folder, "ls-files", "--error-unmatch", "regions.yaml")
    except SaveError:
        return None
    return Path(root)


def _commit(folder: Path, name: str, who: str, why: str) -> None:
    author = re.sub(r"[<>\n]", " ", who).strip() or "admin"
    _git(folder, "add", "--", name)
    if _git(folder, "status", "--porcelain", "--", name):
        identity = ("-c", "user.name=reformbot", "-c", "user.email=reformbot@localhost")
        message = why or f"Edit {name}"
        _git(folder, *identity, "commit", "--quiet", f"--author={author} <admin@localhost>", "-m", message, "--", name)


def _git(folder: Path, *arguments: str) -> bytes:
    """What git prints; raises SaveError with its last line."""
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, timeout=_GIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SaveError(f"git 没有做完：{type(error).__name__}") from error
    if done.returncode:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SaveError(f"git：{said[-1] if said else done.returncode}")
    return done.stdout


def _copy(folder: Path, name: str, content: bytes, who: str, why: str) -> None:
    """Keep a version, unless the newest one is the same."""
    place = folder / HISTORY / name
    place.mkdir(parents=True, exist_ok=True)
    kept = sorted(place.glob("*.yaml"))
    if not content or (kept and kept[-1].read_bytes() == content):
        return
    moment = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S-%f")
    path = place / f"{moment}-{digest(content)[:8]}.yaml"
    path.with_suffix(".txt").write_text(f"{who}\n{why}", encoding="utf-8")
    _replace(path, content)


def _note(path: Path) -> tuple[str, str]:
    """Who saved a kept version, and why."""
    try:
        who, _, why = path.with_suffix(".txt").read_text(encoding="utf-8").partition("\n")
    except OSError:
        return "", ""
    return who, why
