"""The one place where stages become Dagster assets.

What belongs here: what Dagster has to know of a stage and of how a run of it ended. What does not: what stages do
(stages), how they are run (runner, sink) and how results are published (the IO manager).
"""

import warnings
from collections.abc import Callable
from typing import Any

import dagster as dg

from io_managers.content_hash import data_version, publish, result_metadata
from io_managers.partition_events import PartitionRecord, emit_materializations
from io_managers.store.errors import StoreError
from io_managers.store.request_ledger import percentiles
from io_managers.store.values import CommittedResults, StoredValues
from resources.errors import ConfigurationError
from resources.lance_errors import TableError
from seed_assets.checks import report_behind
from seed_assets.corpus_level import run_corpus_stage
from seed_assets.outcomes import StageRun
from seed_assets.partitions import DOCUMENTS
from seed_assets.pipeline import Pipeline
from seed_assets.runner import INTERRUPTED, Runner
from seed_assets.sink import write_documents
from seed_assets.stage import SOURCE, Stage

_ANYTHING: Any = dg.Any
_STORED_VALUES = dg.PythonObjectDagsterType(StoredValues, name="StoredValues")
_GROUPS = {"document": "documents", "sink": "knowledge_base", "corpus": "knowledge_base"}
_KINDS = {"document": {"python"}, "sink": {"lancedb"}, "corpus": {"lancedb"}}
# A list in the event log is for reading: whoever needs all of them asks `seedbank status`.
_NAMED_IN_FAILURE = 20


def build_assets(pipeline: Pipeline) -> list[dg.AssetsDefinition]:
    """One asset a stage."""
    with warnings.catch_warnings():
        # The release is pinned, so a parameter that may change in another is no news to the user.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [
            _corpus_asset(stage) if stage.kind == "corpus" else _document_asset(stage)
            for stage in pipeline.stages.values()
        ]


def _document_asset(stage: Stage) -> dg.AssetsDefinition:
    upstream = [name for name in stage.inputs if name != SOURCE]

    @dg.asset(
        name=stage.name,
        ins={name: dg.AssetIn(dagster_type=_STORED_VALUES) for name in upstream},
        partitions_def=DOCUMENTS,
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"runner", "documents_run"},
        description=stage.description,
        group_name=_GROUPS[stage.kind],
        kinds=_KINDS[stage.kind],
        code_version=stage.version,
        dagster_type=_ANYTHING,
    )
    def compute(context: dg.AssetExecutionContext, **inputs: StoredValues) -> dg.MaterializeResult[Any]:
        runner: Runner = context.resources.runner
        if stage.kind == "sink":
            return _conclude(context, lambda: write_documents(runner, stage, context.partition_keys, inputs))
        return _conclude(context, lambda: runner.run_stage(stage, context.partition_keys, inputs))

    return compute


def _corpus_asset(stage: Stage) -> dg.AssetsDefinition:
    @dg.asset(
        name=stage.name,
        deps=list(stage.inputs),
        # Without partitions it means nothing, but a `--partition-range` over everything is refused without it.
        backfill_policy=dg.BackfillPolicy.single_run(),
        required_resource_keys={"runner"},
        description=stage.description,
        group_name=_GROUPS[stage.kind],
        kinds=_KINDS[stage.kind],
        code_version=stage.version,
        dagster_type=_ANYTHING,
    )
    def compute(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        return _conclude(context, lambda: run_corpus_stage(context.resources.runner, stage))

    return compute


def _conclude(context: dg.AssetExecutionContext, run: Callable[[], StageRun]) -> dg.MaterializeResult[Any]:
    """Hand the results to the IO manager; where some documents have none, publish the others and fail the step."""
    runner: Runner = context.resources.runner
    name = context.asset_key.to_user_string()
    try:
        outcome = run()
    except (TableError, StoreError, ConfigurationError) as error:
        runner.faults[name] = error
        raise dg.Failure(description=f"{name}: {error}", allow_retries=False) from error
    for upstream, repaired in outcome.repaired.items():
        publish(runner.store, CommittedResults(upstream, repaired), context.run.run_id)
    if runner.pipeline.stages[name].kind == "sink" and not all(r.reused for r in outcome.results.values()):
        report_behind(context, runner.pipeline, name)
    seconds = runner.reuse.latencies.get(outcome.stage)
    latencies = [round(found, 4) for found in percentiles(seconds)] if seconds else []
    results = CommittedResults(outcome.stage, outcome.results, latencies)
    if not outcome.failures and not outcome.stopped:
        return dg.MaterializeResult(value=results, data_version=data_version(results))
    publish(runner.store, results, context.run.run_id)
    emit_materializations(
        context,
        {
            p: PartitionRecord(result_metadata(result, latencies), result.content_digest)
            for p, result in results.items()
        },
    )
    if outcome.stopped == INTERRUPTED:
        context.instance.report_run_canceling(context.run, "Interrupted: work in flight was finished and committed.")
        raise dg.DagsterExecutionInterruptedError
    raise _failure(outcome, len(results))


def _failure(outcome: StageRun, done: int) -> dg.Failure:
    lines = [f"{document}: {error}" for document, error in outcome.failures.items()]
    named = lines[:_NAMED_IN_FAILURE]
    if len(lines) > len(named):
        named.append(f"and {len(lines) - len(named)} more; `seedbank status` names all.")
    if outcome.stopped:
        named.append(f"Not all documents were begun: {outcome.stopped}.")
    return dg.Failure(
        description=f"{outcome.stage}: {len(lines)} failed, {done} done. " + "\n".join(named),
        metadata={"failed_documents": dg.MetadataValue.json(sorted(outcome.failures)[:_NAMED_IN_FAILURE])},
        allow_retries=False,
    )
