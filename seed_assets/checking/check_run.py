"""Checks of the knowledge base as a whole, beside what every run judges about each document.

This module has the checks of a pipeline: those that stages declare, and those of every stage of a kind. Rows of tables are
compared in table_rows, Dagster's view of the checks is in orchestration, and the command is in the cli. What fails one document
alone is found by the stages themselves (`problem`).
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from io_managers.store.errors import StoreError
from resources.errors import ConfigurationError, DocumentError
from resources.tables.lance_errors import TableError, reading
from resources.tables.lance_index_files import index_faults
from resources.wording import counted
from seed_assets.checking.published_results import StoredResults
from seed_assets.checking.table_rows import rows_as_published
from seed_assets.engine.currency import unit_currency
from seed_assets.engine.damage import DOUBTED, note
from seed_assets.engine.maintenance_due import CHANGED, maintenance_todo
from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_work import StageWork
from seed_assets.engine.table_leases import table_held
from seed_assets.graph.declared_checks import Finding, Severity, StageCheck
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Stage, Units
from seed_assets.planning.plan import UPSTREAM, Plan

_log = logging.getLogger(__name__)
_NAMED = (StoreError, TableError, ConfigurationError)

CURRENT = "current_with_documents"
_NOT_CURRENT: Mapping[str, str] = {
    "missing": "it was never made",
    "stale": "documents have changed since it was made",
}


@dataclass(frozen=True, slots=True)
class Check:
    """One check of one stage's asset.

    name: its name in Dagster. stage: the stage whose results it checks. severity, blocking, quick: see StageCheck. run: makes the
    finding, given the name of the stage. described: the function whose docstring describes the check to people. declared: the
    declaration of the stage, if it has declared this check.
    """

    name: str
    stage: str
    severity: Severity
    blocking: bool
    run: Callable[[Runner, str], Finding]
    described: Callable[..., Finding]
    quick: bool = False
    declared: StageCheck | None = None

    @property
    def description(self) -> str:
        """What the user reads in Dagster."""
        return " ".join((self.described.__doc__ or "").split())


def checks_of(pipeline: Pipeline) -> list[Check]:
    """All checks of a pipeline's stages, in the order of the stages."""
    return [check for stage in pipeline.stages.values() for check in _checks_of(stage)]


def _checks_of(stage: Stage) -> Iterator[Check]:
    for declared in stage.checks:
        yield _declared(stage.name, declared)
    if stage.kind == "value" and stage.units in (Units.CLUSTER_TYPES, Units.CORPUS):
        yield _of_kind(CURRENT, stage.name, "warning", _current, quick=True)
    elif stage.kind == "maintenance":
        yield _of_kind(CURRENT, stage.name, "warning", _maintenance_current, quick=True)
        yield _of_kind("index_as_made", stage.name, "error", _index_as_made, quick=True)
        yield _of_kind("paid_once", stage.name, "warning", _paid_once, quick=True)
    elif stage.kind == "sink":
        yield _of_kind("rows_as_published", stage.name, "error", rows_as_published)


def _declared(stage: str, check: StageCheck) -> Check:
    def run(runner: Runner, name: str) -> Finding:
        return _looked(stage, check, StoredResults(runner, name))

    return Check(check.name, stage, check.severity, check.blocking, run, check.look, check.quick, check)


def _looked(stage: str, check: StageCheck, results: StoredResults) -> Finding:
    """What a declared check finds. An error in its code is a finding, so that the other checks are run."""
    try:
        found = check.look(results)
    except _NAMED:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - it may be code of the user
        _log.exception("The check %s of %s failed", check.name, stage)
        return Finding({stage: f"the check's code failed: {type(error).__name__}: {error}"})
    if not isinstance(found, Finding):
        return Finding({stage: f"the check's code returned {type(found).__name__}, and has to return a Finding"})
    return found


def _of_kind(
    name: str, stage: str, severity: Severity, run: Callable[[Runner, str], Finding], *, quick: bool = False
) -> Check:
    return Check(name, stage, severity, False, run, run, quick)


def quick_findings(runner: Runner, plan: Plan) -> list[tuple[Check, Finding]]:
    """What the quick checks find after a run.

    plan: as of now; what it has just compared is not compared again. Results of a stage that the run did not visit are those that
    were checked before, so they are not looked at again.
    """
    found: list[tuple[Check, Finding]] = []
    opened: dict[str, StoredResults] = {}
    for check in checks_of(runner.pipeline):
        if check.name == CURRENT:
            found.append((check, _as_planned(plan, check.stage)))
        elif check.quick and check.stage in runner.tallies and check.declared is not None:
            results = opened.setdefault(check.stage, StoredResults(runner, check.stage, keep=True))
            found.append((check, _looked(check.stage, check.declared, results)))
        elif check.quick and check.stage in runner.tallies:
            found.append((check, run_check(runner, check)))
    return found


