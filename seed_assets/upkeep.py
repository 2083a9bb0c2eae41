"""Runs an upkeep stage: work on tables, once for the corpus.

What belongs here: comparing snapshots, so that nothing is done twice. What does not: what such stages do (stages).
"""

import time
from contextlib import ExitStack

from io_managers.store.action_cache import Provenance
from io_managers.store.values import Result
from resources.lance_schema import TABLES
from seed_assets.comparison import miss_reasons
from seed_assets.interrupts import Draining
from seed_assets.outcomes import StageRun
from seed_assets.planner import upkeep_action
from seed_assets.runner import Runner
from seed_assets.sink import is_current, row_digest
from seed_assets.stage import Stage


def run_upkeep(runner: Runner, stage: Stage) -> StageRun:
    """Bring an upkeep stage up to date with what is published; nothing is done where it is."""
    started = time.perf_counter()
    runner.observer.began(stage.name, 1)
    with Draining(runner.stopping), ExitStack() as leases:
        # In one order, so that two processes cannot wait for each other.
        for table in sorted(TABLES):
            leases.enter_context(runner.store.leases.hold(f"table {table}"))
        # Only now: while the leases were waited for, another run may have published more.
        action = upkeep_action(runner.pipeline, runner.store, stage)
        state = runner.tables.state(stage.table)
        ref = runner.store.refs.get(stage.name).get("")
        reason = ""
        if not is_current(ref, action.key, state) or runner.options.anew:
            reason = miss_reasons(runner.store, stage, {"": action})[""]
            state = stage.function(runner.tables, **runner.pipeline.used_by(stage))
    seconds = time.perf_counter() - started
    runner.observer.advanced(stage.name, computed=bool(reason), reused=not reason)
    runner.observer.ended(stage.name, seconds)
    result = Result("", action.key, row_digest(action), Provenance(seconds=round(seconds, 6)), reason, state or "")
    outcome = StageRun(stage.name, results={"": result})
    runner.note(outcome, seconds)
    return outcome
