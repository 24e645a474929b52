"""A Report of `eval` as a table for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from bot.evaluate import Outcome, Report

_WIDTH = 110


def as_table(report: Report) -> str:
    """Shares by kind, then every question that went wrong."""
    table = Table("类别", "答对", "题数", "答对率")
    for kind in (*report.kinds(), None):
        right, total = report.share(kind)
        table.add_row(kind or "合计", str(right), str(total), f"{right / total:.1%}" if total else "")
    console = Console(width=_WIDTH)
    with console.capture() as capture:
        console.print(table)
    false, refused = report.refusals()
    first, single = report.ranked_first()
    lines = [capture.get().rstrip()]
    if refused:
        lines.append(f"不该答却答了：{false} / {refused}（{false / refused:.1%}）")
    if single:
        lines.append(f"该答的条目排在第一：{first} / {single}（{first / single:.1%}）")
    wrong = [item for item in report.outcomes if not item.right]
    if wrong:
        lines += ["", "答错的题：", *(_line(item) for item in wrong)]
    return "\n".join(lines)


def _line(item: Outcome) -> str:
    return f"- [{item.question.kind}] {item.question.q}：{item.why}（把握 {item.reply.score:.2f}，{item.reply.reason}）"
