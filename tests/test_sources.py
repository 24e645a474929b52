"""The check against source pages: copying and figures, on pages made for the test."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.check.sources import check_sources
from bot.knowledge.book import Loaded
from tests.conftest import ROOT, parse

SEEDS = ROOT.parent / "shared" / "seeds"


@pytest.fixture
def pages(tmp_path: Path, shipped: dict[str, bytes]) -> tuple[Path, Loaded]:
    loaded = parse(shipped)
    assert loaded.book is not None
    facts = [fact for entry in loaded.book.entries.values() for fact in entry.facts]
    for source in loaded.book.sources.values():
        texts = " ".join(fact.text for fact in facts if fact.source == source.id).replace(",", "")
        figures = re.findall(r"[0-9]+(?:\.[0-9]+)?", texts)
        assert figures
        (tmp_path / source.file).write_text(" ".join(figures), encoding="utf-8")
    return tmp_path, loaded


def test_pages_that_hold_every_figure_and_no_sentence_pass(pages: tuple[Path, Loaded]) -> None:
    folder, loaded = pages
    assert loaded.book is not None
    assert check_sources(loaded.book, loaded.trees, folder) == []


def test_a_figure_that_the_source_lacks_is_found(pages: tuple[Path, Loaded]) -> None:
    folder, loaded = pages
    assert loaded.book is not None
    page = folder / loaded.book.sources["steady-progress-2022"].file
    page.write_text(page.read_text(encoding="utf-8").replace("0.3", "0.4"), encoding="utf-8")
    found = check_sources(loaded.book, loaded.trees, folder)
    assert [problem.code for problem in found] == ["K502"] * len(found)
    assert any("0.3" in problem.message and problem.file == "ningbo/livelihood.yaml" for problem in found)


def test_a_copied_sentence_is_found(pages: tuple[Path, Loaded]) -> None:
    folder, loaded = pages
    assert loaded.book is not None
    entry = loaded.book.entries["zh-zombie-cars"]
    page = folder / loaded.book.sources[entry.facts[0].source].file
    page.write_text(page.read_text(encoding="utf-8") + entry.summary + "。" + entry.ask[0], encoding="utf-8")
    found = check_sources(loaded.book, loaded.trees, folder)
    assert any(problem.code == "K501" and problem.file.startswith("zhenhai/") for problem in found)


def test_a_missing_page_is_found(pages: tuple[Path, Loaded]) -> None:
    folder, loaded = pages
    assert loaded.book is not None
    (folder / loaded.book.sources["steady-progress-2022"].file).unlink()
    assert [problem.code for problem in check_sources(loaded.book, loaded.trees, folder)] == ["K503"]


@pytest.mark.skipif(not SEEDS.is_dir(), reason="the source pages are not at hand")
def test_the_shipped_knowledge_copies_nothing_and_invents_no_figure(shipped: dict[str, bytes]) -> None:
    loaded = parse(shipped)
    assert loaded.book is not None
    assert [str(problem) for problem in check_sources(loaded.book, loaded.trees, SEEDS)] == []
