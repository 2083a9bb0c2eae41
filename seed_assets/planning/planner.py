"""Makes a plan, without running anything, importing Dagster or opening a document's value.

This module finds the state of every document and every cluster in every stage, from the present corpus, the keys that follow
from it and the contents of the store. What a plan says is in plan, and acting on it is in seeding.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from io_managers.store.fingerprint import Part
from io_managers.store.refs import Published
from io_managers.store.store import Store
from resources.corpus.corpus import Scan
from resources.errors import DocumentError
from seed_assets.engine.comparison import kept_although, miss_reasons
from seed_assets.engine.currency import kept_actions, published_currency, row_currency, value_currency
from seed_assets.engine.maintenance_due import maintenance_todo
from seed_assets.graph.corpus_inputs import CorpusInput
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.published import PublishedCorpus
from seed_assets.graph.stage import SOURCE, Stage, Units
from seed_assets.planning.plan import UNPUBLISHED, UPSTREAM, VANISHED, Plan, StagePlan
from seed_assets.planning.plan_memory import PlanMemory


def make_plan(
    pipeline: Pipeline,
    store: Store,
    scan: Scan,
    table_states: Mapping[str, str | None],
    *,
    retry_failed: bool = False,
    recomputed: Mapping[str, AbstractSet[str]] | None = None,
    recluster: bool = False,
    memory: PlanMemory | None = None,
    explained: AbstractSet[str] = frozenset(),
) -> Plan:
    """Compare what is published with what the corpus and the pipeline call for.

    table_states: table -> its identity and version, None if it is missing. recomputed: stage to be computed once more -> the
    units for which that was done. recluster: whether clusters are to be found from scratch. memory: what an earlier plan found
    current, so that this one need not form its keys; without it every key is formed. explained: units of which the plan keeps the
    actions.
    """
    return _Planner(
        pipeline, store, scan, table_states, retry_failed, recomputed or {}, recluster, memory, explained
    ).plan()


class _Planner:
    """Makes one plan."""

    def __init__(
        self,
        pipeline: Pipeline,
        store: Store,
        scan: Scan,
        table_states: Mapping[str, str | None],
        retry_failed: bool,
        recomputed: Mapping[str, AbstractSet[str]],
        recluster: bool,
        memory: PlanMemory | None,
        explained: AbstractSet[str],
    ) -> None:
        self._pipeline = pipeline
        self._memory = memory
        self._explained = explained
        self._waiting = store.batches.waiting()
        # The documents for which everything that is made from the document alone is known to be current.
        self._unchanged: set[str] = set()
        self._store = store
        self._scan = scan
        self._table_states = table_states
        self._retry_failed = retry_failed
        self._recomputed = recomputed
        self._recluster = recluster
        self._corpus = PublishedCorpus(store, from_scratch=recluster)
        self._documents = sorted([*scan.documents, *scan.problems])
        self._outputs: dict[str, _Output] = {
            SOURCE: _Output(
                {name: pipeline.source_part(file.content_digest, file.format) for name, file in scan.documents.items()},
                failed=set(scan.problems),
            )
        }
        self._stages: dict[str, StagePlan] = {}
        self._published: dict[str, Mapping[str, Published]] = {}
        self._gone: set[str] = set()
        self._settled_parts: dict[tuple[str, str], bool] = {}
        self._sizes = {name: file.size_bytes for name, file in scan.documents.items()}

    def plan(self) -> Plan:
        """See make_plan."""
        pipeline, store = self._pipeline, self._store
        planned = [stage for stage in pipeline.stages.values() if stage.kind != "maintenance"]
        for stage in planned:
            self._published[stage.name] = store.refs.published(stage.name, results=stage.kind == "value")
            self._corpus.note(stage.name, self._published[stage.name])
        known = set[str]().union(*(self._published[stage.name] for stage in pipeline.document_stages))
        self._gone = self._scan.gone(known)
        if self._memory is not None:
            self._unchanged = self._memory.unchanged(self._scan, self._published) - self._explained
        for stage in planned:
            self._stages[stage.name] = self._stage(stage)
        if self._memory is not None:
            self._memory.keep([self._current(name) for name in self._memory.stages])
        maintenance = maintenance_todo(pipeline, store, self._table_states, self._published)
        for stage in pipeline.maintenance_stages:
            # What waits for a batch may take a day, so tables are not left without their indexes until then.
            if not all(self._settled(name) or self._only_waits(name) for name in stage.over):
                maintenance[stage.name] = UPSTREAM
        renamed = (
            _renamed(pipeline, self._published, self._gone, self._documents, self._outputs) if self._gone else set()
        )
        unsettled = {stage.name for stage in planned if not self._settled(stage.name)}
        placed = all(
            self._knows(stage, looked_at, "")
            for stage in pipeline.placing_stages
            for looked_at in stage.corpus_inputs.values()
        )
        return Plan(self._documents, self._stages, self._scan, self._gone, renamed, maintenance, unsettled, placed)

    def _stage(self, stage: Stage) -> StagePlan:
        pipeline, store = self._pipeline, self._store
        units, unnamed = self._units(stage)
        plan = StagePlan(stage, unnamed=unnamed, sizes=self._sizes)
        known = self._published[stage.name]
        outputs = {name: self._outputs[name] for name in stage.inputs if name not in stage.corpus_inputs}
        outputs |= {name: self._looked_at(stage, one, units) for name, one in stage.corpus_inputs.items()}
        output = self._outputs[stage.name] = _Output()
        unchanged = self._unchanged_in(stage)
        changed = [unit for unit in units if unit not in unchanged] if unchanged else units
        keys = _form_keys(plan, pipeline, known, changed, outputs, output)
        _take_over(plan, output, known, unchanged)
        done = self._recomputed.get(stage.name)
        inputs = {name: outputs[name].parts for name in stage.inputs}
        # Clusters from scratch get a new result, so no published one is kept for them.
        if pipeline.keeps(stage) and done is None and not (stage.continues and self._recluster):
            plan.kept = _keep(keys, pipeline, store, stage, known, inputs)
        for looked_at in stage.corpus_inputs.values():
            plan.kept |= {unit: what for unit in keys if (what := looked_at.kept(self._corpus, unit))}
        for unit in self._explained & set(units) if self._explained else ():
            given = {name: parts[unit] for name, parts in inputs.items() if unit in parts}
            plan.actions[unit] = replace(pipeline.action(stage, given), key=keys.get(unit, ""))
        finished = _finished(store, keys, known, done) if stage.kind == "value" else {}
        state = self._table_states.get(stage.table)
        retry, asked_with = self._retry_failed, pipeline.asked_with
        missing = _compare(plan, store, keys, finished, known, state, output, retry, asked_with, self._waiting)
        actions = {
            unit: pipeline.action(stage, {name: inputs[name][unit] for name in stage.inputs}) for unit in missing
        }
        free, no_cache = pipeline.free_parts(stage), done is not None
        for unit, reason in miss_reasons(store, stage, actions, free, no_cache=no_cache).items():
            plan.todo[unit] = reason
            plan.computing.add(unit)
        if (
            stage.units is Units.CLUSTERS
            and stage.kind == "sink"
            and pipeline.finder
            and self._settled(pipeline.finder.name)
        ):
            plan.todo.update(dict.fromkeys(known.keys() - set(units), VANISHED))
        return plan

    def _unchanged_in(self, stage: Stage) -> set[str]:
        """Return the documents that are known to be current in a stage without their keys."""
        if self._memory is None or stage.name not in self._memory.stages or self._pipeline.keeps(stage):
            # If a document turns out not to be current, nothing is known about it in the stages after this one.
            return set()
        for name in stage.inputs:
            if name != SOURCE:
                self._unchanged &= self._current(name)
        if stage.kind == "value":
            return set(self._unchanged)
        known, state = self._published[stage.name], self._table_states.get(stage.table)
        # A table of many rows has few different states.
        by_state = {known[d].state: known[d] for d in self._unchanged}
        here = {s for s, ref in by_state.items() if row_currency(ref, ref.action_key, state) == "current"}
        return {document for document in self._unchanged if known[document].state in here}

    def _current(self, name: str) -> set[str]:
        return {unit for unit, state in self._stages[name].states.items() if state == "current"}

    def _units(self, stage: Stage) -> tuple[list[str], int]:
        """Return (the stage's units, how many more clusters there may be)."""
        match stage.units:
            case Units.DOCUMENTS:
                return self._documents, 0
            case Units.CLUSTER_TYPES:
                return list(self._pipeline.cluster_types), 0
            case Units.CORPUS:
                return [""], 0
            case Units.CLUSTERS:
                pipeline = self._pipeline
                clusters = pipeline.clusters(self._corpus)
                self._sizes |= clusters
                # A type that has clusters will probably keep about as many, so only types without clusters may add more.
                new = [t for t in pipeline.cluster_types if pipeline.clusters_of(self._corpus, t) is None]
                finds = pipeline.finder.finds if pipeline.finder else None
                most = len(self._documents) // max(1, finds.smallest if finds else 1)
                return list(clusters), most * len(new)

    def _looked_at(self, stage: Stage, looked_at: CorpusInput, units: list[str]) -> "_Output":
        """Return the parts of a corpus input for the units for which they are known."""
        known = [unit for unit in units if self._knows(stage, looked_at, unit)]
        parts: dict[str, Part] = {
            unit: part for unit in known if (part := looked_at.part(self._corpus, unit)) is not None
        }
        failed = set(known) - parts.keys()
        # If no work is left, a document without an assignment has failed in an earlier stage.
        return _Output(parts, failed, set(failed))

    def _knows(self, stage: Stage, looked_at: CorpusInput, unit: str) -> bool:
        """Whether what a corpus input reads stays as it is until the stage runs."""
        cluster_type = stage.cluster_type(unit)
        return all(self._settled(name, cluster_type) for name in looked_at.over(unit))

    def _settled(self, name: str, cluster_type: str = "") -> bool:
        """Whether the published results of a stage that is already planned stay as they are: all, or those of a cluster type."""
        if (name, cluster_type) not in self._settled_parts:
            self._settled_parts[name, cluster_type] = self._stays(self._stages[name], cluster_type)
        return self._settled_parts[name, cluster_type]

    def _only_waits(self, name: str) -> bool:
        """Whether a stage is not settled for no other reason than that units of it wait for a batch."""
        plan = self._stages[name]
        return not self._gone and not plan.todo and not plan.unnamed and "waiting" in plan.states.values()

    def _stays(self, plan: StagePlan, cluster_type: str) -> bool:
        # What is made from all documents does not wait for those that have failed. It waits for batches: whatever was made and
        # paid before they end would be stale then.
        if "waiting" in plan.states.values():
            return False
        left = {found for found in plan.todo if plan.states.get(found) not in ("failed", "blocked")}
        match plan.stage.units:
            case Units.DOCUMENTS:
                return not self._gone and not left
            case Units.CLUSTER_TYPES if cluster_type:
                lost = plan.stage.finds and self._pipeline.clusters_of(self._corpus, cluster_type) is None
                return cluster_type not in left and not (lost and cluster_type in plan.finished)
            case Units.CLUSTERS if cluster_type:
                # Clusters without names are those of types that were never clustered.
                unnamed = plan.unnamed and self._pipeline.clusters_of(self._corpus, cluster_type) is None
                return not unnamed and not any(found.startswith(f"{cluster_type}/") for found in left)
            case _:
                return not left and not plan.unnamed


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
    """What later stages need to know about a stage.

    parts: document -> its part of their keys. failed: the documents without a part, since they failed here or before. given_up:
    those of `failed` that no run will try again. waiting: the documents without a part, since they wait for a batch.
    """

    parts: dict[str, Part] = field(default_factory=dict[str, Part])
    failed: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)


