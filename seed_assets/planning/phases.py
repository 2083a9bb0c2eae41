"""Which run comes next: the one order of a seed, for `seedbank seed` and for the sensors of the automation.

This module decides which step comes after which, when a step is repeated, and which runs a step consists of. It does not
decide what can be done (plan, work), it knows nothing of Dagster, and it starts no run.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import Any, NamedTuple, Protocol

from seed_assets.graph.pipeline import Phase, Pipeline
from seed_assets.planning.plan import Plan
from seed_assets.planning.work import Blocked, Visit, visits, with_out_of_sync


class Step(IntEnum):
    """The steps of a seed, in order: its phases, then RECORDS.

    In RECORDS those stages of cluster types and of the corpus are visited that are current, but that Dagster does not show
    as current. Nothing is computed for that.
    """

    DOCUMENTS = Phase.DOCUMENTS
    CLUSTERS = Phase.CLUSTERS
    CORPUS = Phase.CORPUS
    PLACES = Phase.PLACES
    RECORDS = auto()


# A pass over documents or clusters may make the next one possible. These steps do all their work at once.
_ONCE = frozenset({Step.CORPUS, Step.RECORDS})


class OutOfSync(NamedTuple):
    """The stages that are current, but that Dagster does not show as current, in order."""

    of_clusters: list[str]
    of_corpus: list[str]


class PossibleWork(Protocol):
    """What can be done now."""

    def documents(self, plan: Plan, stages: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Document -> those of these stages that can be done for it."""
        ...

    def blocked(self, plan: Plan) -> Blocked:
        """Documents that no run of certain stages may visit."""
        ...

    def clusters(self, plan: Plan) -> Mapping[str, Sequence[str]]:
        """Cluster type -> the stages that can be done for it or for its clusters."""
        ...

    def corpus(self, plan: Plan) -> Sequence[str]:
        """The stages of the corpus as a whole that can be done."""
        ...


class Records(Protocol):
    """Where Dagster's records are out of sync with the plan, although nothing is to be done."""

    def documents(self, plan: Plan, stages: Sequence[str]) -> Mapping[str, Sequence[str]]:
        """Document -> those of these stages in which it is shown wrongly."""
        ...

    def corpus(self, plan: Plan) -> OutOfSync:
        """The stages of cluster types and of the corpus that are shown wrongly."""
        ...


