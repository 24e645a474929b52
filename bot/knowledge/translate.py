"""Validation errors of pydantic → Chinese problems at their place in the file, each with its mend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rapidfuzz import fuzz, process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic import ValidationError

    from bot.knowledge.nodes import Path, Tree

    Fields = Mapping[str, Mapping[str, bool]]

_LIST = "一个列表（每行以“- ”开头，或写成 [甲, 乙]）"
_GROUP = "一组“键: 值”（每行一个）"
_TEXT = "一段文字"
_COMMAS = "，、；;"


def report(tree: Tree, error: ValidationError, fields: Fields) -> None:
    """Add one problem to `tree` for each error with a mend of its own; `fields` maps a model's name to its keys,
    each with whether it is needed."""
    items = error.errors(include_url=False)
    meant = {(*item["loc"][:-1], _meant(item, fields)) for item in items if item["type"] == "extra_forbidden"}
    for item in items:
        if (item["type"] == "missing" and item["loc"] in meant) or _follows(item):
            continue
        path: Path = item["loc"]
        code, message = _say(item, path, fields)
        where = tree.keys.get(path) if item["type"] == "extra_forbidden" else None
        tree.add(where or tree.at(path), code, message)


def _follows(item: Any) -> bool:
    """Whether a list is only too short because some of what it holds is wrong."""
    return bool(item["type"] == "too_short" and len(item["input"]) >= item["ctx"]["min_length"])


def _say(item: Any, path: Path, fields: Fields) -> tuple[str, str]:
    kind = item["type"]
    wanted = _WANTED.get(kind)
    if kind == "literal_error" and not isinstance(item["input"], str):
        wanted = _TEXT
    if wanted:
        return "K203", f"{_label(path)}要写成{wanted}{_instead(wanted, item['input'])}"
    if kind == "extra_forbidden":
        known = fields.get(_model(path), {})
        close = _meant(item, fields)
        hint = f"，是不是想写“{close}”？" if close else "；能写的键有：" + "、".join(known)
        return "K202", f"不认识的键“{path[-1]}”{hint}"
    if kind == "string_too_short":
        return _empty(path, fields)
    say = _SAYINGS.get(kind)
    return say(item, path) if say else ("K299", f"{_label(path)}写得不对，请照别的条目改")


_WANTED = {
    "tuple_type": _LIST,
    "list_type": _LIST,
    "model_type": _GROUP,
    "model_attributes_type": _GROUP,
    "dict_type": _GROUP,
    "string_type": _TEXT,
}


def _instead(wanted: str, found: Any) -> str:
    """What stands there instead, and the mend."""
    if found == "":
        return "，现在是空的"
    if wanted == _TEXT and isinstance(found, list):
        return "，现在是一个列表；正文以“[”开头时，请给整段文字加上双引号"
    if wanted == _TEXT and isinstance(found, dict):
        return "，现在是“键: 值”；正文里有“: ”、以“:”结尾或以“{”开头时，请给整段文字加上双引号"
    if wanted == _LIST and isinstance(found, str) and found.startswith(("【", "［", "〔", "（")):
        return "，括号和逗号都要用半角"
    return ""


def _missing(_item: Any, path: Path) -> tuple[str, str]:
    return "K201", f"缺少“{path[-1]}”，请补上一行“{path[-1]}: …”"


def _literal(item: Any, _path: Path) -> tuple[str, str]:
    expected = item["ctx"]["expected"].replace("'", "").replace(" or ", "、").replace(", ", "、")
    return "K204", f"“{item['input']}”不在词表里，只能写：{expected}{_apart(item['input'])}"


def _pattern(item: Any, path: Path) -> tuple[str, str]:
    if path and path[-1] == "url":
        return "K205", "网址要以 https:// 开头，请写完整"
    example = "只能用小写字母、数字和减号，如 nb-micro-court"
    return "K205", f"“{item['input']}”不能用作编号：{example}{_apart(item['input'])}"


def _too_long(item: Any, path: Path) -> tuple[str, str]:
    limit, length = item["ctx"]["max_length"], len(item["input"])
    return "K206", f"{_label(path)}太长了：最多 {limit} 个字，现在 {length} 个，请缩短或拆成几条"


def _empty(path: Path, fields: Fields) -> tuple[str, str]:
    needed = isinstance(path[-1], str) and fields.get(_model(path), {}).get(path[-1], True) if path else True
    return "K207", f"{_label(path)}是空的，请写上内容" + ("" if needed else "，或删掉这一行")


def _too_few(item: Any, path: Path) -> tuple[str, str]:
    unit = "条" if path and isinstance(path[-1], str) else "项"
    limit, length = item["ctx"]["min_length"], len(item["input"])
    return "K208", f"{_label(path)}至少要有 {limit} {unit}，现在 {length} {unit}，请补上"


def _too_many(item: Any, path: Path) -> tuple[str, str]:
    return "K208", f"{_label(path)}最多写 {item['ctx']['max_length']} 条，现在 {len(item['input'])} 条，请删掉几条"


def _value(item: Any, path: Path) -> tuple[str, str]:
    template = "；( | ) 任选其一，[ ] 可有可无，括号和竖线都要半角、成对" if "ask" in path else ""
    return "K209", f"{item['ctx']['error']}{template}"


def _yes_no(_item: Any, _path: Path) -> tuple[str, str]:
    return "K209", "这里只能写 true 或 false"


_SAYINGS: dict[str, Callable[[Any, Path], tuple[str, str]]] = {
    "missing": _missing,
    "literal_error": _literal,
    "string_pattern_mismatch": _pattern,
    "string_too_long": _too_long,
    "too_short": _too_few,
    "too_long": _too_many,
    "value_error": _value,
    "bool_type": _yes_no,
    "bool_parsing": _yes_no,
}


def _apart(found: str) -> str:
    return "；几个词之间要用半角逗号加空格“, ”" if any(mark in found for mark in _COMMAS) else ""


def _label(path: Path) -> str:
    """How a message calls a place: “ask”, “ask”的第 2 条, 第 3 条."""
    if not path:
        return "这个文件"
    if isinstance(path[-1], str):
        return f"“{path[-1]}”"
    owner = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    return f"“{owner}”的第 {path[-1] + 1} 条" if owner else f"第 {path[-1] + 1} 条"


def _meant(item: Any, fields: Fields) -> str:
    """The key that an unknown one is nearest to; empty when none is near."""
    known = fields.get(_model(item["loc"]), {})
    close = process.extractOne(str(item["loc"][-1]), list(known), scorer=fuzz.ratio, score_cutoff=70)
    return close[0] if close else ""


def _model(path: Path) -> str:
    names = [step for step in path[:-1] if isinstance(step, str)]
    return names[-1] if names else ""
