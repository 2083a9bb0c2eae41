"""Which package may import which, by reading the source: a wrong arrow is cheaper to mend on the day it is drawn."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("seed_assets", "resources", "io_managers", "event_log", "retrieval", "cli")

# Importing Dagster costs a second; whatever `status`, `search` and a `seed` with nothing to do import must not.
WITHOUT_DAGSTER = (
    "seed_assets.core",
    "seed_assets.stages",
    "seed_assets.stage",
    "seed_assets.pipeline",
    "seed_assets.reuse",
    "seed_assets.observer",
    "seed_assets.interrupts",
    "seed_assets.runner",
    "seed_assets.outcomes",
    "seed_assets.comparison",
    "seed_assets.budget",
    "seed_assets.seed_report",
    "seed_assets.sink",
    "seed_assets.corpus_level",
    "seed_assets.planner",
    "seed_assets.estimate",
    "seed_assets.work",
    "seed_assets.removals",
    "seed_assets.ranges",
    "seed_assets.session",
    "seed_assets.seeding",
    "io_managers.store",
    "resources",
    "retrieval",
    "cli",
)


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            yield name, path


def imported(path: Path, *, at_import: bool) -> set[str]:
    """The modules that a file imports: those at its top alone, or also those inside functions."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    nodes = list(_top(tree)) if at_import else list(ast.walk(tree))
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def _top(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from _top(node)


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def test_what_runs_without_dagster_does_not_import_it() -> None:
    for name, path in modules():
        if within(name, *WITHOUT_DAGSTER):
            assert not [m for m in imported(path, at_import=False) if within(m, "dagster")], name


def test_clients_and_store_know_nothing_of_the_pipeline() -> None:
    for name, path in modules():
        if within(name, "io_managers", "resources", "event_log"):
            assert not [m for m in imported(path, at_import=False) if within(m, "seed_assets")], name


def test_nothing_imports_the_command() -> None:
    for name, path in modules():
        if not within(name, "cli"):
            assert not [m for m in imported(path, at_import=False) if within(m, "cli", "service")], name


HEAVY = (
    "lancedb",
    "pyarrow",
    "pandas",
    "trafilatura",
    "pypdfium2",
    "docx",
    "wordllama",
    "tokenizers",
    "openai",
    "httpx2",
    "redis",
    "pyrate_limiter",
    "json_repair",
)


def test_heavy_packages_are_imported_when_they_are_used() -> None:
    for name, path in modules():
        assert not [m for m in imported(path, at_import=True) if within(m, *HEAVY)], name


@pytest.mark.parametrize("arguments", [["--help"], ["seed", "--help"], ["search", "--help"]])
def test_help_imports_neither_the_pipeline_nor_anything_heavy(arguments: list[str]) -> None:
    program = (
        "import sys\nfrom typer.testing import CliRunner\nfrom cli.main import app\n"
        f"result = CliRunner().invoke(app, {arguments!r})\nassert result.exit_code == 0, result.output\n"
        "print(','.join(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    loaded = set(done.stdout.strip().splitlines()[-1].split(","))
    assert not loaded & {*HEAVY, "dagster", "numpy", "seed_assets"}
