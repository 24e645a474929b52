"""A Sheet and a knowledge folder → what an import changes, checked as a whole before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

from bot.exchange import fields
from bot.exchange.block import Block, render
from bot.exchange.cells import clean, distinct, one_line, slug
from bot.exchange.naming import Named, name_rows
from bot.exchange.rows import ExchangeError
from bot.exchange.shelf import Shelf, fits_alone
from bot.exchange.store import MARK
from bot.knowledge.book import parse, read_folder
from bot.knowledge.schema import FAQ_FOLDER, REGISTRIES, Entry, Faq
from bot.model import Severity
from bot.text.expand import expand
from bot.text.normalise import key, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from bot.exchange.rows import Row, Sheet
    from bot.knowledge.book import Book, Loaded

Item: TypeAlias = Entry | Faq
LABELS = {"question": "问题", "questions": "其它问法", "answer": "答案"}
NO_ANSWER = "资料里没有写答案。"
"""What is answered to a question that came without an answer."""
SHOWN = 20
"""Ids, or notes of one kind, that a report shows."""
_EMPTY = {"golden.yaml", "outside.yaml"}
_SLUG_LENGTH = 40


@dataclass(slots=True)
class Plan:
    """What an import does: `files` are to be written, `changed` are (id, what of it); `notes` are one line each."""

    files: dict[str, bytes]
    new: list[str] = field(default_factory=list)
    changed: list[tuple[str, str]] = field(default_factory=list)
    same: int = 0
    unanswered: int = 0
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)
    """What changes, entry by entry and field by field, for a person to read before it is done."""

    def as_lines(self) -> list[str]:
        """A short account for a person."""
        lines = [f"新增 {len(self.new)} 条，改动 {len(self.changed)} 条，不变 {self.same} 条"]
        lines += _listed("新增", self.new)
        lines += _listed("改动", [f"{identifier}（{what}）" for identifier, what in self.changed])
        lines += _listed("是条目（或问答），这张表里写的是另一类，跳过了", self.skipped)
        if self.unanswered:
            lines.append(f"没有答案的 {self.unanswered} 条，回答写成“{NO_ANSWER}”")
        return lines + self.notes


def _listed(what: str, ids: list[str]) -> list[str]:
    more = f"……共 {len(ids)} 个" if len(ids) > SHOWN else ""
    return [f"{what}：{'、'.join(ids[:SHOWN])}{more}"] if ids else []


def make(sheet: Sheet, folder: Path, template: Path) -> Plan:
    """Plan the import of a file into a folder, which is made a knowledge folder if it is none.

    `template` is where its registries come from then. Raises ExchangeError with every problem of both.
    """
    files = read_folder(folder)
    plan = Plan({} if MARK in files else _registries(folder, files, template))
    files |= plan.files
    loaded = parse(files)
    problems = [*sheet.problems, *_errors(folder, loaded)]
    if problems or loaded.book is None:
        raise _refused(problems)
    shelf = Shelf(files, loaded.trees, slug(PurePath(sheet.name).stem, _SLUG_LENGTH) or "faq")
    named = name_rows(sheet.rows, loaded.book, shelf.owns)
    wanted = _merge(sheet, named, loaded.book, shelf, plan)
    plan.notes += [*sheet.notes, *_about_ids(sheet, named), *_about_repeats(sheet, named, loaded.book)]
    plan.files |= shelf.changed()
    if plan.files:
        _verify(folder, files | plan.files, {**loaded.book.entries, **loaded.book.faqs, **wanted})
    return plan


def _refused(problems: Sequence[str]) -> ExchangeError:
    return ExchangeError([*problems, f"有 {len(problems)} 个问题，什么也没有写"])


def _errors(folder: Path, loaded: Loaded) -> list[str]:
    """Why a folder cannot be used: its first errors."""
    errors = [f"{folder}/{problem}" for problem in loaded.problems if problem.severity is Severity.ERROR]
    rest = len(errors) - SHOWN
    return errors[:SHOWN] + ([f"{folder}: 还有 {rest} 个错误，请先运行 reformbot check"] if rest > 0 else [])


def _registries(folder: Path, files: Mapping[str, bytes], template: Path) -> dict[str, bytes]:
    """The registries that a folder lacks, as `template` has them; no entries, so nothing to guard and to refuse."""
    strange = [name for name in files if name not in REGISTRIES and not name.startswith(FAQ_FOLDER)]
    if strange:
        raise _refused([f"{folder}: 这不是知识目录（缺 {MARK}），却有别的 YAML 文件，如 {strange[0]}；请换一个目录"])
    try:
        return {
            name: b"[]\n" if name in _EMPTY else (template / name).read_bytes()
            for name in REGISTRIES
            if name not in files
        }
    except OSError as error:
        raise _refused([f"登记表要从 {template} 拿，打不开：{error.strerror}"]) from error


def _merge(sheet: Sheet, named: Named, book: Book, shelf: Shelf, plan: Plan) -> dict[str, Item]:
    """Put every row in its place on the shelf; return what each is to be. Raises ExchangeError."""
    problems: list[str] = []
    blocks: list[Block] = []
    wanted: dict[str, Item] = {}
    for row, identifier in zip(sheet.rows, named.ids, strict=True):
        is_entry = row.more.get(fields.KIND) == fields.ENTRY
        if identifier in (book.faqs if is_entry else book.entries):
            plan.skipped.append(identifier)
            continue
        old: Item | None = (book.entries if is_entry else book.faqs).get(identifier)
        try:
            item = fields.entry(identifier, row.question, row.more) if is_entry else _merged(identifier, row, book)
        except ValueError as error:
            problems.append(f"{sheet.at(row.line)}: {error}")
            continue
        plan.unanswered += isinstance(item, Faq) and row.answer is None and item.answer == NO_ANSWER
        changes = _changes(old, item)
        if old is not None and not changes:
            plan.same += 1
            continue
        wanted[identifier] = item
        wrong = _put(item, changes if old is not None else None, book, shelf, blocks)
        if wrong:
            problems.append(f"{sheet.at(row.line)}: {wrong}")
        elif old is None:
            plan.new.append(identifier)
            plan.differences.append(f"+ {identifier}：{row.question}")
        else:
            plan.changed.append((identifier, "、".join(LABELS.get(name, name) for name in changes)))
            plan.differences += _difference(identifier, old, item, changes)
    if problems:
        raise _refused(problems)
    shelf.add(blocks)
    return wanted


def _put(item: Item, changes: Mapping[str, Any] | None, book: Book, shelf: Shelf, blocks: list[Block]) -> str:
    """Put an item on the shelf, changed where it stands or new (None); what keeps it off, or nothing."""
    if changes is not None:
        block = shelf.change(item.id, changes, list(type(item).model_fields))
        if block is None:
            return f"“{item.id}”在 {shelf.where(item.id)}，不是以“- ”一条条写的，请手工改"
        return "" if fits_alone(block) else "其它问法太多，一个知识文件放不下，请减少"
    block = render(item)
    if not fits_alone(block):
        return "其它问法太多，一个知识文件放不下，请减少"
    if isinstance(item, Faq):
        blocks.append(block)
        return ""
    name = shelf_of(item, book)
    if name is None:
        return f"没有“{item.region}”这个地区，或没有“{item.theme}”这个主题；请照 regions.yaml 和 themes.yaml 写"
    return "" if shelf.add_to(name, block) else f"{name} 放不下了，请手工加"


def shelf_of(entry: Entry, book: Book) -> str | None:
    """The file that an entry belongs in; None when its region or theme is not registered."""
    region = book.regions.get(entry.region)
    theme = next((theme.id for theme in book.themes if theme.name == entry.theme), None)
    return None if region is None or theme is None else f"{region.id}/{theme}.yaml"


def _merged(identifier: str, row: Row, book: Book) -> Faq:
    """The question and answer after the import. What a row leaves out stays."""
    old = book.faqs.get(identifier)
    if old is None:
        answer = row.answer or NO_ANSWER
        made = Faq(id=identifier, question=row.question, questions=row.questions or (), answer=answer)
        return fields.faq(made, row.more)
    others = distinct(row.question, old.questions) if row.questions is None else row.questions
    if row.question == one_line(old.question) and others == distinct(old.question, old.questions):
        asked = {"question": old.question, "questions": old.questions}  # only spelled otherwise, in the file
    else:
        asked = {"question": row.question, "questions": others}
    answer = old.answer if row.answer in {None, clean(old.answer)} else row.answer
    made = old.model_copy(update={**asked, "answer": answer})
    return fields.faq(made, row.more) if row.more else made


def _changes(old: Item | None, new: Item) -> dict[str, Any]:
    """Key → new value, as YAML has it, of what is another one now; None for what is not there any more."""
    before = {} if old is None else old.model_dump(mode="json", exclude_defaults=True)
    after = new.model_dump(mode="json", exclude_defaults=True)
    names = [name for name in type(new).model_fields if before.get(name) != after.get(name)]
    return {name: after.get(name) for name in names}


def _difference(identifier: str, old: Item, new: Item, changes: Iterable[str]) -> Iterator[str]:
    """What changes in one item, field by field."""
    yield f"~ {identifier}"
    for name in changes:
        before, after = (fields.shown(getattr(item, name)) for item in (old, new))
        yield from (f"    {LABELS.get(name, name)} - {line}" for line in before if line not in after)
        yield from (f"    {LABELS.get(name, name)} + {line}" for line in after if line not in before)


def _about_ids(sheet: Sheet, named: Named) -> list[str]:
    notes = _listed("编号只能用小写字母、数字和减号，改写了", [f"{typed} → {new}" for typed, new in named.respelt])
    if named.made:
        notes.append(f"没有编号的 {len(named.made)} 行，按次序编成 {named.made[0]} 到 {named.made[-1]}")
    return [f"{sheet.name}: {note}" for note in notes]


def _about_repeats(sheet: Sheet, named: Named, book: Book) -> list[str]:
    """Wordings that several questions share: asked so, the bot can only offer a choice."""
    imported = set(named.ids)
    owners = {spelling: place for place, text in _wordings(book, imported) if (spelling := key(normalise(text)))}
    notes: list[str] = []
    for row, identifier in zip(sheet.rows, named.ids, strict=True):
        if identifier in book.entries or row.more.get(fields.KIND) == fields.ENTRY:
            continue
        for text in (row.question, *(row.questions or ())):
            place = owners.setdefault(key(normalise(text)), f"第 {row.line} 行")
            if place != f"第 {row.line} 行":
                notes.append(f"{sheet.at(row.line)}: “{text}”和{place}的问法相同，这样问只能请市民自己挑")
    rest = len(notes) - SHOWN
    return notes[:SHOWN] + ([f"……还有 {rest} 处问法相同"] if rest > 0 else [])


def _wordings(book: Book, but: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(whose, wording) of all that the knowledge already answers."""
    for entry in book.entries.values():
        for text in (entry.name, *entry.aliases, *(wording for template in entry.ask for wording in expand(template))):
            yield f"条目 {entry.id} ", text
    for faq in book.faqs.values():
        if faq.id not in but:
            for text in (faq.question, *faq.questions):
                yield f"问答 {faq.id} ", text


def _verify(folder: Path, files: Mapping[str, bytes], items: Mapping[str, Item]) -> None:
    """Read what is about to be written: it must load, and say what was imported and all that was there before."""
    loaded = parse(files)
    if loaded.book is None:
        raise _refused(_errors(folder, loaded))
    known: dict[str, Item] = {**loaded.book.faqs, **loaded.book.entries}
    wrong = [identifier for identifier, item in items.items() if known.get(identifier) != item]
    if wrong:
        raise _refused([f"“{identifier}”写成 YAML 后读出来不一样，请手工写" for identifier in wrong])
