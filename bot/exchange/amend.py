"""One item of a YAML file with some of its values changed: comments, order, quotes and style of the rest stay."""

from __future__ import annotations

import io
import re
import textwrap
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from bot.exchange.block import FLOW, Block, plain
from bot.knowledge import nodes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_WIDE = 1 << 20

_YEAR = re.compile("[12][0-9]{3}")


def amend(block: Block, changes: Mapping[str, Any], order: Sequence[str]) -> Block:
    """The block with some keys set, or taken away (None, or empty). `order` tells where a new key goes."""
    data = _yaml().load(textwrap.dedent("  " + block.text[2:]))
    for name, value in changes.items():
        if value in (None, [], {}):
            data.pop(name, None)
        elif name in data:
            data[name] = _like(data[name], value, name)
        else:
            later = (at for at, key in enumerate(data) if order.index(key) > order.index(name))
            data.insert(next(later, len(data)), name, _made(value, name))
    out = io.StringIO()
    _yaml().dump(data, out)
    text = "- " + textwrap.indent(out.getvalue(), "  ", lambda line: bool(line.strip()))[2:]
    tree = nodes.read("amended/amended.yaml", text.encode())
    return Block(text, len(tree.values) + len(tree.keys), block.lead)


def _yaml() -> YAML:
    made = YAML()
    made.preserve_quotes = True
    made.width = _WIDE
    made.indent(mapping=2, sequence=4, offset=2)
    return made


def _like(old: Any, new: Any, name: str) -> Any:
    """The new value in the style of the old one; parts that stay the same keep their comments."""
    if isinstance(old, CommentedMap) and isinstance(new, dict):
        for key in [key for key in old if key not in new]:
            del old[key]
        for key, value in new.items():
            old[key] = _like(old[key], value, key) if key in old else _made(value, key)
        return old
    if isinstance(old, CommentedSeq) and isinstance(new, list):
        for at, value in enumerate(new[: len(old)]):
            old[at] = _like(old[at], value, name)
        del old[len(new) :]
        old.extend(_made(value, name) for value in new[len(old) :])
        return old
    return old if str(old) == str(new) else _made(new, name)


def _made(value: Any, name: str) -> Any:
    """A value as a clerk would write it."""
    if isinstance(value, dict):
        made = CommentedMap((key, _made(part, key)) for key, part in value.items())
        if name == "match":
            made.fa.set_flow_style()
        return made
    if isinstance(value, list):
        items = CommentedSeq(_made(part, name) for part in value)
        if name in FLOW:
            items.fa.set_flow_style()
        return items
    if not isinstance(value, str) or plain(value):
        return value
    return int(value) if _YEAR.fullmatch(value) else DoubleQuotedScalarString(value)
