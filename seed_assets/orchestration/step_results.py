"""How a step that has run a stage ends: what is published, what its page shows, and what failed.

This module translates a StageRun for Dagster. It does not run stages, and it defines no assets (assets). What is shown before
the end of a step is in early_results.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from itertools import islice
from typing import Any

import dagster as dg

from io_managers.content_hash import data_version, publish, result_metadata
from io_managers.partition_events import (
    Note,
    PartitionRecord,
    add_partition_metadata,
    emit_materializations,
    emit_notes,
    set_partition_versions,
    shown_metadata,
)
from io_managers.plain_text import plain_lines
from io_managers.store.errors import StoreError
from io_managers.store.values import Result, StoredValues
from resources.errors import ConfigurationError, DocumentError
from resources.tables.lance_errors import TableError
from seed_assets.engine.runner import INTERRUPTED, Runner
from seed_assets.engine.stage_run import StageRun
from seed_assets.graph.stage import Stage, Units
from seed_assets.memo.accounts import paid_for, worth_of
from seed_assets.orchestration.asset_checks import report_behind
from seed_assets.orchestration.data_versions import of_cluster_types
from seed_assets.orchestration.early_results import (
    committed,
    opened,
    publish_repaired,
    records,
    shown_values,
    versions_of,
)
from seed_assets.orchestration.page_metadata import clusters_metadata, page_metadata
from seed_assets.orchestration.table_metadata import table_contents
from seed_assets.planning.estimate import total

# How many failed units a message names, since people read it in the event log; `seedbank status` shows all of them.
_NAMED_IN_FAILURE = 20
# What the page of a partition shows whose requests are in a batch.
_WAITING = Note(
    "It waits for a batch: the provider answers its requests within a day.",
    {
        "waits_for": "a batch of the provider",
        "what_to_do": "`seedbank batch list` shows the batches. Nothing is to be done.",
    },
)


@contextmanager
def faults_reported(context: dg.AssetExecutionContext) -> Iterator[None]:
    """A fault that stops a whole stage inside this context is recorded for the seed and fails the step."""
    runner: Runner = context.resources.runner
    name = context.asset_key.to_user_string()
    try:
        yield
    except (TableError, StoreError, ConfigurationError) as error:
        runner.faults[name] = error
        if isinstance(error, TableError):  # if the store is at fault, Dagster's records may not be writable either
            units = context.partition_keys if context.assets_def.partitions_def is not None else [""]
            emit_notes(context, dict.fromkeys(units, _shown_failure(error)))
        raise dg.Failure(description=plain_lines(f"{name}: {error}"), allow_retries=False) from error


def conclude(
    context: dg.AssetExecutionContext,
    outcome: StageRun,
    inputs: Mapping[str, StoredValues] | None = None,
    shown: AbstractSet[str] = frozenset(),
) -> Iterator[dg.MaterializeResult[Any]]:
    """Hand the results to the IO manager. If some units have none, publish the others and fail the step.

    If some units only wait for a batch, the step succeeds without an output, so that Dagster skips the steps after it: nothing is
    shown as failed, and nothing as materialized that is not.

    inputs: what the step got from the stages before it, if its units are documents. shown: the units whose results are
    published and recorded already.
    """
    runner: Runner = context.resources.runner
    _note_repairs(context, outcome)
    results = committed(runner, outcome, {p: result for p, result in outcome.results.items() if p not in shown})
    stage = runner.pipeline.stages[outcome.stage]
    if _is_whole(outcome):
        pages = shown_values(runner, stage, results) or _contents(runner, stage, results)
        if stage.units is Units.CORPUS:
            metadata = shown_metadata(pages.get("", {}))
            yield dg.MaterializeResult(value=results, data_version=data_version(results), metadata=metadata)
            return
        add_partition_metadata(context, pages)
        set_partition_versions(context, versions_of(runner, outcome, results, inputs or {}))
        # Dagster uses this version for partitions if it does not use one for each.
        yield dg.MaterializeResult(value=results, data_version=data_version(outcome.results))
        return
    publish(runner.store, results, context.run.run_id)
    found = records(runner, outcome, results, inputs or {}, _contents(runner, stage, results))
    emit_materializations(context, found)
    emit_notes(context, {unit: _shown_failure(error) for unit, error in outcome.failures.items()})
    emit_notes(context, dict.fromkeys(sorted(outcome.waiting), _WAITING))
    if outcome.failures or outcome.stopped:
        raise _ended(context, outcome, len(outcome.results))


def _is_whole(outcome: StageRun) -> bool:
    """Whether every unit of a stage has a result."""
    return not (outcome.failures or outcome.stopped or outcome.waiting)


def conclude_clusters(
    context: dg.AssetExecutionContext, outcome: StageRun, types: Sequence[str]
) -> Iterator[dg.MaterializeResult[Any]]:
    """Publish the results of cluster types, or of their clusters. A type fails if one of its clusters has no result.

    If clusters only wait for a batch, it is as in `conclude`.
    """
    runner: Runner = context.resources.runner
    _note_repairs(context, outcome)
    results = committed(runner, outcome, outcome.results)
    publish(runner.store, results, context.run.run_id)
    of_type = {t: {u: r for u, r in results.items() if u == t or u.rpartition("/")[0] == t} for t in types}
    metadata = {t: _metadata(runner, outcome, found) for t, found in of_type.items()}
    if types:
        metadata[types[-1]] |= table_contents(runner.tables, runner.pipeline.stages[outcome.stage])
    versions = of_cluster_types(runner.pipeline, runner.pipeline.stages[outcome.stage], of_type)
    if _is_whole(outcome):
        add_partition_metadata(context, metadata)
        set_partition_versions(context, versions)
        yield dg.MaterializeResult(data_version=data_version(results))
        return
    failed = {t: {u: error for u, error in outcome.failures.items() if _is_of(u, t)} for t in types}
    waiting = {t for t in types if any(_is_of(unit, t) for unit in outcome.waiting)}
    whole = [t for t in types if not outcome.stopped and not failed[t] and t not in waiting]
    emit_materializations(context, {t: PartitionRecord(metadata[t], versions[t]) for t in whole})
    emit_notes(context, {t: _shown_failures(errors) for t, errors in failed.items() if errors})
    emit_notes(context, dict.fromkeys(sorted(waiting), _WAITING))
    if outcome.failures or outcome.stopped:
        raise _ended(context, outcome, len(results))


def _is_of(unit: str, cluster_type: str) -> bool:
    return unit == cluster_type or unit.rpartition("/")[0] == cluster_type


def _note_repairs(context: dg.AssetExecutionContext, outcome: StageRun) -> None:
    """Publish what a stage repaired in the stages before it, and report what its new rows leave behind."""
    runner: Runner = context.resources.runner
    publish_repaired(context, outcome)
    if runner.pipeline.stages[outcome.stage].kind == "sink" and not all(r.reused for r in outcome.results.values()):
        report_behind(context, runner.pipeline, outcome.stage)


def _metadata(runner: Runner, outcome: StageRun, results: Mapping[str, Result]) -> dict[str, Any]:
    """What the page of a cluster type shows: its one result, or the results of its clusters together."""
    stage = runner.pipeline.stages[outcome.stage]
    if stage.units is Units.CLUSTERS:
        computed = [result for result in results.values() if not result.reused]
        paid = total(paid_for(r.provenance) for r in computed)
        saved = total(worth_of(r.provenance) for r in results.values() if r.reused)
        values = dict(opened(runner, stage, results))
        return {
            stage.units.value: len(results),
            "computed": len(computed),
            "reused": len(results) - len(computed),
            "requests": paid.requests,
            "requests_saved": saved.requests,
            "usd": "unknown" if paid.unpriced else paid.usd,
            **clusters_metadata(stage, values),
        }
    metadata: dict[str, Any] = {}
    for result in results.values():
        metadata |= result_metadata(result)
    for _, value in opened(runner, stage, results):
        metadata |= page_metadata(stage, value)
    return metadata


def _contents(runner: Runner, stage: Stage, results: Mapping[str, Result]) -> dict[str, dict[str, Any]]:
    """The contents of the table that a stage writes, for the page of the last unit, which Dagster shows as the latest."""
    contents = table_contents(runner.tables, stage) if results else {}
    return {list(results)[-1]: contents} if contents else {}


def _shown_failure(error: DocumentError | TableError) -> Note:
    """What the page of a failed partition shows."""
    return Note(f"It failed: {error.reason}", {"failed_because": error.reason, "what_to_do": error.remedy})


def _shown_failures(errors: Mapping[str, DocumentError]) -> Note:
    """The same for a cluster type if these of its clusters failed."""
    first = next(iter(errors.values()))
    named = dict(islice(((unit, error.reason) for unit, error in errors.items()), _NAMED_IN_FAILURE))
    return Note(
        f"Clusters that failed: {len(errors)}, {next(iter(errors))} for one.",
        {"failed_because": first.reason, "what_to_do": first.remedy, "failed": dg.MetadataValue.json(named)},
    )


def _ended(context: dg.AssetExecutionContext, outcome: StageRun, done: int) -> BaseException:
    """The exception that the step raises if not all of its units were done."""
    if outcome.stopped == INTERRUPTED:
        context.instance.report_run_canceling(context.run, "Interrupted: work in flight was finished and committed.")
        return dg.DagsterExecutionInterruptedError()
    return _failure(outcome, done)


def _failure(outcome: StageRun, done: int) -> dg.Failure:
    """What the log of the run says: each reason with the units that it holds for, and each remedy once."""
    alike: dict[str, dict[str, list[str]]] = {}
    for document, error in outcome.failures.items():
        alike.setdefault(error.remedy, {}).setdefault(error.reason, []).append(document)
    named: list[str] = []
    left = _NAMED_IN_FAILURE
    for remedy, reasons in alike.items():
        if left <= 0:
            break
        for reason, documents in reasons.items():
            if left > 0:
                named.append(f"{', '.join(documents[:left])}: {reason}")
                left -= len(documents)
        named[-1] += f" {remedy}" if len(reasons) == 1 else f"\nFor all of these: {remedy}"
    failed = len(outcome.failures)
    if failed > _NAMED_IN_FAILURE:
        named.append(f"and {failed - _NAMED_IN_FAILURE} more; `seedbank status` names all.")
    if outcome.stopped:
        named.append(f"Not all documents were begun: {outcome.stopped}.")
    return dg.Failure(
        description=plain_lines(f"{outcome.stage}: {failed} failed, {done} done. " + "\n".join(named)),
        metadata={"failed_documents": dg.MetadataValue.json(sorted(outcome.failures)[:_NAMED_IN_FAILURE])},
        allow_retries=False,
    )
