"""Writes the rows of documents, or of clusters, to a table: only those that are not there, all of a run in one write.

What belongs here: which rows are missing, and that they are built and written under the table's lease. What does not:
how LanceDB is written (resources.lance) and what the rows are (the sink stages).
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from io_managers.store.action_cache import Provenance
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action
from io_managers.store.refs import Published, Ref
from io_managers.store.values import Result, StoredValues
from resources.errors import DocumentError
from resources.lance_errors import TableError
from resources.lance_marker import is_current as holds_rows_of
from resources.lance_schema import TABLES
from seed_assets.comparison import miss_reasons
from seed_assets.outcomes import InputChangedError, StageRun
from seed_assets.runner import Runner, StageWork
from seed_assets.stage import Stage


def row_digest(action: Action) -> str:
    """What a unit's rows say they were written from: the digest of the stage's version and all its inputs."""
    return f"sha256:{action.key}"


def is_current(ref: Ref | Published | None, action_key: str, state: str | None) -> bool:
    """Whether the rows of a ref are the right ones and in the table whose state is given (None: no table of ours)."""
    return ref is not None and ref.action_key == action_key and holds_rows_of(ref.state, state)


def write_rows(
    runner: Runner, stage: Stage, partitions: Sequence[str], inputs: Mapping[str, StoredValues] | None = None
) -> StageRun:
    """Bring the rows of these units up to date. Raises TableSchemaError and TableWriteError, the fault of the table."""
    work = StageWork(runner, stage, inputs or {})
    try:
        return runner.in_loop(stage, len(partitions), lambda: _write(work, partitions))
    except TableError as error:
        _remember(work, partitions, error)
        raise


def _remember(work: StageWork, partitions: Sequence[str], error: TableError) -> None:
    """Let the plan say of these units what Dagster says: that they failed, though for no fault of theirs."""
    stage, store = work.stage, work.runner.store
    refs = store.refs.get(stage.name, partitions)
    keys = [work.action(stage, p).key for p in partitions if p not in work.outcome.failures]
    written = {ref.action_key for ref in refs.values()}
    store.failures.record(
        [
            FailureRecord(key, stage.name, "", error.reason, error.remedy, transient=True)
            for key in keys
            if key not in written
        ]
    )


async def _write(work: StageWork, partitions: Sequence[str]) -> StageRun:
    import pyarrow as pa

    runner, stage, outcome = work.runner, work.stage, work.outcome
    tables = runner.tables
    # Two processes that insert the same new keys at once would leave them twice.
    with runner.store.leases.hold(f"table {stage.table}"):
        actions: dict[str, Action] = {}
        for partition in partitions:
            try:
                actions[partition] = work.action(stage, partition)
            except DocumentError as error:
                work.fail(partition, error)
        state = tables.state(stage.table)
        refs = runner.store.refs.get(stage.name, actions)
        missing = {p: action for p, action in actions.items() if not is_current(refs.get(p), action.key, state)}
        for partition, action in actions.items():
            if partition not in missing:
                outcome.results[partition] = _result(partition, action, refs[partition].state)
        if any(refs[p].action_key == action.key for p, action in missing.items() if p in refs):
            # Not the table that the rows were written to: an older copy also holds rows of what is gone since.
            known = runner.store.refs.partitions([stage.name]) | set(partitions)
            state = tables.delete_rows(stage.table, sorted(tables.owners(stage.table) - known))
        # Rows of a run that was killed before it could say so are there already.
        written = tables.written(stage.table, list(missing))
        if any(written.get(partition) == row_digest(action) for partition, action in missing.items()):
            state = tables.claim(stage.table)
        reasons = miss_reasons(runner.store, stage, missing)
        started = time.perf_counter()
        schema = TABLES[stage.table].schema(runner.pipeline.resources["embedder"].dimensions)
        batches: list[pa.Table] = []
        built: dict[str, Action] = {}
        for partition, action in missing.items():
            outcome.stopped = runner.stop_reason()
            if outcome.stopped:
                break
            if written.get(partition) == row_digest(action):
                outcome.results[partition] = _result(partition, action, state or "")
                continue
            try:
                built[partition], rows = await _rows(work, partition)
            except DocumentError as error:
                work.fail(partition, error)
            else:
                batches.append(pa.Table.from_pylist(rows, schema))
        runner.observer.advanced(stage.name, reused=len(outcome.results))
        if built:
            state = tables.write(stage.table, pa.concat_tables(batches), list(built))
            seconds = (time.perf_counter() - started) / len(built)
            for partition, action in built.items():
                outcome.results[partition] = _result(partition, action, state, reasons[partition], seconds)
            runner.observer.advanced(stage.name, computed=len(built))
        runner.store.failures.forget([action.key for p, action in missing.items() if p in outcome.results])
    outcome.results = {p: outcome.results[p] for p in partitions if p in outcome.results}
    return outcome


async def _rows(work: StageWork, partition: str) -> tuple[Action, list[dict[str, Any]]]:
    while True:
        action = work.action(work.stage, partition)
        try:
            values = await work.open_inputs(work.stage, partition)
        except InputChangedError:
            continue
        return action, work.stage.function(partition, row_digest(action), *values)


def _result(partition: str, action: Action, state: str, reason: str = "", seconds: float = 0.0) -> Result:
    return Result(partition, action.key, row_digest(action), Provenance(seconds=round(seconds, 6)), reason, state)
