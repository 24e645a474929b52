"""Bytes of one YAML file → plain data with the position of every value, or positioned problems in Chinese.

Two passes: events first (no recursion, so a bomb of brackets is refused before it can hurt), then nodes.
Every scalar stays the text that was typed: `8:30`, `no` and `012` are not converted.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from bot.model import Problem, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

MAX_BYTES = 1 << 20
MAX_DEPTH = 8
MAX_NODES = 50_000

_NOTHING = ("~", "null", "Null", "NULL")

Path = tuple[str | int, ...]
Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ufffe\uffff]"
)
_LINE_END = re.compile(r"\r\n?|\n")
_START = r"^\s*(?:- +)*"
_LISTS = (
    "aliases|audience|about|ask|english|related|tests|rejects|any|all|none|words|short|places|answers|questions|match"
)
_SLIPS = (
    (
        re.compile(r"^(<{7}|={7}|>{7})(?: |$)"),
        "K101",
        "这是 git 合并时留下的记号：两边的改法都在这里，请留下对的一边，并删掉带 <<<<<<<、=======、>>>>>>> 的行",
    ),
    (re.compile(r"^[ \t]*(\u3000|\u00a0)"), "K011", "行首有全角空格（或网页粘来的空格），请改成半角空格"),
    (re.compile(r"^ *(\t)"), "K012", "行首有制表符（Tab），请改成空格"),
    (re.compile(r"^\s*([－—–])\s*\S"), "K013", "列表要用半角的“- ”（减号加空格）开头"),
    (
        re.compile(r"^\s*(-)(?:[\u3000\u00a0]|[^\s\-0-9])"),
        "K013",
        "减号后面少一个半角空格，请写成“- ”；如果是正文，请给整段文字加上双引号",
    ),
    (
        re.compile(_START + r"[A-Za-z_]+\s*(：)|[{,]\s*[a-z_]+(：)\s*\["),
        "K010",
        "这里有全角冒号“：”，请改成半角冒号加一个空格“: ”；如果是正文，请给整段文字加上双引号",
    ),
    (
        re.compile(_START + r"[a-z_]+(:)(?:[^\s:/]|[\u3000\u00a0])|[{,]\s*[a-z_]+(:)\["),
        "K014",
        "冒号后面少一个半角空格，请写成“: ”；如果是正文，请给整段文字加上双引号",
    ),
    (
        re.compile(rf"{_START}(?:{_LISTS}): +(?:([｛［【〔（])|\[[^\]]*([］】〕）])\s*$|\{{[^}}]*([｝）])\s*$)"),
        "K017",
        "这里是全角的括号，请改成半角：列表用 [ ]，一组键和值用 { }",
    ),
)
"""Slips that YAML itself accepts or reports in a misleading place; the group is the culprit."""


@dataclass(slots=True)
class Tree:
    """Plain data of one file. `values` and `keys` give (line, column), both from 1, of a path."""

    file: str
    data: Any = None
    values: dict[Path, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Path, tuple[int, int]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def at(self, path: Path) -> tuple[int, int]:
        """Position of the nearest thing on `path` that stands in the file."""
        while path and path not in self.values:
            path = path[:-1]
        return self.values.get(path, (1, 1))

    def add(self, where: tuple[int, int], code: str, message: str, severity: Severity = Severity.ERROR) -> None:
        """Note a problem at (line, column)."""
        self.problems.append(Problem(self.file, *where, code, message, severity))


def read(file: str, content: bytes) -> Tree:
    """Parse one file. Never raises: what is wrong stands in `problems`, and `data` is None then."""
    tree = Tree(file)
    text = _decode(tree, content)
    if text is None:
        return tree
    lines = text.splitlines()
    _scan_lines(tree, lines)
    if tree.problems or not _scan_events(tree, text):
        return tree
    node = yaml.compose(text, Loader=Loader)
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        tree.add((1, 1), "K103", "文件是空的，请写上内容，或删掉这个文件")
        return tree
    tree.data = _plain(tree, node, ())
    for scalar in _plain_scalars(node):
        _scan_scalar(tree, lines, scalar)
    if any(problem.severity is Severity.ERROR for problem in tree.problems):
        tree.data = None
    return tree


def _decode(tree: Tree, content: bytes) -> str | None:
    if len(content) > MAX_BYTES:
        tree.add((1, 1), "K001", "文件超过 1 MB，请按主题拆成几个文件")
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8-sig", "replace")
        guess = "记事本里的“Unicode”，即 UTF-16" if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)) else "可能是 GBK"
        message = f"文件不是 UTF-8 编码（{guess}）。请在编辑器里“另存为”，编码选 UTF-8"
        tree.add(_end_of(before), "K002", message)
        return None
    bad = _INVISIBLE.search(text)
    if bad:
        message = f"这里有一个看不见的字符（U+{ord(bad.group()):04X}），请删掉它再重新输入这一行"
        tree.add(_end_of(text[: bad.start()]), "K003", message)
        return None
    return text


def _end_of(text: str) -> tuple[int, int]:
    """Position of the character that follows `text`."""
    lines = _LINE_END.split(text)
    return len(lines), len(lines[-1]) + 1


def _scan_lines(tree: Tree, lines: Sequence[str]) -> None:
    for number, line in enumerate(lines, 1):
        for pattern, code, message in _SLIPS:
            found = pattern.search(line)
            if found:
                tree.add((number, found.start(found.lastindex or 0) + 1), code, message)
                break


def _plain_scalars(root: Any) -> Iterator[Any]:
    """Every scalar without quotes that holds something."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.MappingNode):
            waiting += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif node.value and node.style in (None, ""):
            yield node


