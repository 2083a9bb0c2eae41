"""What one seed can still do: the work of the plan, without what has failed in this seed or is over its budget.

The order of the phases and their runs is decided in planning.phases, and documents are grouped into runs in planning.work.
"""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet

from seed_assets.engine.runner import Runner
from seed_assets.engine.stage_run import Tally
from seed_assets.graph.stage import Units
from seed_assets.planning.plan import Plan
from seed_assets.planning.work import Blocked, blocked, remembered, selected_documents
from seed_assets.seeding.seed_report import FailureReport
from seed_assets.seeding.unending import Unending
from seed_assets.session.session import Session


class LeftToDo:
    """The work that is left in one seed. It implements phases.PossibleWork.

    selected_stages: all stages that the seed is for. stages: those of documents. placing: those of `stages` that say where
    documents stand in the corpus. first: the others of `stages`. faults: stage -> what stopped the whole stage, such as a table
    that cannot be written. unending: work that is left although runs did it.
    """

    def __init__(
        self, session: Session, runner: Runner, selected_stages: Sequence[str], named: Sequence[str], documents: str
    ) -> None:
        """named: the stages that were asked for by name, none for all. documents: a glob on ids, "" for all."""
        self._session = session
        self._pipeline = session.pipeline
        self._runner = runner
        self._named = named
        self._documents = documents
        self._cache_only = runner.options.cache_only
        self.selected_stages = selected_stages
        self.stages = [name for name in selected_stages if self._pipeline.stages[name].units is Units.DOCUMENTS]
        placing = {stage.name for stage in self._pipeline.placing_stages}
        self.placing = [name for name in self.stages if name in placing]
        self.first = [name for name in self.stages if name not in placing]
        self.faults: dict[str, FailureReport] = {}
        self.unending = Unending()

    def selected(self, plan: Plan) -> list[str]:
        """The documents that the seed is for. Raises ConfigurationError if the glob matches none."""
        return selected_documents(plan, self._documents)

    def _given_up(self, plan: Plan) -> dict[str, set[str]]:
        """Stage -> the units that are left out, because they failed or are over the budget in it or in a stage before it."""
        given_up: dict[str, set[str]] = {}
        for name in plan.stages:
            left = self._unpaid(plan, name).union(self._runner.tallies.get(name, Tally()).failed)
            for stage in self._pipeline.downstream([name], of_unit=True) if left else ():
                given_up.setdefault(stage, set()).update(left)
        for name, units in self.unending.units.items():
            given_up.setdefault(name, set()).update(units)
        return given_up

    def _has_work(self, plan: Plan, name: str, cluster_type: str, given_up: AbstractSet[str]) -> bool:
        stage = plan.stages[name]
        if stage.unnamed and self._runner.over_budget and self._runner.costs(name):
            return False
        return stage.has_work(cluster_type, given_up)

    def _unpaid(self, plan: Plan, name: str) -> set[str]:
        """The units that a stage would have to pay for, if the budget is spent."""
        if not self._runner.over_budget or not self._runner.costs(name):
            return set()
        return plan.stages[name].computing

    def possible(self) -> AbstractSet[str]:
        """The stages of documents that no fault of a table stops."""
        return set(self.stages) - self._pipeline.downstream(self.faults)

    def documents(self, plan: Plan, stages: Sequence[str]) -> dict[str, list[str]]:
        """See phases.PossibleWork."""
        placing = set[str]() if plan.placed else set(self.placing)
        possible, blocked = (self.possible() & set(stages)) - placing, self.blocked(plan)
        todo: dict[str, list[str]] = {}
        for document, names in plan.todo(self.selected(plan)).items():
            left = [name for name in names if name in possible and name not in blocked.get(document, ())]
            if left:
                todo[document] = left
        return todo

    def clusters(self, plan: Plan) -> dict[str, list[str]]:
        """See phases.PossibleWork."""
        given_up, finder = self._given_up(plan), self._pipeline.finder
        possible = set(self.selected_stages) - self._pipeline.downstream(self.faults)
        todo: dict[str, list[str]] = {}
        for cluster_type, names in plan.clustering().items():
            if finder and cluster_type in given_up.get(finder.name, ()):
                continue
            left = [
                name
                for name in names
                if name in possible and self._has_work(plan, name, cluster_type, given_up.get(name, frozenset()))
            ]
            if left:
                todo[cluster_type] = left
        return todo

    def blocked(self, plan: Plan) -> Blocked:
        """See phases.PossibleWork."""
        failed = remembered(self._pipeline, plan, self.stages)
        for name in self.stages:
            given_up: AbstractSet[str] = self._runner.tallies.get(name, Tally()).failed.keys() | self._unpaid(
                plan, name
            )
            if self._cache_only:
                given_up |= self.uncached(plan, name)
            for document in given_up | self.unending.units.get(name, frozenset()):
                failed.setdefault(document, set()).add(name)
        return blocked(self._pipeline, failed)

    def uncached(self, plan: Plan, name: str) -> set[str]:
        """The documents that --cache-only leaves out. Rows are made from finished results, so sinks leave out none."""
        return plan.stages[name].computing if plan.stages[name].stage.kind == "value" else set()

    def corpus(self, plan: Plan) -> list[str]:
        """See phases.PossibleWork."""
        stages, refs = self._pipeline.stages, self._session.store.refs
        possible = set(self.selected_stages) - self._pipeline.downstream(self.faults)
        given_up = self._given_up(plan)
        maintenance = [
            name
            for name in plan.maintenance
            if (not self._named or name in self._named)
            and name not in self.faults
            and not self.faults.keys() & set(stages[name].over)
            and any(map(refs.states, stages[name].over))
            # It does not wait for work before it that no run completes.
            and (not self.unending.units or name in self._session.maintenance_todo())
        ]
        values = [name for name in plan.of_corpus() if name in possible and "" not in given_up.get(name, ())]
        return [*values, *maintenance]
