"""What a run would compute, and why: without running anything, importing Dagster or opening a document's value.

What belongs here: the state of every document, and of every cluster, in every stage, from the corpus as it is now, the
keys that follow and what the store has. What does not: doing anything about it (seeding).
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal

from io_managers.store.fingerprint import Action, Part, content_digest, encode_part
from io_managers.store.refs import Published
from io_managers.store.store import Store
from resources.corpus import Scan
from resources.errors import DocumentError
from seed_assets.comparison import kept_actions, miss_reasons
from seed_assets.pipeline import Pipeline, source_part
from seed_assets.sink import is_current
from seed_assets.stage import SOURCE, Stage
from seed_assets.views import CLUSTER, OF_CLUSTERS, PLACEMENT, VIEWS, Views

# current: published, and what a run would publish. stale: published, and a run would publish another. missing: never
# published. failed: the last attempt at exactly this failed. blocked: a stage before it failed.
State = Literal["current", "stale", "failed", "blocked", "missing"]
UPSTREAM = "a stage before it is computed first"
UNPUBLISHED = "finished, not yet published"
VANISHED = "there is no such cluster any more"
CHANGED = "the documents have changed"


@dataclass(slots=True)
class StagePlan:
    """One stage over all its units, which are documents unless the stage says otherwise.

    states: by unit. todo: unit -> why a run has to visit it (those that failed for good are not in it). failures: by
    unit. computing: those of `todo` that are not in the store (upper bound: what comes of stages before them may turn
    out equal). finished: unit -> the action in the store that need not be computed. fault: what was wrong with the table
    when units that are called failed were last to be written to it. sizes: unit -> bytes of the document's file, or
    members of the cluster. unnamed: how many clusters there may be at most beside those that are named.
    """

    stage: Stage
    states: dict[str, State] = field(default_factory=dict)
    todo: dict[str, str] = field(default_factory=dict)
    failures: dict[str, DocumentError] = field(default_factory=dict)
    computing: set[str] = field(default_factory=set)
    finished: dict[str, str] = field(default_factory=dict)
    fault: DocumentError | None = None
    sizes: Mapping[str, int] = field(default_factory=dict[str, int])
    unnamed: int = 0

    def reasons(self, documents: Iterable[str] | None = None) -> dict[str, int]:
        """How many units, of all or of these, are to be visited, by reason."""
        wanted = self.todo if documents is None else self.todo.keys() & documents
        return dict(Counter(self.todo[document] for document in wanted).most_common())

    def has_work(self, cluster_type: str, without: AbstractSet[str] = frozenset()) -> bool:
        """Whether a cluster type, or any cluster of it but these, is to be visited."""
        units = (unit for unit, why in self.todo.items() if unit not in without or why == VANISHED)
        return bool(self.unnamed) or any(
            unit == cluster_type or unit.startswith(f"{cluster_type}/") or self.todo[unit] == VANISHED for unit in units
        )


@dataclass(slots=True)
class Plan:
    """All stages over all their units.

    documents: in the order of the corpus. stages: all that have a value or rows a unit, in order. gone: documents that
    are known and not in the corpus any more; renamed: those of them whose content is there under a new name. upkeep:
    upkeep stage -> why it is to be run. placed: whether it is known where every document stands in the corpus.
    """

    documents: list[str]
    stages: dict[str, StagePlan]
    scan: Scan
    gone: set[str]
    renamed: set[str]
    upkeep: dict[str, str]
    placed: bool

    @property
    def document_stages(self) -> dict[str, StagePlan]:
        """Those with a partition a document."""
        return {name: plan for name, plan in self.stages.items() if plan.stage.units == "documents"}

    def todo(self, documents: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Document -> the stages that a run has to visit for it; in the order of the corpus."""
        wanted = self.documents if documents is None else documents
        return {
            document: names
            for document in wanted
            if (names := [name for name, plan in self.document_stages.items() if document in plan.todo])
        }

    def failures(self) -> list[tuple[str, str, DocumentError]]:
        """(unit, stage, what is wrong) of everything that failed; "" for what is wrong with a table as a whole."""
        first = next(iter(self.stages), "")
        problems = {**self.scan.problems, **self.scan.unreadable}
        found = [(document, first, problem) for document, problem in problems.items()]
        for name, plan in self.stages.items():
            found += [(document, name, error) for document, error in plan.failures.items()]
            if plan.fault is not None:
                found.append(("", name, plan.fault))
        return found

    def states(self) -> dict[str, dict[str, State]]:
        """Document -> stage -> state."""
        return {
            document: {name: plan.states[document] for name, plan in self.document_stages.items()}
            for document in self.documents
        }

    def clustering(self) -> dict[str, list[str]]:
        """Cluster type -> the stages of it and of its clusters that are to be run and can be, in order."""
        stages = {n: p for n, p in self.stages.items() if p.stage.units in ("cluster_types", "clusters")}
        types = stages["clusters"].states if stages else {}
        known = [t for t in types if stages["clusters"].todo.get(t) != UPSTREAM]
        found = {t: [name for name, plan in stages.items() if plan.has_work(t)] for t in known}
        return {t: names for t, names in found.items() if names}

    def of_corpus(self) -> list[str]:
        """The stages of the corpus as a whole that are to be run and can be, upkeep left out."""
        stages = {name: plan for name, plan in self.stages.items() if plan.stage.units == "corpus"}
        ready = [name for name, plan in stages.items() if plan.todo.get("", UPSTREAM) != UPSTREAM]
        first = next(iter(stages), "")
        # What follows from the first is made in the same run.
        return [name for name in stages if "" in stages[name].todo] if first in ready else ready

    def digest(self) -> str:
        """Of what Dagster shows when it shows the truth: what is materialized and what has failed.

        A document that is new or was changed makes no difference until it is visited.
        """
        hasher = hashlib.sha256()
        for name, plan in self.document_stages.items():
            shown = [
                f"{document} {'failed' if state in ('failed', 'blocked') else 'materialized'}"
                for document, state in plan.states.items()
                if state != "missing"
            ]
            hasher.update("\n".join([name, *sorted(shown)]).encode())
        return hasher.hexdigest()


