"""Where the knowledge is, when nobody says: the checkout's folder, else the one packaged with the program."""

from __future__ import annotations

from pathlib import Path

_MARK = "regions.yaml"
_PACKAGE = Path(__file__).resolve().parent.parent


def default_folder() -> Path:
    """`knowledge/` of the current directory or of the checkout, else the packaged copy."""
    candidates = (Path.cwd() / "knowledge", _PACKAGE.parent / "knowledge", _PACKAGE / "_knowledge")
    return next((folder for folder in candidates if (folder / _MARK).is_file()), candidates[-1])
