"""The one place where stages become Dagster assets.

This module says what Dagster has to know about a stage. What stages do is in `stages`, how they are run in `engine`, how a
step ends in `step_results`, and how results are published in the IO manager.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from io_managers.store.values import StoredValues
from seed_assets.engine.cluster_level import run_clusters
from seed_assets.engine.maintenance import run_maintenance
from seed_assets.engine.runner import Asking, Runner
from seed_assets.engine.sink import write_rows
from seed_assets.engine.stage_run import StageRun
from seed_assets.engine.stage_work import run_stage
from seed_assets.graph.pipeline import VERSION, Pipeline
from seed_assets.graph.stage import Stage, Units
from seed_assets.orchestration.early_results import EarlyResults
from seed_assets.orchestration.job_names import JOBS
from seed_assets.orchestration.partitions import DOCUMENTS, cluster_types
from seed_assets.orchestration.step_results import conclude, conclude_clusters, faults_reported
from seed_assets.orchestration.table_metadata import table_definition

_ANYTHING: Any = dg.Any
# The overloads of dg.asset do not accept keyword arguments from a dictionary.
_asset: Any = dg.asset
_STORED_VALUES = dg.PythonObjectDagsterType(StoredValues, name="StoredValues")


def build_assets(pipeline: Pipeline) -> list[dg.AssetsDefinition]:
    """One asset per stage."""
    make = {
        Units.DOCUMENTS: _document_asset,
        Units.CLUSTER_TYPES: _cluster_asset,
        Units.CLUSTERS: _cluster_asset,
        Units.CORPUS: _corpus_asset,
    }
    with warnings.catch_warnings():
        # The release is pinned, so a warning that a parameter may change later does not concern the user.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [make[stage.units](pipeline, stage) for stage in pipeline.stages.values()]


def _shared(pipeline: Pipeline, stage: Stage) -> dict[str, Any]:
    """What assets of all kinds say about their stage."""
    # Dagster shows the groups from left to right. Assignments are results of the corpus, although their units are documents.
    alone = stage.units is Units.DOCUMENTS and not stage.over
    group = "knowledge_base" if stage.kind != "value" else Units.DOCUMENTS.value if alone else Units.CORPUS.value
    return {
        "name": stage.name,
        # It has no effect without partitions, but Dagster refuses a `--partition-range` over everything without it.
        "backfill_policy": dg.BackfillPolicy.single_run(),
        "description": stage.description,
        "group_name": group,
        "kinds": {"python"} if stage.kind == "value" else {"lancedb"},
        "metadata": table_definition(pipeline, stage),
        # People use this tag on the command line to select all assets with the same partitions.
        "tags": {"job": JOBS[pipeline.phases[stage.name]]},
        # A step over units of which some wait for a batch ends without an output, and without a failure.
        "output_required": not _may_wait(pipeline, stage),
        # If results of earlier versions are kept, Dagster must not call them stale. Records name the version in any case.
        "code_version": None if VERSION in pipeline.free_parts(stage) else stage.version,
    }


def _may_wait(pipeline: Pipeline, stage: Stage) -> bool:
    """Whether requests of a stage can be in a batch."""
    return any(isinstance(one, Asking) and one.endpoint.batch is not None for one in pipeline.used_by(stage).values())


def _dependencies(pipeline: Pipeline, stage: Stage) -> list[dg.AssetDep]:
    """The stages that are looked at as a whole, and if the units are not documents, all other inputs as well."""
    given = stage.upstream if stage.units is Units.DOCUMENTS else ()
    names = [name for name in dict.fromkeys((*stage.over, *stage.upstream)) if name not in given]
    return [dg.AssetDep(name, partition_mapping=_mapping(pipeline.stages[name], stage)) for name in names]


def _mapping(upstream: Stage, stage: Stage) -> dg.PartitionMapping | None:
    """All partitions, unless there are none or both stages have the same cluster types."""
    alike = upstream.by_cluster_type and stage.by_cluster_type
    return None if alike or upstream.units is Units.CORPUS else dg.AllPartitionMapping()


def _document_asset(pipeline: Pipeline, stage: Stage) -> dg.AssetsDefinition:
    @_asset(
        **_shared(pipeline, stage),
        ins={name: dg.AssetIn(dagster_type=_STORED_VALUES) for name in stage.upstream},
        deps=_dependencies(pipeline, stage),
        partitions_def=DOCUMENTS,
        required_resource_keys={"runner", "partitioned_run"},
        dagster_type=_ANYTHING,
    )
    def compute(context: dg.AssetExecutionContext, **inputs: StoredValues) -> Iterator[dg.MaterializeResult[Any]]:
        runner: Runner = context.resources.runner
        early = EarlyResults(context, inputs)
        with faults_reported(context):
            outcome = _run(runner, stage, context.partition_keys, inputs, early)
        yield from conclude(context, outcome, inputs, early.shown)

    return compute


def _cluster_asset(pipeline: Pipeline, stage: Stage) -> dg.AssetsDefinition:
    @_asset(
        **_shared(pipeline, stage),
        deps=_dependencies(pipeline, stage),
        partitions_def=cluster_types(pipeline.cluster_types),
        required_resource_keys={"runner", "partitioned_run"},
    )
    def compute(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        types = list(context.partition_keys)
        with faults_reported(context):
            outcome = run_clusters(context.resources.runner, stage, types)
        yield from conclude_clusters(context, outcome, types)

    return compute


def _corpus_asset(pipeline: Pipeline, stage: Stage) -> dg.AssetsDefinition:
    @_asset(
        **_shared(pipeline, stage),
        deps=_dependencies(pipeline, stage),
        required_resource_keys={"runner"},
        dagster_type=_ANYTHING,
    )
    def compute(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[Any]]:
        runner: Runner = context.resources.runner
        with faults_reported(context):
            outcome = run_maintenance(runner, stage) if stage.kind == "maintenance" else _run(runner, stage, [""])
        yield from conclude(context, outcome)

    return compute


def _run(
    runner: Runner,
    stage: Stage,
    units: Sequence[str],
    inputs: Mapping[str, StoredValues] | None = None,
    early: EarlyResults | None = None,
) -> StageRun:
    if stage.kind == "sink":  # All rows of a run are written at once.
        return write_rows(runner, stage, units, inputs)
    return run_stage(runner, stage, units, inputs, early)
