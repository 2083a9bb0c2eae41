"""Compares what is published with what changed settings would give, on a sample of documents, before everything is paid for.

What belongs here: from the changed settings to a Comparison. What does not: running stages (trial), the choice of documents
(sample), asking the judge (preferences). No ref, no row and no record of Dagster is written; results and answers are actions in
the store, so that adopting the settings pays nothing twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from io_managers.store.errors import CorruptObjectError, MissingObjectError, UnknownFormatError
from io_managers.store.fingerprint import Part
from io_managers.store.refs import Ref
from io_managers.store.values import Result
from resources.endpoints.llm import Usage
from resources.errors import ConfigurationError
from seed_assets.comparing.comparison import (
    Comparison,
    DocumentComparison,
    Projection,
    Side,
    Spent,
    StageComparison,
    summed,
)
from seed_assets.comparing.preferences import with_preferences
from seed_assets.comparing.sample import sample_of
from seed_assets.comparing.shown_results import shown
from seed_assets.comparing.trial import Trial, run_trial
from seed_assets.core.clusters.clusters import Clustering
from seed_assets.core.judging.model_judging import ModelJudge
from seed_assets.core.judging.model_preference import ModelPreference
from seed_assets.core.judging.verdicts import SourceText
from seed_assets.core.prompting.structured_output import MODEL_REQUEST
from seed_assets.core.reading.extracted_text import ExtractedText
from seed_assets.engine.observer import Observer
from seed_assets.engine.runner import INTERRUPTED, Runner, RunOptions
from seed_assets.explaining.key_changes import Change, key_changes
from seed_assets.explaining.value_changes import value_change
from seed_assets.graph.pipeline import Phase
from seed_assets.graph.published import PublishedCorpus
from seed_assets.graph.stage import SOURCE, Stage, Units
from seed_assets.planning.estimate import estimate, total
from seed_assets.planning.plan import Plan
from seed_assets.planning.planner import make_plan
from seed_assets.planning.work import selected_documents, selected_stages
from seed_assets.session.session import Session
from seed_assets.wiring import JUDGE

# Of how many published results of a stage the keys are compared: enough to notice all settings that are in use.
_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What is compared.

    sample: how many documents are tried. documents: a glob of their ids, "" for all. stages: those that are compared, all that
    the change concerns if none is named. max_usd: the most that the comparison may cost. preferences: whether a model that
    judges is asked which text is better.
    """

    sample: int = 10
    documents: str = ""
    stages: tuple[str, ...] = ()
    max_usd: float | None = None
    preferences: bool = True


def compare(
    session: Session,
    changed: Session,
    options: CompareOptions,
    observer: Observer | None = None,
    announce: Callable[[Sequence[str], Usage], None] = lambda documents, at_most: None,
) -> Comparison:
    """Try the settings of one session on documents of another one.

    session: the home as it is. changed: the same home and corpus under the changed settings. announce: gets the documents
    that are tried, and the most that stages may cost for them, before anything is sent. Raises ConfigurationError, StoreError.
    """
    return _Comparing(session, changed, options, observer, announce).run()


