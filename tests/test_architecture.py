"""The house keeps its shape: imports run one way, modules stay small, functions are short."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.conftest import ROOT

BOT = ROOT / "bot"
FLOORS = [
    {
        "bot",
        "bot.errors",
        "bot.lines",
        "bot.model",
        "bot.settings",
        "bot.redact",
        "bot.gate",
        "bot.conversation",
        "bot.alerts",
        "bot.journal",
        "bot.metrics",
        "bot.spread",
    },
    {"bot.text"},
    {"bot.knowledge"},
    {"bot.understand", "bot.match", "bot.honours"},
    {"bot.standing", "bot.register"},
    {"bot.desk"},
    {"bot.decide", "bot.browse", "bot.ellipsis", "bot.follow", "bot.several", "bot.notes", "bot.compose", "bot.render"},
    {"bot.answer", "bot.record", "bot.querylog"},
    {"bot.memory", "bot.replies", "bot.switch"},
    {
        "bot.bench",
        "bot.check",
        "bot.demo",
        "bot.evaluate",
        "bot.exchange",
        "bot.holdout",
        "bot.reliability",
        "bot.report",
    },
    {"bot.examine", "bot.editing"},
    {"bot.reload"},
    {"bot.gaps"},
    {"bot.channels.service", "bot.channels.channel", "bot.channels.outbox"},
    {"bot.following", "bot.handling", "bot.robot", "bot.digest", "bot.watch"},
    {"bot.channels.web", "bot.channels.telegram", "bot.channels.wecom", "bot.dashboard"},
    {"bot.app"},
    {"bot.channels.registry", "bot.channels.console", "bot.channels", "bot.serve"},
    {"bot.cli"},
    {"bot.__main__"},
]
CORE = (
    *("bot.text", "bot.knowledge", "bot.understand", "bot.match", "bot.standing", "bot.honours", "bot.register"),
    *("bot.desk", "bot.decide", "bot.browse", "bot.ellipsis", "bot.follow", "bot.several", "bot.notes", "bot.compose"),
    *("bot.render", "bot.answer"),
    *("bot.errors", "bot.model", "bot.lines", "bot.gate", "bot.conversation", "bot.redact", "bot.record"),
)
"""What is pure: every line and branch of it is tested, and mutants of it are tried."""
OUTER_WORLD = frozenset(
    {"aiosqlite", "asyncpg", "httpx", "io", "logging", "os", "pathlib", "random", "secrets", "shutil", "socket"}
    | {"sqlalchemy", "starlette", "subprocess", "tempfile", "threading", "time", "urllib"}
)
ALLOWED = {"bot.knowledge.place": {"pathlib"}, "bot.match.nonsense": {"random"}}
"""Where the knowledge lies, and what is drawn with a seed."""
MAX_LINES = 320
MAX_FUNCTION_LINES = 60


def modules() -> dict[str, Path]:
    found = {}
    for path in sorted(BOT.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "migrations" not in parts:
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    assert len(found) > 40
    return found


def core_files() -> list[Path]:
    """The files of the core that hold any code."""
    inside = [
        path for module, path in modules().items() if (module + ".").startswith(tuple(f"{name}." for name in CORE))
    ]
    assert len(inside) > 50
    return [path for path in inside if path.name != "__init__.py"]


def floor_of(module: str) -> int:
    name = module
    while name:
        for number, floor in enumerate(FLOORS):
            if name in floor:
                return number
        name = name.rpartition(".")[0]
    raise AssertionError(f"{module} stands on no floor")


def runtime_tree(path: Path) -> ast.Module:
    """The module without what is imported for type checking only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [
        node for node in tree.body if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test))
    ]
    return tree


def edges() -> dict[str, set[str]]:
    """Module → the modules of ours that it imports when it runs."""
    known = modules()
    found: dict[str, set[str]] = {}
    for module, path in known.items():
        names = set()
        for node in ast.walk(runtime_tree(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("bot"):
                full = (f"{node.module}.{alias.name}" for alias in node.names)
                names |= {name if name in known else str(node.module) for name in full}
        found[module] = names - {module}
    assert sum(map(len, found.values())) > 60
    return found


def test_imports_run_one_way() -> None:
    wrong = [
        f"{module} imports {target}"
        for module, targets in edges().items()
        for target in targets
        if floor_of(target) > floor_of(module)
    ]
    assert wrong == []


def test_no_cycles() -> None:
    needs = edges()
    done: set[str] = set()
    while len(done) < len(needs):
        free = {module for module in needs.keys() - done if not (needs[module] & needs.keys()) - done}
        assert free, f"a cycle among {sorted(needs.keys() - done)}"
        done |= free


def test_no_import_hides_in_a_function() -> None:
    hidden = [
        f"{module}:{node.lineno}"
        for module, path in modules().items()
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    ]
    assert hidden == []


def test_the_core_knows_nothing_of_the_outer_world() -> None:
    found: dict[str, set[str]] = {}
    for path in core_files():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for node in ast.walk(runtime_tree(path)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            outer = {name.partition(".")[0] for name in names} & OUTER_WORLD
            if outer:
                found.setdefault(module, set()).update(outer)
    assert found == ALLOWED


def test_modules_and_functions_stay_small() -> None:
    long = []
    for module, path in modules().items():
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MAX_LINES:
            long.append(module)
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                assert node.end_lineno is not None
                if node.end_lineno - node.lineno > MAX_FUNCTION_LINES:
                    long.append(f"{module}.{node.name}")
    assert long == []
