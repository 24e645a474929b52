"""Work shared by forked processes, which inherit what they work on."""

from __future__ import annotations

import gc
import multiprocessing
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Things = TypeVar("Things")
    Shared = TypeVar("Shared")
    Found = TypeVar("Found")

_SHARES = 8
"""Portions a worker, so that none waits long for the last one."""


def workers() -> int:
    """How many processes may share the work: one for each processor, where processes can be forked."""
    return (os.cpu_count() or 1) if "fork" in multiprocessing.get_all_start_methods() else 1


def spread(
    do: Callable[[Things, Shared], Found], things: Sequence[Things], shared: Shared, workers: int, worth: int = 1_000
) -> list[Found]:
    """What a function makes of each of many things, in order. `worth` is from how many things on it is worth forking.

    The function and the things are sent to the workers and so must be picklable; `shared` is inherited.
    """
    if workers < 2 or len(things) < worth:
        return [do(thing, shared) for thing in things]
    gc.freeze()  # workers share the memory: nothing need be looked through, and copied, there
    portion = max(1, len(things) // (_SHARES * workers))
    with ProcessPoolExecutor(workers, get_context("fork"), _adopt, (shared,)) as pool:
        return list(pool.map(partial(_with_adopted, do), things, chunksize=portion))


_adopted: list[Any] = []
"""In a forked worker: what it inherited."""


def _adopt(shared: Any) -> None:
    gc.disable()  # a worker is gone before its garbage matters
    _adopted.append(shared)


def _with_adopted(do: Callable[[Things, Any], Found], thing: Things) -> Found:
    return do(thing, _adopted[0])