def make_plan(
    pipeline: Pipeline,
    store: Store,
    scan: Scan,
    table_states: Mapping[str, str | None],
    *,
    retry_failed: bool = False,
    anew: Mapping[str, AbstractSet[str]] | None = None,
    recluster: bool = False,
) -> Plan:
    """Compare what is published with what the corpus and the pipeline call for.

    table_states: table -> its identity and version, None where it is missing. anew: stage to be computed once more ->
    the units for which that was done. recluster: whether clusters are to be found from scratch.
    """
    return _Planner(pipeline, store, scan, table_states, retry_failed, anew or {}, recluster).plan()


class _Planner:
    """One plan in the making."""

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        scan: Scan,
        table_states: Mapping[str, str | None],
        retry_failed: bool,
        anew: Mapping[str, AbstractSet[str]],
        recluster: bool,
    ) -> None:
        self._pipeline = pipeline
        self._store = store
        self._scan = scan
        self._table_states = table_states
        self._retry_failed = retry_failed
        self._anew = anew
        self._recluster = recluster
        self._views = Views(store, pipeline.clustered, recluster=recluster)
        self._documents = sorted([*scan.documents, *scan.problems])
        self._outputs: dict[str, _Output] = {
            SOURCE: _Output(
                {name: source_part(file.content_digest, file.format) for name, file in scan.documents.items()},
                failed=set(scan.problems),
            )
        }
        self._stages: dict[str, StagePlan] = {}
        self._published: dict[str, Mapping[str, Published]] = {}
        self._gone: set[str] = set()
        self._sizes = {name: file.size_bytes for name, file in scan.documents.items()}

    def plan(self) -> Plan:
        """See make_plan."""
        pipeline, store = self._pipeline, self._store
        planned = [stage for stage in pipeline.stages.values() if stage.kind != "upkeep"]
        for stage in planned:
            self._published[stage.name] = store.refs.published(stage.name, results=stage.kind == "value")
            self._views.note(stage.name, self._published[stage.name])
        known = set[str]().union(*(self._published[stage.name] for stage in pipeline.document_stages))
        self._gone = self._scan.gone(known)
        for stage in planned:
            self._stages[stage.name] = self._stage(stage)
        upkeep = upkeep_todo(pipeline, store, self._table_states, self._published)
        for stage in pipeline.upkeep_stages:
            if not all(self._settled(name) for name in stage.over):
                upkeep[stage.name] = UPSTREAM
        renamed = (
            _renamed(pipeline, self._published, self._gone, self._documents, self._outputs) if self._gone else set()
        )
        return Plan(self._documents, self._stages, self._scan, self._gone, renamed, upkeep, self._knows(PLACEMENT, ""))

    def _stage(self, stage: Stage) -> StagePlan:
        pipeline, store = self._pipeline, self._store
        units, unnamed = self._units(stage)
        plan = StagePlan(stage, unnamed=unnamed, sizes=self._sizes)
        known = self._published[stage.name]
        for view in VIEWS.intersection(stage.inputs):
            self._outputs[view] = self._view(view, units)
        keys = _form_keys(plan, pipeline, known, units, self._outputs)
        done = self._anew.get(stage.name)
        inputs = {name: self._outputs[name].parts for name in stage.inputs}
        # What is found from scratch takes no old result's place.
        if pipeline.keeps(stage) and done is None and not (stage.continues and self._recluster):
            _keep(keys, pipeline, store, stage, known, inputs)
        finished = _finished(store, keys, known, done) if stage.kind == "value" else {}
        state = self._table_states.get(stage.table)
        output = self._outputs[stage.name]
        missing = _compare(plan, store, keys, finished, known, state, output, self._retry_failed)
        actions = {
            unit: pipeline.action(stage, {name: inputs[name][unit] for name in stage.inputs}) for unit in missing
        }
        for unit, reason in miss_reasons(store, stage, actions).items():
            plan.todo[unit] = reason
            plan.computing.add(unit)
        if stage.units == "clusters" and stage.kind == "sink" and self._knows(CLUSTER, ""):
            plan.todo.update(dict.fromkeys(known.keys() - set(units), VANISHED))
        return plan

    def _units(self, stage: Stage) -> tuple[list[str], int]:
        """(the stage's units, how many more clusters there may be)."""
        match stage.units:
            case "documents":
                return self._documents, 0
            case "cluster_types":
                return list(self._pipeline.clustered.types), 0
            case "corpus":
                return [""], 0
            case "clusters":
                clusters = self._views.clusters()
                self._sizes |= {name: len(cluster.members) for name, cluster in clusters.items()}
                # Of types that have clusters, about as many will come out of it.
                new = [t for t in self._pipeline.clustered.types if self._views.clustering(t) is None]
                most = len(self._documents) // max(1, self._pipeline.clustered.smallest)
                return list(clusters), most * len(new)

    def _view(self, view: str, units: list[str]) -> "_Output":
        """The parts of a view, of those units of which they are known."""
        # Of places all are known or none.
        known = [unit for unit in units if self._knows(view, unit)] if view != PLACEMENT else units
        if view == PLACEMENT and not self._knows(view, ""):
            known = []
        parts: dict[str, Part] = {unit: part for unit in known if (part := self._views.part(view, unit)) is not None}
        failed = set(known) - parts.keys()
        # Where nothing is under way, a document without a place has failed before.
        return _Output(parts, failed, set(failed))

    def _knows(self, view: str, unit: str) -> bool:
        """Whether a view will be what it is now when its turn comes."""
        clustered = self._pipeline.clustered
        if view in OF_CLUSTERS:
            return self._settled("clusters", unit.rpartition("/")[0])
        return all(
            self._settled(name, unit if name != "clusters" or view != PLACEMENT else "")
            for name in clustered.over(view, unit)
        )

    def _settled(self, name: str, unit: str = "") -> bool:
        """Whether what a stage has published stays as it is: of all its units, or of one cluster type."""
        plan = self._stages.get(name)
        if plan is None:
            return True
        # What is made of all does not wait for what has failed.
        left = {found for found in plan.todo if plan.states.get(found) not in ("failed", "blocked")}
        if plan.stage.units == "cluster_types" and unit:
            lost = unit in plan.finished and self._views.clustering(unit) is None
            return unit not in left and not lost
        if plan.stage.units == "documents":
            return not self._gone and not left
        if plan.stage.units == "clusters" and unit:
            return not plan.unnamed and not any(found.startswith(f"{unit}/") for found in left)
        return not left and not plan.unnamed


