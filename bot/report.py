"""What `eval` found as text for the terminal, and what changed since an earlier run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rich.console import Console
from rich.table import Table

from bot.errors import QuestionSetError
from bot.holdout import GOAL, KINDS, QUARTERS, Reach
from bot.reliability import calibration_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from bot.evaluate import Grouping, Outcome, Report
    from bot.holdout import Holdout

_WIDTH = 110
_GROUPS: tuple[tuple[str, Grouping], ...] = (("类别", "kind"), ("主题", "theme"), ("地区", "region"))
_SHOWN_PAIRS = 20
Share: TypeAlias = tuple[int, int] | None
"""(part, whole); None where a run knows no such group."""


def as_table(report: Report) -> str:
    """Shares by kind, theme and region, the figures, then what was taken for what."""
    lines = [_drawn(_shares(report, heading, by)) for heading, by in _GROUPS]
    lines += _figures(report)
    wrong = report.wrong()
    if wrong:
        pairs = report.confusions().most_common(_SHOWN_PAIRS)
        lines += ["", "应得 → 得到（题数）："]
        lines += [f"  {count} × {expected} → {got}" for (expected, got), count in pairs]
        lines += ["", f"答错的题（{len(wrong)}）：", *(_confusion(item) for item in wrong)]
    return "\n".join(lines)


def _drawn(table: Table) -> str:
    """A table as plain text, whatever the terminal; what stands in it is never read as markup."""
    console = Console(width=_WIDTH, color_system=None, force_terminal=False, markup=False, emoji=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get().rstrip()


def _shares(report: Report, heading: str, by: Grouping) -> Table:
    table = Table(heading, "答对", "题数", "答对率")
    for name, (right, total) in (*report.shares(by).items(), ("合计", report.share())):
        table.add_row(name, str(right), str(total), _percent(right, total))
    return table


def _percent(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "—"


def _figures(report: Report) -> Iterator[str]:
    false, refused = report.refusals()
    first, single = report.ranked_first()
    if refused:
        yield f"不该答却答了：{false} / {refused}（{false / refused:.1%}）"
    if single:
        yield f"该答的条目排在第一：{first} / {single}（{first / single:.1%}）"
    bins = report.calibration()
    error = calibration_error(bins)
    if error is not None:
        yield f"把握与答对率平均相差（ECE，按 {sum(item.count for item in bins)} 个回答）：{error * 100:.1f} 个百分点"
    took = report.latency_ms()
    if took:
        yield "用时：" + "，".join(f"{name} {value:.2f} ms" for name, value in took.items())


def _confusion(item: Outcome) -> str:
    candidates = "、".join(f"{identifier} {score:.2f}" for identifier, score in item.candidates)
    lines = [
        f"- [{item.question.kind}] {item.question.q}",
        f"  应得 {item.expected}，得到 {item.got}：{item.why}",
        f"  把握 {item.reply.score:.2f}，{item.reply.reason}" + (f"；候选 {candidates}" if candidates else ""),
    ]
    return "\n".join(lines)


def holdout_table(found: Holdout) -> str:
    """Outcomes of the held-out questions overall, then shares by theme."""
    names = {Reach.REACHED: "找到", Reach.OFFERED: "选项或列表里", Reach.REFUSED: "拒答", Reach.WRONG: "答错"}
    overall = Table("没进索引的问题", *names.values(), "题数", "找到率")
    for kind, label in KINDS.items():
        counts = found.counts(kind)
        numbers = [str(counts[reach]) for reach in names]
        overall.add_row(label, *numbers, str(counts.total()), _percent(counts[Reach.REACHED], counts.total()))
    themes = Table("主题", *KINDS.values())
    for theme in found.themes():
        themes.add_row(theme, *(_cell(found, kind, theme) for kind in KINDS))
    shares = {kind: found.share(kind) for kind in KINDS}
    goal = "，".join(f"{KINDS[kind]} {share:.1%}" for kind, share in shares.items() if share is not None)
    return "\n".join(
        [
            _drawn(overall),
            _drawn(themes),
            f"目标 {GOAL:.0%}；{goal or '没有可问的'}",
            f"每条拿掉四分之一 ask 重建，{found.folds} 轮，种子 {found.seed}；"
            f"另有 {found.indexed()} 题和留下的问法一字不差，没有算进去",
            *(["只轮一部分时，ask 的数字随分组上下两个百分点；要准请用 --folds 4"] if found.folds < QUARTERS else []),
            "check 要求 tests 都找得到，所以两栏 tests 只说明没有退步；最接近新问题的是拿掉的 ask",
            "同义词、特征词和权重拿不掉，真实的新问题还会低一些；没找到的题见 --json 的 missed",
        ]
    )


def _cell(found: Holdout, kind: str, theme: str) -> str:
    counts = found.counts(kind, theme)
    right, total = counts[Reach.REACHED], counts.total()
    return f"{right}/{total}  {_percent(right, total)}"


class _Share(BaseModel):
    right: int
    questions: int


class Past(BaseModel):
    """What an earlier run made of one question."""

    model_config = ConfigDict(frozen=True)

    q: str
    kind: str
    right: bool
    status: str
    ids: tuple[str, ...]
    score: float


class Baseline(BaseModel):
    """An earlier `eval --json`."""

    questions: int
    right: int
    false_answers: int
    out_of_scope: int
    ranked_first: int
    single_answer: int
    kinds: dict[str, _Share]
    themes: dict[str, _Share]
    regions: dict[str, _Share]
    outcomes: tuple[Past, ...] = Field(min_length=1)

    def shares(self) -> dict[str, tuple[int, int]]:
        """Every share by its name, as (part, whole)."""
        found = {"合计": (self.right, self.questions)}
        found["不该答却答了"] = (self.false_answers, self.out_of_scope)
        found["该答的排在第一"] = (self.ranked_first, self.single_answer)
        for (heading, _), group in zip(_GROUPS, (self.kinds, self.themes, self.regions), strict=True):
            found |= {f"{heading} {name}": (share.right, share.questions) for name, share in group.items()}
        return found


def read_baseline(path: Path) -> Baseline:
    """Read the output of an earlier run; raise QuestionSetError when it is something else."""
    try:
        return Baseline.model_validate_json(path.read_bytes())
    except OSError as error:
        raise QuestionSetError(f"打不开基线文件 {path.name}：{error.strerror}") from error
    except ValidationError:
        raise QuestionSetError(f"{path.name} 不是 eval FILE --json 的输出（要有 outcomes 等项），不能当基线") from None


@dataclass(frozen=True, slots=True)
class Changes:
    """What changed since the baseline: questions by (before, now), and shares by (before, now)."""

    better: list[tuple[Past, Outcome]]
    worse: list[tuple[Past, Outcome]]
    added: int
    gone: int
    shares: dict[str, tuple[Share, Share]]

    def as_json(self) -> dict[str, Any]:
        """The value of "baseline" in the JSON of the newer run."""
        return {
            "better": [_changed(*pair) for pair in self.better],
            "worse": [_changed(*pair) for pair in self.worse],
            "added": self.added,
            "gone": self.gone,
            "shares": {name: _moved_share(*pair) for name, pair in self.shares.items()},
        }

    def as_text(self) -> str:
        """What got worse, what got better, and every share."""
        lines = ["", f"和基线比：{len(self.better)} 题变好，{len(self.worse)} 题变差"]
        if self.added or self.gone:
            lines[-1] += f"；多了 {self.added} 题，少了 {self.gone} 题，两边的答对率不是同一套题"
        for heading, pairs in (("变差的题：", self.worse), ("变好的题：", self.better)):
            lines += [heading, *(_moved(*pair) for pair in pairs)] if pairs else []
        table = Table("答对率", "原来", "现在", "变化（百分点）")
        for name, (before, now) in self.shares.items():
            cells = ["—" if pair is None else f"{pair[0]}/{pair[1]}  {_percent(*pair)}" for pair in (before, now)]
            change = _difference(before, now)
            table.add_row(name, *cells, "—" if change is None else f"{change:+.1f}" if change else "0")
        lines.append(_drawn(table))
        if self.worse:
            lines.append(f"注意：有 {len(self.worse)} 题变差了")
        return "\n".join(lines)


def _difference(before: Share, now: Share) -> float | None:
    """Change in percentage points; None where one side has no questions."""
    if not before or not now or not before[1] or not now[1]:
        return None
    return round((now[0] / now[1] - before[0] / before[1]) * 100, 2)


def _moved_share(before: Share, now: Share) -> dict[str, Any]:
    return {"before": before, "now": now, "change_points": _difference(before, now)}


def _moved(past: Past, item: Outcome) -> str:
    before = " + ".join(past.ids[:3]) if past.status == "answer" else past.status
    then, now = f"原来 {before}（{past.score:.2f}）", f"现在 {item.got}（{item.reply.score:.2f}）"
    return f"- [{past.kind}] {past.q}：{then}，{now}" + (f"；{item.why}" if item.why else "")


def _changed(past: Past, item: Outcome) -> dict[str, Any]:
    return {
        "q": past.q,
        "kind": past.kind,
        "before": {"status": past.status, "ids": past.ids, "score": past.score},
        "now": {"status": item.reply.status.value, "ids": item.reply.ids, "score": round(item.reply.score, 4)},
    }


def compare(baseline: Baseline, report: Report) -> Changes:
    """Pair the questions by text and kind; the same question asked twice pairs in order."""
    earlier: dict[tuple[str, str], list[Past]] = {}
    for past in baseline.outcomes:
        earlier.setdefault((past.q, past.kind), []).append(past)
    better: list[tuple[Past, Outcome]] = []
    worse: list[tuple[Past, Outcome]] = []
    added = 0
    for item in report.outcomes:
        waiting = earlier.get((item.question.q, item.question.kind))
        if not waiting:
            added += 1
            continue
        past = waiting.pop(0)
        if past.right != item.right:
            (better if item.right else worse).append((past, item))
    before, now = baseline.shares(), Baseline.model_validate(report.as_json()).shares()
    shares = {name: (before.get(name), now.get(name)) for name in dict.fromkeys((*now, *before))}
    return Changes(better, worse, added, sum(map(len, earlier.values())), shares)
