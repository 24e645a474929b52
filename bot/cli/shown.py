"""Stored questions and what was made of them, for a terminal: no character that a citizen sent does anything."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from bot.cli.common import visible
from bot.gaps.model import KINDS, PROPOSALS, STATES
from bot.gaps.replay import CHANGES

if TYPE_CHECKING:
    from bot.gaps import replay as replaying
    from bot.gaps import stats as counting
    from bot.gaps.model import Gap
    from bot.querylog.rows import Logged

_WORDINGS = 6
"""Of a gap, in the list."""


def gap_lines(gap: Gap) -> str:
    """A gap for the terminal: a headline, and what there is to know, indented."""
    target = f" {gap.target}" if gap.target else ""
    when = f"{gap.first_at:%m-%d} 至 {gap.last_at:%m-%d}" if gap.first_at and gap.last_at else ""
    channels = "、".join(f"{name} {count}" for name, count in gap.channels.items())
    lines = [
        f"缺口 {gap.id}　{visible(gap.title)}",
        f"  {gap.people} 人 {gap.count} 次，{when}，近八周 {' '.join(map(str, gap.trend))}；{visible(channels)}",
        f"  {KINDS[gap.kind]}，建议{PROPOSALS[gap.proposal]}{target}；{STATES[gap.state]}",
    ]
    others = [f"{visible(text)}（{count}）" for text, count in gap.wordings[1:_WORDINGS]]
    lines += [f"  也这样问：{'、'.join(others)}"] if others else []
    lines += [f"  最近的：{item.id}　{visible(item.why)}" for item in gap.nearest[:2]]
    return "\n".join(lines)


def replay_lines(found: replaying.Replayed) -> list[str]:
    """What a replay found, kind by kind, then who took questions from whom."""
    lines = [f"问了 {found.questions} 个不同的问题（记录里 {found.rows} 次），每个都当作单独一句来问"]
    for kind, title in CHANGES.items():
        some = [change for change in found.changes if change.kind == kind]
        if some:
            people, count = sum(change.people for change in some), sum(change.count for change in some)
            lines.append(f"{title}：{len(some)} 个问题，{count} 次，{people} 人次")
            lines += [_change(change) for change in some]
    for before, after, count, people in found.stolen():
        lines.append(f"{after} 从 {before} 拿走了 {count} 次（{people} 人次）")
    if len(lines) == 1:
        lines.append("没有变化")
    if found.praised:
        lines.append(f"注意：有 {len(found.praised)} 个被点过赞的回答变了")
    return lines


def _change(change: replaying.Change) -> str:
    before, after = (f"{status} {'、'.join(ids[:2])}".strip() for status, ids in (change.before, change.after))
    mark = " 👍" if change.praised else ""
    return f"  {visible(change.text)}（{change.people} 人 {change.count} 次{mark}）：{before} → {after}"


def stats_lines(found: counting.Stats) -> list[str]:
    """The counts, then a line a day."""
    share = "—" if found.share is None else f"{found.share:.1%}"
    lines = [f"{found.questions} 个问题，{found.people} 人，答上 {share}；记录共 {found.rows} 条"]
    for title, counts in (("回答", found.statuses), ("渠道", found.channels), ("评价", found.verdicts)):
        if counts:
            lines.append(f"{title}：" + "，".join(f"{visible(name)} {count}" for name, count in counts.items()))
    lines += [
        f"{day}　{asked} 个问题，{people} 人，答上 {given / asked:.0%}"
        for day, (asked, given, people) in found.days.items()
    ]
    return lines


def log_line(item: Logged) -> str:
    """One row of the log on one line."""
    row = item.row
    verdict = {"up": " 👍", "down": " 👎"}.get(item.verdict or "", "")
    given = f"{row.status} {'、'.join(row.entries[:2])}".strip()
    return f"{item.id}　{row.asked_at:%m-%d %H:%M}　{visible(row.channel)}　{visible(row.text)}　→ {given}{verdict}"


def log_object(item: Logged) -> dict[str, object]:
    """One row of the log for JSON."""
    row = asdict(item.row)
    when = item.verdict_at.isoformat() if item.verdict_at else None
    return {
        "id": item.id,
        **row,
        "asked_at": item.row.asked_at.isoformat(),
        "verdict": item.verdict,
        "verdict_at": when,
    }