def _form_keys(
    plan: StagePlan,
    pipeline: Pipeline,
    published: Mapping[str, Published],
    documents: list[str],
    outputs: Mapping[str, _Output],
    output: _Output,
) -> dict[str, str]:
    """Return the action keys of the documents whose inputs are known, and note the state of the others.

    outputs: those of the stages that are inputs. output: that of this stage.
    """
    stage = plan.stage
    inputs = {name: outputs[name].parts for name in stage.inputs}
    for name in stage.inputs:
        output.failed |= outputs[name].failed
        output.waiting |= outputs[name].waiting
        output.given_up |= outputs[name].given_up | (outputs[name].failed if name == SOURCE else set())
    formed: list[str] = []
    for document in documents:
        if document in output.failed:
            plan.states[document] = "failed" if SOURCE in stage.inputs else "blocked"
        elif document in output.waiting:
            plan.states[document] = "waiting"
            continue
        elif all(document in known for known in inputs.values()):
            formed.append(document)
            continue
        else:
            plan.states[document] = published_currency(published.get(document), None)
        if document not in output.given_up:
            plan.todo[document] = UPSTREAM
            plan.computing.add(document)
    return pipeline.templates[stage.name].keys(inputs, formed)


def _take_over(
    plan: StagePlan, output: _Output, published: Mapping[str, Published], unchanged: AbstractSet[str]
) -> None:
    """Note the state and the outputs of documents that are known to be current."""
    plan.states.update(dict.fromkeys(unchanged, "current"))
    if plan.stage.kind == "value":
        for document in unchanged:
            ref = published[document]
            output.parts[document] = ref.content_digest
            plan.finished[document] = ref.action_key


