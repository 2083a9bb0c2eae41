"""What a run would compute, and why: without running anything, importing Dagster or opening a value.

What belongs here: the state of every document in every stage, from the corpus as it is now, the keys that follow and
what the store has. What does not: doing anything about it (seeding).
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Literal

from io_managers.store.fingerprint import Action, Part, content_digest, encode_part
from io_managers.store.store import Store
from resources.corpus import Scan
from resources.errors import DocumentError
from seed_assets.pipeline import Pipeline, source_part
from seed_assets.runner import miss_reasons
from seed_assets.sink import is_current
from seed_assets.stage import SOURCE, Stage

# current: published, and what a run would publish. stale: published, and a run would publish another. missing: never
# published. failed: the last attempt at exactly this failed. blocked: a stage before it failed.
State = Literal["current", "stale", "failed", "blocked", "missing"]
UPSTREAM = "a stage before it is computed first"
UNPUBLISHED = "finished, not yet published"


@dataclass(slots=True)
class StagePlan:
    """One stage over all documents.

    states: by document. todo: document -> why a run has to visit it (those that failed for good are not in it).
    failures: by document. computing: those of `todo` that are not in the store (upper bound: what comes of stages
    before them may turn out equal).
    """

    stage: Stage
    states: dict[str, State] = field(default_factory=dict)
    todo: dict[str, str] = field(default_factory=dict)
    failures: dict[str, DocumentError] = field(default_factory=dict)
    computing: set[str] = field(default_factory=set)

    @property
    def reused(self) -> int:
        """How many documents a run computes nothing for."""
        return len(self.states) - len(self.computing) - sum(s in ("failed", "blocked") for s in self.states.values())

    def reasons(self) -> dict[str, int]:
        """How many documents are to be visited, by reason."""
        return dict(Counter(self.todo.values()).most_common())


@dataclass(slots=True)
class Plan:
    """All stages over all documents.

    documents: in the order of the corpus. gone: documents that are known and not in the corpus any more; renamed: those
    of them whose content is there under a new name. corpus_todo: corpus-level stage -> why it is to be run.
    """

    documents: list[str]
    stages: dict[str, StagePlan]
    scan: Scan
    gone: set[str]
    renamed: set[str]
    corpus_todo: dict[str, str]

    def todo(self, documents: Iterable[str] | None = None) -> dict[str, list[str]]:
        """Document -> the stages that a run has to visit for it; in the order of the corpus."""
        wanted = self.documents if documents is None else documents
        return {
            document: names
            for document in wanted
            if (names := [name for name, plan in self.stages.items() if document in plan.todo])
        }

    def failures(self) -> list[tuple[str, str, DocumentError]]:
        """(document, stage, what is wrong) of everything that failed."""
        first = next(iter(self.stages), "")
        problems = {**self.scan.problems, **self.scan.unreadable}
        found = [(document, first, problem) for document, problem in problems.items()]
        for name, plan in self.stages.items():
            found += [(document, name, error) for document, error in plan.failures.items()]
        return found

    def states(self) -> dict[str, dict[str, State]]:
        """Document -> stage -> state."""
        return {
            document: {name: plan.states[document] for name, plan in self.stages.items()} for document in self.documents
        }


def make_plan(
    pipeline: Pipeline,
    store: Store,
    scan: Scan,
    table_states: Mapping[str, str | None],
    *,
    retry_failed: bool = False,
    anew: Mapping[str, AbstractSet[str]] | None = None,
) -> Plan:
    """Compare what is published with what the corpus and the pipeline call for.

    table_states: table -> its identity and version, None where it is missing. anew: stage to be computed once more ->
    the documents for which that was done.
    """
    documents = sorted([*scan.documents, *scan.problems])
    outputs: dict[str, _Output] = {
        SOURCE: _Output(
            {name: source_part(file.content_digest, file.format) for name, file in scan.documents.items()},
            failed=set(scan.problems),
        )
    }
    stages: dict[str, StagePlan] = {}
    for stage in pipeline.document_stages:
        plan = StagePlan(stage)
        actions = _form_keys(plan, pipeline, store, documents, outputs)
        finished: Mapping[str, str] = {}
        if stage.kind == "document":
            done = anew.get(stage.name) if anew else None
            finished = store.actions.existing(a.key for d, a in actions.items() if done is None or d in done)
        _compare(plan, store, actions, finished, table_states.get(stage.table), outputs[stage.name], retry_failed)
        stages[stage.name] = plan
    corpus_todo: dict[str, str] = {}
    for stage in pipeline.corpus_stages:
        action = corpus_action(pipeline, store, stage)
        if any(stages[name].todo for name in stage.inputs):
            corpus_todo[stage.name] = UPSTREAM
        elif not is_current(store.refs.get(stage.name).get(""), action, table_states.get(stage.table)):
            corpus_todo[stage.name] = "the documents have changed"
    gone = scan.gone(store.refs.partitions())
    return Plan(documents, stages, scan, gone, _renamed(pipeline, store, gone, documents, outputs), corpus_todo)


def corpus_action(pipeline: Pipeline, store: Store, stage: Stage) -> Action:
    """The action of a corpus-level stage on what is published now: its inputs are snapshots of (document, digest)."""
    parts: dict[str, Part] = {}
    for name in stage.inputs:
        snapshot = sorted((ref.partition, ref.content_digest) for ref in store.refs.get(name).values())
        parts[name] = content_digest(encode_part(snapshot))
    return pipeline.action(stage, parts)


def _renamed(
    pipeline: Pipeline, store: Store, gone: set[str], documents: list[str], outputs: Mapping[str, "_Output"]
) -> set[str]:
    first = pipeline.document_stages[0]
    refs = store.refs.get(first.name)
    sources = outputs[SOURCE].parts
    new = {
        pipeline.action(first, {SOURCE: sources[document]}).key
        for document in documents
        if gone and document in sources and document not in refs
    }
    return {document for document in gone if document in refs and refs[document].action_key in new}


@dataclass(slots=True)
class _Output:
    """What the stages after one need to know of it: the parts of their keys, and the documents that have none."""

    parts: dict[str, Part] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)
    hopeless: set[str] = field(default_factory=set)  # those of `failed` that no run will try again


def _form_keys(
    plan: StagePlan, pipeline: Pipeline, store: Store, documents: list[str], outputs: dict[str, _Output]
) -> dict[str, Action]:
    """The actions of the documents whose inputs are known; notes the state of the others."""
    stage = plan.stage
    inputs = [(name, outputs[name].parts) for name in stage.inputs]
    output = outputs[stage.name] = _Output()
    for name in stage.inputs:
        output.failed |= outputs[name].failed
        output.hopeless |= outputs[name].hopeless | (outputs[name].failed if name == SOURCE else set())
    published: Iterable[str] | None = None
    actions: dict[str, Action] = {}
    for document in documents:
        if document in output.failed:
            plan.states[document] = "failed" if stage.inputs == (SOURCE,) else "blocked"
        elif all(document in known for _, known in inputs):
            actions[document] = pipeline.action(stage, {name: known[document] for name, known in inputs})
            continue
        else:
            published = store.refs.get(stage.name).keys() if published is None else published
            plan.states[document] = "stale" if document in published else "missing"
        if document not in output.hopeless:
            plan.todo[document] = UPSTREAM
            plan.computing.add(document)
    return actions


def _compare(
    plan: StagePlan,
    store: Store,
    actions: Mapping[str, Action],
    finished: Mapping[str, str],
    table_state: str | None,
    output: _Output,
    retry_failed: bool,
) -> None:
    """Note the state of the documents whose inputs are known, and their outputs where those are known."""
    stage = plan.stage
    refs = store.refs.get(stage.name)
    failed = store.failures.lookup(action.key for action in actions.values() if action.key not in finished)
    missing: dict[str, Action] = {}
    for document, action in actions.items():
        ref, digest, failure = refs.get(document), finished.get(action.key), failed.get(action.key)
        if digest is not None:
            output.parts[document] = digest
        if stage.kind == "sink":
            published = is_current(ref, action, table_state)
        else:
            published = digest is not None and ref is not None and ref.action_key == action.key
        if published:
            plan.states[document] = "current"
            continue
        plan.states[document] = "missing" if ref is None else "stale"
        if digest is not None:
            plan.todo[document] = UNPUBLISHED
            continue
        if failure is not None:
            plan.states[document] = "failed"
            plan.failures[document] = DocumentError(failure.reason, failure.remedy, transient=failure.transient)
            output.failed.add(document)
            if not failure.transient and not retry_failed:
                output.hopeless.add(document)
                continue
        missing[document] = action
    for document, reason in miss_reasons(store, stage.name, missing).items():
        plan.todo[document] = reason
        plan.computing.add(document)
