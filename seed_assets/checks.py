"""Asset checks: what Dagster cannot know by itself and people should see.

What belongs here: the checks as Dagster's, and what is told at once without running one. What does not: what is looked at
(checking), and what can be judged of one document (the runner does that, and fails that document alone).
"""

from collections.abc import Container

import dagster as dg

from seed_assets.checking import CURRENT, Check, checks_of, run_check
from seed_assets.pipeline import Pipeline
from seed_assets.runner import Runner

# Metadata is for reading: `seedbank check --json` names all.
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
            metadata=metadata,
        )

    return run


def report_behind(context: dg.AssetExecutionContext, pipeline: Pipeline, changed: str) -> None:
    """Say at once of every upkeep stage that works on this table that it is behind: rows of it have changed."""
    for stage in pipeline.upkeep_stages:
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
