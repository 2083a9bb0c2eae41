"""How a step that has run a stage ends: what is published, what its page shows, and what failed in it.

What belongs here: from a StageRun to Dagster. What does not: running stages, and the assets (assets).
"""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import dagster as dg

from io_managers.content_hash import data_version, publish, result_metadata
from io_managers.partition_events import PartitionRecord, add_partition_metadata, emit_materializations
from io_managers.store.errors import StoreError
from io_managers.store.request_ledger import percentiles
from io_managers.store.values import CommittedResults, Result
from resources.errors import ConfigurationError
from resources.lance_errors import TableError
from seed_assets.checks import report_behind
from seed_assets.estimate import total
from seed_assets.outcomes import StageRun
from seed_assets.reuse import paid_for
from seed_assets.runner import INTERRUPTED, Runner

# A list in the event log is for reading: whoever needs all of them asks `seedbank status`.
_NAMED_IN_FAILURE = 20


def conclude(context: dg.AssetExecutionContext, run: Callable[[], StageRun]) -> dg.MaterializeResult[Any]:
    """Hand the results to the IO manager; where some units have none, publish the others and fail the step."""
    runner: Runner = context.resources.runner
    outcome, results = _finished(context, run)
    if not outcome.failures and not outcome.stopped:
        return dg.MaterializeResult(value=results, data_version=data_version(results))
    publish(runner.store, results, context.run.run_id)
    emit_materializations(
        context,
        {
            p: PartitionRecord(result_metadata(result, results.latencies), result.content_digest)
            for p, result in results.items()
        },
    )
    raise _ended(context, outcome, len(results))


def conclude_clusters(
    context: dg.AssetExecutionContext, run: Callable[[], StageRun], types: Sequence[str]
) -> dg.MaterializeResult[Any]:
    """Publish the results of cluster types, or of their clusters; a type some of whose clusters have none fails."""
    runner: Runner = context.resources.runner
    outcome, results = _finished(context, run)
    publish(runner.store, results, context.run.run_id)
    of_type = {t: {u: r for u, r in results.items() if u == t or u.rpartition("/")[0] == t} for t in types}
    metadata = {t: _metadata(runner, outcome, found, results.latencies) for t, found in of_type.items()}
    if not outcome.failures and not outcome.stopped:
        add_partition_metadata(context, metadata)
        return dg.MaterializeResult(data_version=data_version(results))
    whole = [t for t in types if not outcome.stopped and not any(_is_of(unit, t) for unit in outcome.failures)]
    emit_materializations(context, {t: PartitionRecord(metadata[t], data_version(of_type[t]).value) for t in whole})
    raise _ended(context, outcome, len(results))


def _is_of(unit: str, cluster_type: str) -> bool:
    return unit == cluster_type or unit.rpartition("/")[0] == cluster_type


def _finished(context: dg.AssetExecutionContext, run: Callable[[], StageRun]) -> tuple[StageRun, CommittedResults]:
    """What came out of a stage, and its results; what stopped all of it fails the step."""
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
    return outcome, CommittedResults(outcome.stage, outcome.results, latencies)


def _metadata(
    runner: Runner, outcome: StageRun, results: Mapping[str, Result], latencies: Sequence[float]
) -> dict[str, Any]:
    """What the page of a cluster type shows: of its one result, or of those of its clusters together."""
    stage = runner.pipeline.stages[outcome.stage]
    if stage.units == "clusters":
        computed = [result for result in results.values() if not result.reused]
        paid = total(paid_for(r.provenance) for r in computed)
        saved = total(paid_for(r.provenance) for r in results.values() if r.reused)
        return {
            "clusters": len(results),
            "computed": len(computed),
            "reused": len(results) - len(computed),
            "requests": paid.requests,
            "requests_saved": saved.requests,
            "usd": "unknown" if paid.unpriced else paid.usd,
        }
    metadata: dict[str, Any] = {}
    for result in results.values():
        metadata |= result_metadata(result, latencies)
        for name, shown in stage.show(runner.store.load(result.content_digest, stage.returns)).items():
            metadata[name] = _picture(shown) if isinstance(shown, bytes) else shown
    return metadata


def _picture(png: bytes) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"![picture](data:image/png;base64,{base64.b64encode(png).decode()})")


def _ended(context: dg.AssetExecutionContext, outcome: StageRun, done: int) -> BaseException:
    """What the step is to raise, of whose units not all were done."""
    if outcome.stopped == INTERRUPTED:
        context.instance.report_run_canceling(context.run, "Interrupted: work in flight was finished and committed.")
        return dg.DagsterExecutionInterruptedError()
    return _failure(outcome, done)


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
