"""What a published result says of a new action: that it may stay in its place, or why it is another.

What belongs here: comparing what keys are made of. What does not: forming keys (pipeline) and acting on it.
"""

from collections.abc import Mapping

from io_managers.store.fingerprint import Action, first_difference
from io_managers.store.store import Store
from seed_assets.pipeline import Pipeline
from seed_assets.stage import Stage

NEW = "new document"
_NEW = {"documents": NEW, "cluster_types": "never clustered", "clusters": "new cluster", "corpus": "never made"}


def kept_actions(
    pipeline: Pipeline, store: Store, stage: Stage, actions: Mapping[str, Action], *, anew: bool = False
) -> dict[str, Action]:
    """Of a stage that keeps what there is: the published actions that stay in the place of these, by partition."""
    if anew or not pipeline.keeps(stage):
        return {}
    refs = store.refs.get(stage.name, actions)
    others = {p: ref for p, ref in refs.items() if ref.action_key != actions[p].key}
    before = store.actions.parts({ref.action_key for ref in others.values()})
    return {
        partition: Action(stage.name, ref.action_key, before[ref.action_key])
        for partition, ref in others.items()
        if ref.action_key in before and pipeline.kept(stage, before[ref.action_key], actions[partition])
    }


def miss_reasons(store: Store, stage: Stage, missing: Mapping[str, Action]) -> dict[str, str]:
    """Why each of these actions of a stage is not the one that is current, by partition."""
    refs = store.refs.get(stage.name, missing)
    before = store.actions.parts({ref.action_key for ref in refs.values()})
    reasons: dict[str, str] = {}
    for partition, action in missing.items():
        ref = refs.get(partition)
        if ref is None:
            reasons[partition] = _NEW[stage.units]
        elif ref.action_key == action.key:
            reasons[partition] = "its value was lost"
        elif ref.action_key in before:
            reasons[partition] = first_difference(before[ref.action_key], action.parts) or "computed anew"
        else:
            reasons[partition] = "what it was made from is not recorded any more"
    return reasons
