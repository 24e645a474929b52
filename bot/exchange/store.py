"""Files written whole: all of them beside their places first, then moved there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.exchange.rows import ExchangeError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MARK = "regions.yaml"
"""The file by which a folder counts as a knowledge folder."""


def write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files by relative name; the one that marks a knowledge folder last. Raises ExchangeError."""
    moves: list[tuple[Path, Path]] = []
    try:
        for name in sorted(files, key=lambda name: (name == MARK, name)):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f".{target.name}.new")
            moves.append((beside, target))
            beside.write_bytes(files[name])
        for beside, target in moves:
            beside.replace(target)
    except OSError as error:
        raise ExchangeError([f"写不了 {error.filename or folder}：{error.strerror}"]) from error
    finally:
        for beside, _ in moves:
            beside.unlink(missing_ok=True)
