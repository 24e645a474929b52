"""Reply → messages of WeCom: text in pieces of so many bytes, cards with buttons, menus."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from bot import render
from bot.model import Status
from bot.text.normalise import spaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bot.model import Option, Reply

SEND, UPDATE_CARD, KF_SEND = "message/send", "message/update_template_card", "kf/send_msg"
KF_TRANS = "kf/service_state/trans"
SAID = "said"
"""Id of a menu item that is asked as it reads."""
UNREAD = "我现在只看得懂文字，请把想问的事打成一句话。"
THANKS = "已评价"

TEXT_BYTES = 2048
HEAD_BYTES = 1024
BUTTON_CHARACTERS = 10
ITEM_BYTES = 128
ID_BYTES = 64

Part = dict[str, Any]
"""One call of the API: its `path` and its `body` without the address, which the sender adds."""

_BORDERS = (re.compile("\n+"), re.compile("[。！？；!?;]+"), re.compile("[，、, ]+"))
_USEFUL, _USELESS = "👍 有用", "👎 没用"
_NARROWER = "\n（内容太多，没有写完；请问得更具体一些。）"
_MOST_TEXTS = 3
_PICKED = frozenset({Status.CHOICES, Status.LIST, Status.NONE})
_JUDGED = frozenset({Status.ANSWER, Status.LIST})


def pieces(text: str, limit: int = TEXT_BYTES) -> list[str]:
    """The text cut into pieces of at most `limit` bytes: after a line, else a sentence, a comma, a character."""
    return list(_pieces(text, limit))


def _pieces(text: str, limit: int) -> Iterator[str]:
    while len(text.encode()) > limit:
        cut = _cut(text.encode()[:limit].decode(errors="ignore"))
        piece = text[:cut].strip("\n")
        if piece:
            yield piece
        text = text[cut:].lstrip("\n")
    if text:
        yield text


def _cut(head: str) -> int:
    """Where to cut: behind the last border in the second half, of the best kind that has one there."""
    for border in _BORDERS:
        ends = [found.end() for found in border.finditer(head)]
        if ends and ends[-1] >= len(head) / 2:
            return ends[-1]
    return len(head)


def clip(text: str, limit: int) -> str:
    """The text, or as much of it as goes into `limit` bytes with an ellipsis."""
    if len(text.encode()) <= limit:
        return text
    return text.encode()[: limit - len("…".encode())].decode(errors="ignore") + "…"


def text(content: str, path: str = SEND) -> Part:
    """A text message."""
    return {"path": path, "body": {"msgtype": "text", "text": {"content": content}}}


def greeting(welcome: str, examples: Sequence[str]) -> str:
    """The welcome and the examples as one text."""
    return "\n".join((welcome, "", "可以这样问：", *(f"· {example}" for example in examples)))


# --- the app: text, and a card with buttons ----------------------------------------------------------------------


def app_parts(reply: Reply, token: str, at: str, cards: bool) -> list[Part]:
    """The messages for a member who asked at `at`; without `cards` (nothing can be pushed) one text, cut to fit."""
    content = spaced(_spelled(reply, numbered=not cards))
    if not cards:
        return [text(_fitted(content))]
    card = _card(reply, token)
    return [*(text(piece) for piece in _continued(content, at)), *([card] if card else [])]


def _continued(content: str, at: str) -> list[str]:
    """The pieces; each but the first says what it belongs to, so that WeCom takes none for a repeated message."""
    if len(content.encode()) <= TEXT_BYTES:
        return [content]
    heading = f"（续 {{}}/{{}}，接 {at} 的问题）\n"
    cut = pieces(content, TEXT_BYTES - len(heading.encode()))
    return [cut[0], *(heading.format(number, len(cut)) + piece for number, piece in enumerate(cut[1:], 2))]


def _fitted(content: str) -> str:
    if len(content.encode()) <= TEXT_BYTES:
        return content
    return pieces(content, TEXT_BYTES - len(_NARROWER.encode()))[0] + _NARROWER


def _spelled(reply: Reply, numbered: bool) -> str:
    """The text with what the buttons of other channels say; `numbered`: also what the card would."""
    content = render.plain(reply)
    options = [option for option in reply.options if option.id]
    if not options:
        return content
    if reply.status not in _PICKED:
        return f"{content}\n相关：" + "、".join(option.label for option in options)
    if not numbered or not reply.turn.offered:
        return content
    if reply.status is Status.CHOICES:  # its items are numbered already
        return f"{content}\n回复数字就能选。"
    listed = "\n".join(f"{number}. {option.label}" for number, option in enumerate(options, 1))
    return f"{content}\n回复数字看：\n{listed}"


def _card(reply: Reply, token: str) -> Part | None:
    if reply.status in _PICKED and reply.options:
        buttons = [(_numbered(number, option), f"pick:{option.id}") for number, option in enumerate(reply.options, 1)]
        return _button_card("请点一件", token, buttons)
    if reply.status in _JUDGED:
        return _button_card("这样答有用吗？", token, [(_USEFUL, f"up:{token}"), (_USELESS, f"down:{token}")])
    return None


def _numbered(number: int, option: Option) -> str:
    return f"{number}. {option.label}" if option.id else option.label


def _button_card(title: str, token: str, buttons: Sequence[tuple[str, str]]) -> Part:
    """`buttons` are (text, key); at most six are shown."""
    card = {
        "card_type": "button_interaction",
        "main_title": {"title": title},
        "task_id": token,
        "button_list": [{"text": _short(label), "style": 1, "key": key} for label, key in buttons[:6]],
    }
    return {"path": SEND, "body": {"msgtype": "template_card", "template_card": card}}


def _short(label: str) -> str:
    return label if len(label) <= BUTTON_CHARACTERS else label[: BUTTON_CHARACTERS - 1] + "…"


def card_done(response_code: str, said: str) -> Part:
    """Turn the buttons of a card that was clicked into one dead one that says what was chosen."""
    body = {"response_code": response_code, "button": {"replace_name": _short(said)}}
    return {"path": UPDATE_CARD, "body": body}


# --- 微信客服: text, and a menu ------------------------------------------------------------------------------------


def kf_parts(reply: Reply, token: str) -> list[Part]:
    """The messages for a citizen, four at most: texts, and the end of the last one as the head of a menu."""
    texts = _few(pieces(spaced(render.plain(reply))))
    items = _menu_items(reply, token)
    if not items:
        return [text(piece, KF_SEND) for piece in texts]
    head = texts.pop() if len(texts[-1].encode()) <= HEAD_BYTES else "您还可以点："
    return [*(text(piece, KF_SEND) for piece in texts), menu(head, items)]


def _few(texts: list[str]) -> list[str]:
    if len(texts) <= _MOST_TEXTS:
        return texts
    last = pieces(texts[_MOST_TEXTS - 1], TEXT_BYTES - len(_NARROWER.encode()))[0] + _NARROWER
    return [*texts[: _MOST_TEXTS - 1], last]


def menu(head: str, items: Sequence[tuple[str, str]]) -> Part:
    """A menu of (id, what it says); at most ten."""
    clicks = [{"type": "click", "click": {"id": key, "content": clip(label, ITEM_BYTES)}} for key, label in items[:10]]
    return {"path": KF_SEND, "body": {"msgtype": "msgmenu", "msgmenu": {"head_content": head, "list": clicks}}}


def _menu_items(reply: Reply, token: str) -> list[tuple[str, str]]:
    judged = [(f"up:{token}", _USEFUL), (f"down:{token}", _USELESS)] if reply.status in _JUDGED else []
    return [*((_menu_id(option.id), option.label) for option in reply.options), *judged]


def _menu_id(entry: str) -> str:
    """`pick:` and the entry; an id that is too long is left to the words of the item."""
    made = f"pick:{entry}"
    return made if len(made.encode()) <= ID_BYTES else SAID


def kf_welcome(welcome: str, examples: Sequence[str]) -> Part:
    """The welcome with the examples to tap."""
    return menu(clip(welcome, HEAD_BYTES), [(SAID, example) for example in examples])


def hand_over() -> Part:
    """Put the citizen into the queue for a human."""
    return {"path": KF_TRANS, "body": {"service_state": 2}}
