"""Tables that another home has published, as this one searches them: a mirror that is brought up to date now and then.

What belongs here: when it is looked for a newer edition, whether readers can use it, and what is said if not. What does not: how
editions are fetched (io_managers.sharing.editions), and publishing them (published_tables).
"""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from io_managers.sharing.attaching import open_access
from io_managers.sharing.editions.edition import Edition
from io_managers.sharing.editions.mirror import Mirror, Mirrored, Pulled
from io_managers.store.errors import SegmentError, StoreError, StoreUnavailableError
from io_managers.store.fingerprint import first_difference
from resources.errors import ConfigurationError
from resources.settings.config import Settings
from resources.tables.lance import LanceTables
from resources.tables.lance_errors import TableError
from resources.tables.table_spec import TableSpec
from seed_assets.session.sharing import refused_as_settings, table_rules

logger = logging.getLogger(__name__)

EMBEDDER, TABLES = "embedder", "tables"
"""The names of what an edition says of its files: who made the vectors, and the state of each table."""
_HOUR_SECONDS = 3_600.0
# How long the end of a process waits for a look that is under way; what it has fetched is gone on with later (a judgement).
_END_SECONDS = 5.0


class MirroredTables:
    """The mirror of a home. Several threads may use it."""

    def __init__(
        self,
        settings: Settings,
        directory: Path,
        specs: Mapping[str, TableSpec],
        alone: Callable[[], AbstractContextManager[object]],
    ) -> None:
        """alone: a context in which no other process changes the mirror."""
        self.mirror = Mirror(directory)
        self._settings = settings
        self._specs = specs
        self._alone = alone
        self._opened: tuple[Mirrored, LanceTables] | None = None
        self._said = ""
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def tables(self) -> LanceTables:
        """The tables of the current edition; the same object until another one becomes current.

        A caller that reads several tables for one answer asks once. Raises ConfigurationError if nothing was fetched yet.
        """
        current = self.current()
        if self._opened is None or self._opened[0] != current:
            self._opened = current, LanceTables(current.folder, self._specs)
        return self._opened[1]

    def current(self) -> Mirrored:
        """The current edition. Raises ConfigurationError if nothing was fetched yet."""
        current = self.mirror.current()
        if current is None:
            raise ConfigurationError(
                f"Nothing was fetched from {self._settings.tables.read_from} (tables.read_from) yet. Run `seedbank tables pull`."
            )
        return current

    def pull(self, *, again: bool = False) -> Pulled:
        """Fetch the newest edition, if there is one that is newer and can be used. again: repair the current one.

        Raises ConfigurationError if the address cannot be read, or nothing there can be used and nothing was fetched before;
        StoreUnavailableError if the mirror cannot be written.
        """
        rules = self._settings.tables
        if self._settings.store.remote_access == "off":
            raise ConfigurationError('Nothing is fetched, since store.remote_access is "off".')
        with self._alone(), refused_as_settings():
            pulled = self.mirror.pull(
                open_access(table_rules(self._settings, reads=True)),
                self._accept,
                keep_seconds=rules.keep_hours * _HOUR_SECONDS,
                again=again,
            )
        if pulled.current is None:
            why = "; ".join(f"{name}: {reason}" for name, reason in pulled.refused.items())
            raise ConfigurationError(
                f"Nothing that is published at {rules.read_from} can be used. {why}"
                if why
                else f"Nothing is published at {rules.read_from} yet. Set tables.publish_to to it where the knowledge base is "
                "seeded, and run `seedbank seed` there."
            )
        return pulled

    def refresh(self) -> None:
        """Look for a newer edition, if that is due. What cannot be fetched or used is logged, once, if there is an earlier one.

        Raises ConfigurationError, StoreUnavailableError if there is none.
        """
        if time.time() - self.mirror.looked_at() < self._settings.tables.refresh_seconds and self.mirror.current():
            return
        if self._settings.store.remote_access == "off" and self.mirror.current():
            return
        said = ""
        try:
            refused = self.pull().refused
            said = " ".join(f"{name} was not used: {reason}" for name, reason in refused.items())
        except (ConfigurationError, StoreUnavailableError) as error:
            if (current := self.mirror.current()) is None:
                raise
            said = f"{error} The edition of {published_at(current)} stays in use."
        if said and said != self._said:
            logger.warning(said)
        self._said = said

    def watch(self) -> None:
        """Look for newer editions from now on, in a thread of its own, until `close`."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="seedbank-tables", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread of `watch`."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(_END_SECONDS)

    def check_embedder(self, identity: Mapping[str, Any]) -> None:
        """Raise ConfigurationError if another embedder made the vectors: those of two models cannot be compared."""
        found = self.current().edition.facts.get(EMBEDDER)
        now = msgspec.msgpack.decode(msgspec.msgpack.encode(dict(identity)))
        if isinstance(found, dict) and (difference := first_difference(found, now)):
            raise ConfigurationError(
                f"The tables at {self._settings.tables.read_from} have vectors of another embedder than the one that is set here "
                f"({difference}). Set [embeddings] as it is where they are published."
            )

    def _accept(self, folder: Path, edition: Edition) -> None:
        tables = LanceTables(folder, self._specs)
        try:
            for table in tables.present():
                if table in self._specs:
                    tables.checked(table)
        except TableError as error:
            raise SegmentError(
                f"Its table {error.table} cannot be used here: {error.reason}",
                "Use the same release and the same settings of tables here and where it is published.",
            ) from error

    def _work(self) -> None:
        while not self._ended.wait(self._settings.tables.refresh_seconds):
            try:
                self.refresh()
            except (ConfigurationError, StoreError, OSError) as error:
                logger.warning("%s", error)


def published_at(mirrored: Mirrored) -> str:
    """When an edition was published, in words."""
    try:
        return datetime.fromtimestamp(mirrored.edition.published_at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OSError, msgspec.MsgspecError):
        return "an unknown time"
