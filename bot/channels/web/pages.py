"""The HTML of the web chat and the files it loads. Templates word the page; nothing here decides anything."""

from __future__ import annotations

import re
from functools import cache
from hashlib import sha256
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles

from bot.model import Status

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from starlette.types import Scope

    from bot.channels.service import Talk

MAX_CHARS = 200
"""What the input takes. The service takes any length and says so when it cuts."""
SILENT = "您问得有点快，请过一会儿再问。"
"""Shown for a reply without words; chat.js has the same."""
STATIC = Path(__file__).parent / "static"

_TEMPLATES = Path(__file__).parent / "templates"
_SHOWN_CHARS = 500
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_VOTED = frozenset({Status.ANSWER, Status.CHOICES, Status.LIST, Status.NONE})


def scrub(text: str) -> str:
    """Replace lone surrogates, the only characters that UTF-8 cannot carry."""
    return _SURROGATE.sub("\ufffd", text)


def paragraphs(payload: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """The blocks of an answer with neighbours of one kind together, so that facts form one list."""
    blocks = payload.get("blocks") or [{"kind": "summary", "text": payload.get("text") or SILENT}]
    return [(kind, [block["text"] for block in run]) for kind, run in groupby(blocks, key=lambda block: block["kind"])]


def shown(question: str) -> str:
    """A citizen's own words as the page repeats them: no control characters, not endless."""
    text = _CONTROL.sub("", question[: _SHOWN_CHARS + 1]).strip()
    return text if len(question) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}……"


@cache
def version(file: Path) -> str:
    """A file's version: it changes with the content and nothing else."""
    return sha256(file.read_bytes()).hexdigest()[:12]


def asset(name: str) -> str:
    """The address under which a file of the chat may be kept for ever."""
    return f"/static/{name}?v={version(STATIC / name)}"


def templates(folder: Path) -> Environment:
    """Jinja for a folder of pages: everything is escaped, and a name that nobody gave is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class Assets(StaticFiles):
    """Static files: kept for a year under their versioned address, asked for again under the plain one."""

    def __init__(self, folder: Path = STATIC) -> None:
        super().__init__(directory=folder)

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        """The file, with how long it may be kept."""
        response = super().file_response(full_path, stat_result, scope, status_code)
        versioned = scope["query_string"] == f"v={version(Path(full_path))}".encode()
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if versioned else "no-cache"
        return response


class Pages:
    """Renders the pages; the service's words and the citizen's are escaped by Jinja."""

    def __init__(self, service: Talk) -> None:
        self._service = service
        self._jinja = templates(_TEMPLATES)
        self._jinja.filters.update(paragraphs=paragraphs, shown=shown)
        self._jinja.globals.update(asset=asset, max_chars=MAX_CHARS, voted=_VOTED)

    def _render(self, template: str, status: int, **values: Any) -> Response:
        html = self._jinja.get_template(template).render(values)
        return HTMLResponse(scrub(html), status, {"Cache-Control": "no-store"})

    def chat(self, status: int = 200, *, notice: str = "") -> Response:
        """The page as it opens: greeting and examples, after a notice if there is one."""
        greeting, examples = self._service.welcome()
        return self._render("chat.html", status, notice=notice, greeting=greeting, examples=examples, turn=None)

    def turn(self, question: str, payload: Mapping[str, Any]) -> Response:
        """The page after a question that was asked without JavaScript."""
        return self._render("chat.html", 200, notice="", greeting="", examples=(), turn=(question, payload))

    def error(self, status: int, text: str) -> Response:
        """A page that says what went wrong, with the way back."""
        return self._render("error.html", status, text=text)
