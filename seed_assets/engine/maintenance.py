"""Runs a maintenance stage: work on tables, once for the corpus.

This module compares snapshots, so that nothing is done twice. What such stages do is in stages.
"""

import time
from contextlib import ExitStack

from io_managers.store.action_cache import Provenance
from io_managers.store.errors import LeaseBusyError
from io_managers.store.fingerprint import Action
from io_managers.store.holders import Waiting
from io_managers.store.values import Result
from resources.tables.lance_index_files import index_faults
from resources.tables.lance_indexes import drop_indexes
from seed_assets.engine.comparison import miss_reasons
from seed_assets.engine.currency import row_currency
from seed_assets.engine.damage import DOUBTED
from seed_assets.engine.interrupts import Draining
from seed_assets.engine.maintenance_due import maintenance_action
from seed_assets.engine.runner import Runner
from seed_assets.engine.sink import row_digest
from seed_assets.engine.stage_run import StageRun
from seed_assets.engine.table_leases import from_scratch, table_held
from seed_assets.graph.stage import Stage

_UNKNOWN = "an earlier version made the index"


def run_maintenance(runner: Runner, stage: Stage) -> StageRun:
    """Bring a maintenance stage up to date with what is published. If it is up to date, nothing is done."""
    started = time.perf_counter()
    runner.observer.began(stage.name, 1)
    try:
        with Draining(runner.stopping):
            action, reason, state = from_scratch(lambda: _brought_up_to_date(runner, stage))
    except LeaseBusyError:  # the run is to stop, and another one writes
        return StageRun(stage.name, stopped=runner.stop_reason())
    seconds = time.perf_counter() - started
    runner.observer.advanced(stage.name, computed=bool(reason), reused=not reason)
    runner.observer.ended(stage.name, seconds)
    result = Result("", action.key, row_digest(action), Provenance(seconds=round(seconds, 6)), reason, state or "")
    outcome = StageRun(stage.name, results={"": result})
    runner.note(outcome, seconds)
    return outcome


def _brought_up_to_date(runner: Runner, stage: Stage) -> tuple[Action, str, str | None]:
    """The stage's action, why anything was done ("" if nothing was), and the state of its table."""
    with ExitStack() as leases:
        # In one order, so that two processes cannot wait for each other.
        held = [
            leases.enter_context(table_held(runner.store.leases, runner.tables, table, Waiting(runner.stop_reason)))
            for table in sorted(runner.tables.specs)
        ]
        tables = runner.tables.under(lambda: [each.prove() for each in held])
        # Only now: while the leases were waited for, another run may have published more.
        action = maintenance_action(runner.pipeline, runner.store, stage)
        state = tables.state(stage.table)
        ref = runner.store.refs.get(stage.name).get("")
        # An index of an earlier version is made once more, since it is not recorded which files it had.
        unknown = state is not None and index_faults(tables.folder(stage.table)) is None
        current, again = row_currency(ref, action.key, state) == "current", runner.options.no_cache
        if current and not unknown and not again:
            return action, "", state
        reasons = miss_reasons(runner.store, stage, {"": action}) if not current else {}
        reason = reasons.get("", "computed again" if again else _UNKNOWN)
        doubted = ref is not None and ref.state == DOUBTED and index_faults(tables.folder(stage.table)) != {}
        if unknown or doubted:
            # Bringing an index up to date would build on the damaged one.
            drop_indexes(tables, stage.table)
        return action, reason, stage.function(tables, **runner.pipeline.used_by(stage))
