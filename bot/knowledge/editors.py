"""What an editor needs to help while a clerk types: the JSON Schema (draft-07) of entry, FAQ and source files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic.json_schema import models_json_schema

from bot.knowledge import schema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bot.knowledge.book import Book

_TITLES = {
    "Entry": "条目：一项改革、做法、服务或地方",
    "Faq": "现成的问答，一字不改地说",
    "SourceItem": "来源：一篇报道或文件",
    "Fact": "事实：一句话，带期间和来源",
    "Rules": "关键词规则：any 出现就加分，all 缺一个就不是本条，none 出现就不是本条",
}


def json_schema(book: Book) -> dict[str, Any]:
    """JSON Schema of the files that clerks edit, with the words of this book's registries to choose from.

    An item with a `question` is a FAQ, one with `file` or `evidence` is a source, any other an entry.
    """
    models = [(model, "validation") for model in (schema.Entry, schema.Faq, schema.SourceItem)]
    _, made = models_json_schema(models, ref_template="#/definitions/{model}")  # type: ignore[arg-type]
    definitions = made["$defs"]
    for name, definition in definitions.items():
        definition["title"] = definition["description"] = _TITLES[name]
        definition["properties"] = {key: _plain(rule) for key, rule in definition["properties"].items()}
    _offer(definitions, book)
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "甬改问答的知识文件",
        "type": "array",
        "items": {
            "if": {"required": ["question"]},
            "then": {"$ref": "#/definitions/Faq"},
            "else": {
                "if": {"anyOf": [{"required": ["file"]}, {"required": ["evidence"]}]},
                "then": {"$ref": "#/definitions/SourceItem"},
                "else": {"$ref": "#/definitions/Entry"},
            },
        },
        "definitions": definitions,
    }


def _plain(rule: dict[str, Any]) -> dict[str, Any]:
    """A property without what only Python knows: English titles, null as a value, null as a default."""
    bare = {key: value for key, value in rule.items() if key != "title" and not (key == "default" and value is None)}
    choices = [choice for choice in bare.pop("anyOf", []) if choice.get("type") != "null"]
    return {**(choices[0] if len(choices) == 1 else {"anyOf": choices} if choices else {}), **bare}


def _offer(definitions: dict[str, Any], book: Book) -> None:
    """Put the words of the registries where they may be written."""
    regions, themes = _enum(book.regions), _enum(theme.name for theme in book.themes)
    sources = {item.id: f"{item.title or item.description}，{item.date_text}" for item in book.sources.values()}
    entries = {entry.id: f"{entry.name}（{entry.region}）" for entry in book.entries.values()}
    everything = entries | {faq.id: faq.question for faq in book.faqs.values()}
    entry, faq = definitions["Entry"]["properties"], definitions["Faq"]["properties"]
    entry["region"] |= regions
    entry["theme"] |= themes
    entry["audience"]["items"] |= _enum(audience.name for audience in book.audiences)
    entry["related"]["items"] = _hints(entry["related"]["items"], entries)
    definitions["Fact"]["properties"]["source"] |= _enum(sources) | {"markdownEnumDescriptions": [*sources.values()]}
    faq["region"] |= regions
    faq["source"] |= _enum(sources) | {"markdownEnumDescriptions": [*sources.values()]}
    faq["entry"] = _hints(faq["entry"], entries)
    for item in (entry, faq):
        item["redirect"] = _hints(item["redirect"], everything)


def _enum(words: Iterable[str]) -> dict[str, Any]:
    return {"enum": list(words)}


def _hints(rule: dict[str, Any], known: dict[str, str]) -> dict[str, Any]:
    """Known ids are offered; another one is no mistake, for it may have been written a minute ago."""
    told = {key: value for key, value in rule.items() if key == "description"}
    rest = {key: value for key, value in rule.items() if key != "description"}
    offered = _enum(known) | {"markdownEnumDescriptions": list(known.values())}
    return {**told, "anyOf": [offered, rest] if known else [rest]}
