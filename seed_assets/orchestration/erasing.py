"""Erases documents from Dagster's records of a home: their partitions, and what event_log.erasing says of the rest."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from event_log.erasing import Pages, erase
from event_log.home import open_instance
from io_managers.store.retention.traces import Outcome, Traces
from seed_assets.graph.stage import Units
from seed_assets.orchestration.dagster_runs import translated
from seed_assets.orchestration.document_partitions import DocumentPartitions
from seed_assets.session.session import Session


class DagsterRecords:
    """What Dagster shows of documents. Raises StoreUnavailableError if its records cannot be used."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Erase the partitions and the events of the documents, and of what was made of them together with others."""
        session = self._session
        os.environ["SEEDBANK_HOME"] = str(session.settings.home)  # Dagster's storages read it from here
        with translated(), open_instance(compute_logs=True) as instance:
            partitions = DocumentPartitions(instance, session.store, session.home, session.settings.documents_per_run)
            found = set(traces.documents) & set(partitions.order())
            if not dry_run:
                session.home.record_out_of_sync()
                partitions.remove(found)
            records = erase(instance, traces.mentions, self._pages(traces), dry_run=dry_run)
            logs = [path for path in self._logs() if traces.mentions.in_bytes(path.read_bytes())]
            for path in [] if dry_run else logs:
                path.unlink(missing_ok=True)
        counts = {"partitions": len(found), "records of Dagster": records, "logs of Dagster": len(logs)}
        return Outcome({kind: count for kind, count in counts.items() if count})

    def _logs(self) -> Iterator[Path]:
        """What runs and ticks have printed, and other files beside the databases."""
        for path in self._session.home.dagster.rglob("*"):
            if path.is_file() and not path.name.endswith((".db", ".db-wal", ".db-shm")):
                yield path

    def _pages(self, traces: Traces) -> Pages:
        """Which pages show something of the documents."""
        stages = self._session.pipeline.stages
        sinks = [name for name, _ in traces.units if name in stages and stages[name].kind == "sink"]
        return Pages(self._partitions(traces.units), self._partitions(traces.earlier - traces.units), {*sinks})

    def _partitions(self, units: Iterable[tuple[str, str]]) -> dict[str, set[str | None]]:
        """Asset -> the partitions of these units of stages."""
        found: dict[str, set[str | None]] = {}
        for name, unit in units:
            stage = self._session.pipeline.stages.get(name)
            partition: str | None = unit
            if stage is not None and stage.units is Units.CORPUS:
                partition = None
            elif stage is not None and stage.by_cluster_type:
                partition = stage.cluster_type(unit)
            found.setdefault(name, set()).add(partition)
        return found
