"""What can be done now, as the sensors see it: they know the plan, and nothing of what earlier runs did.

This module leaves out what has failed for good. What a seed leaves out besides is in seeding.left_to_do; in which order the
work is done is in phases.
"""

from collections.abc import Collection, Mapping, Sequence

from io_managers.store.store import Store
from seed_assets.graph.pipeline import Pipeline
from seed_assets.planning.plan import UPSTREAM, Plan
from seed_assets.planning.work import Blocked, blocked, of_stages, remembered


class DueWork:
    """The work that is due. It implements phases.PossibleWork."""

    def __init__(
        self, pipeline: Pipeline, store: Store, stages: Sequence[str], waiting: Collection[str] = frozenset()
    ) -> None:
        """stages: those of documents that may be asked for. waiting: documents that no run may visit yet."""
        self._pipeline = pipeline
        self._store = store
        self._stages = stages
        self._waiting = waiting

    def documents(self, plan: Plan, stages: Sequence[str]) -> dict[str, Sequence[str]]:
        """See phases.PossibleWork. Where documents stand in the corpus is not due before it is known."""
        placing = {stage.name for stage in self._pipeline.placing_stages}
        wanted = [name for name in stages if name in self._stages and (plan.placed or name not in placing)]
        out_of_reach = self.blocked(plan)
        possible = {
            document: [name for name in names if name not in out_of_reach.get(document, ())]
            for document, names in of_stages(plan.todo(), wanted).items()
        }
        return {document: names for document, names in possible.items() if names}

    def blocked(self, plan: Plan) -> Blocked:
        """See phases.PossibleWork."""
        failed = blocked(self._pipeline, remembered(self._pipeline, plan, self._stages))
        return failed | dict.fromkeys(self._waiting, frozenset(self._stages))

    def clusters(self, plan: Plan) -> Mapping[str, Sequence[str]]:
        """See phases.PossibleWork. What has failed is left out while other work is left, since a failed step ends its run."""
        due = plan.clustering()
        failed = {
            unit
            for name in {name for names in due.values() for name in names}
            for unit, state in plan.stages[name].states.items()
            if state in ("failed", "blocked")
        }
        fresh = {t: [n for n in names if plan.stages[n].has_work(t, failed)] for t, names in due.items()}
        return {t: names for t, names in fresh.items() if names} or due

    def corpus(self, plan: Plan) -> Sequence[str]:
        """See phases.PossibleWork."""
        stages, refs = self._pipeline.stages, self._store.refs
        return [
            *plan.of_corpus(),
            *(
                name
                for name, reason in plan.maintenance.items()
                if reason != UPSTREAM and any(map(refs.states, stages[name].over))
            ),
        ]
