"""Every channel at once, killed and starved: nothing acknowledged may be lost, nothing said twice.

    python -m tests.chaos [--engine sqlite|postgresql|both] [--kills 30] [--away 20] [--full 20] [--seed 1]

Telegram polls on SQLite and is called by webhook on PostgreSQL. Exit code 1 on any violation.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from tests.chaos.storm import Plan, Report, run

MODES = {"sqlite": "polling", "postgresql": "webhook"}


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--engine", choices=[*MODES, "both"], default="both")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--away", type=float, default=20.0, help="seconds")
    parser.add_argument("--full", type=float, default=20.0, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    reports: list[Report] = []
    for engine in MODES if given.engine == "both" else [given.engine]:
        plan = Plan(given.kills, given.away, given.full, mode=MODES[engine], seed=given.seed)
        with tempfile.TemporaryDirectory(prefix="chaos") as folder:
            reports.append(asyncio.run(run(engine, plan, Path(folder))))
        print(reports[-1], "", sep="\n", flush=True)
    sys.exit(any(report.violations for report in reports))


if __name__ == "__main__":
    main()
