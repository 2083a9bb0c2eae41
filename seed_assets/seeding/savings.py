"""What a seed has saved with results that none of its runs visited.

What belongs here: finding these results in the plan after the last run. What does not: results that a run visits, which the run
itself counts, and adding up (memo.accounts).
"""

from collections.abc import Sequence

from seed_assets.engine.runner import Runner
from seed_assets.graph.stage import Units
from seed_assets.planning.plan import Plan


def note_unvisited(runner: Runner, plan: Plan, stages: Sequence[str], documents: set[str]) -> None:
    """Count as saved what is current without having been visited: each result once in a seed that does anything.

    Without the store, such a seed would have to pay for these results as well. stages: those that the seed is for, with all their
    units; of the stages of documents only these documents.
    """
    store, accounts = runner.store, runner.reuse.accounts
    if not store.requests.has_any():
        return
    for name in stages:
        stage = plan.stages[name]
        asked = documents if stage.stage.units is Units.DOCUMENTS else stage.finished.keys()
        keys = {
            unit: key
            for unit, key in stage.finished.items()
            if unit in asked and stage.states[unit] == "current" and not accounts.is_noted(name, unit)
        }
        found = store.actions.with_cost(set(keys.values()))
        accounts.note_found(name, {unit: found[key] for unit, key in keys.items() if key in found})
    accounts.keep_savings()
