"""What building an index leaves behind."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress


def give_back() -> None:
    """Return freed memory to the system where the C library can: big temporary arrays leave holes in the heap."""
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # glibc alone has it
            ctypes.CDLL(None).malloc_trim(0)
