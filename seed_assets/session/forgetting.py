"""Removes what is left of stages that no setting names any more: their published results, and the tables that they wrote.

The values stay in the store, so that a stage that is named again computes nothing. Which stages are left is found in stage_notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from resources.errors import ConfigurationError
from resources.tables.lance_marker import read_mark
from resources.wording import did_you_mean
from seed_assets.engine.table_leases import from_scratch, table_held
from seed_assets.session.session import Session
from seed_assets.session.stage_notes import stage_notes


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed. results: stage -> how many of its results were published. tables: names of tables."""

    results: dict[str, int]
    tables: list[str]


def forget(session: Session, names: Sequence[str], *, dry_run: bool = False) -> Forgotten:
    """Remove the published results of these stages, and these tables and those that the stages wrote; or find out what that is.

    Raises ConfigurationError if a name is of a stage or a table in use, or of none: then nothing is removed; TableError.
    """
    notes, pipeline = stage_notes(session), session.pipeline
    for name in names:
        if name in pipeline.stages or name in pipeline.tables or name in pipeline.left_out:
            raise ConfigurationError(
                f"{name} is in use: the settings, or a module of `stages.modules`, declare it. Take it out there first."
            )
        if name not in notes.unlisted and name not in notes.tables:
            left = (*notes.unlisted, *notes.tables)
            there = f" There are {', '.join(left)}." if left else " Nothing is left of any."
            raise ConfigurationError(
                f"There is no earlier stage or table {name!r}.{did_you_mean(name, left)}{there} Nothing was removed."
            )
    stages = [name for name in names if name in notes.unlisted]
    tables = {name for name in names if name in notes.tables}
    for stage in stages:
        uuids = {state.partition("@")[0] for state in session.store.refs.states(stage) if state}
        tables |= {table for table in notes.tables if _uuid(session, table) in uuids}
    for table in [] if dry_run else sorted(tables):
        from_scratch(lambda table=table: _drop(session, table))
    for stage in [] if dry_run else stages:
        session.store.refs.drop_stage(stage)
    return Forgotten({stage: notes.unlisted[stage] for stage in stages}, sorted(tables))


def _uuid(session: Session, table: str) -> str:
    mark = read_mark(session.tables.folder(table))
    return mark.table_uuid if mark is not None else ""


def _drop(session: Session, table: str) -> None:
    with table_held(session.store.leases, session.tables, table) as held:
        held.drop(table)
