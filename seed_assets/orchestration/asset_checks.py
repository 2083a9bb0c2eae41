"""Asset checks: what Dagster cannot know by itself and people should see.

This module shows the checks to Dagster, records what they found outside of a run, and reports at once that maintenance is due.
What is checked is in checking. What can be judged about one document is judged by its run, which fails that document alone.
"""

from collections.abc import Container, Iterable
from typing import Any
from weakref import WeakKeyDictionary

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.storage.event_log.base import AssetRecord

from io_managers.partition_events import shown_metadata
from seed_assets.checking.check_run import CURRENT, Check, checks_of, run_check
from seed_assets.engine.runner import Runner
from seed_assets.graph.declared_checks import Finding
from seed_assets.graph.pipeline import Pipeline

# How many offenders the metadata names, since people read it; `seedbank check --json` names all.
_NAMED = 50
# By the runner of each run.
_CHECKED: WeakKeyDictionary[Runner, list[tuple[Check, Finding]]] = WeakKeyDictionary()


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
        _CHECKED.setdefault(runner, []).append((check, found))
        return dg.AssetCheckResult(passed=found.passed, severity=_severity(check), metadata=_metadata(found))

    return run


def checked_by(runner: Runner) -> list[tuple[Check, Finding]]:
    """What the checks of this runner's run have found so far."""
    return _CHECKED.get(runner, [])


def record_findings(instance: dg.DagsterInstance, found: Iterable[tuple[Check, Finding]]) -> None:
    """Record what checks found outside of a run, so that Dagster shows each as passed or failed.

    Each finding names the latest materialization of its asset. Without that, Dagster compares times, in whole seconds, and says
    of a check that was made right after its asset that it was not evaluated. Nothing is recorded of an asset that was never
    materialized.
    """
    found = list(found)
    keys = {check.stage: dg.AssetKey(check.stage) for check, _ in found}
    records = {record.asset_entry.asset_key: record for record in instance.get_asset_records(list(keys.values()))}
    for check, finding in found:
        record = records.get(keys[check.stage])
        target = _target(record) if record is not None else None
        if target is not None:
            instance.report_runless_asset_event(
                dg.AssetCheckEvaluation(
                    asset_key=keys[check.stage],
                    check_name=check.name,
                    passed=finding.passed,
                    severity=_severity(check),
                    metadata=_metadata(finding),
                    blocking=check.blocking,
                    target_materialization_data=target,
                )
            )


def _target(record: AssetRecord) -> AssetCheckEvaluationTargetMaterializationData | None:
    """The latest materialization of an asset; None if there is none."""
    latest = record.asset_entry.last_materialization_record
    if latest is None:
        return None
    return AssetCheckEvaluationTargetMaterializationData(
        storage_id=latest.storage_id, run_id=latest.run_id, timestamp=latest.timestamp
    )


def _severity(check: Check) -> dg.AssetCheckSeverity:
    return dg.AssetCheckSeverity.ERROR if check.severity == "error" else dg.AssetCheckSeverity.WARN


def _metadata(found: Finding) -> dict[str, Any]:
    """What the page of a check shows."""
    metadata: dict[str, Any] = {"looked_at": found.looked_at, **found.figures}
    if found.offenders:
        metadata["offenders"] = len(found.offenders)
        metadata["named"] = dg.MetadataValue.json(dict(sorted(found.offenders.items())[:_NAMED]))
    return shown_metadata(metadata)


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
