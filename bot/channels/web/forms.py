"""The fields of our own forms: from our own pages only, and in the one encoding that they use."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException

from bot.channels.web.security import header, same_origin

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import Scope

_FORM_TYPE = "application/x-www-form-urlencoded"


def media_type(scope: Scope) -> str:
    """The content type without its parameters, in small letters; empty when there is none."""
    return header(scope, b"content-type").decode("latin-1").partition(";")[0].strip().lower()


async def form_fields(request: Request) -> dict[str, str]:
    """The fields of our own form; of a name that comes twice, the last one counts."""
    if not same_origin(request.headers):
        raise HTTPException(403, "这个请求来自别的网站，没有受理。请回到本站的页面再试。")
    if media_type(request.scope) != _FORM_TYPE:
        raise HTTPException(415, "请用页面上的表单发送。")
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, keep_blank_values=True, max_num_fields=20))
    except ValueError:
        raise HTTPException(400, "表单的内容看不懂，请回到页面重新填写。") from None
