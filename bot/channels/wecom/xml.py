"""The XML of callbacks: read with every DOCTYPE refused, written by an encoder."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Mapping

Tree = dict[str, "str | Tree"]
"""Tag → text, or the tags within. Of a tag that comes twice, the last one counts."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DEEPEST = 6


class XmlError(Exception):
    """Not the XML that WeCom sends."""


class _Builder(ET.TreeBuilder):
    """Refuses a document type, and with it every entity, before anything is expanded."""

    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:  # noqa: ARG002
        raise XmlError


def read(text: str) -> Tree:
    """The children of the root, by tag; raises XmlError."""
    parser = ET.XMLParser(target=_Builder(), encoding="utf-8")
    try:
        parser.feed(text.encode())
        root = parser.close()
    except (ET.ParseError, UnicodeError, ValueError, LookupError):
        raise XmlError from None
    found = _tree(root, _DEEPEST)
    if isinstance(found, str):
        raise XmlError
    return found


def write(tree: Mapping[str, object], root: str = "xml") -> str:
    """One element with a child a key, mappings within mappings. Characters that XML cannot hold are dropped."""
    return ET.tostring(_element(root, tree), encoding="unicode", short_empty_elements=False)


def text_of(tree: Tree, name: str) -> str:
    """The text under a tag; empty when there is none."""
    found = tree.get(name, "")
    return found if isinstance(found, str) else ""


def _tree(element: ET.Element, depth: int) -> str | Tree:
    if not len(element):
        return element.text or ""
    if not depth:
        raise XmlError
    return {child.tag: _tree(child, depth - 1) for child in element}


def _element(name: str, content: object) -> ET.Element:
    made = ET.Element(name)
    if isinstance(content, dict):
        made.extend(_element(tag, inner) for tag, inner in content.items())
    else:
        made.text = _NOT_XML.sub("", str(content))
    return made
