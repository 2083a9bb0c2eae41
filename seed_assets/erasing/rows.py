"""Erases documents from the tables: with old versions and indexes, and with tables that no setting names any more."""

from functools import partial

from io_managers.store.refs import Ref
from io_managers.store.retention.traces import Outcome, Traces
from resources.tables.lance_erasing import erase_rows
from resources.tables.lance_marker import read_mark
from seed_assets.engine.maintenance import run_maintenance
from seed_assets.engine.table_leases import from_scratch, table_held
from seed_assets.graph.stage import Stage
from seed_assets.session.session import Session


class Rows:
    """The tables of one home."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Write each table once more without the rows of what goes, and remove its earlier versions. Raises TableError."""
        session, pipeline = self._session, self._session.pipeline
        present = session.tables.present()
        unnamed = [table for table in present if table not in pipeline.tables]
        left = tuple(
            f"The table {table} was not made by Seedbank, and stays as it is."
            for table in unnamed
            if read_mark(session.tables.folder(table)) is None
        )
        dropped = [table for table in unnamed if read_mark(session.tables.folder(table)) is not None]
        counts = {"tables that no setting names any more": len(dropped)}
        if dry_run:
            counts["tables written again"] = len(present) - len(unnamed)
            return Outcome({kind: count for kind, count in counts.items() if count}, left)
        rows = 0
        for stage in pipeline.stages.values():
            if stage.kind == "sink" and stage.table in present:
                rows += from_scratch(partial(self._erase, stage, traces))
        for table in dropped:
            from_scratch(partial(self._drop, table))
        if "chunks" in present:
            self._maintain()
        return Outcome({kind: count for kind, count in (counts | {"rows": rows}).items() if count}, left)

    def _erase(self, stage: Stage, traces: Traces) -> int:
        session = self._session
        with table_held(session.store.leases, session.tables, stage.table) as held:
            return erase_rows(held, stage.table, traces.units_of(stage.name))

    def _drop(self, table: str) -> None:
        session = self._session
        with table_held(session.store.leases, session.tables, table) as held:
            held.drop(table)

    def _maintain(self) -> None:
        """Make the indexes again, which went with the earlier versions."""
        session, runner = self._session, self._session.runner()
        for stage in session.pipeline.maintenance_stages:
            if session.tables.version(stage.table) is None:
                continue
            for result in run_maintenance(runner, stage).results.values():
                session.store.refs.publish(
                    [Ref(stage.name, "", result.action_key, result.content_digest, state=result.state)]
                )