def _scan_scalar(tree: Tree, lines: Sequence[str], node: Any) -> None:
    """What YAML does without a word: it reads `~` as nothing, drops text after ` #`, and joins lines."""
    if node.value in _NOTHING:
        message = f"“{node.value}”在 YAML 里是“空”的意思：请写上内容，选填的就删掉这一行；真要这几个字，请加双引号"
        tree.add((node.start_mark.line + 1, node.start_mark.column + 1), "K207", message)
    last, end = node.end_mark.line, node.end_mark.column
    joined = [(number, lines[number]) for number in range(node.start_mark.line + 1, min(last + 1, len(lines)))]
    dashed = [pair for pair in joined if pair[1].lstrip().startswith("- ")]
    for number, line in (dashed or joined)[:1]:
        where = (number + 1, len(line) - len(line.lstrip()) + 1)
        if dashed:
            tree.add(where, "K016", "这一行会并进上一句：“- ”缩进多了，或者上一句少了“- ”；请把每条的“- ”对齐")
        else:
            message = "这一行会并进上一句；新的一句请以“- ”开头，一句话请写在一行里"
            tree.add(where, "K016", message, Severity.WARNING)
    lost = re.match(r"\s+#", lines[last][end:]) if last < len(lines) else None
    if lost:
        message = "“ #”后面的字会被当成注释丢掉；如果是正文，请给整段文字加上双引号"
        tree.add((last + 1, end + lost.end()), "K015", message, Severity.WARNING)


def _scan_events(tree: Tree, text: str) -> bool:
    depth = nodes = documents = 0
    events: Iterator[Any] = yaml.parse(text, Loader=Loader)
    try:
        for event in events:
            where = (event.start_mark.line + 1, event.start_mark.column + 1)
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            nodes += isinstance(event, yaml.NodeEvent)
            documents += isinstance(event, yaml.DocumentStartEvent)
            message = _refused(event, depth, nodes, documents)
            if message:
                tree.add(where, *message)
                return False
    except yaml.MarkedYAMLError as error:
        _syntax(tree, text.splitlines(), error)
        return False
    return True


def _refused(event: Any, depth: int, nodes: int, documents: int) -> tuple[str, str] | None:
    if isinstance(event, yaml.AliasEvent):
        return "K104", f"不能用别名“*{event.anchor}”；列表要用“- ”开头，以“*”开头的文字请加双引号"
    if getattr(event, "anchor", None):
        return "K104", f"不能用锚点“&{event.anchor}”；以“&”开头的文字请加双引号"
    if getattr(event, "tag", None):
        return "K104", f"不能用标签“{event.tag}”；以“!”开头的文字请加双引号"
    if documents > 1:
        return "K105", "一个文件里只能有一份文档，请去掉这一行“---”"
    if depth > MAX_DEPTH:
        return "K106", f"嵌套超过 {MAX_DEPTH} 层，请检查括号和缩进"
    if nodes > MAX_NODES:
        return "K107", f"内容超过 {MAX_NODES} 项，请拆成几个文件"
    return None