def upkeep_todo(
    pipeline: Pipeline,
    store: Store,
    table_states: Mapping[str, str | None],
    published: Mapping[str, Mapping[str, Published]] | None = None,
) -> dict[str, str]:
    """Upkeep stage -> why it is to be run, as far as what is published now (read already, perhaps) tells."""
    return {
        stage.name: CHANGED
        for stage in pipeline.upkeep_stages
        if not is_current(
            store.refs.get(stage.name).get(""),
            upkeep_action(pipeline, store, stage, published).key,
            table_states.get(stage.table),
        )
    }


def upkeep_action(
    pipeline: Pipeline, store: Store, stage: Stage, published: Mapping[str, Mapping[str, Published]] | None = None
) -> Action:
    """The action of an upkeep stage on what is published now: its inputs are snapshots of (unit, digest)."""
    parts: dict[str, Part] = {}
    for name in stage.over:
        known = published[name] if published else store.refs.published(name, results=False)
        snapshot = sorted((partition, ref.content_digest) for partition, ref in known.items())
        parts[name] = content_digest(encode_part(snapshot))
    return pipeline.action(stage, parts)


def _renamed(
    pipeline: Pipeline,
    published: Mapping[str, Mapping[str, Published]],
    gone: set[str],
    documents: list[str],
    outputs: Mapping[str, "_Output"],
) -> set[str]:
    first = pipeline.document_stages[0]
    refs, sources = published[first.name], outputs[SOURCE].parts
    added = [document for document in documents if document in sources and document not in refs]
    new = set(pipeline.templates[first.name].keys({SOURCE: sources}, added).values())
    return {document for document in gone if document in refs and refs[document].action_key in new}


