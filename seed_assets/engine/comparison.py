"""Why a published result is not the one that a run would publish: the part of its key that differs.

This module compares what keys are made of. Whether a result is current is decided in currency, and keys are formed in pipeline.
"""

from collections.abc import Collection, Mapping

from io_managers.store.fingerprint import Action, Part, first_difference
from io_managers.store.store import Store
from seed_assets.engine.damage import reason as damage_found
from seed_assets.graph.stage import Stage, Units

NEW = "new document"
# Of rows, only the key is recorded.
ROWS_DIFFER = "its inputs or its version changed"
_NEW = {
    Units.DOCUMENTS: NEW,
    Units.CLUSTER_TYPES: "never clustered",
    Units.CLUSTERS: "new cluster",
    Units.CORPUS: "never made",
}


def miss_reasons(
    store: Store, stage: Stage, missing: Mapping[str, Action], free: Collection[str] = (), *, no_cache: bool = False
) -> dict[str, str]:
    """Why each of these actions of a stage is not current, by partition.

    free: parts of the keys that alone are no reason to compute again; they are named only if nothing else differs.
    no_cache: whether results that are in the store are computed again.
    """
    refs = store.refs.get(stage.name, missing)
    before = store.actions.parts({ref.action_key for ref in refs.values()})
    reasons: dict[str, str] = {}
    for partition, action in missing.items():
        ref = refs.get(partition)
        if ref is None:
            reasons[partition] = _NEW[stage.units]
        elif ref.action_key == action.key:
            lost = "its value was lost" if stage.kind == "value" else "the table is not as it was left"
            reasons[partition] = damage_found(ref.state) or (
                "computed again" if no_cache and stage.kind == "value" else lost
            )
        elif ref.action_key in before:
            old, new = before[ref.action_key], action.parts
            decisive = first_difference(_without(old, free), _without(new, free)) if free else ""
            reasons[partition] = decisive or first_difference(old, new) or "computed again"
        elif stage.kind == "sink":
            reasons[partition] = ROWS_DIFFER
        else:
            reasons[partition] = "what it was made from is not recorded any more"
    return reasons


def kept_although(published: Mapping[str, Action], now: Mapping[str, Action], free: Collection[str]) -> dict[str, str]:
    """In which of the free parts each published action that is kept differs from the one in whose place it is, by partition.

    One that differs in none of them, as it does only in what a stage continues from, is left out.
    """
    differences = {
        partition: first_difference(_only(action.parts, free), _only(now[partition].parts, free))
        for partition, action in published.items()
    }
    return {partition: difference for partition, difference in differences.items() if difference}


def _only(parts: Mapping[str, Part], names: Collection[str]) -> dict[str, Part]:
    return {name: part for name, part in parts.items() if name in names}


def _without(parts: Mapping[str, Part], names: Collection[str]) -> dict[str, Part]:
    return {name: part for name, part in parts.items() if name not in names}
