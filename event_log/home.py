"""Where Dagster keeps what it records: under the home, whoever starts Dagster.

Here: the storages that dagster.yaml names, which only say where. Not here: how they store.

Dagster's own `base_dir: {env: NAME}` has no default and does not read seedbank.toml: a bare `dagster dev` would fail,
or write to another place than `seedbank seed`. Dagster reads dagster.yaml from the working directory even where
DAGSTER_HOME is not set, and then keeps the rest in a temporary directory: so all that it stores is named there.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.exc import DBAPIError

from event_log import batch_size
from event_log.batched import BatchedEventLogStorage
from event_log.partition_changes import PartitionChanges
from event_log.sqlite import BatchedSqliteEventLogStorage
from resources.config import PROJECT_ROOT, load_settings
from resources.home import Home


def dagster_directory() -> Path:
    """Dagster's directory in the home that is in force. Raises ConfigurationError."""
    return Home(load_settings().home).dagster


class HomeEventLog(PartitionChanges, BatchedSqliteEventLogStorage):
    """Events in batches, and word of changed partitions."""


class HomeStorage(DagsterSqliteStorage):
    """Runs, schedules and sensors as Dagster stores them in SQLite; events in batches."""

    def __init__(
        self,
        base_dir: str,
        inst_data: ConfigurableClassData | None = None,
        events_per_batch: Any = batch_size.DEFAULT,
    ) -> None:
        super().__init__(base_dir, inst_data)
        # the stock event log has made its tables by now; this one reads and writes the same files
        stock = self._event_log_storage
        self._event_log_storage = HomeEventLog(stock._base_dir, None, events_per_batch)

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """How many events are written together; the home has the other settings."""
        return {batch_size.SETTING: batch_size.FIELD}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Any) -> "HomeStorage":
        """The storage of the home that is in force."""
        directory = dagster_directory()
        _make_whole(directory)
        return cls(str(directory), inst_data, **config_value)


def _make_whole(directory: Path) -> None:
    """Make Dagster's databases elsewhere and put them in their place, each folder of them whole or not at all.

    Where they are Dagster makes them step by step. It reads them never again when it is killed meanwhile, or when two
    processes do it at once.
    """
    missing = [folder for folder in ("history", "schedules") if not (directory / folder).exists()]
    if not missing:
        return
    directory.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".new-", dir=directory) as made:
        DagsterSqliteStorage(made).dispose()
        for database in Path(made).rglob("*.db"):
            _lay_out(database)
        for folder in missing:
            try:
                Path(made, folder).rename(directory / folder)
            except OSError:
                if not (directory / folder).exists():
                    raise
                # another process was first


def _lay_out(database: Path) -> None:
    """Pages that hold several events, and that a trim can give back a few at a time; only an empty file can be told so."""
    with closing(sqlite3.connect(database)) as connection:
        for pragma in ("journal_mode = DELETE", "page_size = 16384", "auto_vacuum = INCREMENTAL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = WAL")


class HomeComputeLogs(LocalComputeLogManager):
    """What steps print, beside the events."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No settings: the home has them."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "HomeComputeLogs":
        """The logs of the home that is in force."""
        return cls(str(dagster_directory() / "compute_logs"), inst_data=inst_data)


class HomeArtifacts(LocalArtifactStorage):
    """Where Dagster's built-in IO and file managers would put files; this project uses neither."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """No settings: the home has them."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "HomeArtifacts":
        """The directory in the home that is in force."""
        return cls(str(dagster_directory() / "artifacts"), inst_data=inst_data)


def open_instance(*, compute_logs: bool = False) -> DagsterInstance:
    """This project's instance, for a command that shows its own progress.

    Without compute logs steps keep the terminal: Dagster else sends what they print to files, and two processes that
    follow them (a progress table is then no table, and each run costs half a second more).
    """
    no_compute_logs = {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
        "config": {},
    }
    overrides = {} if compute_logs else {"compute_logs": no_compute_logs}
    reference = InstanceRef.from_dir(str(PROJECT_ROOT), overrides=overrides)
    return DagsterInstance.from_ref(reference)


def warning(instance: DagsterInstance) -> str | None:
    """One line for whoever has another event log in dagster.yaml than the batched ones: what that costs."""
    log = instance.event_log_storage
    if isinstance(log, BatchedEventLogStorage):
        return None
    return (
        f"Dagster's own event log ({type(log).__name__}) is in use, as dagster.yaml says: it stores events one by one, a "
        "minute or more for a thousand documents in which nothing is computed. docs/event_log.md names the batched ones."
    )


def explain(error: Exception) -> str | None:
    """What a person needs to hear of an error of Dagster's records, and what to do; None for any other error."""
    directory = dagster_directory()
    driver = type(error.orig if isinstance(error, DBAPIError) else error).__module__
    if driver.startswith(("psycopg2", "dagster_postgres")):
        from event_log.postgres import configured_place, refusal

        storage = InstanceRef.from_dir(str(PROJECT_ROOT)).storage_data
        return refusal(configured_place(storage) if storage else "PostgreSQL", error)
    if isinstance(error, DBAPIError):
        cause = error.orig
    elif isinstance(error, OSError) and str(error.filename).startswith(str(directory)):
        cause = error
    else:
        return None
    return (
        f"Dagster's records in {directory} cannot be used: {cause}. See that the disk has space and that the folder is "
        "writable for this user, then run again: all finished work is kept. If it is damaged, delete the folder: it "
        "only tells of past runs."
    )
