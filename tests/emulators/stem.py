"""`python -m tests.emulators.stem`: the program with its knowledge built once, begun anew for every line on stdin.

Prints `ready`, then for every run the child's process id and, when it has ended, its exit code (negative: a signal).
"""

from __future__ import annotations

import os
import sys

from bot.app import build_desk
from bot.serve import serve
from bot.settings import load_settings


def main() -> None:
    settings = load_settings()
    desk = build_desk(settings)
    print("ready", flush=True)
    for _ in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            serve(settings, lambda _: desk, lambda _: None)
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
