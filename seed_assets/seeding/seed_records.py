"""Where Dagster's records are out of sync with the plan, as one seed looks at them.

This module decides when a seed compares the records, which takes time. How they are compared is in orchestration.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from seed_assets.graph.stage import Units
from seed_assets.planning.phases import OutOfSync
from seed_assets.planning.plan import Plan
from seed_assets.seeding.left_to_do import LeftToDo

if TYPE_CHECKING:
    from seed_assets.orchestration.dagster_runs import DagsterRuns


class SeedRecords:
    """The records during one seed. It implements phases.Records.

    run_failed: whether a run of the last pass failed, which
    leaves wrong records of documents that did not fail. visited: documents that the seed's runs have visited.
    """

    def __init__(self, runs: "DagsterRuns", left: LeftToDo, plan: Plan, *, in_sync: bool, whole: bool) -> None:
        """plan: as it was at the beginning. whole: whether the seed is for all documents and stages."""
        self._in_sync = in_sync
        self.run_failed = False
        self.visited: set[str] = set()
        self._runs = runs
        self._left = left
        # A first seed has just written all records of clusters itself.
        self._compares_corpus = not in_sync and whole and _was_clustered(plan)
        self._stages: Sequence[str] = ()

    def documents(self, plan: Plan, stages: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """See phases.Records."""
        is_first, self._stages = stages != self._stages, stages
        if self._in_sync if is_first else not self.run_failed:
            return {}
        possible = self._left.possible()
        documents = self.visited.union(self._left.selected(plan))
        names = [name for name in stages if name in possible]
        return self._runs.partitions.shown_otherwise(plan, names, [d for d in plan.documents if d in documents])

    def corpus(self, plan: Plan) -> OutOfSync:
        """See phases.Records."""
        return self._runs.corpus_out_of_sync(plan) if self._compares_corpus else OutOfSync([], [])


def _was_clustered(plan: Plan) -> bool:
    return any(
        state != "missing"
        for stage in plan.stages.values()
        if stage.stage.units is Units.CLUSTER_TYPES
        for state in stage.states.values()
    )
