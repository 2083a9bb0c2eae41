"""What failed under some settings is remembered for these alone, also in files of older programs."""

import os
import sqlite3
from pathlib import Path

import pytest

from io_managers.store.failures import FailureRecord
from io_managers.store.repair import repair
from io_managers.store.sqlite.schema import ADDED, APPLICATION_ID, SCHEMA, SEALS
from io_managers.store.store import Store

KEYS = ["a" * 64, "b" * 64]
OLD_ROW = (KEYS[0], "summaries", "old.txt", "It was refused.", "Change it.", 0, 5.0)
OLD_INSERT = (
    "INSERT OR REPLACE INTO failures (action_key, stage, partition, reason, remedy, transient, failed_at) "
    "VALUES (?, ?, ?, ?, ?, ?, ?)"
)


def old_store(folder: Path) -> Path:
    """A store as a program before this one made it, with a failure."""
    folder.mkdir(parents=True)
    with sqlite3.connect(folder / "store.db") as connection:
        connection.executescript(f"{SCHEMA};{ADDED}")
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        for table, seals in SEALS.items():
            for column in seals:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("ALTER TABLE failures DROP COLUMN settings")
        connection.execute("PRAGMA user_version = 1")
        connection.execute(OLD_INSERT, OLD_ROW)
    connection.close()
    return folder


def test_a_failure_holds_while_its_settings_are_the_same(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    store.failures.record(
        [
            FailureRecord(KEYS[0], "summaries", "a", "refused", "change it", False, settings="one"),
            FailureRecord(KEYS[1], "extracted_text", "b", "broken", "repair it", False),
        ]
    )
    found = store.failures.lookup(KEYS)
    store.close()
    assert [found[KEYS[0]].holds(settings) for settings in ({"one", "two"}, {"two"}, set[str](), None)] == [
        True,
        False,
        False,
        True,
    ]
    # What no setting has shaped depends on none.
    assert all(found[KEYS[1]].holds(settings) for settings in ({"one"}, set[str](), None))


def test_what_passes_never_holds() -> None:
    assert not FailureRecord(KEYS[0], "s", "p", "r", "m", True).holds(None)


def test_a_file_of_an_older_program_is_brought_up_to_date(tmp_path: Path) -> None:
    folder = old_store(tmp_path / "store")
    for _ in range(2):
        store = Store(folder)
        # What an older program has failed at says nothing of settings.
        assert store.failures.lookup(KEYS)[KEYS[0]] == FailureRecord(*OLD_ROW[:5], False, 5.0)
        store.failures.record([FailureRecord(KEYS[1], "summaries", "b", "refused", "m", False, settings="one")])
        assert store.failures.lookup(KEYS)[KEYS[1]].settings == "one"
        store.close()


@pytest.mark.skipif(os.getuid() == 0, reason="nothing is read-only for this user")
def test_a_file_that_may_only_be_read_is_read(tmp_path: Path) -> None:
    folder = old_store(tmp_path / "store")
    Store(folder).close()
    (folder / "store.db").chmod(0o400)
    folder.chmod(0o500)
    try:
        assert Store(folder).failures.lookup(KEYS)
    finally:
        folder.chmod(0o700)


def test_a_repair_keeps_the_settings_of_failures_and_reads_old_rows(tmp_path: Path) -> None:
    folder = old_store(tmp_path / "store")
    store = Store(folder)
    store.failures.record([FailureRecord(KEYS[1], "summaries", "b", "refused", "m", False, settings="one")])
    before = store.failures.lookup(KEYS)
    store.close()
    assert repair(folder).failures == 2
    store = Store(folder)
    assert store.failures.lookup(KEYS) == before
    store.close()
