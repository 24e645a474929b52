"""From a gap to an entry: the skeleton of a new one, or wordings added to one that exists. A person reviews either."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bot.answer import answer
from bot.exchange.block import scalar
from bot.exchange.cells import clean, one_line, slug
from bot.gaps.insert import insert
from bot.gaps.model import KINDS, PROPOSALS, STATES
from bot.gaps.wording import name_of, read
from bot.text.expand import TemplateError, expand

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

    from bot.desk import Desk
    from bot.gaps.model import Gap

MOST = 12
"""Wordings that a draft proposes at most."""
_ASK_LENGTH = 120
_SHORTEST_ID = 3
_TESTS = 2
_ENTRY = """\
# 缺口 {number}：{people} 人问了 {count} 次，{since} 起。市民的原话写在 ask 和 tests 里，删掉不合适的。
# 空着的几项机器人编不出来，请照来源填写；填好放进 {place}，再跑 reformbot check。
- id: {id}
  # 正式名称，照来源写。
  name:
  # 地区全称，见 regions.yaml。
  region: {region}
  # 主题，见 themes.yaml。
  theme:
  # 给谁用，见 audiences.yaml。
  audience: []
  # 一两句大白话，先说这是什么。
  summary:
  # 一句一条；市民最常问的是：{asked}。
  facts:
    - text:
      # 这句话回答什么：费用、时限、部门……
      about: []
      # 机器看的日期，如 2026 或 2026-09。
      as_of:
      # 给市民看的期间，如“2026 年”。
      period:
      # 来源的 id，见 sources.yaml；没有就先登记来源。
      source:
  # 至少五句，越像市民自己说的越好。
  ask:{ask}
  # 必须问得到本条的话，不能和 ask 里的相同。
  tests:{tests}
"""


@dataclass(frozen=True, slots=True)
class Draft:
    """What to change: the whole text of each file that changes, or the skeleton of an entry for which there is none."""

    gap: Gap
    skeleton: str = ""
    changed: Mapping[str, tuple[str, str]] | None = None
    """File → (text before, text after)."""

    def as_text(self) -> str:
        """YAML, or a unified diff that `patch -p1` takes in the knowledge folder."""
        return self.skeleton or "".join(
            line
            for name, (before, after) in sorted((self.changed or {}).items())
            for line in difflib.unified_diff(
                before.splitlines(keepends=True), after.splitlines(keepends=True), f"a/{name}", f"b/{name}"
            )
        )

    def as_issue(self) -> str:
        """Markdown for an issue tracker."""
        gap = self.gap
        nearest = [f"- `{item.id}`：{_inline(item.why)}" for item in gap.nearest]
        lines = [
            f"## 缺口 {gap.id}：{_inline(gap.title)}",
            "",
            f"{gap.people} 人问了 {gap.count} 次，{STATES[gap.state]}；{KINDS[gap.kind]}，"
            f"建议：{PROPOSALS[gap.proposal]}。",
            "",
            "市民怎么问：",
            "",
            *(f"- {_inline(text)}（{count} 次）" for text, count in gap.wordings),
            "",
            *(["最近的条目，和没有给它的原因：", "", *nearest, ""] if nearest else []),
            "草稿：" if self.skeleton else "补的问法：",
            "",
            f"~~~~{'yaml' if self.skeleton else 'diff'}",
            self.as_text().rstrip("\n"),
            "~~~~",
        ]
        return "\n".join(lines) + "\n"


def draft(gap: Gap, desk: Desk, files: Mapping[str, bytes], today: dt.date) -> Draft:
    """What the gap proposes, made of its wordings. `files` are the knowledge's own, by their names in its folder."""
    home = _home(gap.target, files) if gap.proposal == "wording" and gap.target else None
    if home is None or gap.target is None:
        return Draft(gap, _skeleton(gap, desk))
    wordings = [text for text in _usable(gap) if not desk.matcher.exact(text)]
    before = {home: _text(files, home)}
    after = dict(before)
    field = "ask" if gap.target in desk.book.entries else "questions"
    after[home] = insert(after[home], gap.target, field, wordings) if wordings else after[home]
    for rival, stolen in _rivals(gap, wordings, desk, today).items():
        name = _home(rival, files)
        if name is not None:
            before.setdefault(name, _text(files, name))
            after[name] = insert(after.get(name, before[name]), rival, "rejects", stolen)
    return Draft(gap, changed={name: (before[name], after[name]) for name in before})


