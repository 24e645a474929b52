"""What WeCom's API says when it says no."""

from __future__ import annotations

UNREACHABLE = -2
"""Ours: no answer, or none that could be read."""
BUSY = -1
BAD_CREDENTIALS = frozenset({40001, 40013})
TOKEN_INVALID = frozenset({40014, 41001, 42001})
FREQUENCY = 45009
CONCURRENCY = 45033
THROTTLED = frozenset({FREQUENCY, CONCURRENCY})
NO_PERMISSION = 48002
UNTRUSTED_ADDRESS = 60020
OPERATOR = frozenset({*BAD_CREDENTIALS, NO_PERMISSION, UNTRUSTED_ADDRESS, 95000, 95017})
"""Only a person at the console can mend these: what waits is kept until then."""
TASK_KNOWN = 42014
KF_TOO_MANY = 95001


class ApiError(Exception):
    """A call was refused with this errcode; the platform's own words are not kept, they may quote what was sent."""

    def __init__(self, code: int) -> None:
        super().__init__(f"WeCom errcode {code}")
        self.code = code
