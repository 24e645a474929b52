"""What no reply may hold, and how the replies are counted."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from tests.conftest import ROOT
from tests.emulators import aibot, telegram, wecom, wecom_kf

VICTIM = "我住在幸福小区，电话13812345678，想问加装电梯"
_PRIVATE = ("幸福小区", "13812345678")
_SECRETS = (
    *("Traceback", "site-packages", str(ROOT), "sqlite+aiosqlite", "SQLAlchemy", "sqlite3."),
    *(telegram.TOKEN, wecom.SECRET, wecom.TOKEN, wecom.AES_KEY, wecom_kf.KF_SECRET, wecom_kf.KF_TOKEN, aibot.SECRET),
)


@dataclass
class Watch:
    """Statuses by kind of request, and everything that was wrong. `secrets`: further words that none may hold."""

    secrets: tuple[str, ...] = ()
    seen: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    wrong: list[str] = field(default_factory=list)

    def note(self, kind: str, what: str, status: int, said: str, insider: bool = False) -> None:
        """One reply; 0 stands for a connection that was closed without one. Only an insider may read questions."""
        self.seen[kind][status] += 1
        if status >= 500 and status != 503:
            self.wrong.append(f"{kind}: {status} for {what[:200]}")
        hidden = (*_SECRETS, *self.secrets) if insider else (*_SECRETS, *self.secrets, *_PRIVATE)
        self.wrong += [f"{kind}: {secret[:12]}… told to {what[:200]}" for secret in hidden if secret in said]

    @property
    def total(self) -> int:
        """Requests so far."""
        return sum(counts.total() for counts in self.seen.values())

    def __str__(self) -> str:
        """A table, a line a kind."""
        statuses = sorted({status for counts in self.seen.values() for status in counts})
        head = f"{'requests':<28}{'count':>7}" + "".join(f"{status or 'cut':>7}" for status in statuses)
        rows = [
            f"{kind:<28}{counts.total():>7}" + "".join(f"{counts[status]:>7}" for status in statuses)
            for kind, counts in self.seen.items()
        ]
        total = f"{'all':<28}{self.total:>7}"
        return "\n".join([head, *rows, total, *(f"WRONG: {text}" for text in self.wrong[:20])])