def _keep(
    keys: dict[str, str],
    pipeline: Pipeline,
    store: Store,
    stage: Stage,
    published: Mapping[str, Published],
    inputs: Mapping[str, Mapping[str, Part]],
) -> dict[str, str]:
    """Replace a key by the published one if they differ only in parts for which the settings keep old results.

    Returns document -> the first of these parts that differs.
    """
    others = [document for document, key in keys.items() if published_currency(published.get(document), key) == "stale"]
    actions = {d: pipeline.action(stage, {name: parts[d] for name, parts in inputs.items()}) for d in others}
    kept = kept_actions(pipeline, store, stage, actions)
    keys.update({d: action.key for d, action in kept.items()})
    # The file of what is kept is the same, so its part of the key differs only in how files of its format are read.
    return kept_although(kept, actions, pipeline.free_parts(stage) | {SOURCE})


def _finished(
    store: Store, keys: Mapping[str, str], published: Mapping[str, Published], done: AbstractSet[str] | None
) -> dict[str, str]:
    """Return document -> the digest of its result, if the store has one. done: the documents that count; None for all."""
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
    asked_with: AbstractSet[str] | None,
    waiting: AbstractSet[str],
) -> list[str]:
    """Note the state of the documents whose inputs are known, and their outputs if these are known.

    Returns the documents that have to be computed.
    """
    sink = plan.stage.kind == "sink"
    open_: list[str] = []
    for document, key in keys.items():
        ref = published.get(document)
        if document in finished:
            output.parts[document] = finished[document]
            plan.finished[document] = key
        found = row_currency(ref, key, table_state) if sink else value_currency(ref, key, finished.get(document))
        plan.states[document] = found
        if found != "current":
            open_.append(document)
    failed = store.failures.lookup(keys[document] for document in open_ if document not in finished) if open_ else {}
    missing: list[str] = []
    for document in open_:
        failure = failed.get(keys[document])
        if document in finished:
            plan.todo[document] = UNPUBLISHED
            continue
        if keys[document] in waiting:
            plan.states[document] = "waiting"
            output.waiting.add(document)
            continue
        if failure is not None:
            plan.states[document] = "failed"
            error = DocumentError(failure.reason, failure.remedy, transient=failure.transient)
            if failure.partition:
                plan.failures[document] = error
            else:
                plan.fault = error
            output.failed.add(document)
            if failure.holds(asked_with) and not retry_failed:
                output.given_up.add(document)
                continue
        missing.append(document)
    return missing
