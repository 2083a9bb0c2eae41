"""Writes the rows of documents, or of clusters, to a table: only those that are not there, all of a run in one write.

This module finds the missing rows, builds them, and writes them under the lease of the table. How LanceDB is written is in
resources.tables.lance, and what the rows are is decided by the sink stages.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from io_managers.store.action_cache import Provenance
from io_managers.store.errors import LeaseBusyError
from io_managers.store.failures import FailureRecord
from io_managers.store.fingerprint import Action
from io_managers.store.holders import FOR_EVER, Waiting
from io_managers.store.store import Store
from io_managers.store.values import Result, StoredValues
from resources.errors import DocumentError
from resources.tables.lance import LanceTables
from resources.tables.lance_contents import TableContents
from resources.tables.lance_errors import (
    TableDamagedError,
    TableError,
    TableReadError,
    TableSchemaError,
    TableWriteError,
)
from resources.tables.lance_marker import is_older
from resources.tables.lance_rows import check_rows, table_of
from seed_assets.engine.comparison import miss_reasons
from seed_assets.engine.currency import published_currency, row_currency
from seed_assets.engine.damage import DAMAGED, UNREADABLE
from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_errors import named_error
from seed_assets.engine.stage_run import InputChangedError, StageRun
from seed_assets.engine.stage_work import StageWork
from seed_assets.engine.table_leases import from_scratch, table_held
from seed_assets.engine.unit_time import called
from seed_assets.graph.stage import Stage

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)


def row_digest(action: Action) -> str:
    """The digest in a unit's rows of what they were written from: the stage's version and all its inputs."""
    return f"sha256:{action.key}"


def write_rows(
    runner: Runner, stage: Stage, partitions: Sequence[str], inputs: Mapping[str, StoredValues] | None = None
) -> StageRun:
    """Bring the rows of these units up to date. Raises TableSchemaError and TableWriteError, the fault of the table."""

    def attempt() -> StageRun:
        work = StageWork(runner, stage, inputs or {})
        try:
            return runner.in_loop(stage, len(partitions), lambda: _write_or_rebuild(work, partitions))
        except TableError as error:
            _remember(work, partitions, error)
            raise

    return from_scratch(attempt)


def remove_rows(
    store: Store, tables: LanceTables, stage: Stage, owners: Sequence[str], waiting: Waiting = FOR_EVER
) -> None:
    """Take the rows of these out of a sink's table. Raises TableError; LeaseBusyError where `waiting` ends the wait.

    A table that cannot be read is dropped: the next plan finds that it is to be written, and they are not in it.
    """
    from_scratch(lambda: _remove_rows(store, tables, stage, owners, waiting))


def _remove_rows(store: Store, tables: LanceTables, stage: Stage, owners: Sequence[str], waiting: Waiting) -> None:
    with table_held(store.leases, tables, stage.table, waiting) as held:
        if any(ref.state == UNREADABLE for ref in store.refs.get(stage.name, owners).values()):
            _drop(store, held, stage)
            return
        try:
            held.delete_rows(stage.table, owners)
        except (TableReadError, TableWriteError, TableSchemaError) as error:
            if not _must_be_rebuilt(held, stage, error):
                raise
            _drop(store, held, stage)


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


async def _write_or_rebuild(work: StageWork, partitions: Sequence[str]) -> StageRun:
    """As `_write`. A table of ours that is unreadable, or has other columns, is dropped first: all of it is in the store."""
    runner, stage = work.runner, work.stage
    try:
        return await _write(work, partitions)
    except (TableReadError, TableWriteError, TableSchemaError) as error:
        with table_held(runner.store.leases, runner.tables, stage.table, Waiting(runner.stop_reason)) as tables:
            if not _must_be_rebuilt(tables, stage, error):
                raise
            _drop(runner.store, tables, stage)
        logger.warning("The table %s is rebuilt from the store: %s", stage.table, error.reason)
        work.outcome = StageRun(stage.name)
        return await _write(work, partitions)


def _must_be_rebuilt(tables: LanceTables, stage: Stage, error: TableError) -> bool:
    """Whether a table that is known to be ours, and was changed by nobody else, is of an earlier version or cannot be read.

    A table of an earlier version lacks a column that rows have now. One that its stage declares may differ in any way, since its
    author may change it at any time.
    """
    table = stage.table
    if tables.state(table) is None:
        return False
    if isinstance(error, TableSchemaError):
        spec, found = tables.specs[table], tables.open(table).schema
        if stage.table_spec is not None:
            return not found.equals(spec.schema(spec.dimensions_of(found)))
        return any(column.name not in found.names for column in spec.columns)
    try:
        contents = TableContents(tables, table)
        return any(contents.fault is not None for _ in contents.pieces()) or contents.fault is not None
    except TableDamagedError:
        return True


def _drop(store: Store, tables: LanceTables, stage: Stage) -> None:
    tables.drop(stage.table)
    store.refs.drop_stage(stage.name)


async def _write(work: StageWork, partitions: Sequence[str]) -> StageRun:
    runner, stage, outcome = work.runner, work.stage, work.outcome
    try:
        with table_held(runner.store.leases, runner.tables, stage.table, Waiting(runner.stop_reason)) as tables:
            await _write_under_lease(work, tables, partitions)
    except LeaseBusyError:
        outcome.stopped = runner.stop_reason()
    outcome.results = {p: outcome.results[p] for p in partitions if p in outcome.results}
    return outcome


async def _write_under_lease(work: StageWork, tables: LanceTables, partitions: Sequence[str]) -> None:
    import pyarrow as pa

    runner, stage, outcome = work.runner, work.stage, work.outcome
    actions: dict[str, Action] = {}
    for partition in partitions:
        try:
            actions[partition] = work.action(stage, partition)
        except DocumentError as error:
            work.fail(partition, error)
    state = tables.state(stage.table)
    refs = runner.store.refs.get(stage.name, actions)
    if any(ref.state == UNREADABLE for ref in refs.values()):
        _drop(runner.store, tables, stage)
        state, refs = None, {}
    missing = {p: a for p, a in actions.items() if row_currency(refs.get(p), a.key, state) != "current"}
    if missing and state is not None and is_older(state, runner.store.refs.states(stage.name)):
        # As it grows, its versions would come to be those that rows were once written to.
        tables.distrust(stage.table)
        state, missing = None, dict(actions)
    for partition, action in actions.items():
        if partition not in missing:
            outcome.results[partition] = _result(partition, action, refs[partition].state)
    if any(published_currency(refs.get(p), action.key) == "current" for p, action in missing.items()):
        # Not the table that the rows were written to: an older copy also holds rows of what is gone since.
        known = runner.store.refs.partitions([stage.name]) | set(partitions)
        state = tables.delete_rows(stage.table, sorted(tables.owners(stage.table) - known))
    # Rows of a run that was killed before it could say so are there already; damaged ones only say so.
    unsure = [p for p in missing if p not in refs or refs[p].state != DAMAGED]
    written = tables.written(stage.table, unsure)
    if any(written.get(partition) == row_digest(action) for partition, action in missing.items()):
        state = tables.claim(stage.table)
    work.fetch_inputs(p for p, action in missing.items() if written.get(p) != row_digest(action))
    reasons = miss_reasons(runner.store, stage, missing)
    started = time.perf_counter()
    dimensions = runner.pipeline.resources[stage.vectors].dimensions if stage.vectors else 0
    spec = tables.specs[stage.table]
    schema = spec.schema(dimensions)
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
            action, rows = await _rows(work, partition, schema)
            if stage.table_spec is not None:
                check_rows(spec, rows, [partition])
        except (DocumentError, ValueError, TableSchemaError) as error:
            work.fail(partition, error if isinstance(error, DocumentError) else _of_rows(error))
        else:
            built[partition] = action
            batches.append(rows)
    runner.observer.advanced(stage.name, reused=len(outcome.results))
    if built:
        try:
            state = tables.write(stage.table, pa.concat_tables(batches), list(built))
        except ValueError as error:
            raise TableSchemaError(
                stage.table,
                f"the rows of several units do not fit together: {error}.",
                "Nothing was written: each row needs a key of its own, such as one that begins with its document.",
            ) from error
        seconds = (time.perf_counter() - started) / len(built)
        for partition, action in built.items():
            outcome.results[partition] = _result(partition, action, state, reasons[partition], seconds)
        runner.observer.advanced(stage.name, computed=len(built))
    runner.store.failures.forget([action.key for p, action in missing.items() if p in outcome.results])


async def _rows(work: StageWork, partition: str, schema: "pa.Schema") -> "tuple[Action, pa.Table]":
    """The rows of a unit. Raises what `named_error` makes of an error of the function, and ValueError if they do not fit."""
    while True:
        action = work.action(work.stage, partition)
        try:
            values = await work.open_inputs(work.stage, partition, work.runner.reuse)
        except InputChangedError:
            continue
        return action, table_of(_made(work.stage, partition, row_digest(action), values), schema)


def _made(stage: Stage, unit: str, digest: str, values: Sequence[Any]) -> list[Mapping[str, Any]]:
    """The rows that a sink's function makes of a unit. Raises what `named_error` makes of an error of the function."""
    try:
        rows = called(stage, lambda: list(stage.function(unit, digest, *values)))
    except (Exception, SystemExit) as error:
        raise named_error(error, stage.name) from error
    for row in rows:
        if not isinstance(row, Mapping):
            raise ValueError(f"its stage returns a {type(row).__name__} in the place of a row, which is a dictionary")
    return rows


def _of_rows(error: ValueError | TableSchemaError) -> DocumentError:
    reason = error.reason if isinstance(error, TableSchemaError) else f"its rows do not fit the table: {error}."
    return DocumentError(reason, "Nothing of it was written. Fix the stage and run again.", transient=True)


def _result(partition: str, action: Action, state: str, reason: str = "", seconds: float = 0.0) -> Result:
    return Result(partition, action.key, row_digest(action), Provenance(seconds=round(seconds, 6)), reason, state)
