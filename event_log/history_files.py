"""The files in which SQLite keeps Dagster's history.

There is a file with the asset events of all runs, one for each run with all of its events, one for the events outside of runs,
and one each for the records of runs and of schedules. In PostgreSQL there are none.
"""

from collections.abc import Iterator
from pathlib import Path

from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME, SqliteEventLogStorage

from event_log.superseded import Storages


def shared_files(storages: Storages) -> Iterator[Path]:
    """The files that do not belong to a single run: asset events, runs, schedules."""
    for connect in (storages.index, storages.runs, storages.schedules):
        with connect() as connection:
            database = connection.engine.url.database
            sqlite = connection.dialect.name == "sqlite"
        if sqlite and database:
            yield Path(database)


def run_file(storages: Storages, run_id: str) -> Path | None:
    """The file of a run; None if there is none."""
    if not isinstance(storages.events, SqliteEventLogStorage):
        return None
    file = Path(storages.events.path_for_shard(run_id))
    return file if file.exists() else None


def run_files(storages: Storages) -> list[Path]:
    """The files of all runs."""
    index = run_file(storages, INDEX_SHARD_NAME)
    # The file whose name is only a suffix has the events outside runs.
    return [file for file in index.parent.glob("[!.]*.db") if file != index] if index else []


def runless_file(storages: Storages) -> Path | None:
    """The file of the events outside of runs; None if there is none."""
    index = run_file(storages, INDEX_SHARD_NAME)
    file = index.with_name(".db") if index else None
    return file if file is not None and file.exists() else None