class Partitions(Protocol):
    """The partitions of the documents, in the order in which ranges are formed."""

    def ranges(self, wanted: AbstractSet[str], avoid: AbstractSet[str]) -> list[tuple[str, str]]:
        """The ranges that cover `wanted` and hold none of `avoid`."""
        ...

    def ranges_of_only(self, wanted: AbstractSet[str]) -> list[tuple[str, str]]:
        """The ranges that hold these documents and no others."""
        ...

    def members(self, first: str, last: str) -> list[str]:
        """The documents of a range."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """One run. stages: in order. range: the first and the last partition, None if the stages have no partitions.

    members: all partitions of the range. todo: document -> the stages in which it is visited; other members only lie between.
    """

    phase: Phase
    stages: Sequence[str]
    range: tuple[str, str] | None = None
    members: Sequence[str] = ()
    todo: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])

    @property
    def documents(self) -> Sequence[str]:
        """Its members if they are documents; none otherwise."""
        return self.members if self.phase in (Phase.DOCUMENTS, Phase.PLACES) else ()


@dataclass(frozen=True, slots=True)
class NextRuns:
    """One pass of a step. stages: those it may visit. todo: the documents for which something is to be done.

    groups: the runs. Each group and each run is found when it is asked for, since finding the ranges of a group may move
    partitions. A caller that does not start the runs at once takes the first group only, and plans again.
    """

    step: Step
    stages: Sequence[str]
    todo: Mapping[str, Sequence[str]]
    groups: Iterator[Iterable[Run]]


class Phases:
    """The way of one seed through its steps."""

    def __init__(
        self,
        pipeline: Pipeline,
        work: PossibleWork,
        records: Records,
        partitions: Partitions,
        steps: Iterable[Step] = tuple(Step),
    ) -> None:
        """steps: those that are taken, in order."""
        self._pipeline = pipeline
        self._work = work
        self._records = records
        self._partitions = partitions
        self._steps = list(steps)
        self._done: Any = None

    def next(self, plan: Plan, *, repeat: bool = False) -> NextRuns | None:
        """The next pass, given the plan as it is now; None at the end.

        A step is repeated until nothing is left in it, or what is left is what its last pass did in vain. No step comes again
        after a later one. repeat: whether the last pass is to be repeated even so.
        """
        while self._steps:
            step = self._steps[0]
            stages = [] if step is Step.RECORDS else [stage.name for stage in self._pipeline.of_phase(Phase(step))]
            found = self._found(step, plan, stages)
            fresh = repeat or found != self._done
            self._done, repeat = found, False
            if not any(found) or not fresh or step in _ONCE:
                self._steps.pop(0)
                self._done = None
            if any(found) and fresh:
                return self._pass(step, plan, stages, *found)
        return None

    def leave(self, step: Step) -> None:
        """Take no other pass of a step, since none of its runs can be started now."""
        if self._steps[:1] == [step]:
            self._steps.pop(0)
            self._done = None

    def _found(self, step: Step, plan: Plan, stages: Sequence[str]) -> tuple[Any, Any]:
        """What there is to do in a step, and what is only shown wrongly."""
        match step:
            case Step.CLUSTERS:
                return self._work.clusters(plan), {}
            case Step.CORPUS:
                return self._work.corpus(plan), []
            case Step.RECORDS:
                return self._records.corpus(plan)
            case _:
                return self._work.documents(plan, stages), self._records.documents(plan, stages)

    def _pass(self, step: Step, plan: Plan, stages: Sequence[str], todo: Any, shown: Any) -> NextRuns:
        match step:
            case Step.CLUSTERS:
                wanted = {name for names in todo.values() for name in names}
                names = [name for name in stages if name in wanted]
                return NextRuns(step, names, {}, iter([[_of_types(names, list(todo))]]))
            case Step.CORPUS:
                return NextRuns(step, todo, {}, iter([[Run(Phase.CORPUS, todo)]]))
            case Step.RECORDS:
                types = self._pipeline.cluster_types
                runs = [_of_types(todo, types)] if todo else []
                runs += [Run(Phase.CORPUS, shown)] if shown else []
                return NextRuns(step, [*todo, *shown], {}, iter([run] for run in runs))
            case _:
                return NextRuns(step, stages, todo, self._document_groups(Phase(step), plan, stages, todo, shown))

    def _document_groups(
        self,
        phase: Phase,
        plan: Plan,
        stages: Sequence[str],
        todo: Mapping[str, Sequence[str]],
        shown: Mapping[str, Sequence[str]],
    ) -> Iterator[Iterable[Run]]:
        blocked = self._work.blocked(plan)
        visited, failed = with_out_of_sync(todo, shown, blocked, stages)
        for visit in visits(visited, blocked):
            yield self._runs(phase, visit, self._partitions.ranges(set(visit.stages), visit.avoid), stages)
        # Documents that fail in the same stages share runs: a run ends before what comes after the first stage that fails.
        for names in sorted(set(map(tuple, failed.values()))):
            alike = Visit({d: found for d, found in failed.items() if tuple(found) == names}, frozenset())
            yield self._runs(phase, alike, self._partitions.ranges_of_only(set(alike.stages)), stages)

    def _runs(
        self, phase: Phase, visit: Visit, ranges: Iterable[tuple[str, str]], stages: Sequence[str]
    ) -> Iterator[Run]:
        for first, last in ranges:
            members = self._partitions.members(first, last)
            if names := visit.needed(members, stages):
                yield Run(phase, names, (first, last), members, visit.stages)


def _of_types(stages: Sequence[str], types: Sequence[str]) -> Run:
    return Run(Phase.CLUSTERS, stages, (types[0], types[-1]), types)