def _as_planned(plan: Plan, stage: str) -> Finding:
    """The same as `_current` and `_maintenance_current` find, from the states of a plan."""
    if stage not in plan.stages:
        reason = plan.maintenance.get(stage)
        return Finding({stage: reason} if reason == CHANGED else {}, looked_at=1)
    planned, finding = plan.stages[stage], Finding()
    for unit, state in planned.states.items():
        finding.looked_at += 1
        # What waits for a stage before it may still turn out to be current.
        if state != "current" and planned.todo.get(unit) != UPSTREAM:
            finding.offenders[unit or stage] = _NOT_CURRENT.get(state, "it failed when it was to be made")
    return finding


def run_check(runner: Runner, check: Check) -> Finding:
    """Run a check and return its finding. An error that keeps it from looking is a finding as well."""
    try:
        return check.run(runner, check.stage)
    except _NAMED as error:
        return Finding({check.stage: str(error)})


def _current(runner: Runner, stage: str) -> Finding:
    """Whether it was made from the documents as they are published now. Dagster calls an asset fresh that depends on more
    than a hundred partitions, whatever happened to them; this compares the snapshots.
    """
    pipeline, finding = runner.pipeline, Finding()
    found = pipeline.stages[stage]
    work = StageWork(runner, found, {})
    units = list(pipeline.cluster_types) if found.units is Units.CLUSTER_TYPES else [""]
    for unit in units:
        finding.looked_at += 1
        try:
            action = work.action(found, unit)
        except (ConfigurationError, DocumentError) as error:
            finding.offenders[unit or stage] = f"it cannot be made now: {error}"
            continue
        currency = unit_currency(pipeline, runner.store, found, unit, action)
        if currency != "current":
            finding.offenders[unit or stage] = _NOT_CURRENT[currency]
    return finding


def _maintenance_current(runner: Runner, stage: str) -> Finding:
    """Whether it was made from the documents as they are published now. Dagster calls an asset fresh that depends on more
    than a hundred partitions, whatever happened to them; this compares the snapshots.
    """
    table = runner.pipeline.stages[stage].table
    reason = maintenance_todo(runner.pipeline, runner.store, {table: runner.tables.state(table)}).get(stage)
    # Damage is reported by the check that finds it.
    return Finding({stage: reason} if reason == CHANGED else {}, looked_at=1)


def _paid_once(runner: Runner, stage: str) -> Finding:
    """Whether each answer of a model was paid for once, among the last 100,000 requests. It is paid for again with `--no-cache`,
    if its damaged value had to be computed again, or if it could not be stored. Anything else is a fault of this program. The
    figures are the account of the home.
    """
    again, finding = runner.store.requests.answered_again(), Finding(looked_at=1)
    for name, count in again.items():
        finding.offenders[name] = f"{counted(count, 'answer')} had been paid for before"
    accounts = runner.store.account.accounts()
    finding.figures = {
        "requests": sum(found.requests for found in accounts),
        "usd": sum(found.usd for found in accounts),
        "unpriced_requests": sum(found.unpriced for found in accounts),
        "usd_wasted": sum(found.wasted.usd for found in accounts),
        "usd_saved": sum(found.saved.usd for found in accounts if found.saved),
        "hits": sum(found.hits for found in accounts),
        "misses": sum(found.misses for found in accounts),
    }
    return finding


def _index_as_made(runner: Runner, stage: str) -> Finding:
    """Whether the files of the index are as they were made. If one differs, that is noted, and the next seed makes the index
    again from the rows. It also does so if an earlier version of the project made the index, whose files cannot be checked.
    """
    table = runner.pipeline.stages[stage].table
    folder = runner.tables.folder(table)
    with reading(table, folder):
        faults = index_faults(folder)
        if faults != {}:
            with table_held(runner.store.leases, runner.tables, table):
                # Another process may have been making it, so it is looked at again under the lease.
                faults = index_faults(folder)
                if faults != {}:
                    note(runner.store, runner.store.refs.get(stage).values(), DOUBTED)
    return Finding({f"{folder.name}/{name}": problem for name, problem in (faults or {}).items()}, looked_at=1)
