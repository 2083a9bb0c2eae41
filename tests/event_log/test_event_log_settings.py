"""Which event log is in use, how many events it is given at once, and what is said where that cannot be."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.instance.ref import InstanceRef
from dagster_postgres import utils

from event_log import home as event_log_home
from event_log.batched import BatchedEventLogStorage
from event_log.home import HomeArtifacts, HomeComputeLogs, HomeStorage, explain, open_instance, warning
from event_log.postgres import BatchedPostgresEventLogStorage, PostgresStorage
from event_log.release import TESTED, check_release
from event_log.sqlite import BatchedSqliteEventLogStorage
from resources.errors import ConfigurationError
from resources.settings.config import PROJECT_ROOT
from tests.conftest import DOCUMENTS
from tests.support.event_logs import DATABASES, SERVER, materialize, new_database
from tests.support.pipelines import World
from tests.support.postgres_proxy import Proxy

pytestmark = pytest.mark.integration

KEYS = ("a.md", "b.md", "c.md")


@pytest.fixture(autouse=True)
def own_home(own_environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEDBANK_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)


def written(directory: Path, storage: dict[str, Any]) -> Path:
    """A directory with the project's dagster.yaml, but for the storage."""
    content = yaml.safe_load((PROJECT_ROOT / "dagster.yaml").read_text(encoding="utf-8"))
    directory.mkdir()
    (directory / "dagster.yaml").write_text(yaml.safe_dump({**content, "storage": storage}), encoding="utf-8")
    return directory


def of_home(**config: Any) -> dict[str, Any]:
    return {"custom": {"module": "event_log.home", "class": "HomeStorage", "config": config}}


def of_postgres(url: Any, **config: Any) -> dict[str, Any]:
    config = {"postgres_url": url, **config}
    return {"custom": {"module": "event_log.postgres", "class": "PostgresStorage", "config": config}}


@contextmanager
def storage_of(kind: str) -> Iterator[dict[str, Any]]:
    """The batched storage of a database, as dagster.yaml names it."""
    if kind == "sqlite":
        yield of_home()
        return
    with new_database() as url:
        yield of_postgres(url.replace("+psycopg2", ""))  # as Dagster's documentation writes it


def opened(directory: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(directory)))


def materialized(instance: dg.DagsterInstance) -> list[str]:
    records = instance.fetch_materializations(dg.AssetKey("document"), limit=100).records
    return sorted(record.partition_key or "" for record in records)


def test_dagster_keeps_everything_in_the_home_however_it_is_started(tmp_path: Path) -> None:
    """A bare `dagster dev` took a temporary directory for its runs, and `seedbank status` knew nothing of them."""
    elsewhere = tmp_path / "temporary"
    elsewhere.mkdir()
    bare = InstanceRef.from_dir(str(elsewhere), config_dir=str(PROJECT_ROOT))  # as the CLI without DAGSTER_HOME
    with dg.DagsterInstance.from_ref(bare) as instance:
        assert isinstance(instance.get_ref().storage, HomeStorage)
        assert isinstance(instance._local_artifact_storage, HomeArtifacts)
        assert isinstance(instance.compute_log_manager, HomeComputeLogs)
        assert isinstance(instance.event_log_storage, BatchedSqliteEventLogStorage)
        assert not instance.telemetry_enabled
        materialize(instance, *KEYS)
    assert not list(elsewhere.iterdir())
    with open_instance() as ours:
        assert tuple(ours.get_dynamic_partitions("documents")) == KEYS
        assert materialized(ours) == list(KEYS)
    assert (tmp_path / "home" / "dagster" / "history" / "runs" / "index.db").exists()


def test_a_command_that_shows_its_own_progress_keeps_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """With output captured by Dagster, a progress table is written to a file."""
    with open_instance() as instance:
        materialize(instance, *KEYS)
    assert not (tmp_path / "home" / "dagster" / "compute_logs").exists()
    assert not capfd.readouterr().err


def test_batches_are_on_in_every_process_that_opens_the_instance() -> None:
    """A run's own process is given the instance as text. Set in the environment, the size would outlive dagster.yaml."""
    with open_instance() as instance:
        there = InstanceRef.from_dict(instance.get_ref().to_dict())
        with dg.DagsterInstance.from_ref(there) as elsewhere:
            assert instance._get_event_batch_size() == elsewhere._get_event_batch_size() == 1_000
    assert "DAGSTER_EVENT_BATCH_SIZE" not in os.environ


