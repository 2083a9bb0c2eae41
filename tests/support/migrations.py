"""Dagster's migrations, read once a process.

What belongs here: that they need not be read again. What does not: the tables that they lead to (event_log, Dagster).

Dagster marks each new database with the newest migration, for which alembic reads all 89 of them: 19 times in a first seed, each
0.02 s of processor time. They are files of the installed release, which nothing changes while tests run.
"""

from types import ModuleType
from typing import Any

from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.sql import (
    ScriptDirectory,  # pyright: ignore[reportPrivateImportUsage]
    get_alembic_config,
)

_STORAGES: tuple[ModuleType, ...] = (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage)
_read = ScriptDirectory.from_config
_found: dict[tuple[str | None, str | None], ScriptDirectory] = {}


def read_once() -> None:
    """From now on, what a configuration of alembic leads to is what it led to first."""
    ScriptDirectory.from_config = _once


def read_now() -> None:
    """Read those of SQLite, of which there are copies in three storages; for processes that are forked afterwards."""
    for storage in _STORAGES:
        assert storage.__file__ is not None
        assert _once(get_alembic_config(storage.__file__)).get_current_head()


def _once(config: Any) -> ScriptDirectory:
    key = config.config_file_name, config.get_main_option("script_location")
    if key not in _found:
        _found[key] = _read(config)
    return _found[key]
