"""What a run would compute, and why.

This module has the states of units, and what follows from them. The states are found in planner, and seeding acts on them.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal

from io_managers.store.fingerprint import Action
from resources.corpus.corpus import Scan
from resources.errors import DocumentError
from seed_assets.graph.stage import Stage, Units

# current: the published result is the one that a run would publish. stale: a run would publish another one. missing: nothing was
# published. failed: the last attempt at exactly this action failed. blocked: a stage before it failed. waiting: its requests, or
# those of a stage before it, are in a batch of the provider that has not ended; no run visits it.
State = Literal["current", "stale", "failed", "blocked", "waiting", "missing"]
UPSTREAM = "a stage before it is computed first"
UNPUBLISHED = "finished, not yet published"
VANISHED = "there is no such cluster any more"
# The form of Dagster's records. A change makes the next seed compare all of them once.
_SHOWN_SINCE = b"a data version for each partition"


class UnitSizes(Mapping[str, int]):
    """Document -> bytes of its file, and cluster -> its number of members. clusters: the latter, as far as they are known."""

    def __init__(self, scan: Scan, clusters: Mapping[str, int] | None = None) -> None:
        self._documents = scan.documents
        self.clusters = dict(clusters or {})

    def __getitem__(self, unit: str) -> int:
        return self._documents[unit].size_bytes if unit in self._documents else self.clusters[unit]

    def __iter__(self) -> Iterator[str]:
        yield from self._documents
        yield from (unit for unit in self.clusters if unit not in self._documents)

    def __len__(self) -> int:
        return len(self._documents.keys() | self.clusters.keys())


@dataclass(slots=True)
class StagePlan:
    """One stage with all its units, which are documents unless the stage says otherwise.

    stage: the stage. states: unit -> its state. todo: unit -> why a run has to visit it; permanent failures are not in it.
    failures: unit -> why it failed. computing: those of `todo` whose results are not in the store; an upper bound, since results
    of the stages before may turn out equal. finished: unit -> the action in the store that need not be computed. fault: what was
    wrong with the table when the units in state failed were last written to it. sizes: unit -> bytes of the document's file, or
    number of members of the cluster. unnamed: how many clusters there may be at most beside those that are named. kept: unit ->
    in what the key of its published result differs, although the settings keep that result. actions: unit -> what a run would do
    now, for units that the caller wants to have explained; the key is "" and some inputs are missing if these are computed first.
    """

    stage: Stage
    states: dict[str, State] = field(default_factory=dict)
    todo: dict[str, str] = field(default_factory=dict)
    failures: dict[str, DocumentError] = field(default_factory=dict)
    computing: set[str] = field(default_factory=set)
    finished: Mapping[str, str] = field(default_factory=dict[str, str])
    fault: DocumentError | None = None
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    unnamed: int = 0
    kept: dict[str, str] = field(default_factory=dict)
    actions: dict[str, Action] = field(default_factory=dict[str, Action])

    def reasons(self, documents: Iterable[str] | None = None) -> dict[str, int]:
        """Return reason -> how many units have to be visited for it, of all units or of these."""
        wanted = self.todo if documents is None else self.todo.keys() & documents
        return dict(Counter(self.todo[document] for document in wanted).most_common())

    def kept_although(self, units: Iterable[str] | None = None) -> dict[str, int]:
        """Return difference -> how many units keep their published results although it is there, of all units or of these."""
        wanted = self.kept.keys() if units is None else self.kept.keys() & units
        return dict(Counter(self.kept[unit] for unit in wanted if self.states[unit] == "current").most_common())

    def has_units(self, cluster_type: str) -> bool:
        """Whether the stage has a unit that is this cluster type or one of its clusters."""
        return any(unit == cluster_type or unit.startswith(f"{cluster_type}/") for unit in self.states)

    def has_work(self, cluster_type: str, without: AbstractSet[str] = frozenset(), *, found: bool = False) -> bool:
        """Whether this cluster type, or one of its clusters except these, has to be visited.

        found: whether its clusters are known, so that those without names are of other types.
        """
        units = (unit for unit, why in self.todo.items() if unit not in without or why == VANISHED)
        return bool(self.unnamed and not found) or any(
            unit == cluster_type or unit.startswith(f"{cluster_type}/") or self.todo[unit] == VANISHED for unit in units
        )


@dataclass(slots=True)
class Plan:
    """All stages with all their units.

    documents: in the order of the corpus. stages: those with values or rows per unit, in order. scan: the scan of the corpus.
    gone: known documents that are not in the corpus any more. renamed: those of `gone` whose content has a new name there.
    maintenance: maintenance stage -> why it has to be run. unsettled: the stages whose published results a run may still change.
    placed: whether the inputs of the assignments are known for every document.
    """

    documents: list[str]
    stages: dict[str, StagePlan]
    scan: Scan
    gone: set[str]
    renamed: set[str]
    maintenance: dict[str, str]
    unsettled: set[str]
    placed: bool

    @property
    def document_stages(self) -> dict[str, StagePlan]:
        """The stages with one partition per document."""
        return {name: plan for name, plan in self.stages.items() if plan.stage.units is Units.DOCUMENTS}

    def todo(self, documents: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Return document -> the stages that a run has to visit for it, in the order of the corpus."""
        busy = {name: plan.todo for name, plan in self.document_stages.items() if plan.todo}
        if not busy:
            return {}
        wanted = self.documents if documents is None else documents
        return {
            document: names
            for document in wanted
            if (names := [name for name, todo in busy.items() if document in todo])
        }

    def failures(self) -> list[tuple[str, str, DocumentError]]:
        """Yield (unit, stage, error) of everything that failed; the unit is "" if a table as a whole is at fault."""
        first = next(iter(self.stages), "")
        problems = {**self.scan.problems, **self.scan.unreadable}
        found = [(document, first, problem) for document, problem in problems.items()]
        for name, plan in self.stages.items():
            found += [(document, name, error) for document, error in plan.failures.items()]
            if plan.fault is not None:
                found.append(("", name, plan.fault))
        return found

    def states(self) -> dict[str, dict[str, State]]:
        """Return document -> stage -> state."""
        stages = self.document_stages.items()
        return {document: {name: plan.states[document] for name, plan in stages} for document in self.documents}

    def clustering(self) -> dict[str, list[str]]:
        """Return cluster type -> the stages that have to be run for it or its clusters and can be run, in order."""
        stages = {name: plan for name, plan in self.stages.items() if plan.stage.by_cluster_type}
        finder = next((plan for plan in stages.values() if plan.stage.finds), None)
        known = [t for t in finder.states if finder.todo.get(t) != UPSTREAM] if finder else []
        done = finder.states.keys() - finder.todo.keys() if finder else set[str]()
        found = {t: [name for name, plan in stages.items() if plan.has_work(t, found=t in done)] for t in known}
        return {t: names for t, names in found.items() if names}

    def of_corpus(self) -> list[str]:
        """Return the stages of the corpus as a whole that have to be run and can be run, without maintenance."""
        ready: list[str] = []
        for name, plan in self.stages.items():
            if plan.stage.units is Units.CORPUS and "" in plan.todo:
                waits_for = self.unsettled.intersection((*plan.stage.upstream, *plan.stage.over))
                # One run does all of these, one after another.
                if plan.todo[""] != UPSTREAM or waits_for.issubset(ready):
                    ready.append(name)
        return ready

    def waiting(self) -> dict[str, set[str]]:
        """Return stage -> its units that wait for a batch, in the stages that have any."""
        found = {
            name: {unit for unit, state in plan.states.items() if state == "waiting"}
            for name, plan in self.stages.items()
            if "waiting" in plan.states.values()
        }
        return {name: units for name, units in found.items() if units}

    def digest(self) -> str:
        """A digest of what Dagster shows if its records are in sync: what is materialized and what has failed.

        A new or changed document makes no difference before it is visited. Nor does a blocked one, which is shown as
        before.
        """
        hasher = hashlib.sha256(_SHOWN_SINCE)
        said: dict[int, bytes] = {}  # stages may share one mapping
        for name, plan in self.document_stages.items():
            if id(plan.states) not in said:
                shown = [
                    f"\n{document} {'failed' if state == 'failed' else 'materialized'}"
                    for document, state in plan.states.items()
                    if state not in ("missing", "blocked", "waiting")
                ]
                said[id(plan.states)] = "".join(sorted(shown)).encode()
            hasher.update(name.encode() + said[id(plan.states)])
        return hasher.hexdigest()