class _Comparing:
    def __init__(
        self,
        session: Session,
        changed: Session,
        options: CompareOptions,
        observer: Observer | None,
        announce: Callable[[Sequence[str], Usage], None],
    ) -> None:
        self._session = session
        self._store = session.store
        self._options = options
        self._announce = announce
        self._kept = tuple(name for name in changed.pipeline.keeping)
        # What the settings keep is what a comparison is about.
        self._pipeline = replace(changed.pipeline, keeping={})
        self._changed = Session(changed.settings, self._pipeline)
        self._observer = observer

    def run(self) -> Comparison:
        """See compare."""
        plan = self._session.plan()
        stages = self._stages(self._options.stages)
        changes = self._changes()
        concerned = self._pipeline.downstream(changes)
        compared = [stage for stage in stages if stage.name in concerned]
        tried = {stage.name for stage in self._of_documents()}
        values = [stage.name for stage in self._pipeline.stages.values() if stage.kind == "value"]
        elsewhere = tuple(name for name in values if name in concerned and name not in tried)
        found = Comparison(changes, elsewhere, kept=tuple(name for name in self._kept if name in concerned))
        if not compared:
            return found
        before = {stage.name: self._store.refs.get(stage.name) for stage in compared}
        documents = self._sample(plan, before[compared[0].name], found)
        needed = [stage for stage in self._of_documents() if stage.name in self._needed(compared)]
        self._session.store.check_writable()
        runner = self._runner()
        self._check(runner, plan, needed, documents)
        trial = run_trial(runner, needed, documents)
        found.stopped = trial.stopped
        found.documents = [
            DocumentComparison(d, tuple(self._stage(stage, d, before, trial) for stage in compared)) for d in documents
        ]
        self._ask_judge(runner, found, trial)
        accounts = runner.reuse.accounts
        found.paid = Spent.of_usage(accounts.usage)
        found.paid_to_judge = Spent.of_usage(accounts.spent.get(MODEL_REQUEST, Usage()))
        found.projection = self._projection(found, plan, compared, documents)
        return found

    def _of_documents(self) -> list[Stage]:
        """The stages with values of single documents, which need nothing of the corpus as a whole."""
        return [stage for stage in self._pipeline.of_phase(Phase.DOCUMENTS) if stage.kind == "value"]

    def _stages(self, asked: Sequence[str]) -> list[Stage]:
        there = self._of_documents()
        selected_stages(self._pipeline, asked)
        names = [stage.name for stage in there]
        if wrong := [name for name in asked if name not in names]:
            raise ConfigurationError(
                f"{wrong[0]} cannot be compared: only results of single documents can. These are {', '.join(names)}."
            )
        return [stage for stage in there if not asked or stage.name in asked]

    def _needed(self, stages: Sequence[Stage]) -> set[str]:
        """These stages and those whose results they need."""
        names = {stage.name for stage in stages}
        for stage in reversed(self._of_documents()):
            if stage.name in names:
                names.update(stage.upstream)
        return names

    def _changes(self) -> dict[str, list[Change]]:
        """Stage -> how its keys under the changed settings differ from those of published results, whatever their inputs are.

        So prompts and versions that have changed since count as well. What no result was published of is compared with the
        settings of the home.
        """
        old, new, settings = self._session.pipeline, self._pipeline, self._changed.settings
        found: dict[str, list[Change]] = {}
        for name, stage in new.stages.items():
            if stage.kind != "value":
                continue
            now = new.templates[name].action({}).parts
            before = self._published_parts(stage) or [
                old.templates[name].action({}).parts if name in old.stages else {}
            ]
            for parts in before:
                source = parts.get(SOURCE)
                files = {SOURCE: {**source, "content": ""}} if isinstance(source, Mapping) else {}
                given = {part: value for part, value in parts.items() if part not in stage.inputs}
                reading = {SOURCE: new.source_part("", str(files[SOURCE]["format"]))} if files else {}
                changes = key_changes(new, stage, {**given, **files}, {**now, **reading}, settings=settings)
                known = found.get(name, [])
                if more := [change for change in changes if change not in known]:
                    found[name] = [*known, *more]
        return found

    def _published_parts(self, stage: Stage) -> list[Mapping[str, Part]]:
        """The parts of the keys of some published results of a stage; results may have been published under other settings."""
        refs = sorted(self._store.refs.get(stage.name).values(), key=lambda ref: ref.partition)
        some = refs[:: max(1, len(refs) // _LOOKED_AT)]
        return list(self._store.actions.parts(ref.action_key for ref in some).values())

    def _sample(self, plan: Plan, published: Mapping[str, Ref], found: Comparison) -> list[str]:
        """The documents that are tried: of those that have a result to compare with."""
        files = plan.scan.documents
        there = {
            document: files[document].content_digest
            for document in selected_documents(plan, self._options.documents)
            if document in published and document in files
        }
        if not there:
            raise ConfigurationError(
                "No document has a published result to compare with. Run `seedbank seed` first, or choose other documents."
            )
        found.candidates = len(there)
        return sample_of(there, self._clusters(), self._options.sample)

    def _clusters(self) -> dict[str, str]:
        """Document -> its cluster, of the first cluster type that has clusters."""
        pipeline, corpus = self._session.pipeline, PublishedCorpus(self._store)
        for cluster_type in pipeline.cluster_types if pipeline.finder else ():
            value = (
                corpus.value(pipeline.finder.name, cluster_type, pipeline.finder.returns) if pipeline.finder else None
            )
            if isinstance(value, Clustering) and value.clusters:
                return {document: one.cluster_id for document, one in value.placements.items() if one.cluster_id}
        return {}

    def _runner(self) -> Runner:
        return self._changed.runner(RunOptions(max_usd=self._options.max_usd), self._observer)

    def _check(self, runner: Runner, plan: Plan, stages: Sequence[Stage], documents: Sequence[str]) -> None:
        """Say what is tried, and see that every endpoint that is needed can be asked. Raises ConfigurationError."""
        names = [stage.name for stage in stages]
        estimates = estimate(self._pipeline, self._store, self._plan_of(plan), names, documents)
        self._announce(documents, total(one.cost for one in estimates.values()))
        for name, one in estimates.items():
            for endpoint in runner.endpoints(self._pipeline.stages[name]) if one.compute else ():
                endpoint.check_ready(priced=runner.budget.limited)

    def _plan_of(self, plan: Plan) -> Plan:
        """What a seed with the changed settings would do now."""
        tables = self._session.tables
        states = {stage.table: tables.state(stage.table) for stage in self._pipeline.stages.values() if stage.table}
        return make_plan(self._pipeline, self._store, plan.scan, states)

    def _stage(
        self, stage: Stage, document: str, before: Mapping[str, Mapping[str, Ref]], trial: Trial
    ) -> StageComparison:
        ref, result = before[stage.name].get(document), trial.results.get(stage.name, {}).get(document)
        old = self._side(stage, ref.content_digest, ref.action_key) if ref else None
        new = self._side(stage, result.content_digest, result.action_key) if result else None
        difference = value_change(old.value, new.value) if old and new and _differs(ref, result) else ""
        failure, untried = ("", False) if result else self._failure(stage, document, trial)
        return StageComparison(stage.name, old, new, difference, failure, untried)

    def _side(self, stage: Stage, digest: str, action_key: str) -> Side | None:
        try:
            value = self._store.load(digest, stage.returns)
        except (MissingObjectError, CorruptObjectError, UnknownFormatError):
            return None
        record = self._store.actions.lookup([action_key]).get(action_key)
        cost, model = (Spent.of(record.provenance), record.provenance.model) if record else (Spent(), "")
        return Side(value, shown(stage, value), cost, model)

    def _failure(self, stage: Stage, document: str, trial: Trial) -> tuple[str, bool]:
        """Why there is no result, since the document failed here or before; and whether it was only not begun."""
        for name in (one.name for one in self._of_documents() if one.name in self._needed([stage])):
            error = trial.failures.get(name, {}).get(document)
            if error is not None:
                return (str(error) if name == stage.name else f"{name} failed: {error}"), False
        return f"not tried: {trial.stopped}", True

    def _ask_judge(self, runner: Runner, found: Comparison, trial: Trial) -> None:
        judge = self._judge()
        if judge is None or not self._options.preferences or found.stopped == INTERRUPTED:
            return
        found.judge = judge.name
        found.documents = with_preferences(runner, judge, found.documents, self._sources(found, trial))
        if runner.over_budget or runner.stopping.is_set():
            found.stopped = found.stopped or runner.stop_reason() or runner.budget.refused

    def _judge(self) -> ModelPreference | None:
        """The model that judges as the home is set, or under the changed settings; None if neither has one."""
        for pipeline in (self._session.pipeline, self._pipeline):
            judge = pipeline.resources.get(JUDGE)
            if isinstance(judge, ModelJudge):
                return ModelPreference(judge.model, judge.embedder, judge.work)
        return None

    def _sources(self, found: Comparison, trial: Trial) -> dict[str, SourceText]:
        """The texts of the documents, as they were read in the trial."""
        sources: dict[str, SourceText] = {}
        for name, results in trial.results.items():
            if self._pipeline.stages[name].returns is ExtractedText:
                for document, result in results.items():
                    text: Any = self._store.load(result.content_digest, ExtractedText)
                    sources[document] = SourceText("", text.title, text.text)
        return sources

    def _projection(
        self, found: Comparison, plan: Plan, compared: Sequence[Stage], documents: Sequence[str]
    ) -> Projection:
        """What the change would cost for all documents that are left."""
        future = self._plan_of(plan)
        names = [stage.name for stage in compared]
        estimates = estimate(self._pipeline, self._store, future, list(future.stages), future.documents)
        left = [
            d for d in future.documents if d not in documents and any(d in future.stages[n].computing for n in names)
        ]
        expected: list[Spent] = []
        for name in names:
            tried = {d.document: one.now for d in found.documents for one in d.stages if one.stage == name and one.now}
            bytes_tried = sum(future.scan.documents[document].size_bytes for document in tried)
            bytes_left = sum(
                file.size_bytes
                for document, file in future.scan.documents.items()
                if document in future.stages[name].computing and document not in documents
            )
            if bytes_tried:
                cost = summed(one.cost for one in tried.values()).times(bytes_left / bytes_tried)
                # The first documents also wait for processes and connections, which a mean would repeat for all others.
                rates = [one.cost.seconds / max(1, future.scan.documents[d].size_bytes) for d, one in tried.items()]
                expected.append(replace(cost, seconds=median(rates) * bytes_left))
        of_documents = [estimates[name].cost for name in names]
        others = [
            one.cost for name, one in estimates.items() if self._pipeline.stages[name].units is not Units.DOCUMENTS
        ]
        at_most, elsewhere = Spent.of_usage(total(of_documents)), Spent.of_usage(total(others))
        return Projection(len(left), summed(expected), at_most, elsewhere)


def _differs(ref: Ref | None, result: Result | None) -> bool:
    return ref is not None and result is not None and ref.content_digest != result.content_digest
