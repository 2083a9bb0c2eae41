"""Migrations of the store's file from earlier formats, in place. The current tables are in `schema`.

Each step checks whether the file needs it. All needed steps run in one transaction: if it is interrupted, the file stays
unchanged, and the next opening repeats them. Steps only add; no paid result is removed or rewritten.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass

from io_managers.store.sqlite.connection import transaction
from io_managers.store.sqlite.schema import (
    ACCOUNT_ROWS,
    ACCOUNT_TABLES,
    ACCOUNT_TRIGGERS,
    ADDED,
    FORMAT,
    REPLIES_INDEX,
    RETENTION_TABLES,
    RETENTION_TRIGGERS,
    SEALS,
    TODAY,
)
from io_managers.store.sqlite.seals import sql_seal


@dataclass(frozen=True, slots=True)
class Migration:
    """One change of the file. needed: tells whether a file lacks it."""

    needed: Callable[[sqlite3.Connection], bool]
    run: Callable[[sqlite3.Connection], None]


def migrate(connection: sqlite3.Connection) -> None:
    """Run the steps that the file needs. Raises sqlite3.Error; nothing is changed then."""
    if not any(step.needed(connection) for step in STEPS):
        return
    with transaction(connection):
        # Another process may have migrated the file meanwhile.
        for step in STEPS:
            if step.needed(connection):
                step.run(connection)


def _lacks_accounts(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'savings'").fetchone() is None


def _add_accounts(connection: sqlite3.Connection) -> None:
    for statement in ADDED.split(";\n"):
        connection.execute(statement)


def _lacks_seals(connection: sqlite3.Connection) -> bool:
    return connection.execute("PRAGMA user_version").fetchone()[0] < FORMAT


def _add_seals(connection: sqlite3.Connection) -> None:
    """Add seals to all rows. The format number is raised, since an older program would write rows without seals."""
    for table, seals in SEALS.items():
        known = {name for _, name, *_ in connection.execute(f"PRAGMA table_info({table})")}
        for name in (name for name in seals if name not in known):  # in this order, on which repair relies
            connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} INTEGER")
        values = ", ".join(f"{name} = {sql_seal(*columns)}" for name, columns in seals.items())
        connection.execute(f"UPDATE {table} SET {values}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")


def _lacks_settings(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT 1 FROM pragma_table_info('failures') WHERE name = 'settings'").fetchone()


def _add_settings(connection: sqlite3.Connection) -> None:
    """Add the column for the settings that shaped a failed request; for existing failures they are unknown."""
    connection.execute("ALTER TABLE failures ADD COLUMN settings TEXT NOT NULL DEFAULT ''")


def _lacks_daily_account(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'computed'").fetchone() is None


def _add_daily_account(connection: sqlite3.Connection) -> None:
    """Add up what there is by day, and let SQLite add what comes. Older programs may go on writing; SQLite adds that as well."""
    for statement in ACCOUNT_TABLES.strip().split(";\n"):
        connection.execute(statement)
    for statement in (*ACCOUNT_ROWS, *ACCOUNT_TRIGGERS):
        connection.execute(statement)


def _lacks_retention(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'origins'").fetchone() is None


def _add_retention(connection: sqlite3.Connection) -> None:
    """Add the days of last use. Earlier results count as used on the day of the migration, since nothing else is known."""
    known = {name for _, name, *_ in connection.execute("PRAGMA table_info(actions)")}
    if "used_on" not in known:
        (today,) = connection.execute(f"SELECT {TODAY}").fetchone()
        connection.execute(f"ALTER TABLE actions ADD COLUMN used_on INTEGER DEFAULT {today}")
    connection.execute("DROP INDEX IF EXISTS actions_stage")  # `actions_age` begins with the stage
    for statement in (*RETENTION_TABLES.strip().split(";\n"), *RETENTION_TRIGGERS):
        connection.execute(statement)


def _lacks_replies_index(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'requests_action'").fetchone() is None


def _add_replies_index(connection: sqlite3.Connection) -> None:
    """Add the index of requests whose replies are kept, by action."""
    connection.execute(REPLIES_INDEX)


# Added columns follow those of earlier steps; repair relies on this order.
STEPS = (
    Migration(_lacks_accounts, _add_accounts),
    Migration(_lacks_seals, _add_seals),
    Migration(_lacks_settings, _add_settings),
    Migration(_lacks_daily_account, _add_daily_account),
    Migration(_lacks_retention, _add_retention),
    Migration(_lacks_replies_index, _add_replies_index),
)
