"""Erases documents from the tables that are published: a new edition without them, and no earlier one."""

from io_managers.store.errors import StoreError
from io_managers.store.retention.traces import Outcome, Traces
from resources.errors import ConfigurationError
from resources.tables.lance_errors import TableError
from seed_assets.session.published_tables import PublishedTables
from seed_assets.session.session import Session


class PublishedRows:
    """The tables of one home where they are published. It is erased after the tables themselves."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Publish the tables as they are now, and remove all earlier editions. If that fails, the next seed does it."""
        tables = PublishedTables(self._session)
        former = tuple(
            f"Tables of this home were published at {address} before. What is there may have rows of it: delete `editions` and "
            "`pieces` there."
            for address in tables.former()
        )
        if not tables.record.known:
            return Outcome({}, former)
        if dry_run:
            return Outcome({"editions of published tables": 1}, former)
        tables.note_erased()
        try:
            published = tables.publish()
        except (StoreError, TableError, ConfigurationError) as error:
            return Outcome(
                {},
                (
                    f"The tables published at {tables.record.address} still have rows of it: {error} The next `seedbank seed` "
                    "replaces them.",
                    *former,
                ),
            )
        left = f"Mirrors of the tables at {tables.record.address} have rows of it until they fetch edition {published.number:,}."
        return Outcome({"editions of published tables": published.removed}, (left, *former))
