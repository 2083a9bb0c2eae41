"""All of Dagster's records in SQLite: runs and schedules as Dagster stores them, and events in batches.

What belongs here: the storage that the dagster.yaml of any project may name, and making its databases. What does not: how events
are stored (sqlite), and the place of this project's own records (home).
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar, Self

from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData

from event_log import batch_size
from event_log.sqlite import BatchedSqliteEventLogStorage


class BatchedSqliteStorage(DagsterSqliteStorage):
    """Stores runs, schedules and sensors as Dagster does in SQLite, and events in batches.

    base_dir: the folder of the databases, which are Dagster's own. events_per_batch: how many events are written together at
    most; 0 stores them one by one.
    """

    event_log_class: ClassVar[type[BatchedSqliteEventLogStorage]] = BatchedSqliteEventLogStorage

    def __init__(
        self,
        base_dir: str,
        inst_data: ConfigurableClassData | None = None,
        events_per_batch: Any = batch_size.DEFAULT,
    ) -> None:
        super().__init__(base_dir, inst_data)
        # Dagster's own event log has made its tables by now; this one reads and writes the same files.
        stock = self._event_log_storage
        self._event_log_storage = self.event_log_class(stock._base_dir, None, events_per_batch)

    @classmethod
    def config_type(cls) -> Any:
        """Return the settings of Dagster's own storage, and the size of a batch."""
        return {**super().config_type(), batch_size.SETTING: batch_size.FIELD}  # pyright: ignore[reportGeneralTypeIssues]

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        """Return the storage in `base_dir`, which is made if it does not exist."""
        _make_whole(Path(config_value["base_dir"]))
        return cls(inst_data=inst_data, **config_value)


def _make_whole(directory: Path) -> None:
    """Make Dagster's databases in a temporary folder and move each folder of them into place in one step.

    Dagster itself makes them step by step in their final place. If it is killed meanwhile, or if two processes do it at once, it
    cannot read them afterwards.
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
                # Another process was faster, and its folder is used.


def _lay_out(database: Path) -> None:
    """Set a page size that holds several events, and a mode in which a trim can give back a few pages at a time.

    Only an empty database accepts these settings.
    """
    with closing(sqlite3.connect(database)) as connection:
        for pragma in ("journal_mode = DELETE", "page_size = 16384", "auto_vacuum = INCREMENTAL"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("VACUUM")
        connection.execute("PRAGMA journal_mode = WAL")
