"""Which push channels there are: one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bot.channels.telegram import channel as telegram
from bot.channels.wecom.aibot import channel as wecom_aibot
from bot.channels.wecom.channels import wecom_channels

if TYPE_CHECKING:
    from collections.abc import Callable

    from bot.channels.channel import Channel
    from bot.channels.service import Service

MAKERS: tuple[Callable[[Service], Channel | None], ...] = (telegram.make, wecom_aibot.make)
"""Each makes its channel, or None when its settings are not set."""


def channels(service: Service) -> list[Channel]:
    """The channels whose credentials are set, ready to run."""
    made = (make(service) for make in MAKERS)
    return [*(channel for channel in made if channel is not None), *wecom_channels(service)]
