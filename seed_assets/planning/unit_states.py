"""The states of a stage's units in a plan: their keys, which are finished, and which are to be computed.

What does not belong here: which units a stage has, and what a plan waits for (planner).
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

from io_managers.store.fingerprint import Part
from io_managers.store.refs import Published
from io_managers.store.store import Store
from resources.errors import DocumentError
from seed_assets.engine.comparison import kept_although
from seed_assets.engine.currency import kept_actions, published_currency, row_currency, value_currency
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import SOURCE, Stage
from seed_assets.planning.plan import UNPUBLISHED, UPSTREAM, StagePlan


@dataclass(slots=True)
class Output:
    """What later stages need to know about a stage.

    parts: document -> its part of their keys. failed: the documents without a part, since they failed here or before. given_up:
    those of `failed` that no run will try again. waiting: the documents without a part, since they wait for a batch.
    """

    parts: dict[str, Part] = field(default_factory=dict[str, Part])
    failed: set[str] = field(default_factory=set)
    given_up: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)


def form_keys(
    plan: StagePlan,
    pipeline: Pipeline,
    published: Mapping[str, Published],
    documents: list[str],
    outputs: Mapping[str, Output],
    output: Output,
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


def take_over(plan: StagePlan, output: Output, published: Mapping[str, Published], unchanged: AbstractSet[str]) -> None:
    """Note the state and the outputs of documents that are known to be current."""
    plan.states.update(dict.fromkeys(unchanged, "current"))
    if plan.stage.kind == "value":
        output.parts.update((document, published[document].content_digest) for document in unchanged)
        plan.finished = {document: published[document].action_key for document in unchanged}


def keep_old(
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


def finished_results(
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


def compare(
    plan: StagePlan,
    store: Store,
    keys: Mapping[str, str],
    finished: Mapping[str, str],
    published: Mapping[str, Published],
    table_state: str | None,
    output: Output,
    retry_failed: bool,
    asked_with: AbstractSet[str] | None,
    waiting: AbstractSet[str],
) -> list[str]:
    """Note the state of the documents whose inputs are known, and their outputs if these are known.

    Returns the documents that have to be computed.
    """
    sink = plan.stage.kind == "sink"
    plan.finished = {**plan.finished, **{document: key for document, key in keys.items() if document in finished}}
    open_: list[str] = []
    for document, key in keys.items():
        ref = published.get(document)
        if document in finished:
            output.parts[document] = finished[document]
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
