"""Shows the results of a step in Dagster while the step still computes others.

This module publishes finished results and records them in Dagster, in that order: Dagster never shows a partition as materialized
whose result is not published. A process that is killed between the two leaves a published result that Dagster does not show;
the next seed or tick compares the records and puts that right. How a step ends is in step_results.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

import dagster as dg

from io_managers.content_hash import publish, result_metadata
from io_managers.partition_events import (
    PartitionRecord,
    PartitionVersion,
    can_record_early,
    emit_materializations,
)
from io_managers.plain_text import plain
from io_managers.store.values import CommittedResults, Result, StoredValues
from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_run import StageRun
from seed_assets.explaining.causes import with_causes
from seed_assets.graph.stage import Stage, shows_nothing
from seed_assets.orchestration.data_versions import of_documents
from seed_assets.orchestration.page_metadata import page_metadata

logger = logging.getLogger(__name__)


class EarlyResults:
    """The results of one step over documents that are shown before its end. It implements ResultsObserver.

    shown: the documents of these results; the end of the step neither publishes nor records them again.
    """

    def __init__(self, context: dg.AssetExecutionContext, inputs: Mapping[str, StoredValues]) -> None:
        """inputs: what the step got from the stages before it."""
        self.shown: set[str] = set()
        self._context = context
        self._inputs = inputs
        self._runner: Runner = context.resources.runner
        self._works = can_record_early(context)

    def look(self, run: StageRun) -> None:
        """See ResultsObserver. What cannot be written now is left to the end of the step, which reports what is wrong."""
        found = {document: result for document, result in run.results.items() if document not in self.shown}
        if not found or not self._works:
            return
        try:
            publish_repaired(self._context, run)
            results = committed(self._runner, run, found)
            publish(self._runner.store, results, self._context.run.run_id)
            emit_materializations(self._context, records(self._runner, run, results, self._inputs))
        except Exception as error:  # noqa: BLE001 - it would cancel requests in flight, which are paid for
            self._works = False
            logger.warning(
                "Dagster shows the results of %s only at the end of the step: %s", run.stage, plain(str(error))
            )
        else:
            self.shown |= found.keys()


def publish_repaired(context: dg.AssetExecutionContext, run: StageRun) -> None:
    """Publish what a stage has repaired in the stages before it."""
    runner: Runner = context.resources.runner
    for upstream, repaired in run.repaired.items():
        publish(runner.store, CommittedResults(upstream, repaired), context.run.run_id)


def committed(runner: Runner, run: StageRun, results: Mapping[str, Result]) -> CommittedResults:
    """These results of a stage, as they are published, with why they were computed. Call it before they are published."""
    stage = runner.pipeline.stages[run.stage]
    return CommittedResults(run.stage, with_causes(runner.pipeline, runner.store, stage, results))


def versions_of(
    runner: Runner, run: StageRun, results: Mapping[str, Result], inputs: Mapping[str, StoredValues]
) -> dict[str, PartitionVersion]:
    """The data versions of these results of documents."""
    return of_documents(runner.pipeline, runner.pipeline.stages[run.stage], results, inputs, run.repaired)


def records(
    runner: Runner,
    run: StageRun,
    results: CommittedResults,
    inputs: Mapping[str, StoredValues],
    more: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, PartitionRecord]:
    """What Dagster records of these results of documents. more: further metadata by document."""
    versions = versions_of(runner, run, results, inputs)
    pages = {**shown_values(runner, runner.pipeline.stages[run.stage], results), **(more or {})}
    return {
        document: PartitionRecord({**pages.get(document, {}), **result_metadata(result)}, versions[document])
        for document, result in results.items()
    }


def shown_values(runner: Runner, stage: Stage, results: Mapping[str, Result]) -> dict[str, dict[str, Any]]:
    """What the pages of units show of their values, besides what every page shows."""
    return {unit: page_metadata(stage, value) for unit, value in opened(runner, stage, results)}


def opened(runner: Runner, stage: Stage, results: Mapping[str, Result]) -> Iterator[tuple[str, Any]]:
    """The units with their values, one after the other, if pages show anything of them; see Store.opened."""
    return iter(()) if stage.show is shows_nothing else runner.store.opened(results, stage.returns)
