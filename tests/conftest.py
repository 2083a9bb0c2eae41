"""Fixtures that several test modules share: a corpus with a home, empty or seeded."""

import gc
import os
import shutil
import sys
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from resources.collector import collect_rarely
from resources.settings.config import PROJECT_ROOT
from resources.wire.guarded_http import FORBIDDING
from tests.support import lanes
from tests.support.pipelines import World, essay

# On a machine that has other work an example may take long, and that says nothing. The same examples come each time.
settings.register_profile("seedbank", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("seedbank")

DOCUMENTS = (
    "bread/flour.md",
    "bread/starter.txt",
    "rails/points.md",
    "rails/signals.txt",
    "reefs/corals.txt",
    "reefs/fish.txt",
)

_USUAL_MASK = 0o022
# The commands behave differently where these are set, as they may be in CI or on a developer's machine.
_MACHINE_VARIABLES = ("CI", "NO_COLOR", "FORCE_COLOR", "COLUMNS")
_MACHINE_PREFIXES = ("AWS_", "DAGSTER_", "OPENAI_")
_GUARD = lanes.Guard()
_FAILED = pytest.StashKey[bool]()


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their parameter: the content of made files may differ between processes, by their times for instance."""
    return argname if isinstance(val, bytes) else None


def pytest_configure(config: pytest.Config) -> None:
    """Warnings are errors, but for those that Dagster gives of its own code; no model is asked but the tests' own.

    Variables of the machine are removed: a test of one of them sets it itself.
    """
    for name in list(os.environ):
        if name in _MACHINE_VARIABLES or name.startswith(_MACHINE_PREFIXES):
            del os.environ[name]
    os.environ[FORBIDDING] = "loopback"
    config.addinivalue_line("filterwarnings", r"ignore:The `__fields__`:DeprecationWarning:dagster_shared\..*")
    _GUARD.install()


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing that is imported now is garbage, and looking for some takes a sixth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark tests before options choose them by their marks, and order them where several processes share them.

    Such processes know tests by name: none may be the address of an object.
    """
    lanes.mark(items)
    if hasattr(config, "workerinput"):
        lanes.longest_first(items)
    if unnamed := [item.nodeid for item in items if " at 0x" in item.nodeid]:
        raise pytest.UsageError(f"Give these cases ids that are the same in every process: {', '.join(unnamed)}")


def pytest_collection_finish() -> None:
    """What was imported by now stays: the collector need not look through it, 0.3 s each time, while tests run."""
    if "dagster" in sys.modules:
        from tests.support import migrations  # which imports more of it

        migrations.read_once()
    gc.freeze()
    collect_rarely()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Fixtures included, a test that is not marked starts no process, runs no Dagster and needs no service."""
    _GUARD.begin(item)
    try:
        return (yield)
    finally:
        _GUARD.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test whose code swallowed the guard's refusal fails all the same."""
    report = yield
    lanes.note(report, _GUARD.refused)
    if report.failed:
        item.stash[_FAILED] = True
    return report


@pytest.fixture
def tmp_path(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder whose content is removed after a test that passed: thousands of homes take up gigabytes, maybe of memory.

    The empty folder stays, so that no later test gets one of the same name.
    """
    yield tmp_path
    if _FAILED not in request.node.stash:
        for left in tmp_path.iterdir():
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left, ignore_errors=True)
            else:
                left.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def integration() -> None:
    """A test that is given this, by itself or by another fixture, belongs to the integration tests (tests/support/lanes)."""


@pytest.fixture
def empty_world(tmp_path: Path, own_environment: None, integration: None) -> World:
    """A corpus of six documents and a home in which nothing was ever seeded."""
    return _planted(tmp_path)


@pytest.fixture
def empty_plain_world(tmp_path: Path, own_environment: None) -> World:
    """The same, to be seeded without Dagster and without other processes."""
    return _planted(tmp_path, plain=True)


@pytest.fixture
def world(seeded_world: World, tmp_path: Path, own_environment: None) -> World:
    """The same six documents, seeded."""
    return seeded_world.copy_to(tmp_path)


@pytest.fixture(scope="session")
def seeded_world(tmp_path_factory: pytest.TempPathFactory, integration: None) -> World:
    """Seeded once for all tests, who get copies of it."""
    return _seeded(_planted(tmp_path_factory.mktemp("seeded")))


@pytest.fixture
def plain_world(seeded_plain_world: World, tmp_path: Path, own_environment: None) -> World:
    """The same six documents, seeded without Dagster and without other processes."""
    return seeded_plain_world.copy_to(tmp_path / "plain")


@pytest.fixture(scope="session")
def seeded_plain_world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Seeded once for all tests, who get copies of it."""
    return _seeded(_planted(tmp_path_factory.mktemp("plain"), plain=True))


@pytest.fixture(autouse=True)
def own_umask() -> Iterator[None]:
    """A command makes the files of its process private; those of the tests after it are as open as usual."""
    before = os.umask(_USUAL_MASK)
    yield
    os.umask(before)


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


def _seeded(world: World) -> World:
    with pytest.MonkeyPatch.context() as patch:
        _isolate(patch)
        assert world.seed().report.exit_code == 0
    return world


def _planted(folder: Path, *, plain: bool = False) -> World:
    world = World(folder, plain=plain)
    for name in DOCUMENTS:
        world.write(name, essay(Path(name).stem))
    return world
