"""What an errcode means for a reply on its way: wait, give up, or try again."""

from __future__ import annotations

from bot.channels.outbox import Later, Refused
from bot.channels.wecom.errors import BUSY, FREQUENCY, OPERATOR, THROTTLED, TOKEN_INVALID, UNREACHABLE, ApiError

_OPERATOR_SECONDS = 30.0
_BLOCKED_SECONDS = 60.0
_CROWDED_SECONDS = 2.0


def outcome(error: ApiError) -> Exception:
    """The exception that tells the outbox what to do; `error` itself means: again, with longer and longer waits."""
    if error.code in OPERATOR:
        return Later(_OPERATOR_SECONDS, everyone=True)
    if error.code in THROTTLED:
        return Later(_BLOCKED_SECONDS if error.code == FREQUENCY else _CROWDED_SECONDS, everyone=True)
    if error.code in {UNREACHABLE, BUSY, *TOKEN_INVALID}:
        return error
    return Refused(f"errcode {error.code}")
