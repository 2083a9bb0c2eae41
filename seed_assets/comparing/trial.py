"""Stages of documents run with a changed pipeline, on a few documents, without publishing anything.

What belongs here: one stage after the other, each on the results that the ones before it have just given. What does not: how a
stage is run (engine), and which documents and stages these are (comparing). Every result is an action in the store, so a seed
with the same settings finds it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from io_managers.store.refs import Ref
from io_managers.store.values import Result, StoredValues
from resources.errors import DocumentError
from seed_assets.engine.runner import INTERRUPTED, Runner
from seed_assets.engine.stage_work import run_stage
from seed_assets.graph.stage import Stage


@dataclass(slots=True)
class Trial:
    """What a trial gave. results, failures: by stage and document. stopped: why not all documents were begun, "" if all were."""

    results: dict[str, dict[str, Result]] = field(default_factory=dict[str, dict[str, Result]])
    failures: dict[str, dict[str, DocumentError]] = field(default_factory=dict[str, dict[str, DocumentError]])
    stopped: str = ""


def run_trial(runner: Runner, stages: Sequence[Stage], documents: Sequence[str]) -> Trial:
    """Run these stages, each after those that it needs, on these documents. A document that fails is left out after that.

    Raises StoreError and ConfigurationError if a stage cannot be run at all; what was finished before stays in the store.
    """
    trial = Trial()
    for stage in stages:
        inputs = {name: _values(runner, runner.pipeline.stages[name], trial.results[name]) for name in stage.upstream}
        ready = [document for document in documents if all(document in trial.results[name] for name in stage.upstream)]
        outcome = run_stage(runner, stage, ready, inputs)
        trial.results[stage.name] = dict(outcome.results)
        trial.failures[stage.name] = dict(outcome.failures)
        trial.stopped = outcome.stopped or trial.stopped
        if trial.stopped == INTERRUPTED:
            break
    return trial


def _values(runner: Runner, stage: Stage, results: dict[str, Result]) -> StoredValues:
    """The results of a stage as inputs of the next, although they are not published."""
    refs = {
        document: Ref(stage.name, document, result.action_key, result.content_digest)
        for document, result in results.items()
    }
    return StoredValues(stage.name, refs, lambda ref: runner.store.load(ref.content_digest, stage.returns))
