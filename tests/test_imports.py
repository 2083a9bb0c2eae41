"""Which package may import which, by reading the source: a wrong arrow is cheapest to fix on the day it is drawn.

The order below is the drawing in docs/architecture.md: what stands higher may import what stands lower, and nothing else.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = (
    "seedbank",
    "seed_assets",
    "resources",
    "io_managers",
    "event_log",
    "retrieval",
    "answering",
    "service",
    "cli",
)

# From the ground up. A name is a package, or a module where it stands apart from its package. The modules of one name may
# import each other, though not in a circle; those of names on one line may not.
ORDER = (
    "io_managers.plain_text  io_managers.object_stores  io_managers.store.processes  io_managers.store.whole_files",
    "io_managers.store.errors",
    "io_managers.store.codecs  io_managers.store.sqlite",
    "io_managers.store",
    "io_managers.store.retention",
    "io_managers.sharing.segments  io_managers.sharing.buckets",
    "io_managers.sharing",
    "io_managers.sharing.editions",
    "io_managers",
    "resources.errors  resources.wording  resources.project_folder  resources.collector  resources.heap",
    "resources.columns",
    "resources.memory_errors  resources.time_limits",
    "resources.wire  resources.corpus  resources.limits  resources.tables",
    "resources.home  resources.ingestions",
    "resources.settings",
    "resources.endpoints",
    "resources.batches",
    "resources.local_models",
    "resources.models",
    "event_log  retrieval",
    "seed_assets.memo  seed_assets.graph",
    "seed_assets.core.text  seed_assets.core.prompting",
    "seed_assets.core.reading  seed_assets.core.judging  seed_assets.core.examples",
    "seed_assets.core.summaries  seed_assets.core.concepts  seed_assets.core.entities  seed_assets.core.clusters  "
    "seed_assets.core.extractions",
    "seed_assets.core.relationships  seed_assets.core.profiles",
    "seed_assets.core.entity_graph",
    "seed_assets.core.maps",
    "seed_assets.core.workers",
    "seed_assets.core.calibration",
    "seed_assets.stages.documents  seed_assets.stages.corpus",
    "seed_assets.stages.clusters  seed_assets.stages.entities  seed_assets.stages.extractions  seed_assets.stages.examples",
    "seed_assets.stages.relationships  seed_assets.stages.profiles",
    "seed_assets.stages.tables",
    "seed_assets.own_stages",
    "seed_assets.wiring",
    "seed_assets.engine",
    "seed_assets.planning",
    "seed_assets.session",
    "seed_assets.explaining",
    "seed_assets.checking  seed_assets.comparing  seed_assets.reports",
    "seed_assets.orchestration  answering",
    "seed_assets.definitions",
    "seed_assets.spreading",
    "seed_assets.seeding",
    "seed_assets.erasing  seed_assets.doctor",
    "seed_assets.proof  service",
    "cli",
    "seedbank",
)

# Importing Dagster costs a second: what `status`, `search` and a `seed` with nothing to do import must not do it. All
# others are free of it; `history trim`, which works on Dagster's records, imports it inside its function.
WITH_DAGSTER = ("io_managers.content_hash", "io_managers.partition_events", "event_log", "seed_assets.orchestration")
WITH_DAGSTER += (
    "seed_assets.definitions",
    "seed_assets.spreading",
    "seedbank.dagster",
    "seedbank.postgres",
    "seedbank.celery",
)


@cache
def modules() -> dict[str, Path]:
    """Every module of the product, by name; a package's own docstring is none."""
    return {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path
        for package in PACKAGES
        for path in sorted((ROOT / package).rglob("*.py"))
        if path.name != "__init__.py"
    }


@cache
def imported(path: Path, *, at_import: bool) -> frozenset[str]:
    """The modules that a file imports: those at its top alone, or also those inside functions and for types only."""
    tree = ast.parse(path.read_text())
    found: set[str] = set()
    for node in _top(tree) if at_import else ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            submodules = {f"{node.module}.{alias.name}" for alias in node.names} & modules().keys()
            found.update(submodules or {node.module})
    return frozenset(found)


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


def floor(module: str) -> tuple[int, str]:
    """(how high a module stands, the name in ORDER that it belongs to): the longest that holds it."""
    found = [
        (len(name), height, name) for height, line in enumerate(ORDER) for name in line.split() if within(module, name)
    ]
    assert found, f"{module} has no place in ORDER"
    return max(found)[1:]


@pytest.mark.slow
def test_every_import_leads_downwards() -> None:
    wrong: list[str] = []
    for name, path in modules().items():
        height, own = floor(name)
        for other in sorted(imported(path, at_import=False) & modules().keys()):
            below, theirs = floor(other)
            if theirs != own and below >= height:
                wrong.append(f"{name} -> {other}")
    assert not wrong, "\n".join(wrong)


def test_every_name_in_the_order_exists() -> None:
    named = {name for line in ORDER for name in line.split()} | set(WITH_DAGSTER)
    assert not [name for name in named if not any(within(module, name) for module in modules())]


def test_the_drawing_shows_the_same_order() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    drawn = re.search(r"<!-- the order of packages -->\s*```\n(.*?)```", page, re.DOTALL)
    assert drawn is not None
    floors = [[line.split()[0] for line in floor.splitlines()] for floor in drawn.group(1).strip().split("\n\n")]
    assert floors == [line.split() for line in reversed(ORDER)]


@pytest.mark.slow
def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports inside functions and for types only count as well."""
    state: dict[str, str] = {}

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert state.get(name) != "open", " -> ".join([*path[path.index(name) :], name])
        if name not in state:
            state[name] = "open"
            for other in imported(modules()[name], at_import=False) & modules().keys():
                walk(other, (*path, name))
            state[name] = "done"

    for name in modules():
        walk(name, ())


def test_no_folder_is_crowded() -> None:
    folders: dict[Path, int] = {}
    for path in modules().values():
        folders[path.parent] = folders.get(path.parent, 0) + 1
    assert not {str(folder): count for folder, count in folders.items() if count > 20}


def test_only_what_is_dagsters_imports_dagster() -> None:
    for name, path in modules().items():
        # What does not even have the word need not be parsed.
        if not within(name, *WITH_DAGSTER) and "dagster" in path.read_text():
            assert not [m for m in imported(path, at_import=False) if within(m, "dagster")], name


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


@pytest.mark.slow
def test_heavy_packages_are_imported_when_they_are_used() -> None:
    for name, path in modules().items():
        assert not [m for m in imported(path, at_import=True) if within(m, *HEAVY)], name


@pytest.mark.integration
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
