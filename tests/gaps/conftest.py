"""Knowledge that answers what the shipped one does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.desk import Desk
from bot.knowledge.book import load_or_raise
from tests.conftest import ROOT

FAQ = """\
- id: nb-unicorn
  question: 独角兽养殖证怎么办
  answer: 独角兽养殖证到窗口办。
"""


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    folder = tmp_path_factory.mktemp("answering") / "knowledge"
    shutil.copytree(ROOT / "knowledge", folder)
    (folder / "faq-unicorn.yaml").write_text(FAQ, encoding="utf-8")
    return Desk(load_or_raise(folder))
