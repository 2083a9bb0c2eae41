"""Asset checks: what Dagster cannot know by itself and people should see.

What belongs here: checks of the whole corpus. What does not: what can be judged of one document (the runner does that,
and fails that document alone).
"""

import dagster as dg

from seed_assets.pipeline import Pipeline
from seed_assets.planner import corpus_changes
from seed_assets.runner import Runner
from seed_assets.stage import Stage

CURRENT = "current_with_documents"


def build_checks(pipeline: Pipeline) -> list[dg.AssetChecksDefinition]:
    """One check a corpus-level stage."""
    return [_current_with_documents(stage) for stage in pipeline.corpus_stages]


def _current_with_documents(stage: Stage) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=stage.name,
        name=CURRENT,
        required_resource_keys={"runner"},
        description="Whether it was made from the documents as they are published now. Dagster calls an asset fresh that "
        "depends on more than a hundred partitions, whatever happened to them; this compares the snapshots.",
    )
    def check(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
        runner: Runner = context.resources.runner
        states = {stage.table: runner.tables.state(stage.table)}
        reason = corpus_changes(runner.pipeline, runner.store, states).get(stage.name)
        return dg.AssetCheckResult(
            passed=not reason, severity=dg.AssetCheckSeverity.WARN, metadata={"because": reason} if reason else {}
        )

    return check


def report_behind(context: dg.AssetExecutionContext, pipeline: Pipeline, changed: str) -> None:
    """Say at once of every corpus-level asset that is made from this table that it is behind: rows of it have changed."""
    for stage in pipeline.corpus_stages:
        if changed in stage.inputs:
            context.instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=dg.AssetKey(stage.name),
                    check_name=CURRENT,
                    passed=False,
                    severity=dg.AssetCheckSeverity.WARN,
                    metadata={"because": f"rows of {changed} have changed"},
                )
            )
