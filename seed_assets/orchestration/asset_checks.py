"""Asset checks: what Dagster cannot know by itself and people should see.

This module shows the checks to Dagster, and reports at once that maintenance is due. What is checked is in checking. What can
be judged about one document is judged by its run, which fails that document alone.
"""

from collections.abc import Container

import dagster as dg

from io_managers.partition_events import shown_metadata
from seed_assets.checking.check_run import CURRENT, Check, checks_of, run_check
from seed_assets.engine.runner import Runner
from seed_assets.graph.pipeline import Pipeline

# How many offenders the metadata names, since people read it; `seedbank check --json` names all.
_NAMED = 50


def build_checks(pipeline: Pipeline, only: Container[str] | None = None) -> list[dg.AssetChecksDefinition]:
    """All checks, or those of some stages; none is partitioned."""
    return [_asset_check(check) for check in checks_of(pipeline) if only is None or check.stage in only]


def _asset_check(check: Check) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=check.stage,
        name=check.name,
        blocking=check.blocking,
        required_resource_keys={"runner"},
        description=check.description,
    )
    def run(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        runner: Runner = context.resources.runner
        found = run_check(runner, check)
        metadata: dict[str, dg.MetadataValue | float | int | str] = {"looked_at": found.looked_at, **found.figures}
        if found.offenders:
            metadata["offenders"] = len(found.offenders)
            metadata["named"] = dg.MetadataValue.json(dict(sorted(found.offenders.items())[:_NAMED]))
        return dg.AssetCheckResult(
            passed=found.passed,
            severity=dg.AssetCheckSeverity.ERROR if check.severity == "error" else dg.AssetCheckSeverity.WARN,
            metadata=shown_metadata(metadata),
        )

    return run


def report_behind(context: dg.AssetExecutionContext, pipeline: Pipeline, changed: str) -> None:
    """Report for every maintenance stage over this sink that it is not current, since rows have changed."""
    for stage in pipeline.maintenance_stages:
        if changed in stage.over:
            context.instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey(stage.name),
                    check_name=CURRENT,
                    passed=False,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"because": f"rows of {changed} have changed"},
                )
            )
