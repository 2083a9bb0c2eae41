"""Which maintenance of tables is due.

The inputs of a maintenance action are snapshots of what is published. This module forms these actions and compares them with
the last ones. The work itself is in maintenance, and the plan that it is part of in planner.
"""

from collections.abc import Mapping

from io_managers.store.fingerprint import Action, Part, content_digest, encode_part
from io_managers.store.refs import Published
from io_managers.store.store import Store
from seed_assets.engine.currency import row_currency
from seed_assets.engine.damage import reason as damage_found
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Stage

CHANGED = "the documents have changed"


def maintenance_todo(
    pipeline: Pipeline,
    store: Store,
    table_states: Mapping[str, str | None],
    published: Mapping[str, Mapping[str, Published]] | None = None,
) -> dict[str, str]:
    """Return, by maintenance stage, why it has to run.

    published: what is published now, by stage, if it was read already.
    """
    todo: dict[str, str] = {}
    for stage in pipeline.maintenance_stages:
        ref = store.refs.get(stage.name).get("")
        key = maintenance_action(pipeline, store, stage, published).key
        if row_currency(ref, key, table_states.get(stage.table)) != "current":
            todo[stage.name] = (damage_found(ref.state) if ref else "") or CHANGED
    return todo


def maintenance_action(
    pipeline: Pipeline, store: Store, stage: Stage, published: Mapping[str, Mapping[str, Published]] | None = None
) -> Action:
    """The action of a maintenance stage on what is published now: its inputs are snapshots of (unit, digest)."""
    parts: dict[str, Part] = {}
    for name in stage.over:
        known = published[name] if published else store.refs.published(name, results=False)
        snapshot = sorted((partition, ref.content_digest) for partition, ref in known.items())
        parts[name] = content_digest(encode_part(snapshot))
    return pipeline.action(stage, parts)
