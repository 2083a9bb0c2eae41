"""Where Dagster keeps its records: in the home, however Dagster is started.

What belongs here: the storages that dagster.yaml names, which only say where the records lie. What does not: how they store.

Dagster's own `base_dir: {env: NAME}` has no default and does not read seedbank.toml: a plain `dagster dev` would fail, or write
to another place than `seedbank seed`. Dagster reads dagster.yaml from the working directory even if DAGSTER_HOME is not set, and
then keeps everything that the file does not name in a temporary directory. So the file names everything that Dagster stores.
"""

from pathlib import Path
from typing import Any, Self

from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.exc import DBAPIError

from event_log import batch_size
from event_log.batched import BatchedEventLogStorage
from event_log.locked_records import explain_lock, is_locked, wait_for_locks
from event_log.partition_changes import PartitionChanges
from event_log.sqlite import BatchedSqliteEventLogStorage
from event_log.sqlite_storage import BatchedSqliteStorage
from resources.home.dagster_yaml import instance_folder
from resources.home.home import Home
from resources.home.private_files import keep_new_files_private
from resources.memory_errors import is_memory_error, out_of_memory_message
from resources.settings.config import PROJECT_ROOT, load_settings


def dagster_directory() -> Path:
    """Return Dagster's directory in the configured home, for a process that will write in it. Raises ConfigurationError.

    Every process of Dagster (page, daemon, code server, run) calls this before it writes. From then on, only its user can read
    the files that it makes.
    """
    keep_new_files_private()
    directory = Home(load_settings().home).dagster
    wait_for_locks(directory)
    return directory


class HomeEventLog(PartitionChanges, BatchedSqliteEventLogStorage):
    """Stores events in batches, and notes in the home when partitions change."""


class HomeStorage(BatchedSqliteStorage):
    """Stores all records in the configured home."""

    event_log_class = HomeEventLog

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """The only setting is how many events are written together; the rest follows from the home."""
        return {batch_size.SETTING: batch_size.FIELD}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Return the storage of the configured home."""
        return super().from_config_value(inst_data, {"base_dir": str(dagster_directory()), **config_value})


class HomeComputeLogs(LocalComputeLogManager):
    """Keeps what steps print, in the home beside the events."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """There are no settings: all follows from the home."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "HomeComputeLogs":
        """Return the manager of the logs in the configured home."""
        return cls(str(dagster_directory() / "compute_logs"), inst_data=inst_data)


class HomeArtifacts(LocalArtifactStorage):
    """Where Dagster's built-in IO and file managers would put files; this project uses neither."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """There are no settings: all follows from the home."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> "HomeArtifacts":
        """Return the storage in the configured home."""
        return cls(str(dagster_directory() / "artifacts"), inst_data=inst_data)


def open_instance(*, compute_logs: bool = False) -> DagsterInstance:
    """Open this project's instance, for a command that shows its own progress.

    compute_logs: whether Dagster sends what steps print to files, which two more processes follow. Then a progress table cannot
    be shown as a table, and each run takes half a second longer. Otherwise steps print to the terminal.
    """
    no_compute_logs = {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
        "config": {},
    }
    overrides = {} if compute_logs else {"compute_logs": no_compute_logs}
    reference = InstanceRef.from_dir(str(instance_folder(PROJECT_ROOT)), overrides=overrides)
    return DagsterInstance.from_ref(reference)


def warning(instance: DagsterInstance) -> str | None:
    """Return a warning if dagster.yaml names another event log than the batched ones: it says what that costs. None otherwise."""
    log = instance.event_log_storage
    if isinstance(log, BatchedEventLogStorage):
        return None
    return (
        f"Dagster's own event log ({type(log).__name__}) is in use, as dagster.yaml says: it stores events one by one, a "
        "minute or more for a thousand documents in which nothing is computed. docs/event_log.md names the batched ones."
    )


def explain(error: Exception) -> str | None:
    """Explain an error of Dagster's records and what to do about it; None for any other error."""
    directory = dagster_directory()
    driver = type(error.orig if isinstance(error, DBAPIError) else error).__module__
    if driver.startswith(("psycopg2", "dagster_postgres")):
        from event_log.postgres import configured_place, refusal

        storage = InstanceRef.from_dir(str(instance_folder(PROJECT_ROOT))).storage_data
        return refusal(configured_place(storage) if storage else "PostgreSQL", error)
    if is_locked(error):
        return explain_lock(directory)
    if isinstance(error, DBAPIError):
        if is_memory_error(error):
            return out_of_memory_message()
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
