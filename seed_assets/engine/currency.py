"""Whether what a stage has published of a unit is current, stale or missing: the one place that decides it.

A plan, a run, a check and a stage that looks at the results before it all ask here. This module compares a ref with the key
of the action that a run would do now, and with what the store or the table has. It does not form keys (pipeline), it does not
say why a result is stale (comparison), and it does not know what has failed (planning).
"""

from collections.abc import Mapping
from typing import Literal

from io_managers.store.fingerprint import Action
from io_managers.store.refs import Published, Ref
from io_managers.store.store import Store
from resources.tables.lance_marker import is_current as holds_rows_of
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Stage

Currency = Literal["current", "stale", "missing"]
"""current: a run would publish the same. stale: a run would publish something else, or again. missing: never published."""


def published_currency(ref: Ref | Published | None, action_key: str | None, *, intact: bool = True) -> Currency:
    """action_key: of what a run would do now; None if it is not known before an input is computed.

    intact: whether the value or the rows of the ref are still there.
    """
    if ref is None:
        return "missing"
    return "current" if intact and ref.action_key == action_key else "stale"


def value_currency(ref: Ref | Published | None, action_key: str, result: str | None) -> Currency:
    """result: the content digest that the store has for this key, None if it has none."""
    return published_currency(ref, action_key, intact=ref is not None and ref.content_digest == result)


def row_currency(ref: Ref | Published | None, action_key: str, table_state: str | None) -> Currency:
    """table_state: which table the rows must be in, and its version; None if there is no table of ours."""
    return published_currency(ref, action_key, intact=ref is not None and holds_rows_of(ref.state, table_state))


def unit_currency(pipeline: Pipeline, store: Store, stage: Stage, unit: str, action: Action) -> Currency:
    """The currency of one unit of a stage with values, decided by its key alone. The value itself is not looked up."""
    currency = published_currency(store.refs.get(stage.name, [unit]).get(unit), action.key)
    if currency == "stale" and kept_actions(pipeline, store, stage, {unit: action}):
        return "current"
    return currency


def kept_actions(
    pipeline: Pipeline, store: Store, stage: Stage, actions: Mapping[str, Action], *, from_scratch: bool = False
) -> dict[str, Action]:
    """By unit, the published actions that a run keeps in the place of these, although their keys differ.

    Only a stage with settings to keep has any, or one that continues from its previous result. from_scratch: keep none.
    """
    if from_scratch or not pipeline.keeps(stage):
        return {}
    refs = store.refs.get(stage.name, actions)
    others = {unit: ref for unit, ref in refs.items() if published_currency(ref, actions[unit].key) == "stale"}
    before = store.actions.parts({ref.action_key for ref in others.values()}) if others else {}
    return {
        unit: Action(stage.name, ref.action_key, before[ref.action_key])
        for unit, ref in others.items()
        if ref.action_key in before and pipeline.kept(stage, before[ref.action_key], actions[unit])
    }