_MEANINGS = (
    ("scanning an alias", "K104", "以“*”开头的文字请加双引号；列表要用“- ”开头"),
    ("scanning an anchor", "K104", "以“&”开头的文字请加双引号"),
    ("a tag", "K104", "以“!”开头的文字请加双引号"),
    ("could not find expected ':'", "K101", "这一行少了半角冒号“: ”（全角的“：”不算）、少了“- ”，或者引号没有写完"),
    ("scanning a quoted scalar", "K101", "这里的引号没有配对，请在文字末尾补上同样的引号"),
    ("',' or ']'", "K101", "这个方括号里少了“]”、半角逗号“,”或引号，也可能有没加双引号的“ #”"),
    ("',' or '}'", "K101", "这个花括号里少了“}”、半角逗号“,”或引号，也可能有没加双引号的“ #”"),
    ("a block scalar", "K101", "以“|”或“>”开头的文字请加双引号"),
    ("a directive", "K101", "行首不能是“%”，请删掉它，或给整段文字加上双引号"),
    ("mapping values are not allowed", "K101", "这里多了一个“: ”；文字里有冒号时，请给整段文字加上双引号"),
    ("found unexpected ':'", "K101", "这里的冒号位置不对；文字里有冒号时，请给整段文字加上双引号"),
    ("did not find expected '-' indicator", "K101", "这一行的缩进和上面的“- ”没有对齐，请对齐"),
    ("did not find expected key", "K101", "这一行的缩进和上面没有对齐，请对齐"),
    ("block sequence entries are not allowed", "K101", "这里不能出现“- ”，请另起一行，或给整段文字加上双引号"),
    ("mapping keys are not allowed", "K101", "以“? ”开头的文字请加双引号"),
    ("cannot start any token", "K101", "文字不能用这个符号开头，请给整段文字加上双引号"),
    ("parsing a quoted scalar", "K101", "双引号里的反斜杠“\\”不能这样写，请删掉或写成“\\\\”"),
    ("did not find expected node content", "K101", "这里缺内容，或有多余的逗号、括号，请删掉或补上"),
    ("expected <document start>", "K101", "内容在上面已经结束了；请删掉单独的一行“...”，或检查这一行的缩进"),
)
"""What the parser says → code and what to do. The first five and the brackets are told where the thing begins."""
_AT_BEGINNING = ("K104", "expected ':'", "scanning a quoted scalar", "',' or")
_KEY_ALONE = re.compile(_START + r"[A-Za-z_]+$")
_CLOSED = re.compile(_START + r"""(?:[A-Za-z_]+: +)?(?:"(?:[^"\\]|\\.)*"|'[^']*'|\[.*\]|\{.*\})$""")
_OPEN_QUOTE = re.compile(_START + r"""(?:[A-Za-z_]+: +)?("(?:[^"\\]|\\.)*|'[^']*)$""")


def _syntax(tree: Tree, lines: Sequence[str], error: Any) -> None:
    """Tell of an error with a mark, the only kind that text without invisible characters can lead to."""
    mark, begins = error.problem_mark, error.context_mark
    said = f"{error.context}: {error.problem}"
    code, message = next((row[1:] for row in _MEANINGS if row[0] in said), ("K101", "这里不符合 YAML 的写法，请检查"))
    before = lines[mark.line][: mark.column] if mark.line < len(lines) else ""
    found = (mark.line + 1, mark.column + 1)
    if begins is not None and any(part in f"{code} {said}" for part in _AT_BEGINNING):
        where = (begins.line + 1, begins.column + 1)
        tree.add(where, code, message + (f"（读到第 {found[0]} 行才发现）" if found[0] > where[0] else ""))
    elif _CLOSED.match(before):
        tree.add(found, code, f"“{before[-1]}”后面还有字；请给整段文字加上双引号，或删掉多余的部分")
    elif before.rstrip().endswith(('"', "'")) and (opened := _opened(lines[: mark.line])) is not None:
        tree.add(opened, code, f"这里的引号没有写完，请补上（读到第 {found[0]} 行才发现）")
    elif lines[mark.line : mark.line + 1] and lines[mark.line][mark.column :].startswith("\t"):
        tree.add(found, code, "这里有制表符（Tab），请改成空格")
    elif "mapping values" in said and _KEY_ALONE.match(before):
        tree.add(found, code, f"上一行少了冒号，或这一行缩进不对{_above(lines, mark.line)}")
    else:
        tree.add(found, code, message + (_above(lines, mark.line) if "对齐" in message else ""))


def _opened(lines: Sequence[str]) -> tuple[int, int] | None:
    """The last line that opens a quote and does not close it."""
    for number in range(len(lines) - 1, -1, -1):
        found = _OPEN_QUOTE.match(lines[number])
        if found:
            return number + 1, found.start(1) + 1
    return None


def _above(lines: Sequence[str], number: int) -> str:
    text = lines[number - 1].strip() if 0 < number <= len(lines) else ""
    return f"（也请看上一行：{text[:30]}）" if text else ""


def _plain(tree: Tree, node: Any, path: Path) -> Any:
    tree.values[path] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.ScalarNode):
        return node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(tree, child, (*path, index)) for index, child in enumerate(node.value)]
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        name = _key(tree, key_node, path, result)
        if name is not None:
            result[name] = _plain(tree, value_node, (*path, name))
        elif key_node.value == next(iter(result), None):
            break  # the next item without its “- ”: all its keys would repeat
    return result


def _key(tree: Tree, node: Any, path: Path, earlier: dict[str, Any]) -> str | None:
    """A key that may stand here, noted with its place; None for one that is refused."""
    where = (node.start_mark.line + 1, node.start_mark.column + 1)
    if not isinstance(node, yaml.ScalarNode):
        tree.add(where, "K108", "键必须是一个词，这里却是一个列表或表格；请检查冒号和括号")
        return None
    name = str(node.value)
    if node.tag == "tag:yaml.org,2002:merge":
        tree.add(where, "K104", "不能用合并键“<<”，请把内容直接写出来")
        return None
    if name in earlier:
        first = tree.keys[(*path, name)][0]
        new_item = "；如果这里是新的一条，请在前面加“- ”" if name == next(iter(earlier)) else ""
        tree.add(where, "K102", f"“{name}”写了两次（第一次在第 {first} 行），请删掉一个{new_item}")
        return None
    tree.keys[(*path, name)] = where
    return name
