"""Why the results of a run were computed, for the pages of their partitions.

What belongs here: the reasons of many results of one stage at once, from keys alone and before their refs are published. What
does not: one result with all details (explanation), and how a page shows it (orchestration).
"""

from collections.abc import Mapping
from dataclasses import replace

from io_managers.store.store import Store
from io_managers.store.values import Result
from seed_assets.explaining.key_changes import key_changes
from seed_assets.explaining.sentences import because
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import Stage


def with_causes(pipeline: Pipeline, store: Store, stage: Stage, results: Mapping[str, Result]) -> dict[str, Result]:
    """Return the results of a run with all differences of the keys as their reasons, by partition. Reused ones have none.

    It takes two queries for a run, and opens no values. Call it before the refs of these results are published.
    """
    computed = [unit for unit, result in results.items() if not result.reused]
    if not computed:
        return dict(results)
    refs = store.refs.get(stage.name, computed)
    keys = {ref.action_key for ref in refs.values()} | {results[unit].action_key for unit in computed}
    parts = store.actions.parts(keys)
    found = dict(results)
    for unit in computed:
        ref, result = refs.get(unit), results[unit]
        before = parts.get(ref.action_key) if ref else None
        now = parts.get(result.action_key)
        if before is not None and now is not None:
            changes = key_changes(pipeline, stage, before, now)
            found[unit] = replace(result, reason=because(changes, result.reason))
    return found