def _skeleton(gap: Gap, desk: Desk) -> str:
    """An entry with the citizens' words filled in, and nothing made up."""
    wordings = _usable(gap)
    tests = wordings[-_TESTS:] if len(wordings) > _TESTS + 4 else wordings[-1:] if len(wordings) > 1 else []
    asks = [text for text in wordings if text not in tests]
    named = [name for text, _ in gap.wordings for name in sorted(read(text, desk.lexicon).regions)]
    region = max(dict.fromkeys(named), key=named.count) if 2 * len(named) > len(gap.wordings) else desk.lexicon.city
    facets = [name for text, _ in gap.wordings for _, _, name in desk.lexicon.facets.find(text)]
    common = sorted(dict.fromkeys(facets), key=facets.count, reverse=True)[:4]
    home = desk.book.regions[region]
    prefix = "nb" if region == desk.lexicon.city else slug(home.id)
    name = slug(read(gap.title, desk.lexicon).core)[:40].strip("-")
    return _ENTRY.format(
        number=gap.id,
        people=gap.people,
        count=gap.count,
        since=f"{gap.first_at:%Y-%m-%d}" if gap.first_at else "",
        place=f"{home.id}/ 里对应主题的文件",
        id=f"{prefix}-{name}" if len(name) >= _SHORTEST_ID else f"{prefix}-gap-{gap.id}",
        region=region,
        asked="、".join(common) or "这是什么",
        ask=_listed(asks),
        tests=_listed(tests),
    )


def _listed(texts: Sequence[str]) -> str:
    """The items of a list, or an empty one."""
    return "".join(f"\n    - {scalar(text)}" for text in texts) or " []"


def _usable(gap: Gap) -> list[str]:
    """Wordings that can stand in an entry as they are: one line, no template marks, nothing taken out of them."""
    found: dict[str, str] = {}
    for text, _ in gap.wordings:
        line = one_line(clean(text))
        if "〔" not in line and 1 < len(line) <= _ASK_LENGTH and _is_literal(line):
            found.setdefault(name_of(line), line)
    return list(found.values())[:MOST]


def _is_literal(text: str) -> bool:
    try:
        return list(expand(text)) == [text]
    except TemplateError:
        return False


def _rivals(gap: Gap, wordings: Sequence[str], desk: Desk, today: dt.date) -> dict[str, list[str]]:
    """Entries that the wordings get today instead of the target, or beside it: each must reject them."""
    found: dict[str, list[str]] = {}
    for text in wordings:
        for identifier in answer(text, desk, (), today).ids:
            if identifier != gap.target:
                found.setdefault(identifier, []).append(text)
    return found


def _home(identifier: str, files: Mapping[str, bytes]) -> str | None:
    """The file that holds an entry, or a question and answer."""
    line = f"- id: {identifier}\n"
    shelves = {name: _text(files, name).replace("\r\n", "\n") for name in files if "/" in name}
    return next((name for name, text in shelves.items() if line in text), None)


def _text(files: Mapping[str, bytes], name: str) -> str:
    return files[name].decode("utf-8-sig")


def _inline(text: str) -> str:
    """A citizen's text that cannot become markup: Markdown's own marks are escaped, a mention calls nobody."""
    kept = "".join("\\" + char if char in "\\`*_{}[]()<>#+-.!|~" else char for char in one_line(text))
    return kept.replace("@", "@\u200b")
