"""A conversation in the terminal."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TextIO

from bot.app import running
from bot.model import Message
from bot.text.normalise import spaced

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.desk import Desk
    from bot.settings import Settings

_LEAVE = frozenset({"再见", "退出", "exit", "quit", "q"})
_USER = "terminal"


async def converse(settings: Settings, desk: Desk, lines: TextIO, say: Callable[[str], None]) -> None:
    """Read questions until the end of `lines` or a word of leaving; every one is logged."""
    own = {"rate_limit_user": 0, "spool": settings.spool_file().with_suffix(".console.spool")}  # a server has the other
    async with running(settings.model_copy(update=own), desk) as app:
        greeting, examples = app.welcome()
        listed = "\n".join(f"  · {example}" for example in examples)
        say(f"{greeting}\n\n可以这样问：\n{listed}\n\n输入“退出”结束。")
        while True:
            if lines.isatty():
                print("\n您问：", end="", flush=True)
            line = await asyncio.to_thread(lines.readline)
            text = line.strip()
            if not line or text.lower() in _LEAVE:
                return
            handled = await app.handle(Message(text, channel="console", user=_USER))
            say("\n" + _shown(handled.payload))


def _shown(payload: dict[str, object]) -> str:
    text = spaced(str(payload["text"]))
    options = payload["options"]
    if payload["status"] == "answer" and isinstance(options, list) and options:
        text += "\n相关：" + "、".join(spaced(option["label"]) for option in options)
    return text
