"""Seeding without Dagster and without other processes: what it publishes is the same, and it takes a tenth of the time.

What belongs here: stand-ins for the two seams by which a seed leaves its own process, Dagster's runs and the workers of
texts. What does not: tests of what Dagster shows, of workers, and of runs that are killed; those seed for real.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest

from io_managers.content_hash import publish
from io_managers.store.errors import StoreError
from io_managers.store.holders import FOR_EVER, Waiting
from io_managers.store.values import CommittedResults
from resources.errors import ConfigurationError
from resources.settings.config import Settings
from resources.tables.lance_errors import TableError
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.core.reading.extraction import extract, read_document
from seed_assets.core.reading.ocr.picture_reader import ReadingRules
from seed_assets.core.workers import parser_pool
from seed_assets.core.workers.text_tasks import TASKS, as_sent
from seed_assets.engine.cluster_level import run_clusters
from seed_assets.engine.maintenance import run_maintenance
from seed_assets.engine.runner import Runner
from seed_assets.engine.sink import write_rows
from seed_assets.engine.stage_run import StageRun
from seed_assets.engine.stage_work import run_stage
from seed_assets.graph.stage import Stage, Units
from seed_assets.orchestration import dagster_runs
from seed_assets.orchestration.dagster_runs import FinishedRun
from seed_assets.planning.partition_ranges import cover
from seed_assets.planning.phases import OutOfSync
from seed_assets.planning.plan import Plan


class TextsHere(parser_pool.ParserPool):
    """Reads documents and computes over their texts in this process, at once."""

    def warm_up(self) -> None:
        """See ParserPool; there is nothing to start."""

    async def extract(self, data: bytes, format: str) -> ExtractedText:
        """See ParserPool."""
        return extract(data, format)

    async def read(self, data: bytes, format: str, rules: ReadingRules) -> ExtractedText | list[int]:
        """See ParserPool."""
        return read_document(data, format, rules)

    async def run(self, task: str, *arguments: Any) -> Any:
        """See ParserPool; the arguments are encoded and decoded as on their way to a worker."""
        return TASKS[task].function(*TASKS[task].arguments(as_sent(arguments)))


class PlainPartitions:
    """The order of documents, as Dagster keeps it."""

    waiting: Waiting = FOR_EVER

    def __init__(self, order: list[str], longest_range: int) -> None:
        self._order = order
        self._longest = longest_range

    def order(self) -> list[str]:
        """See DocumentPartitions."""
        return list(self._order)

    def add(self, documents: Sequence[str]) -> None:
        """See DocumentPartitions."""
        self._order += [document for document in documents if document not in self._order]

    def remove(self, documents: AbstractSet[str]) -> None:
        """See DocumentPartitions."""
        self._order[:] = [document for document in self._order if document not in documents]

    def ranges(self, wanted: AbstractSet[str], avoid: AbstractSet[str]) -> list[tuple[str, str]]:
        """See DocumentPartitions; the order stays."""
        return cover(self._order, wanted, avoid, self._longest)

    def ranges_of_only(self, wanted: AbstractSet[str]) -> list[tuple[str, str]]:
        """See DocumentPartitions; the order stays."""
        return cover(self._order, wanted, set(self._order) - wanted, self._longest)

    def members(self, first: str, last: str) -> list[str]:
        """See DocumentPartitions."""
        return self._order[self._order.index(first) : self._order.index(last) + 1]

    def shown_otherwise(self, plan: Plan, stages: Collection[str], documents: Collection[str]) -> dict[str, list[str]]:
        """Nothing is shown anywhere."""
        return {}


class PlainRuns:
    """Runs the stages of one run after another and publishes what each gives, as steps and the IO manager do."""

    def __init__(self, order: list[str], settings: Settings, runner: Runner) -> None:
        self._runner = runner
        self.partitions = PlainPartitions(order, settings.documents_per_run)

    def close_dead_runs(self) -> list[str]:
        """No run outlives its process."""
        return []

    def corpus_out_of_sync(self, plan: Plan) -> OutOfSync:
        """Nothing is shown anywhere."""
        return OutOfSync([], [])

    def record_findings(self, found: object) -> None:
        """Nothing is shown anywhere."""

    def run(self, stages: Sequence[str], range_: tuple[str, str] | None, job: str = "") -> FinishedRun:
        """See DagsterRuns: what follows a stage that failed is not begun."""
        run_id, self._runner.stopped = str(uuid4()), ""
        ended: dict[str, str] = {}
        self._skipped: set[str] = set()
        for name, stage in self._runner.pipeline.stages.items():
            before = {*stage.upstream, *stage.over}
            if name in stages and before & ended.keys():
                ended[name] = ""
            elif name in stages and before & self._skipped:
                self._skipped.add(name)
            elif name in stages and (reason := self._failure(stage, range_, run_id)) is not None:
                ended[name] = reason
        failed = {name: reason for name, reason in ended.items() if reason}
        canceled = bool(ended) and not failed and self._runner.stopping.is_set()
        return FinishedRun(run_id, not ended, canceled, failed)

    def _failure(self, stage: Stage, range_: tuple[str, str] | None, run_id: str) -> str | None:
        """Run one stage and return why it failed; "" if it was stopped, None if it came to its end."""
        runner = self._runner
        try:
            outcome = self._outcome(stage, range_)
        except (TableError, StoreError, ConfigurationError) as error:
            runner.faults[stage.name] = error
            return str(error)
        for name, results in {**outcome.repaired, stage.name: outcome.results}.items():
            publish(runner.store, CommittedResults(name, results), run_id)
        if outcome.failures:
            return f"{stage.name} failed"
        if outcome.waiting:
            self._skipped.add(stage.name)
        return "" if outcome.stopped else None

    def _outcome(self, stage: Stage, range_: tuple[str, str] | None) -> StageRun:
        runner = self._runner
        if stage.kind == "maintenance":
            return run_maintenance(runner, stage)
        run = write_rows if stage.kind == "sink" else run_stage
        if range_ is None:
            return run(runner, stage, [""], None)
        if stage.units is not Units.DOCUMENTS:
            types = runner.pipeline.cluster_types
            return run_clusters(runner, stage, types[types.index(range_[0]) : types.index(range_[1]) + 1])
        documents = self.partitions.members(*range_)
        return run(runner, stage, documents, {name: runner.store.values(name, documents) for name in stage.upstream})

    def close(self) -> None:
        """There is nothing to let go of."""


@contextmanager
def without_dagster(order: list[str]) -> Iterator[None]:
    """Inside, pipelines are built and seeds run in this process.

    order: the order of the documents; it is updated in place.
    """

    def runs(settings: Settings, runner: Runner, workers: int = 1) -> PlainRuns:
        return PlainRuns(order, settings, runner)

    texts: Callable[[], parser_pool.ParserPool] = TextsHere
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parser_pool, "shared_pool", texts)
        patch.setattr(dagster_runs, "DagsterRuns", runs)
        yield
