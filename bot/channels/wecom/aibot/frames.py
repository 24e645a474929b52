"""What travels over the AI bot's WebSocket: JSON frames, read with care and built by name. Pure."""

from __future__ import annotations

import json
import re
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

SUBSCRIBE = "aibot_subscribe"
PING = "ping"
RESPOND = "aibot_respond_msg"
WELCOME = "aibot_respond_welcome_msg"
UPDATE = "aibot_respond_update_msg"
PUSH = "aibot_send_msg"
MESSAGE = "aibot_msg_callback"
EVENT = "aibot_event_callback"
DISCONNECTED = "disconnected_event"
ENTER = "enter_chat"
CLICK = "template_card_event"
FEEDBACK = "feedback_event"

MAX_CONTENT = 20_480
"""UTF-8 bytes of one markdown content."""
BAD_CREDENTIALS = 853000
NOT_SUBSCRIBED = 846609
TOO_OFTEN = frozenset({45009, 45033})
"""Codes that ask for patience."""
FOR_NOW = frozenset({-1, NOT_SUBSCRIBED})
"""Codes that another try may be spared."""

_LEADING_MENTION = re.compile(r"^(?:\s*@\S+(?:\s+|$))+")
_TRAILING_MENTION = re.compile(r"(?:\s+@\S+)+\s*$")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, data: Any) -> Any:
        """A null counts as absent, and so does anything else where an object should be."""
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else {}


class Headers(_Part):
    """`req_id` ties an answer to what it answers."""

    req_id: str = ""


class Sender(_Part):
    """Who wrote or clicked."""

    userid: str = ""


class Content(_Part):
    """Words: typed, or heard by the platform."""

    content: str = ""


class Item(_Part):
    """One piece of a message of text and pictures."""

    text: Content = Content()


class Mixed(_Part):
    """A message of text and pictures."""

    msg_item: tuple[Item, ...] = ()


class Click(_Part):
    """A button of a card: the button's key, and the card's task."""

    event_key: str = ""
    task_id: str = ""


class Opinion(_Part):
    """A verdict: `type` 1 good, 2 bad, 3 withdrawn; `id` is the feedback id that the reply was sent with."""

    id: str = ""
    type: int = 0
    content: str = ""
    inaccurate_reason_list: tuple[int | str, ...] = ()


class Event(_Part):
    """What happened, when nothing was written."""

    eventtype: str = ""
    template_card_event: Click = Click()
    feedback_event: Opinion = Opinion()


class Body(_Part):
    """A message or an event, as the gateway calls it back."""

    msgid: str = ""
    chatid: str = ""
    chattype: str = "single"
    sender: Sender = Field(default=Sender(), alias="from")
    msgtype: str = ""
    text: Content = Content()
    voice: Content = Content()
    mixed: Mixed = Mixed()
    event: Event = Event()

    @property
    def in_group(self) -> bool:
        """Whether others read along."""
        return self.chattype == "group"

    @property
    def chat(self) -> str:
        """Where to reply: `group:ID` or `single:USER`."""
        return f"group:{self.chatid}" if self.in_group else f"single:{self.sender.userid}"

    @property
    def words(self) -> str:
        """What the citizen said, without the mention of the bot; empty for pictures, files and videos."""
        typed = "\n".join(item.text.content for item in self.mixed.msg_item if item.text.content)
        said = self.text.content or self.voice.content or typed
        return mentions_off(said) if self.in_group else said


class Frame(_Part):
    """One frame. Answers to our own requests have no `cmd` but an `errcode`."""

    cmd: str = ""
    headers: Headers = Headers()
    body: Body = Body()
    errcode: int = 0
    errmsg: str = ""


def parse(data: str | bytes) -> Frame | None:
    """The frame, or None for what is none: its content must not reach a log."""
    try:
        return Frame.model_validate_json(data)
    except ValidationError:
        return None


def build(cmd: str, req_id: str, body: dict[str, Any] | None = None) -> str:
    """One frame as text to send."""
    frame: dict[str, Any] = {"cmd": cmd, "headers": {"req_id": req_id}}
    if body is not None:
        frame["body"] = body
    return json.dumps(frame, ensure_ascii=False)


def stream(identifier: str, content: str, feedback: str = "") -> dict[str, Any]:
    """A reply, whole and finished. Sent again with the same identifier it replaces itself.

    With `feedback` it can be judged, and the verdict comes back with that id.
    """
    judged = {"feedback": {"id": feedback}} if feedback else {}
    return {"msgtype": "stream", "stream": {"id": identifier, "finish": True, "content": content, **judged}}


def push(chat: str, kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """A message to a chat that nobody waits for; `kind` is `markdown` or `template_card`."""
    where, _, identifier = chat.partition(":")
    return {"chatid": identifier, "chat_type": 2 if where == "group" else 1, "msgtype": kind, kind: content}


def mentions_off(text: str) -> str:
    """A group message without the 「@机器人」 at its head or end."""
    return _TRAILING_MENTION.sub("", _LEADING_MENTION.sub("", text)).strip()
