"""The published results of a stage that its judge has accepted, as examples for its model.

What belongs here: which results are accepted, and of which documents. What does not: which of them are chosen (core.examples).
"""

from collections import Counter
from dataclasses import dataclass, field

from resources.errors import ConfigurationError
from resources.wording import did_you_mean
from seed_assets.core.examples.freezing import Candidate
from seed_assets.core.examples.selection import Example
from seed_assets.core.judging.verdicts import Judgement
from seed_assets.core.prompting.model_stage import ModelStage
from seed_assets.graph.stage import Stage
from seed_assets.reports.published_results import TEXT, PublishedResults
from seed_assets.session.session import Session
from seed_assets.stages.examples.example_stages import GivesExamples, answers_digest, shows_examples


@dataclass(slots=True)
class AcceptedResults:
    """The accepted results of one stage. schema: the digest of the schema of its answers. passed_over: why -> how many."""

    schema: str
    candidates: list[Candidate] = field(default_factory=list[Candidate])
    passed_over: Counter[str] = field(default_factory=Counter[str])


def accepted_results(session: Session, stage_name: str, characters: int) -> AcceptedResults:
    """Find the accepted results of a stage.

    A result is accepted if its judge read it and the present text, and found all of it supported as it was first written. Only
    documents of at most `characters` are considered, since a result of a text that was cut would teach a model to invent.

    Raises ConfigurationError if the stage cannot show examples, has no judge, or has no accepted result; StoreError.
    """
    stage = _stage(session, stage_name)
    asking = session.pipeline.resource(stage, shows_examples(stage, session.pipeline.resources))
    assert isinstance(asking, ModelStage)
    assert isinstance(asking, GivesExamples)
    judging = _judging(session, stage)
    results = PublishedResults(session)
    refs = {name: results.refs(name) for name in (TEXT, stage.name, judging.name)}
    parts = session.store.actions.parts(ref.action_key for ref in refs[judging.name].values())
    found = AcceptedResults(answers_digest(asking))
    for document, ref in sorted(refs[judging.name].items()):
        judged, read = parts.get(ref.action_key, {}), {name: refs[name].get(document) for name in (TEXT, stage.name)}
        if not all(one is not None and judged.get(name) == one.content_digest for name, one in read.items()):
            found.passed_over["not judged as they are now"] += 1
            continue
        judgement = results.opened(judging.name, document)
        if judgement is None or not _is_accepted(judgement):
            found.passed_over["not accepted as they were first written, or copied"] += 1
            continue
        text = results.text(document)
        if text is None or not text.text.strip() or len(text.text) > characters:
            found.passed_over[f"of documents that are empty or have more than {characters:,} characters"] += 1
            continue
        value = results.opened(stage.name, document)
        answer = None if value is None else asking.example_answer(value, text.text)
        if answer is None:
            found.passed_over["not made by a model, or copied from the text"] += 1
            continue
        example = Example(document, text.title, text.text, answer)
        found.candidates.append(Candidate(example, judgement.verdict.score or 0.0))
    if not found.candidates:
        because = ", ".join(f"{count:,} {why}" for why, count in found.passed_over.items()) or "none is judged yet"
        raise ConfigurationError(
            f"There is no accepted result of {stage.name} that can be an example: {because}. Nothing was written. Run `seedbank "
            "seed` with a model and a judge first, or allow longer documents with --characters."
        )
    return found


def _is_accepted(judgement: Judgement) -> bool:
    verdict = judgement.verdict
    supported = all(claim.is_supported for claim in verdict.claims)
    return verdict.decision == "accept" and supported and judgement.first is None and not judgement.needs_review


def _stage(session: Session, name: str) -> Stage:
    stages = session.pipeline.stages
    able = [one.name for one in stages.values() if shows_examples(one, session.pipeline.resources)]
    if name not in able:
        there = (
            f"These stages can: {', '.join(able)}."
            if able
            else "No stage can without a model: set llm.provider and llm.model."
        )
        raise ConfigurationError(f"{name!r} cannot show examples.{did_you_mean(name, able)} {there}")
    return stages[name]


def _judging(session: Session, stage: Stage) -> Stage:
    found = next(
        (one for one in session.pipeline.stages.values() if stage.name in one.inputs and one.returns is Judgement), None
    )
    if found is None:
        raise ConfigurationError(
            f"The results of {stage.name} are not judged, so none of them is accepted. Set `judge = true` in "
            f"[extract.{stage.name}] and run `seedbank seed`."
        )
    return found
