"""Mutations of the shipped files: always knowledge or a positioned problem, never a crash, a hang or a flood of memory.

Run: python -m tests.fuzz_knowledge [--count 20000] [--seed 0]
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass

from bot.editing.mend import mend
from bot.knowledge.book import bind, read_folder
from bot.knowledge.page import read_page
from tests.conftest import KNOWLEDGE

SECONDS = 2.0
MEGABYTES = 256
_PIECES = [
    "：", "，", "、", "“", "”", "【", "】", "（", "）", "　", "—", "\t", "\u200b", "\x00", "\ufeff", "\n", "\r",
    "\n\n", "  ",
    ": ", "- ", "#", " #", "[", "]", "{", "}", "|", ">", "*a", "&a", "!", "!!python/object:os.system", "%", "@", "`",
    '"', "'", "\\", "<<: *a", "---\n", "...\n", "~", "null", "[[[[[[[[[[",
    "{{{{{{{{{{", "((((", "((a|b)|c)[d]", "(a|b)" * 12,
    "99999-99-99", "2026-02-30", "😀", "\ud83d", "a" * 5000, "id: x\n",
    "- id: nb-mobile-micro-court\n", "redirect: nb-x",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """How one run went."""

    count: int
    accepted: int
    refused: int
    slowest: float
    megabytes: float


def mutations(files: dict[str, bytes], count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many changed files; the same for the same seed."""
    draw = random.Random(seed)
    names = sorted(files)
    for _ in range(count):
        name = draw.choice(names)
        content = files[name]
        for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
            content = _mutate(content, draw, files)
        yield name, content


def _mutate(content: bytes, draw: random.Random, files: dict[str, bytes]) -> bytes:
    at = draw.randrange(len(content) + 1)
    lines = content.split(b"\n")
    line = draw.randrange(len(lines))
    piece = draw.choice(_PIECES).encode("utf-8", "surrogatepass")
    other = files[draw.choice(sorted(files))].split(b"\n")
    made = (
        lambda: content[:at] + piece + content[at:],
        lambda: content[:at] + content[at + draw.randrange(1, 40) :],
        lambda: content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :],
        lambda: content[:at],
        lambda: b"\n".join([*lines[:line], *lines[line + 1 :]]),
        lambda: b"\n".join([*lines[:line], lines[line], *lines[line:]]),
        lambda: b"\n".join([*lines[:line], b" " * draw.randrange(1, 9) + lines[line], *lines[line + 1 :]]),
        lambda: b"\n".join([*lines[:line], lines[line].lstrip(), *lines[line + 1 :]]),
        lambda: b"\n".join([*lines[:line], draw.choice(other), *lines[line:]]),
        lambda: content.replace(draw.choice((b": ", b"- ", b"\n", b"[", b'"')), piece, draw.randrange(1, 4)),
    )
    return draw.choice(made)()


def run(count: int, seed: int) -> Found:
    """Read, bind and mend every mutation; AssertionError tells of the first that goes wrong."""
    files = read_folder(KNOWLEDGE)
    pages = {name: read_page(name, content) for name, content in files.items()}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    accepted = refused = 0
    slowest = 0.0
    for number, (name, content) in enumerate(mutations(files, count, seed)):
        start = time.process_time()
        loaded = bind({**pages, name: read_page(name, content)})
        mended = mend(name, content)
        slowest = max(slowest, time.process_time() - start)
        errors = [problem for problem in loaded.problems if problem.severity == "error"]
        assert (loaded.book is None) == bool(errors), (seed, number, name)
        lines = content.count(b"\n") + content.count(b"\r") + 2
        assert all(1 <= problem.line <= lines or problem.file != name for problem in errors), (seed, number, name)
        assert all(problem.column >= 1 and problem.message for problem in loaded.problems), (seed, number, name)
        assert mended == content or mend(name, mended) == mended, (seed, number, name)
        accepted += not errors
        refused += bool(errors)
        assert slowest < SECONDS, (seed, number, name, slowest)
    megabytes = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert megabytes < MEGABYTES, megabytes
    return Found(count, accepted, refused, slowest, megabytes)


def main() -> None:
    """Run, and say how it went."""
    options = argparse.ArgumentParser()
    options.add_argument("--count", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=0)
    given = options.parse_args()
    print(run(given.count, given.seed))


if __name__ == "__main__":
    main()
