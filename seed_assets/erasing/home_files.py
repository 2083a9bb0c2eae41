"""Erases documents from the other files of a home: what a seed remembers, pictures, the report, and requests that were not sent.

Files that are needed are made again. Folders of copies that a killed process has left, and of a mirror, are not needed.
"""

import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from io_managers.store.retention.traces import Outcome, Traces
from resources.errors import ConfigurationError
from resources.ingestions.ingestion_requests import IngestionRequests
from seed_assets.engine.cluster_level import picture_files
from seed_assets.graph.stage import Units
from seed_assets.seeding.standing_answer import place
from seed_assets.session.published_tables import COPIES
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
                if path.is_dir():
                    shutil.rmtree(path.resolve())  # it may be a link to another disk
                else:
                    path.unlink(missing_ok=True)
            self._forget_in_index(traces)
        counts = {"files": len(found), "reports of ingestions": ingestions}
        return Outcome({kind: count for kind, count in counts.items() if count})

    def _files(self, traces: Traces) -> Iterator[Path]:
        home, pipeline = self._session.home, self._session.pipeline
        yield from (home.report, home.plan_memory, home.whole_plan, Path(place(str(home.directory))))
        yield from home.batches.glob("*.jsonl")
        yield from home.corpus_cache.glob("*")
        yield from home.directory.glob(COPIES)
        if not self._session.settings.tables.read_from:
            yield home.mirror  # the home has read tables of another one before
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