@dataclass(slots=True)
class _Output:
    """What the stages after one need to know of it: the parts of their keys, and the documents that have none."""

    parts: dict[str, Part] = field(default_factory=dict[str, Part])
    failed: set[str] = field(default_factory=set)
    hopeless: set[str] = field(default_factory=set)  # those of `failed` that no run will try again


def _form_keys(
    plan: StagePlan,
    pipeline: Pipeline,
    published: Mapping[str, Published],
    documents: list[str],
    outputs: dict[str, _Output],
) -> dict[str, str]:
    """The action keys of the documents whose inputs are known; notes the state of the others."""
    stage = plan.stage
    inputs = {name: outputs[name].parts for name in stage.inputs}
    output = outputs[stage.name] = _Output()
    for name in stage.inputs:
        output.failed |= outputs[name].failed
        output.hopeless |= outputs[name].hopeless | (outputs[name].failed if name == SOURCE else set())
    formed: list[str] = []
    for document in documents:
        if document in output.failed:
            plan.states[document] = "failed" if SOURCE in stage.inputs else "blocked"
        elif all(document in known for known in inputs.values()):
            formed.append(document)
            continue
        else:
            plan.states[document] = "stale" if document in published else "missing"
        if document not in output.hopeless:
            plan.todo[document] = UPSTREAM
            plan.computing.add(document)
    return pipeline.templates[stage.name].keys(inputs, formed)


def _keep(
    keys: dict[str, str],
    pipeline: Pipeline,
    store: Store,
    stage: Stage,
    published: Mapping[str, Published],
    inputs: Mapping[str, Mapping[str, Part]],
) -> None:
    """Put the published key in the place of one that differs only in what the stage was told to keep."""
    others = [
        document for document, key in keys.items() if document in published and published[document].action_key != key
    ]
    actions = {d: pipeline.action(stage, {name: parts[d] for name, parts in inputs.items()}) for d in others}
    keys.update({d: action.key for d, action in kept_actions(pipeline, store, stage, actions).items()})


def _finished(
    store: Store, keys: Mapping[str, str], published: Mapping[str, Published], done: AbstractSet[str] | None
) -> dict[str, str]:
    """Document -> the digest of its result, where the store has one. done: those that count, if not all do."""
    found: dict[str, str] = {}
    others: dict[str, str] = {}
    for document, key in keys.items():
        ref = published.get(document)
        if ref is not None and ref.action_key == key:
            if ref.result is not None:
                found[document] = ref.result
        else:
            others[document] = key
    elsewhere = store.actions.existing(others.values()) if others else {}
    found |= {document: elsewhere[key] for document, key in others.items() if key in elsewhere}
    return found if done is None else {document: digest for document, digest in found.items() if document in done}


def _compare(
    plan: StagePlan,
    store: Store,
    keys: Mapping[str, str],
    finished: Mapping[str, str],
    published: Mapping[str, Published],
    table_state: str | None,
    output: _Output,
    retry_failed: bool,
) -> list[str]:
    """Note the state of the documents whose inputs are known, and their outputs where those are known.

    Gives the documents that have to be computed.
    """
    sink = plan.stage.kind == "sink"
    open_: list[str] = []
    for document, key in keys.items():
        ref = published.get(document)
        if document in finished:
            output.parts[document] = finished[document]
            plan.finished[document] = key
        current = ref is not None and ref.action_key == key
        if is_current(ref, key, table_state) if sink else current and document in finished:
            plan.states[document] = "current"
        else:
            plan.states[document] = "missing" if ref is None else "stale"
            open_.append(document)
    failed = store.failures.lookup(keys[document] for document in open_ if document not in finished) if open_ else {}
    missing: list[str] = []
    for document in open_:
        failure = failed.get(keys[document])
        if document in finished:
            plan.todo[document] = UNPUBLISHED
            continue
        if failure is not None:
            plan.states[document] = "failed"
            error = DocumentError(failure.reason, failure.remedy, transient=failure.transient)
            if failure.partition:
                plan.failures[document] = error
            else:
                plan.fault = error
            output.failed.add(document)
            if not failure.transient and not retry_failed:
                output.hopeless.add(document)
                continue
        missing.append(document)
    return missing
