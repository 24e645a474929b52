"""FAQ files of QnABot (JSON), QnA Maker (TSV) and Rasa (nlu.yml), as far as those hold what we have."""

from __future__ import annotations

import io
import json
import re
from typing import TYPE_CHECKING, Any

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import LiteralScalarString

from bot.exchange.cells import one_line
from bot.exchange.rows import ExchangeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from bot.exchange.rows import Sheet

    Item = tuple[str, str, tuple[str, ...], str, Mapping[str, Any]]
    Values = Iterator[tuple[int, dict[str, Any]]]

_QNABOT_QUESTION, _QNABOT_ANSWER = 140, 8000
_MAKER = ("Question", "Answer", "Source", "Metadata")
_INTENT = "faq/"
_ANNOTATED = re.compile(r"\[([^\]]+)\](?:\([^)]*\)|\{[^}]*\})")
_BREAK = re.compile(r"\\n|\r\n?|\n")


def write_qnabot(items: Sequence[Item]) -> bytes:
    """Items for QnABot's import; its questions hold 140 characters, so longer ones are left out."""
    qna = []
    for identifier, question, others, answer, _ in items:
        asked = [text for text in (question, *others) if len(text) <= _QNABOT_QUESTION]
        if not asked or len(answer) > _QNABOT_ANSWER:
            raise ExchangeError([f"“{identifier}”的问题或回答太长，QnABot 放不下，请导出成 .csv 或 .jsonl"])
        qna.append({"qid": identifier, "type": "qna", "q": asked, "a": answer})
    return json.dumps({"qna": qna}, ensure_ascii=False, indent=1).encode()


def read_qnabot(content: bytes, sheet: Sheet) -> Values:
    """Items of QnABot's export; lines are counted as items."""
    try:
        qna = json.loads(content.decode("utf-8-sig"))["qna"]
        rows = [(item["qid"], list(item["q"]), item["a"]) for item in qna]
    except (ValueError, LookupError, TypeError, RecursionError):
        sheet.add(1, '这不是 QnABot 的导出文件，要写成 {"qna": [{"qid": "…", "q": ["…"], "a": "…"}]}')
        return
    for number, (identifier, asked, answer) in enumerate(rows, 1):
        first, *others = asked or [""]
        yield number, {"id": identifier, "question": first, "questions": others, "answer": answer}


def write_maker(items: Sequence[Item]) -> bytes:
    """Rows for QnA Maker: a row a question, the same answer repeated, the id as metadata."""
    rows = [_MAKER]
    for identifier, question, others, answer, _ in items:
        told = answer.replace("\t", " ").replace("\n", "\\n")
        rows += [(asked.replace("\t", " "), told, "reformbot", f"id:{identifier}") for asked in (question, *others)]
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def read_maker(content: bytes, sheet: Sheet) -> Values:
    """Rows of QnA Maker's export: those of one answer and one metadata are one item."""
    text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig", "replace")
    lines = [line.split("\t") for line in text.splitlines()]
    if not lines or [cell.strip() for cell in lines[0][:2]] != list(_MAKER[:2]):
        sheet.add(1, "这不是 QnA Maker 的导出文件，第一行要是 Question、Answer、Source、Metadata")
        return
    groups: dict[tuple[str, str], tuple[int, list[str]]] = {}
    for number, cells in enumerate(lines[1:], 2):
        question, answer, _, metadata, *_ = (*cells, "", "", "", "")
        if one_line(question):
            groups.setdefault((answer, metadata), (number, []))[1].append(question)
    for (answer, metadata), (number, asked) in groups.items():
        tags = dict(part.strip().split(":", 1) for part in metadata.split("|") if ":" in part)
        values = {"id": tags.get("id"), "question": asked[0], "questions": asked[1:]}
        yield number, {**values, "answer": _BREAK.sub("\n", answer)}


def write_rasa(items: Sequence[Item]) -> bytes:
    """One file with the examples of each intent `faq/ID` and the response `utter_faq/ID`."""
    nlu = []
    responses = {}
    for identifier, question, others, answer, _ in items:
        examples = "".join(f"- {text}\n" for text in (question, *others))
        nlu.append({"intent": _INTENT + identifier, "examples": LiteralScalarString(examples)})
        responses[f"utter_{_INTENT}{identifier}"] = [{"text": answer}]
    out = io.BytesIO()
    writer = YAML()
    writer.width = 1 << 20
    writer.dump({"version": "3.1", "nlu": nlu, "responses": responses}, out)
    return out.getvalue()


def read_rasa(content: bytes, sheet: Sheet) -> Values:
    """Intents with their examples, and their responses where the file has them; lines are counted as intents."""
    try:
        text = content.decode("utf-8-sig")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.CSafeLoader)):
            raise ValueError("aliases")
        data = yaml.load(text, Loader=yaml.CSafeLoader)
        responses = data.get("responses") or {}
        intents = [(str(item["intent"]), str(item["examples"])) for item in data["nlu"] if "intent" in item]
    except (ValueError, LookupError, TypeError, AttributeError, yaml.YAMLError, RecursionError):
        sheet.add(1, "这不是 Rasa 的 nlu.yml，要有 nlu:，里面是 intent 和 examples")
        return
    for number, (intent, examples) in enumerate(intents, 1):
        asked = [_ANNOTATED.sub(r"\1", line[1:]).strip() for line in examples.splitlines() if line.startswith("-")]
        said = responses.get(f"utter_{intent}")
        answer = said[0].get("text") if isinstance(said, list) and said and isinstance(said[0], dict) else None
        first, *others = asked or [""]
        identifier = intent.removeprefix(_INTENT)
        yield number, {"id": identifier, "question": first, "questions": others, "answer": answer}


WRITERS: dict[str, Callable[[Sequence[Item]], bytes]] = {
    ".json": write_qnabot,
    ".tsv": write_maker,
    ".yml": write_rasa,
}
READERS: dict[str, Callable[[bytes, Sheet], Values]] = {".json": read_qnabot, ".tsv": read_maker, ".yml": read_rasa}
"""Ending of a file → what writes and reads it."""