@pytest.mark.parametrize("kind", DATABASES)
def test_one_line_of_dagster_yaml_turns_batches_off(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever batches are suspected of can be seen without them."""
    batches: list[int] = []
    with storage_of(kind) as storage:
        storage["custom"]["config"]["events_per_batch"] = 0
        with opened(written(tmp_path / "off", storage)) as instance:
            store = instance.event_log_storage.store_event_batch
            monkeypatch.setattr(
                instance.event_log_storage,
                "store_event_batch",
                lambda events: (batches.append(len(events)), store(events)),
            )
            materialize(instance, *KEYS)
            assert not batches
            assert materialized(instance) == list(KEYS)
            assert warning(instance) is None
            monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", "2")  # who sets it means it
            materialize(instance, "d.md", "e.md", "f.md")
            assert batches == [2, 2]
            assert materialized(instance) == [*KEYS, "d.md", "e.md", "f.md"]


@pytest.mark.parametrize("wrong", [-1, "many", 1.5, True, None])
def test_a_wrong_size_in_dagster_yaml_is_named(tmp_path: Path, wrong: Any) -> None:
    with pytest.raises(ConfigurationError, match=f"events_per_batch in dagster.yaml is {wrong!r}, .* 1000, or 0"):
        opened(written(tmp_path / "wrong", of_home(events_per_batch=wrong)))


@pytest.mark.parametrize("wrong", ["-1", "many", "1.5"])
def test_a_wrong_size_in_the_environment_is_named(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("DAGSTER_EVENT_BATCH_SIZE", wrong)
    with pytest.raises(ConfigurationError, match=f"variable DAGSTER_EVENT_BATCH_SIZE is '{wrong}', .* 1000, or 0"):
        open_instance()


DAGSTER = ["-m", "dagster", "asset", "materialize", "-m", "seed_assets.definitions", "--select", "search_index"]
SEEDBANK = ["-m", "cli.main", "seed"]


def said_by(command: list[str], **environment: str) -> tuple[int, str]:
    """The exit status of a command, and its last line on standard error."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT_ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    lines = done.stderr.strip().splitlines()
    return done.returncode, lines[-1] if lines else ""


@pytest.mark.parametrize(("command", "status"), [(DAGSTER, 1), (SEEDBANK, 2)])
def test_both_commands_end_with_the_setting_that_is_wrong(command: list[str], status: int) -> None:
    """A traceback that ends in `invalid literal for int()` tells nobody what to set."""
    returned, message = said_by(command, DAGSTER_EVENT_BATCH_SIZE="many")
    assert returned == status
    assert "The environment variable DAGSTER_EVENT_BATCH_SIZE is 'many', which is no number of events." in message


def installed(directory: Path, package: str, version: str) -> str:
    """A path that makes another release of a package look as if it were installed."""
    metadata = directory / f"{package.replace('-', '_')}-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir(parents=True)
    metadata.write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n", encoding="utf-8")
    return str(directory)


@pytest.mark.parametrize(
    ("package", "version", "module"),
    [("dagster", "1.14.0", "home"), ("dagster", "2.13.0", "home"), ("dagster-postgres", "0.30.1", "postgres")],
)
def test_an_untested_release_is_refused_by_name(tmp_path: Path, package: str, version: str, module: str) -> None:
    """Names that Dagster does not promise to keep are gone one day: an ImportError in the middle of a module."""
    path = installed(tmp_path / "other", package, version)
    returned, message = said_by(["-c", f"import event_log.{module}"], PYTHONPATH=path)
    assert returned == 1
    assert f"was tested with {package} {TESTED[package]}, and {version} is installed" in message
    assert f"pip install '{package}=={TESTED[package]}.*'" in message


def test_the_command_refuses_an_untested_release(tmp_path: Path) -> None:
    returned, message = said_by(SEEDBANK, PYTHONPATH=installed(tmp_path / "other", "dagster", "1.14.0"))
    assert returned == 2
    assert message.startswith("seedbank: The event log of this project was tested with dagster 1.13, and 1.14.0 is")


def test_another_patch_release_is_as_good(tmp_path: Path) -> None:
    path = installed(tmp_path / "other", "dagster", "1.13.99")
    assert said_by(["-c", "import event_log.home"], PYTHONPATH=path) == (0, "")


def test_a_missing_package_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster says of a module that misses another that it could not be imported."""
    monkeypatch.setitem(TESTED, "never-released-by-anybody", "0.29")
    with pytest.raises(ConfigurationError, match=r"never-released-by-anybody 0\.29 is needed, .* pip install"):
        check_release("never-released-by-anybody")


def test_dagsters_own_event_log_works_and_its_cost_is_reported(tmp_path: Path) -> None:
    """Somebody's dagster.yaml may have another storage."""
    own = {"sqlite": {"base_dir": str(tmp_path / "own")}}
    with opened(written(tmp_path / "stock", own)) as instance:
        materialize(instance, *KEYS)
        assert materialized(instance) == list(KEYS)
        line = warning(instance)
    assert line is not None
    assert "SqliteEventLogStorage" in line
    assert "docs/event_log.md" in line
    assert "\n" not in line
    assert (PROJECT_ROOT / "docs" / "event_log.md").exists()
    with open_instance() as ours:
        assert warning(ours) is None


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dagster waits for a database that may be starting."""
    monkeypatch.setattr(utils, "calculate_delay", lambda **_: 0.01)


def test_a_seed_keeps_its_records_in_postgresql_and_goes_on_where_that_went_away(
    empty_world: World, impatient: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was finished is in the home: only Dagster's word of it is missing, and the next seed gives it."""
    batches = 0
    store = BatchedEventLogStorage._store_in_index

    def cut_at_the_fifth(self: BatchedEventLogStorage, *arguments: Any) -> Any:
        nonlocal batches
        batches += 1
        if batches == 5:
            proxy.away = True
            proxy.cut()
        return store(self, *arguments)

    monkeypatch.setattr(BatchedEventLogStorage, "_store_in_index", cut_at_the_fifth)
    with new_database() as url, closing(Proxy()) as proxy:
        monkeypatch.setenv("RECORDS", url.replace(":5432", f":{proxy.port}"))
        directory = written(tmp_path / "postgres", of_postgres({"env": "RECORDS"}))
        monkeypatch.setattr(event_log_home, "PROJECT_ROOT", directory)
        stopped = empty_world.seed().report
        assert stopped.exit_code == 1
        named = f"{url.rpartition('/')[2]} on 127.0.0.1:{proxy.port} (user root)"
        assert [named in failure.reason for failure in stopped.failures if not failure.document] == [True]
        proxy.away = False
        assert empty_world.seed().report.exit_code == 0
        with open_instance() as instance:
            assert isinstance(instance.get_ref().storage, PostgresStorage)
            assert isinstance(instance.event_log_storage, BatchedPostgresEventLogStorage)
            assert instance._get_event_batch_size() == 1_000
            assert warning(instance) is None
            assert instance.get_materialized_partitions(dg.AssetKey("lance_documents")) == set(DOCUMENTS)
            assert {run.status for run in instance.get_runs()[:-1]} == {dg.DagsterRunStatus.SUCCESS}
            assert instance.all_instigator_state() == []


@pytest.mark.parametrize(
    ("url", "place", "reason"),
    [
        ("postgresql://me:secret@127.0.0.1:1/records", "database records on 127.0.0.1:1 (user me)", "refused"),
        (f"postgresql://{SERVER}/not_there", "database not_there on 127.0.0.1:5432 (user root)", "does not exist"),
        ("postgresql://nobody:secret@127.0.0.1:5432/test", "test on 127.0.0.1:5432 (user nobody)", "nobody"),
    ],
)
def test_a_database_that_refuses_is_named_with_what_to_do(
    impatient: None, tmp_path: Path, caplog: pytest.LogCaptureFixture, url: str, place: str, reason: str
) -> None:
    if "5432" in url:
        with new_database():
            pass  # skips where there is no server that could refuse
    with pytest.raises(ConfigurationError) as error:
        opened(written(tmp_path / "refused", of_postgres(url)))
    message = str(error.value)
    assert place in message
    assert reason in message
    assert "dagster.yaml" in message
    assert "secret" not in message + caplog.text


@pytest.mark.parametrize("url", ["postgres", "postgresql://me:se@cret@host/db", "postgresql://me:secret@host:x/db"])
def test_an_invalid_database_address_is_reported_without_the_password(url: str) -> None:
    """An @ in a password that is not written as %40 makes the rest of the password the host, in every message."""
    with pytest.raises(ConfigurationError) as error:
        PostgresStorage.from_config_value(None, {"postgres_url": url, "events_per_batch": 1})
    assert "postgresql://user:password@host:5432/database" in str(error.value)
    assert "cret" not in str(error.value)


def test_errors_of_the_records_are_explained_and_no_others(
    impatient: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the middle of a seed they come as the database's own."""
    assert explain(ValueError("of somebody else")) is None
    assert explain(FileNotFoundError(2, "gone", "/somewhere/else")) is None
    directory = tmp_path / "home" / "dagster"
    problem = explain(PermissionError(13, "Permission denied", str(directory / "runs")))
    assert problem is not None
    assert f"Dagster's records in {directory} cannot be used" in problem
    monkeypatch.setattr(event_log_home, "PROJECT_ROOT", written(tmp_path / "yaml", of_postgres("postgresql://u@h:1/d")))
    problem = explain(utils.DagsterPostgresException("too many retries for DB connection"))
    assert problem is not None
    assert "the PostgreSQL database d on h:1 (user u)" in problem
