"""Fixtures that several test modules share: a corpus with a home, empty or seeded."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from resources.config import PROJECT_ROOT
from resources.guarded_http import FORBIDDING
from tests.pipelines import World, essay

DOCUMENTS = (
    "bread/flour.md",
    "bread/starter.txt",
    "rails/points.md",
    "rails/signals.txt",
    "reefs/corals.txt",
    "reefs/fish.txt",
)


def pytest_configure(config: pytest.Config) -> None:
    """Warnings are errors, but for those that Dagster gives of its own code; no model is asked but the tests' own."""
    os.environ[FORBIDDING] = "loopback"
    config.addinivalue_line("filterwarnings", r"ignore:The `__fields__`:DeprecationWarning:dagster_shared\..*")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes that share the tests know them by name: none may be the address of an object."""
    if unnamed := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"Give these cases ids that are the same in every process: {', '.join(unnamed)}")


@pytest.fixture
def empty_world(tmp_path: Path, own_environment: None) -> World:
    """A corpus of six documents and a home in which nothing was ever seeded."""
    return _planted(tmp_path)


@pytest.fixture
def world(seeded_world: World, tmp_path: Path, own_environment: None) -> World:
    """The same six documents, seeded."""
    return seeded_world.copy_to(tmp_path)


@pytest.fixture(scope="session")
def seeded_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Seeded once for all tests, who get copies of it."""
    world = _planted(tmp_path_factory.mktemp("seeded"))
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch)
        assert world.seed().report.exit_code == 0
    return world


@pytest.fixture
def own_environment() -> Iterator[None]:
    """No setting of the one who runs the tests counts, and none of a test outlives it."""
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch)
        yield


def _isolate(patch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("SEEDBANK_") and name not in ("SEEDBANK_CORPORA", FORBIDDING):
            patch.delenv(name)
    # Seeding sets both for its process; recorded here, they are put back afterwards.
    patch.setenv("DAGSTER_HOME", str(PROJECT_ROOT))
    patch.setenv("SEEDBANK_HOME", "")
    patch.delenv("SEEDBANK_HOME")


def _planted(folder: Path) -> World:
    world = World(folder)
    for name in DOCUMENTS:
        world.write(name, essay(Path(name).stem))
    return world
