"""The one place where stages become Dagster assets.

What belongs here: what Dagster has to know of a stage. What does not: what stages do (stages), how they are run (runner,
sink, cluster_level, upkeep), what a step says in the end (asset_outcomes), how results are published (the IO manager).
"""

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg

from io_managers.store.values import StoredValues
from seed_assets.asset_outcomes import conclude, conclude_clusters
from seed_assets.cluster_level import run_clusters
from seed_assets.outcomes import StageRun
from seed_assets.partitions import DOCUMENTS, cluster_types
from seed_assets.pipeline import Pipeline
from seed_assets.runner import Runner
from seed_assets.sink import write_rows
from seed_assets.stage import Stage
from seed_assets.upkeep import run_upkeep

_ANYTHING: Any = dg.Any
# Its overloads know no arguments that several assets share.
_asset: Any = dg.asset
_STORED_VALUES = dg.PythonObjectDagsterType(StoredValues, name="StoredValues")


def build_assets(pipeline: Pipeline) -> list[dg.AssetsDefinition]:
    """One asset a stage."""
    make = {"documents": _document_asset, "cluster_types": _cluster_asset, "clusters": _cluster_asset}
    with warnings.catch_warnings():
        # The release is pinned, so a parameter that may change in another is no news to the user.
        warnings.simplefilter("ignore", dg.BetaWarning)
        return [make.get(stage.units, _corpus_asset)(pipeline, stage) for stage in pipeline.stages.values()]


def _shared(stage: Stage) -> dict[str, Any]:
    """What assets of all kinds say of their stage."""
    group = "knowledge_base" if stage.kind != "value" else "documents" if stage.units == "documents" else "corpus"
    return {
        "name": stage.name,
        # Without partitions it means nothing, but a `--partition-range` over everything is refused without it.
        "backfill_policy": dg.BackfillPolicy.single_run(),
        "description": stage.description,
        "group_name": group,
        "kinds": {"python"} if stage.kind == "value" else {"lancedb"},
        "code_version": stage.version,
    }


def _dependencies(pipeline: Pipeline, stage: Stage) -> list[dg.AssetDep]:
    """The stages that are looked at as a whole, and for other than documents all others too."""
    names = [*stage.over, *(name for name in stage.inputs if name in pipeline.stages and stage.units != "documents")]
    return [
        dg.AssetDep(
            name,
            partition_mapping=None
            if pipeline.stages[name].units == "corpus" or _partitioned_alike(pipeline.stages[name], stage)
            else dg.AllPartitionMapping(),
        )
        for name in dict.fromkeys(names)
    ]


def _partitioned_alike(one: Stage, other: Stage) -> bool:
    by_type = ("cluster_types", "clusters")
    return one.units == other.units or (one.units in by_type and other.units in by_type)


def _document_asset(pipeline: Pipeline, stage: Stage) -> dg.AssetsDefinition:
    upstream = [name for name in stage.inputs if name in pipeline.stages]

    @_asset(
        **_shared(stage),
        ins={name: dg.AssetIn(dagster_type=_STORED_VALUES) for name in upstream},
        deps=_dependencies(pipeline, stage),
        partitions_def=DOCUMENTS,
        required_resource_keys={"runner", "partitioned_run"},
        dagster_type=_ANYTHING,
    )
    def compute(context: dg.AssetExecutionContext, **inputs: StoredValues) -> dg.MaterializeResult[Any]:
        runner: Runner = context.resources.runner
        return conclude(context, lambda: _run(runner, stage, context.partition_keys, inputs))

    return compute


def _cluster_asset(pipeline: Pipeline, stage: Stage) -> dg.AssetsDefinition:
    @_asset(
        **_shared(stage),
        deps=_dependencies(pipeline, stage),
        partitions_def=cluster_types(pipeline.clustered.types),
        required_resource_keys={"runner", "partitioned_run"},
    )
    def compute(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        types = list(context.partition_keys)
        return conclude_clusters(context, lambda: run_clusters(context.resources.runner, stage, types), types)

    return compute


def _corpus_asset(pipeline: Pipeline, stage: Stage) -> dg.AssetsDefinition:
    @_asset(
        **_shared(stage),
        deps=_dependencies(pipeline, stage),
        required_resource_keys={"runner"},
        dagster_type=_ANYTHING,
    )
    def compute(context: dg.AssetExecutionContext) -> dg.MaterializeResult[Any]:
        runner: Runner = context.resources.runner
        if stage.kind == "upkeep":
            return conclude(context, lambda: run_upkeep(runner, stage))
        return conclude(context, lambda: _run(runner, stage, [""]))

    return compute


def _run(
    runner: Runner, stage: Stage, units: Sequence[str], inputs: Mapping[str, StoredValues] | None = None
) -> StageRun:
    return (write_rows if stage.kind == "sink" else Runner.run_stage)(runner, stage, units, inputs)
