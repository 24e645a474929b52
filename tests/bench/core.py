"""How well the pure core is tested: branches that run, from `.coverage`, and mutants that are noticed, from `mutants/`.

Run `python -m pytest --cov` and `mutmut run` first, or one of them; then `python -m tests.bench.core`.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from pathlib import Path

from coverage import Coverage

from tests.conftest import ROOT
from tests.test_architecture import core_files

_SURVIVED, _UNTESTED, _UNTRIED = 0, {5, 33}, {None, 2, 34}
"""Exit codes by which mutmut tells what became of a mutant; all others mean that it was noticed, or never ended."""


def covered(paths: list[str]) -> dict[str, tuple[int, int]]:
    """Lines and branches of each file that ran, and all of them."""
    measured = Coverage(config_file=str(ROOT / "pyproject.toml"))
    measured.load()
    with tempfile.NamedTemporaryFile(suffix=".json") as out:
        measured.json_report(include=paths, outfile=out.name)
        files = json.loads(Path(out.name).read_text(encoding="utf-8"))["files"]
    found = {name: told["summary"] for name, told in files.items()}
    return {
        name: (told["covered_lines"] + told["covered_branches"], told["num_statements"] + told["num_branches"])
        for name, told in found.items()
    }


def noticed(path: str) -> Counter[str]:
    """What became of the mutants of one file."""
    told = ROOT / "mutants" / f"{path}.meta"
    codes = json.loads(told.read_text(encoding="utf-8"))["exit_code_by_key"].values() if told.exists() else ()
    tried = [code for code in codes if code not in _UNTRIED]
    names = {_SURVIVED: "survived"} | dict.fromkeys(_UNTESTED, "untested")
    return Counter(names.get(code, "noticed") for code in tried)


def main() -> None:
    """Print one line a module, and the sums."""
    paths = [str(path.relative_to(ROOT)) for path in core_files()]
    ran = covered(paths) if (ROOT / ".coverage").exists() else {}
    done = every = 0
    mutants: Counter[str] = Counter()
    for path in paths:
        part, whole = ran.get(path, (0, 0))
        found = noticed(path)
        done, every, mutants = done + part, every + whole, mutants + found
        print(f"{path:36} {_share(part, whole)}  {_share(found['noticed'], found.total())}")
    print(f"{'the core':36} {_share(done, every)}  {_share(mutants['noticed'], mutants.total())}")
    print(f"mutants that survived: {mutants['survived']}; that no test reaches: {mutants['untested']}")


def _share(part: int, whole: int) -> str:
    return f"{part:5} of {whole:5} {100 * part / whole:6.2f} %" if whole else f"{'':13} {'-':>8}"


if __name__ == "__main__":
    main()
