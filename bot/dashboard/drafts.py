"""What the editor's form holds."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from bot.channels.web.forms import form_fields
from bot.dashboard.workroom import named, titled
from bot.editing import keep
from bot.knowledge.page import read_page

if TYPE_CHECKING:
    from starlette.requests import Request

    from bot.dashboard.panel import Panel

DRAFT_BYTES = 1024 * 1024
"""Of a file, as it will stand on the disk."""
_FIELD = 400


@dataclass(frozen=True, slots=True)
class Draft:
    """What the form holds. `opened` is the digest of the file that the draft was made from."""

    name: str
    text: str
    opened: str
    who: str = ""
    why: str = ""
    entry: str = ""
    question: str = ""

    @property
    def content(self) -> bytes:
        """The file as it would be saved."""
        return self.text.encode("utf-8", "replace")


async def content_now(panel: Panel, name: str) -> bytes:
    """A file as it stands; what is no knowledge file is refused."""
    try:
        return await asyncio.to_thread(keep.content_now, panel.workroom.folder, name)
    except keep.SaveError as error:
        raise HTTPException(400, str(error)) from None


async def read_draft(panel: Panel, request: Request) -> Draft:
    """The draft that was sent; what is too long or belongs to no knowledge file is refused."""
    fields = await form_fields(request)
    text = fields.get("content", "").replace("\r\n", "\n")
    name = fields.get("file", "")
    await content_now(panel, name)
    more = {key: fields.get(key, "")[:_FIELD] for key in ("opened", "who", "why", "entry", "question")}
    draft = Draft(name, text, **more)
    if len(draft.content) > DRAFT_BYTES:
        raise HTTPException(413, "文件太大了，最多 1 MiB：请分成几个文件。")
    return draft


def items_of(draft: Draft) -> list[tuple[int, str, str]]:
    """(line, id, name) of what a draft holds; nothing when it is not sound."""
    page = read_page(draft.name, draft.content)
    return [(line, item.id, titled(item)) for line, item in named(page)]
