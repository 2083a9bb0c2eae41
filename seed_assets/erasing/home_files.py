"""Erases documents from the other files of a home: what a seed remembers, pictures, the report, and requests that were not sent.

All of them are made again when they are needed.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from io_managers.store.retention.traces import Outcome, Traces
from resources.errors import ConfigurationError
from resources.ingestions.ingestion_requests import IngestionRequests
from seed_assets.engine.cluster_level import picture_files
from seed_assets.graph.stage import Units
from seed_assets.seeding.standing_answer import place
from seed_assets.session.session import Session


class HomeFiles:
    """The files of one home besides its databases."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def erase(self, traces: Traces, *, dry_run: bool) -> Outcome:
        """Delete the files, and take the documents that are gone out of the index of the corpus."""
        found = [path for path in self._files(traces) if path.exists()]
        ingestions = IngestionRequests(self._session.home.ingestions).erase(traces.mentions.in_text, dry_run=dry_run)
        if not dry_run:
            for path in found:
                path.unlink(missing_ok=True)
            self._forget_in_index(traces)
        counts = {"files": len(found), "reports of ingestions": ingestions}
        return Outcome({kind: count for kind, count in counts.items() if count})

    def _files(self, traces: Traces) -> Iterator[Path]:
        home, pipeline = self._session.home, self._session.pipeline
        yield from (home.report, home.plan_memory, home.whole_plan, Path(place(str(home.directory))))
        yield from home.batches.glob("*.jsonl")
        yield from home.corpus_cache.glob("*")
        for name, unit in sorted(traces.units):
            if name in pipeline.stages and pipeline.stages[name].units is Units.CLUSTER_TYPES:
                yield from picture_files(home.pictures, unit)

    def _forget_in_index(self, traces: Traces) -> None:
        """Write the index of the corpus without what is gone; it is deleted if a document is still there, or unreadable."""
        with suppress(ConfigurationError):
            scan = self._session.corpus.scan()
            if not set(traces.documents) & scan.documents.keys() | set(traces.documents) & scan.problems.keys():
                return
        self._session.home.corpus_index.unlink(missing_ok=True)
