"""`python -m tests.emulators.stem`: the program with its knowledge built once, begun anew for every line on stdin.

Prints `ready`, then for every run the child's process id and, when it has ended, its exit code (negative: a signal).
"""

from __future__ import annotations

import os
import sys

from bot.app import build_desk
from bot.desk import Desk
from bot.errors import ReformbotError
from bot.serve import serve
from bot.settings import Settings, load_settings


def _serve(settings: Settings, desk: Desk) -> int:
    """The exit code; what went wrong is one line on standard error, as with the real command."""
    try:
        serve(settings, lambda _: desk, lambda _: None)
    except ReformbotError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def main() -> None:
    settings = load_settings()
    desk = build_desk(settings)
    print("ready", flush=True)
    for _ in iter(sys.stdin.readline, ""):
        child = os.fork()
        if not child:
            os._exit(_serve(settings, desk))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
