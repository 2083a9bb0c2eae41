"""Copies a home. The copy is consistent even if other processes write meanwhile, and it is a home of its own.

This module copies a home and checks whether the copy is complete. The command is in the cli.

The copy of each kind of state is from one moment: SQLite's own backup reads one state of a database, whatever is committed
meanwhile; a table of LanceDB is copied under its lease; values are files that never change, and are copied after the database
that names them. The moments differ, so the copy's tables get a new mark: the first seed in it compares every row with what is
published, computes nothing for it, and writes what differs.

These are left out: marks of processes and leases, which mean nothing elsewhere, the requests of the last minute, mirrored
tables, the record of published editions, so that the copy does not replace them unasked, and the record that Dagster's records
are in sync, so that the first seed compares them with the store.
"""

import os
import secrets
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from io_managers.store.errors import StoreUnavailableError
from io_managers.store.store import Store
from resources.corpus.corpus_place import BucketAddress
from resources.errors import ConfigurationError
from resources.settings.config import absolute
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableError
from resources.tables.lance_marker import Mark, newest_version, write_mark
from seed_assets.engine.table_leases import from_scratch, table_held
from seed_assets.session.session import Session

# The suffixes of files beside a database that belong to the original only.
_OF_THE_ORIGINAL = ("-wal", "-shm", "-journal", "-position")
# What is copied in a way of its own, and what is not copied at all.
_OTHERWISE = {"store", "lancedb", "dagster"}
_LEFT_OUT = {"running", "erasing", "limits", "corpus-cache", "mirror", "tables.published"}


@dataclass(slots=True)
class Backup:
    """A finished backup.

    directory: where it lies. bytes: its size. values, actions: how many its store has. tables: table -> number of rows. wrong:
    the faults that were found in it.
    """

    directory: Path
    bytes: int = 0
    values: int = 0
    actions: int = 0
    tables: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def back_up(session: Session, directory: Path) -> Backup:
    """Copy the home of a session into `directory`, which is missing or empty, and read all of the copy once.

    A backup that ends early leaves nothing in `directory`. Raises ConfigurationError if the directory cannot be used,
    StoreUnavailableError if it cannot be written, TableError if a table cannot be read.
    """
    directory = absolute(directory, "The folder of the backup")
    home = session.home
    _check_place(session, directory)
    _check_space(home.directory, directory)
    with _in_place(directory) as made:
        for table in session.tables.present():
            _copy_table(session, table, made / "lancedb")
        _copy_folder(home.dagster, made / "dagster", without={"agreement"})
        for path in sorted(home.directory.iterdir()):
            if _is_copied(path) and path.name not in _OTHERWISE:
                _copy(path, made / path.name)
        _copy_store(home.store, made / "store")
        report = _looked_at(made)
    report.directory = directory
    return report


def _check_place(session: Session, directory: Path) -> None:
    real = directory.resolve()
    for what, folder in (("home", session.home.directory), ("corpus", session.settings.corpus)):
        if isinstance(folder, BucketAddress):
            continue
        if real.is_relative_to(folder.resolve()):
            raise ConfigurationError(
                f"{directory} is in the {what} {folder}: a backup there would become a part of itself. "
                "Give a folder elsewhere, on another disk if there is one."
            )
    if directory.is_dir() and not any(directory.iterdir()):
        return
    if directory.exists() or directory.is_symlink():
        raise ConfigurationError(
            f"{directory} exists and is not an empty folder. Nothing in it was changed: give a new folder for "
            "each backup, and remove old ones yourself."
        )


