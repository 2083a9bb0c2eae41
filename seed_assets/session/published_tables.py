"""Publishes the tables of a home for others that only read them: a copy of one moment, and the record of what was published.

What belongs here: when it is due, and what an edition of tables consists of. What does not: how files are sent
(io_managers.sharing.editions), and readers (mirrored_tables).

The record (SEEDBANK_HOME/tables.published) holds the digests of the last editions of this home, by which it recognises its own,
the states of the tables that were published last, so that a seed with nothing to do sends nothing, and earlier addresses, where
what was published stays.
"""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from io_managers.store.errors import RemoteError, StoreUnavailableError
from io_managers.store.whole_files import write_whole
from resources.errors import ConfigurationError
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableMissingError
from resources.tables.lance_files import check_copy, copy_newest
from resources.tables.lance_schema import SEARCHED
from seed_assets.engine.table_leases import from_scratch, table_held
from seed_assets.session.mirrored_tables import EMBEDDER, TABLES
from seed_assets.session.session import Session
from seed_assets.session.sharing import table_rules

if TYPE_CHECKING:
    from io_managers.sharing.editions.publishing import Files, Published
    from io_managers.sharing.remote import Access

logger = logging.getLogger(__name__)

COPIES = ".publishing-*"
"""The folders of the home with a copy that is being published, as a pattern. One that a killed process has left is not used."""
_HOUR_SECONDS = 3_600.0
# How many of its own editions a home recognises. Of a seed that is killed again and again, only the last one counts.
_KNOWN = 16


class PublishedRecord(msgspec.Struct):
    """What a home has published. address: where. known: the digests of its last editions. states: of the tables that were
    published last. withdraw: whether earlier editions hold what was erased since, and are there still. last: the number of the
    last edition; former: the addresses at which was published before.
    """

    address: str = ""
    known: list[str] = []
    states: dict[str, str] = {}
    withdraw: bool = False
    last: int = 0
    former: list[str] = []


