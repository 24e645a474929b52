"""Made-up knowledge of many questions, each with an answer of its own, that a process loads quickly."""

from __future__ import annotations

import json
import re
from pathlib import Path

from bot.exchange import plan, read, store
from tests.conftest import KNOWLEDGE

_THINGS = tuple("窗门砖管灯柜锅椅被碗箱鞋伞钟信笔磨罐铃绳")
_DEEDS = (
    *("送去修补", "拿来交换", "登记上册", "搬到楼下", "借给邻居"),
    *("寄往外地", "刷上油漆", "切成两半", "装进袋子", "挂在墙上"),
)
_ASKS = ("要找谁", "在几楼办")
_ANSWER = re.compile("第 ?([0-9]+) ?号答复")


def questions(count: int) -> list[str]:
    """So many questions, each with its own answer in the knowledge."""
    every = [f"把{thing}{deed}{ask}" for ask in _ASKS for deed in _DEEDS for thing in _THINGS]
    assert count <= len(every)
    return every[:count]


def answered(text: str) -> list[int]:
    """The places of the questions that a message answers."""
    return [int(found) for found in _ANSWER.findall(text)]


def make_knowledge(folder: Path, asked: list[str]) -> None:
    """A knowledge folder that answers these questions."""
    file = folder.parent / "faq.jsonl"
    lines = ({"id": f"q{at}", "question": text, "answer": f"第{at}号答复。"} for at, text in enumerate(asked))
    file.write_text("\n".join(json.dumps(line, ensure_ascii=False) for line in lines), encoding="utf-8")
    store.write(folder, plan.make(read.read(file), folder, KNOWLEDGE).files)