def _check_space(home: Path, directory: Path) -> None:
    wanted = sum(_size(path) for top in home.iterdir() if _is_copied(top) for path in (top, *top.rglob("*")))
    existing = next(folder for folder in (directory, *directory.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if free < wanted:
        raise ConfigurationError(
            f"A backup needs up to {wanted / 2**20:,.0f} MB, and {free / 2**20:,.0f} MB are free on the disk of {existing}. "
            "Free some space, or give a folder on another disk."
        )


def _is_copied(path: Path) -> bool:
    return path.name not in _LEFT_OUT and not path.name.startswith(".")


def _size(path: Path) -> int:
    """Return the size of a file; 0 if it is not a file, or was removed meanwhile."""
    try:
        found = path.lstat()
    except OSError:
        return 0
    return found.st_size if stat.S_ISREG(found.st_mode) else 0


@contextmanager
def _in_place(directory: Path) -> Iterator[Path]:
    """Give a folder that replaces `directory` if the body succeeds, and is removed if it fails."""
    made = directory.with_name(f".{directory.name}.unfinished-{secrets.token_hex(4)}")
    try:
        made.mkdir(mode=0o700, parents=True)
        yield made
        os.sync()
        if directory.is_dir():
            directory.rmdir()
        made.rename(directory)
    except OSError as error:
        raise StoreUnavailableError(
            f"The backup could not be written to {directory}: {error.strerror or error}. See that the disk has space and "
            "that the folder is writable for this user, then run again. Nothing is left of this attempt."
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _copy_table(session: Session, table: str, target: Path) -> None:
    if session.tables.version(table) is None:
        return
    folder = session.tables.folder(table)
    copied = target / folder.name

    def copy() -> None:
        shutil.rmtree(copied, ignore_errors=True)
        with table_held(session.store.leases, session.tables, table) as held:
            try:
                shutil.copytree(folder, copied)
                known = held.state(table) is not None
            finally:
                held.prove()
        version = newest_version(copied)
        if version is not None and known:
            write_mark(copied, replace(Mark.new(), version=version, committing=False))

    # A process that was stopped while another one wrote may have copied parts of two versions.
    from_scratch(copy)


def _copy_store(store: Path, target: Path) -> None:
    target.mkdir()
    _copy_database(store / "store.db", target / "store.db")
    with closing(sqlite3.connect(target / "store.db", isolation_level=None)) as connection:
        # These processes write to the original and not to the copy.
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'writers'").fetchone():
            connection.execute("DELETE FROM writers")
    for path in sorted(store.iterdir()):
        if not path.name.startswith(("store.db", "leases.db")):
            _copy(path, target / path.name)


def _copy_folder(source: Path, target: Path, without: set[str]) -> None:
    if not source.is_dir():
        return
    target.mkdir(exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.name not in without and not path.name.startswith(".new-"):
            _copy(path, target / path.name)


def _copy(source: Path, target: Path) -> None:
    """Copy a file, or a folder with its contents. What is removed meanwhile is left out."""
    with suppress(FileNotFoundError):
        if source.is_dir():
            _copy_folder(source, target, set())
        elif source.suffix == ".db":
            _copy_database(source, target)
        elif source.is_file() and not source.name.endswith(_OF_THE_ORIGINAL):
            shutil.copy2(source, target)


def _copy_database(source: Path, target: Path) -> None:
    if not source.exists():
        return
    try:
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=60)) as original,
            closing(sqlite3.connect(target)) as copied,
        ):
            original.backup(copied)
    except sqlite3.Error as error:
        raise StoreUnavailableError(
            f"{source} could not be copied: {error}. If it is damaged, `seedbank cache repair` makes a store usable again, "
            "and Dagster's folder may be deleted; then run again. Nothing is left of this attempt."
        ) from error


def _looked_at(made: Path) -> Backup:
    """Read every value and every row of the copy once."""
    found = Backup(made)
    store = Store(made / "store")
    try:
        found.wrong += store.verify()
        contents = store.contents()
        found.values, found.actions = contents.values, sum(contents.results.values())
    finally:
        store.close()
    for database in (made / "dagster").rglob("*.db"):
        with closing(sqlite3.connect(database)) as connection:
            damage = [row[0] for row in connection.execute("PRAGMA quick_check(3)") if row[0] != "ok"]
        found.wrong += [f"{database.relative_to(made)}: {line}" for line in damage]
    tables = LanceTables(made / "lancedb")
    for table in tables.present():
        try:
            found.tables[table] = tables.rows_read(table)
        except TableError as error:
            found.wrong.append(str(error))
    for leftover in (made / "store").glob("leases.db*"):
        leftover.unlink()
    found.bytes = sum(_size(path) for path in made.rglob("*"))
    return found