class PublishedTables:
    """The tables of a home, and where they are published."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._rules = session.settings.tables
        self._record = self._recorded()

    @property
    def record(self) -> PublishedRecord:
        """What was published at the address of now."""
        return self._record

    def former(self) -> list[str]:
        """The addresses at which was published before, and where something of it still is, or where nobody could look."""
        published = self._record.address if self._record.known else ""
        return [address for address in self._record.former if address != published and self._may_be_at(address)]

    def access(self) -> "Access":
        """The bucket, and how it is used. Nothing is sent. Raises RemoteError."""
        from io_managers.sharing.attaching import open_access

        return open_access(table_rules(self._session.settings, reads=False))

    def states(self) -> dict[str, str]:
        """The states of the tables as they are now; "" for one that another program has changed. LanceDB is not imported."""
        tables = self._session.tables
        return {table: tables.state(table) or "" for table in tables.specs if tables.version(table) is not None}

    def is_due(self) -> bool:
        """Whether the tables have changed since they were published last. Nothing is sent."""
        return self._record.withdraw or self.states() != self._record.states

    def note_erased(self) -> None:
        """Record that earlier editions hold what was erased, until `publish` has removed them."""
        if self._record.known:
            self._record.withdraw = True
            self._write()

    def publish(self, *, take_over: bool = False, verify: bool = False) -> "Published":
        """Publish the tables as they are now; see io_managers.sharing.editions.publishing.

        Raises ConfigurationError if there is nothing to be published or documents are being erased, OtherPublisherError,
        RemoteError, StoreUnavailableError, TableError. In each case readers have what was published before.
        """
        from io_managers.sharing.editions.publishing import publish

        session = self._session
        if session.home.abandoned():
            session.home.record_out_of_sync()  # `running` removes the marks of killed runs, whose records are not corrected yet
        # Nothing is erased meanwhile, since a copy may have what is to be erased.
        with (
            session.home.running(),
            session.store.leases.hold("publishing of tables"),
            ExitStack() as copies,
            self._translated(),
        ):
            self._record = self._recorded()  # another process may have published while this one waited
            withdraw = self._record.withdraw
            states: dict[str, str] = {}

            def files_now() -> "Files":
                files, found = self._files_of(copies.enter_context(self._copy_folder()))
                states.clear()
                states.update(found)
                return files

            published = publish(
                self.access(),
                files_now,
                self._known,
                self._note,
                keep_seconds=self._rules.keep_hours * _HOUR_SECONDS,
                last=self._record.last,
                take_over=take_over,
                verify=verify,
                withdraw=withdraw,
            )
            self._record.states, self._record.last = states, max(self._recorded().last, published.number)
            self._write(withdrawn=withdraw)
        return published

    def _files_of(self, folder: Path) -> "tuple[Files, dict[str, str]]":
        """The files of all tables at one moment, linked into a folder, and the states of the tables."""
        from io_managers.sharing.editions.publishing import Files

        def copy() -> tuple[dict[str, Path], dict[str, str]]:
            session = self._session
            shutil.rmtree(folder, ignore_errors=True)
            with ExitStack() as leases:
                # In one order, so that two processes cannot wait for each other.
                held = [
                    leases.enter_context(table_held(session.store.leases, session.tables, table))
                    for table in sorted(session.tables.specs)
                ]
                states = self.states()
                if SEARCHED not in states:
                    raise TableMissingError(SEARCHED, "there is none to be published.", "Run `seedbank seed` first.")
                copied: dict[str, Path] = {}
                for table in states:
                    copied |= copy_newest(session.tables, table, folder)
                for each in held:
                    each.prove()
            return copied, states

        files, states = from_scratch(copy)
        if changed := [table for table, state in states.items() if not state]:
            raise ConfigurationError(
                f"Another program has changed the tables {', '.join(changed)}, so nothing was published. Run `seedbank seed`, "
                "which compares their rows."
            )
        copies = LanceTables(folder, self._session.tables.specs)
        for table in states:
            check_copy(copies, table)
        return Files(files, {EMBEDDER: self._embedder(), TABLES: states}), states

    def _embedder(self) -> dict[str, Any]:
        """What made the vectors. Raises ConfigurationError if it is not what the settings name."""
        self._session.check_embedder()
        return dict(self._session.query_embedder.identity)

    @contextmanager
    def _copy_folder(self) -> Iterator[Path]:
        """A folder for a copy, on the disk of the tables because of the links. Those of killed processes are removed."""
        home = self._session.home.directory
        for left in home.glob(COPIES):
            shutil.rmtree(left, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            prefix=COPIES.removesuffix("*"), dir=home, ignore_cleanup_errors=True
        ) as folder:
            yield Path(folder) / "tables"

    def _known(self) -> list[str]:
        # Another process of this home may have published while this one was stopped.
        return self._recorded().known

    def _note(self, digest: str) -> None:
        self._record.known = [*self._known(), digest][-_KNOWN:]
        self._write()

    def _recorded(self) -> PublishedRecord:
        """What is recorded for the address of now. Of another address, only the address is kept."""
        found, address = _read(self._session.home.published), self._rules.publish_to
        if found.address == address:
            return found
        former = [*found.former, *([found.address] if found.known else [])]
        return PublishedRecord(address, former=list(dict.fromkeys(former)))

    def _may_be_at(self, address: str) -> bool:
        """Whether something of published tables is at an earlier address, or it cannot be read."""
        from io_managers.sharing.attaching import open_access
        from io_managers.sharing.editions.edition import EDITIONS, PIECES

        settings = self._session.settings
        if settings.store.remote_access == "off":
            return True
        there = settings.model_copy(update={"tables": self._rules.model_copy(update={"publish_to": address})})
        try:
            access = open_access(table_rules(there, reads=False))
            access.check_readable()
            return any(True for prefix in (EDITIONS, PIECES) for _ in access.bucket.list(prefix))
        except RemoteError:
            return True

    def _write(self, *, withdrawn: bool = False) -> None:
        """Write the record. Another process may have noted meanwhile that something was erased, which is kept."""
        self._record.withdraw = not withdrawn and (self._record.withdraw or self._recorded().withdraw)
        write_whole(self._session.home.published, msgspec.json.encode(self._record), mode=0o600)

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreUnavailableError(
                f"The tables could not be published: {error.filename or self._session.home.directory}: "
                f"{error.strerror or error}.",
                "Free some space or make it writable for this user, then run again. Readers have what was published before.",
            ) from error


def publishes(session: Session) -> bool:
    """Whether a seed of this home publishes its tables. In CI it does not, unless `store.remote_access` is `write`."""
    from io_managers.sharing.attaching import is_ci

    access = session.settings.store.remote_access
    return bool(session.settings.tables.publish_to) and (access == "write" or (access == "auto" and not is_ci()))


def _read(path: Path) -> PublishedRecord:
    try:
        return msgspec.json.decode(path.read_bytes(), type=PublishedRecord)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return PublishedRecord()
