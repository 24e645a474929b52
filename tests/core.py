"""Lines and branches of the pure core that its own quick tests run.

Run: python -m tests.core
It prints what is missing, and ends with 1 unless nothing is.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.test_architecture import core_files

NAMES = (
    *("answer", "bad_files", "browse", "compose", "conversation", "decide", "follow", "gate", "index", "input_method"),
    *("kinds_of_questions", "knowledge", "lean", "lines", "matcher", "memory", "nonsense", "places", "polarity"),
    *("record", "redact", "render", "rules", "settings", "several", "standing", "switch", "talk", "text"),
    "understand",
)
"""Of the modules of tests."""


def main() -> int:
    """Run, and say what is missing."""
    with tempfile.TemporaryDirectory() as folder:
        python = (sys.executable, "-m")
        environment = {**os.environ, "COVERAGE_FILE": str(Path(folder, "core"))}
        tests = [f"tests/test_{name}.py" for name in NAMES]
        how = ("-q", "-m", "not sweep", "--hypothesis-profile=few", "--cov", "--cov-report=")
        tried = subprocess.run([*python, "pytest", *tests, *how], cwd=ROOT, env=environment, check=False)
        files = ",".join(str(path) for path in core_files())
        show = ("report", "--show-missing", "--skip-covered", "--precision=2", "--fail-under=100", f"--include={files}")
        shown = subprocess.run([*python, "coverage", *show], cwd=ROOT, env=environment, check=False)
    return tried.returncode or shown.returncode


if __name__ == "__main__":
    sys.exit(main())
