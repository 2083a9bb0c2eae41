"""What a run would compute, and why: without running anything, importing Dagster or opening a value.

What belongs here: the state of every document in every stage, from the corpus as it is now, the keys that follow and
what the store has. What does not: doing anything about it (seeding).
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
    before them may turn out equal). finished: document -> the action in the store that need not be computed.
    fault: what was wrong with the table when documents that are called failed were last to be written to it.
    """

    stage: Stage
    states: dict[str, State] = field(default_factory=dict)
    todo: dict[str, str] = field(default_factory=dict)
    failures: dict[str, DocumentError] = field(default_factory=dict)
    computing: set[str] = field(default_factory=set)
    finished: dict[str, str] = field(default_factory=dict)
    fault: DocumentError | None = None

    def reasons(self, documents: Iterable[str] | None = None) -> dict[str, int]:
        """How many documents, of all or of these, are to be visited, by reason."""
        wanted = self.todo if documents is None else self.todo.keys() & documents
        return dict(Counter(self.todo[document] for document in wanted).most_common())


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
        """(document, stage, what is wrong) of everything that failed; "" for what is wrong with a table as a whole."""
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
            document: {name: plan.states[document] for name, plan in self.stages.items()} for document in self.documents
        }

    def digest(self) -> str:
        """Of what Dagster shows when it shows the truth: what is materialized and what has failed.

        A document that is new or was changed makes no difference until it is visited.
        """
        hasher = hashlib.sha256()
        for name, plan in self.stages.items():
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
    published: dict[str, Mapping[str, Published]] = {}
    for stage in pipeline.document_stages:
        plan = StagePlan(stage)
        known = published[stage.name] = store.refs.published(stage.name, results=stage.kind == "document")
        keys = _form_keys(plan, pipeline, known, documents, outputs)
        done = anew.get(stage.name) if anew else None
        if stage.name in pipeline.keeping and done is None:
            _keep(keys, pipeline, store, stage, known, {name: outputs[name].parts for name in stage.inputs})
        finished = _finished(store, keys, known, done) if stage.kind == "document" else {}
        state = table_states.get(stage.table)
        missing = _compare(plan, store, keys, finished, known, state, outputs[stage.name], retry_failed)
        inputs = {name: outputs[name].parts for name in stage.inputs}
        actions = {d: pipeline.action(stage, {name: inputs[name][d] for name in stage.inputs}) for d in missing}
        for document, reason in miss_reasons(store, stage.name, actions).items():
            plan.todo[document] = reason
            plan.computing.add(document)
        stages[stage.name] = plan
    corpus_todo = corpus_changes(pipeline, store, table_states, published)
    for stage in pipeline.corpus_stages:
        if any(stages[name].todo for name in stage.inputs):
            corpus_todo[stage.name] = UPSTREAM
    gone = scan.gone(store.refs.partitions())
    renamed = _renamed(pipeline, published, gone, documents, outputs) if gone else set()
    return Plan(documents, stages, scan, gone, renamed, corpus_todo)


def corpus_changes(
    pipeline: Pipeline,
    store: Store,
    table_states: Mapping[str, str | None],
    published: Mapping[str, Mapping[str, Published]] | None = None,
) -> dict[str, str]:
    """Corpus-level stage -> why it is to be run, as far as what is published now (read already, perhaps) tells."""
    return {
        stage.name: "the documents have changed"
        for stage in pipeline.corpus_stages
        if not is_current(
            store.refs.get(stage.name).get(""),
            corpus_action(pipeline, store, stage, published).key,
            table_states.get(stage.table),
        )
    }


def corpus_action(
    pipeline: Pipeline, store: Store, stage: Stage, published: Mapping[str, Mapping[str, Published]] | None = None
) -> Action:
    """The action of a corpus-level stage on what is published now: its inputs are snapshots of (document, digest)."""
    parts: dict[str, Part] = {}
    for name in stage.inputs:
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

    parts: dict[str, Part] = field(default_factory=dict)
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
            plan.states[document] = "failed" if stage.inputs == (SOURCE,) else "blocked"
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
