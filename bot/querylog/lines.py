"""A file of lines, each on the disk when it is written, with room set aside for those that come on a full disk."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class LinesFile:
    """Room is what stands behind the last line: zeros, which can be written over when the disk has no place left."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._end, self._torn = 0, False

    def read(self) -> list[bytes]:
        """The lines of an earlier process; call it first. One that a crash cut off is among them."""
        try:
            content = self._file.read_bytes().rstrip(b"\0")
        except FileNotFoundError:
            return []
        self._end, self._torn = len(content), bool(content) and not content.endswith(b"\n")
        lines = (line.strip(b"\0") for line in content.split(b"\n"))
        return [line for line in lines if line]

    def append(self, lines: Iterable[str], room: int = 0) -> None:
        """Write some more lines with so many bytes of room behind them; raises OSError when there is not so much."""
        content = "".join(["\n", *lines] if self._torn else lines).encode()
        with self._open(self._end + len(content) + room) as descriptor:
            _write(descriptor, content, self._end)
        self._end, self._torn = self._end + len(content), False

    def reserve(self, size: int) -> None:
        """Make the file so many bytes long, or leave it longer; raises OSError."""
        with self._open(size):
            pass

    def clear(self, size: int) -> None:
        """Forget all lines; of what the file takes of the disk it keeps so many bytes. Raises OSError."""
        if not self._end:
            return
        with self._open(0) as descriptor:
            size = min(size, os.fstat(descriptor).st_size)
            os.truncate(descriptor, size)
            _write(descriptor, bytes(min(self._end, size)), 0)
        self._end, self._torn = 0, False

    @contextmanager
    def _open(self, size: int) -> Iterator[int]:
        """The descriptor of the file, at least so long; what was written is on the disk at the end."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            there = os.fstat(descriptor).st_size
            if there < size:
                _write(descriptor, bytes(size - there), there)
            yield descriptor
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _write(descriptor: int, content: bytes, at: int) -> None:
    if os.pwrite(descriptor, content, at) != len(content):
        raise OSError("no space for all of it")
