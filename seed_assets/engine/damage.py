"""Notes that rows, or a whole table, are damaged. A check leaves them, plans read them, and writing the rows removes them.

Damage is found in checking, and repaired in sink and maintenance.

A note replaces the state of the table in the ref that says which rows are current. So it costs a plan nothing, it changes no
table, and whatever publishes the rows removes it.
"""

from collections.abc import Iterable, Mapping

import msgspec

from io_managers.store.refs import Ref
from io_managers.store.store import Store
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Stage

# No state of a table looks like one of these; see lance_marker.
DAMAGED = "damaged"
"""The rows differ from what they were written from, and must be written again, whatever digest they carry."""
UNREADABLE = "unreadable"
"""The table cannot be read, and must be dropped and written again."""
DOUBTED = "doubted"
"""Something beside these rows must be checked: rows that belong to no unit, or an index."""

_REASONS: Mapping[str, str] = {
    DAMAGED: "its rows in the table are damaged",
    UNREADABLE: "the table cannot be read",
    DOUBTED: "the table was found damaged",
}


def reason(state: str) -> str:
    """Why rows with this state must be visited; "" if the state is no note."""
    return _REASONS.get(state, "")


def note(store: Store, refs: Iterable[Ref], state: str) -> None:
    """Leave a note at these refs."""
    store.refs.publish([msgspec.structs.replace(ref, state=state) for ref in refs if ref.state != state])


def note_maintenance(store: Store, pipeline: Pipeline, stage: Stage) -> None:
    """Make the maintenance over a sink's table check it again after the rows are written."""
    for maintenance in pipeline.maintenance_stages:
        if stage.name in maintenance.over or stage.table == maintenance.table:
            note(store, store.refs.get(maintenance.name).values(), DOUBTED)
