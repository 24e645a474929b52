"""A FAQ file (.jsonl, .csv, .xlsx) → a Sheet: rows in order, and every problem with its line."""

from __future__ import annotations

import csv
import io
import json
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl

from bot.exchange import foreign
from bot.exchange.cells import one_line, restore
from bot.exchange.rows import NAMES, ExchangeError, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    Lines = Iterable[tuple[int, list[str]]]
    Values = Iterator[tuple[int, dict[str, Any]]]

MAX_BYTES = 64 << 20
"""Of a file, and four times as much of what an XLSX unpacks to."""
MAX_ROWS = 50_000
_CELL = 1 << 20


def read(path: Path) -> Sheet:
    """Read a file by its ending, which is one of `FORMATS`. What is wrong with its content stands in `problems`.

    Raises ExchangeError when the file cannot be opened.
    """
    sheet = Sheet(path.name)
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise ExchangeError([f"打不开 {path.name}：{error.strerror}"]) from error
    if content is None:
        sheet.problems.append(f"{path.name}: 文件超过 {MAX_BYTES >> 20} MB，请拆成几个")
        return sheet
    for line, values in FORMATS[path.suffix.lower()](content, sheet):
        if len(sheet.rows) >= MAX_ROWS:
            sheet.add(line, f"一个文件最多 {MAX_ROWS} 行，请拆成几个")
            break
        sheet.take(line, values)
    if not sheet.rows and not sheet.problems:
        sheet.add(1, "文件里没有一条问答")
    _repeated_ids(sheet)
    return sheet


def _repeated_ids(sheet: Sheet) -> None:
    first: dict[str, int] = {}
    for row in sheet.rows:
        if row.id is not None and first.setdefault(row.id, row.line) != row.line:
            sheet.add(row.line, f"编号“{row.id}”在第 {first[row.id]} 行已经用过，请换一个")


def _jsonl(content: bytes, sheet: Sheet) -> Values:
    text = _decode(content, sheet, ("utf-8-sig",))
    unused: dict[str, None] = {}
    for number, line in enumerate((text or "").split("\n"), 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            where = f"第 {error.colno} 个字" if isinstance(error, json.JSONDecodeError) else "这一行"
            sheet.add(number, f'这一行不是 JSON（{where}不对），要写成 {{"question": "…", "answer": "…"}}')
            continue
        except RecursionError:
            sheet.add(number, "这一行的括号套得太深")
            continue
        if not isinstance(found, dict):
            sheet.add(number, '这一行要写成 {"question": "…", "answer": "…"}')
            continue
        unused.update(dict.fromkeys(name for name in found if _column(name) is None))
        yield number, {column: value for name, value in found.items() if (column := _column(name))}
    _tell_unused(sheet, unused)


def _csv(content: bytes, sheet: Sheet) -> Values:
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = _decode(content, sheet, ("utf-16",) if wide else ("utf-8-sig", "gb18030"))
    return _table(_csv_lines(text or "", sheet), sheet)


def _csv_lines(text: str, sheet: Sheet) -> Lines:
    csv.field_size_limit(_CELL)
    heading = text.lstrip().partition("\n")[0]
    mark = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    before = 0
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            message = "从这一行起引号不对，或一格太大：整格加双引号时，格里的双引号要写两遍，末尾要补上"
            sheet.add(before + 1, message)
            return
        yield before + 1, cells
        before = reader.line_num


def _xlsx(content: bytes, sheet: Sheet) -> Values:
    return _table(_xlsx_lines(content, sheet), sheet)


def _xlsx_lines(content: bytes, sheet: Sheet) -> Lines:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            size = sum(part.file_size for part in packed.infolist())
        if size <= 4 * MAX_BYTES:
            return _first_page(content)
        message = "表格解开后太大，请拆成几个"
    except Exception as error:  # a broken file breaks the library in any of its parts
        message = f"打不开这个表格（{type(error).__name__}），请用表格软件另存为 .xlsx 或 .csv"
    sheet.add(1, message)
    return []


def _first_page(content: bytes) -> Lines:
    """Rows of the first sheet that are not blank, with their numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, keep_links=False)
        page = book.worksheets[0]
        page.reset_dimensions()
        rows = enumerate(page.iter_rows(values_only=True), 1)
        return [(number, [_shown(value) for value in values]) for number, values in rows if any(values)]


def _shown(value: object) -> str:
    """A cell as text; a formula is the text that was typed."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(getattr(value, "text", value)).replace("_x000D_", "")


def _table(lines: Lines, sheet: Sheet) -> Values:
    """Rows by column; the first row that is not blank names the columns."""
    columns: dict[str, int] | None = None
    width = 0
    for line, cells in lines:
        if not any(map(str.strip, cells)):
            continue
        if columns is None:
            columns, width = _columns(line, cells, sheet), len(cells)
            if columns is None:
                return
        elif any(map(str.strip, cells[width:])):
            message = f"这一行有 {len(cells)} 格，列名只有 {width} 个；文字里有分隔符时，请给整格加双引号"
            sheet.add(line, message)
        else:
            yield line, {name: restore(cells[at]) for name, at in columns.items() if at < len(cells)}


def _columns(line: int, cells: list[str], sheet: Sheet) -> dict[str, int] | None:
    """Column → place in the row; None, with a problem, when the header does not do."""
    found: dict[str, int] = {}
    unused: dict[str, None] = {}
    for at, cell in enumerate(cells):
        column = _column(cell)
        if column is None:
            unused[one_line(cell)] = None
        elif column in found:
            sheet.add(line, f"列名“{one_line(cell)}”写了两次，请删掉一列")
            return None
        else:
            found[column] = at
    if "question" not in found:
        known = "id（编号）、question（问题）、questions（其它问法）、answer（答案）"
        have = "、".join(one_line(cell)[:20] for cell in cells[:8])
        sheet.add(line, f"第一行要写列名：{known}；缺少“question”，现在是：{have}")
        return None
    _tell_unused(sheet, unused)
    return found


def _column(name: str) -> str | None:
    return NAMES.get(one_line(name).lower())


def _tell_unused(sheet: Sheet, names: dict[str, None]) -> None:
    shown = [one_line(name)[:20] for name in names if name]
    if shown:
        sheet.notes.append(f"{sheet.name}: 没有用到的列：{'、'.join(shown[:8])}")


def _decode(content: bytes, sheet: Sheet, encodings: tuple[str, ...]) -> str | None:
    """Text by the first encoding that fits; None, with a problem at the line that does not fit the first one."""
    wrong: UnicodeDecodeError | None = None
    for encoding in encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            wrong = wrong or error
            continue
        if wrong is not None:
            sheet.notes.append(f"{sheet.name}: 不是 UTF-8，按 {encoding.upper()} 读的，请看看有没有乱码")
        return text
    line = content.count(b"\n", 0, wrong.start) + 1 if wrong else 1
    sheet.add(line, "文件不是 UTF-8 编码，请在编辑器里“另存为”，编码选 UTF-8")
    return None


FORMATS = {".jsonl": _jsonl, ".csv": _csv, ".xlsx": _xlsx, **foreign.READERS}
"""Ending of a file → what reads it."""
