"""Makes a plan, without running anything, importing Dagster or opening a document's value.

This module finds the state of every document and every cluster in every stage, from the present corpus, the keys that follow
from it and the contents of the store. What a plan says is in plan, and acting on it is in seeding.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace

from io_managers.store.fingerprint import Part
from io_managers.store.refs import Published
from io_managers.store.store import Store
from resources.corpus.corpus import Scan
from seed_assets.engine.comparison import miss_reasons
from seed_assets.engine.currency import row_currency
from seed_assets.engine.maintenance_due import maintenance_todo
from seed_assets.graph.corpus_inputs import CorpusInput
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.published import PublishedCorpus
from seed_assets.graph.stage import SOURCE, Stage, Units
from seed_assets.planning.plan import UPSTREAM, VANISHED, Plan, StagePlan, UnitSizes
from seed_assets.planning.plan_memory import PlanMemory
from seed_assets.planning.unit_states import Output, compare, finished_results, form_keys, keep_old, take_over
from seed_assets.planning.whole_plan import WholePlan


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
    whole: WholePlan | None = None,
    explained: AbstractSet[str] = frozenset(),
) -> Plan:
    """Compare what is published with what the corpus and the pipeline call for.

    table_states: table -> its identity and version, None if it is missing. recomputed: stage to be computed once more -> the
    units for which that was done. recluster: whether clusters are to be found from scratch. memory: what an earlier plan found
    current, so that this one need not form its keys; without it every key is formed. whole: what an earlier plan was that found
    nothing to do; without it nothing of the kind is used or kept. explained: units of which the plan keeps the actions.
    """
    known = whole.find(scan, table_states) if whole is not None and not explained else None
    return (
        known
        or _Planner(
            pipeline, store, scan, table_states, retry_failed, recomputed or {}, recluster, memory, whole, explained
        ).plan()
    )


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
        whole: WholePlan | None,
        explained: AbstractSet[str],
    ) -> None:
        self._pipeline = pipeline
        self._memory = memory
        self._whole = whole
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
        self._outputs: dict[str, Output] = {
            SOURCE: Output(
                {name: pipeline.source_part(file.content_digest, file.format) for name, file in scan.documents.items()},
                failed=set(scan.problems),
            )
        }
        self._stages: dict[str, StagePlan] = {}
        self._published: dict[str, Mapping[str, Published]] = {}
        self._gone: set[str] = set()
        self._settled_parts: dict[tuple[str, str], bool] = {}
        self._sizes = UnitSizes(scan)
        # (stage, unit) -> the key of the action, of those that failed for good.
        self._failed_keys: dict[tuple[str, str], str] = {}

    def plan(self) -> Plan:
        """See make_plan."""
        pipeline, store = self._pipeline, self._store
        planned = [stage for stage in pipeline.stages.values() if stage.kind != "maintenance"]
        noting = self._whole is not None and self._whole.begin(self._scan, self._table_states)
        digests: dict[str, str] = {}
        for stage in planned:
            self._published[stage.name], digests[stage.name] = store.refs.published_with_digest(
                stage.name, results=stage.kind == "value", digest=noting
            )
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
        plan = Plan(self._documents, self._stages, self._scan, self._gone, renamed, maintenance, unsettled, placed)
        if noting and self._whole is not None:
            self._whole.keep(plan, digests, self._failed_keys)
        return plan

    def _stage(self, stage: Stage) -> StagePlan:
        pipeline, store = self._pipeline, self._store
        units, unnamed = self._units(stage)
        plan = StagePlan(stage, unnamed=unnamed, sizes=self._sizes)
        known = self._published[stage.name]
        outputs = {name: self._outputs[name] for name in stage.inputs if name not in stage.corpus_inputs}
        outputs |= {name: self._looked_at(stage, one, units) for name, one in stage.corpus_inputs.items()}
        output = self._outputs[stage.name] = Output()
        unchanged = self._unchanged_in(stage)
        changed = [unit for unit in units if unit not in unchanged] if unchanged else units
        keys = form_keys(plan, pipeline, known, changed, outputs, output)
        take_over(plan, output, known, unchanged)
        done = self._recomputed.get(stage.name)
        inputs = {name: outputs[name].parts for name in stage.inputs}
        # Clusters from scratch get a new result, so no published one is kept for them.
        if pipeline.keeps(stage) and done is None and not (stage.continues and self._recluster):
            plan.kept = keep_old(keys, pipeline, store, stage, known, inputs)
        for looked_at in stage.corpus_inputs.values():
            plan.kept |= {unit: what for unit in keys if (what := looked_at.kept(self._corpus, unit))}
        for unit in self._explained & set(units) if self._explained else ():
            given = {name: parts[unit] for name, parts in inputs.items() if unit in parts}
            plan.actions[unit] = replace(pipeline.action(stage, given), key=keys.get(unit, ""))
        finished = finished_results(store, keys, known, done) if stage.kind == "value" else {}
        state = self._table_states.get(stage.table)
        retry, asked_with = self._retry_failed, pipeline.asked_with
        missing = compare(plan, store, keys, finished, known, state, output, retry, asked_with, self._waiting)
        self._failed_keys |= {(stage.name, unit): keys[unit] for unit in plan.failures}
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
                self._sizes.clusters |= clusters
                # A type that has clusters will probably keep about as many, so only types without clusters may add more.
                new = [t for t in pipeline.cluster_types if pipeline.clusters_of(self._corpus, t) is None]
                finds = pipeline.finder.finds if pipeline.finder else None
                most = len(self._documents) // max(1, finds.smallest if finds else 1)
                return list(clusters), most * len(new)

    def _looked_at(self, stage: Stage, looked_at: CorpusInput, units: list[str]) -> Output:
        """Return the parts of a corpus input for the units for which they are known."""
        known = [unit for unit in units if self._knows(stage, looked_at, unit)]
        parts: dict[str, Part] = {
            unit: part for unit in known if (part := looked_at.part(self._corpus, unit)) is not None
        }
        failed = set(known) - parts.keys()
        # If no work is left, a document without an assignment has failed in an earlier stage.
        return Output(parts, failed, set(failed))

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
    outputs: Mapping[str, Output],
) -> set[str]:
    first = pipeline.document_stages[0]
    refs, sources = published[first.name], outputs[SOURCE].parts
    added = [document for document in documents if document in sources and document not in refs]
    new = set(pipeline.templates[first.name].keys({SOURCE: sources}, added).values())
    return {document for document in gone if document in refs and refs[document].action_key in new}
