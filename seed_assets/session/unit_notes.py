"""Sentences about results of one unit that are not what a seed would publish.

What belongs here: what the plan says of the stages of one unit, or of stages as a whole. What does not: one result with its value
(document_result).
"""

from collections.abc import Iterator, Sequence

from io_managers.plain_text import plain
from resources.errors import ConfigurationError
from resources.wording import counted
from seed_assets.graph.stage import Stage
from seed_assets.planning.plan import Plan
from seed_assets.session.session import Session


def plan_or_reason(session: Session) -> tuple[Plan | None, str]:
    """The plan of a seed and "", or None and why there is none: the corpus cannot be read."""
    try:
        return session.plan(), ""
    except ConfigurationError as error:
        return None, f"Whether this is current is not known. {error}"


def document_notes(session: Session, document: str) -> list[str]:
    """What is not current of the results of a document; [] if all are."""
    plan, reason = plan_or_reason(session)
    if plan is None:
        return [reason]
    if document in plan.gone or (document not in plan.scan.documents and document not in plan.scan.problems):
        return ["The document is not in the corpus any more; the next `seedbank seed` removes it."]
    return list(_notes(plan, [s for s in session.pipeline.document_stages if s.kind == "value"], document))


def unit_notes(session: Session, stages: Sequence[Stage], unit: str) -> list[str]:
    """What is not current of the results of another unit, such as a cluster; [] if all are."""
    plan, reason = plan_or_reason(session)
    return [reason] if plan is None else list(_notes(plan, stages, unit))


def stage_notes(session: Session, stages: Sequence[Stage]) -> list[str]:
    """For each of these stages, of how many units the results are not current; [] if all are."""
    plan, reason = plan_or_reason(session)
    if plan is None:
        return [reason]
    behind = {stage.name: sum(s != "current" for s in plan.stages[stage.name].states.values()) for stage in stages}
    return [
        f"{counted(count, 'result')} of {name} {'is' if count == 1 else 'are'} not current; run `seedbank seed`."
        for name, count in behind.items()
        if count
    ]


def _notes(plan: Plan, stages: Sequence[Stage], unit: str) -> Iterator[str]:
    failed = {name: error for one, name, error in plan.failures() if one == unit}
    for stage in stages:
        found = plan.stages[stage.name]
        why = plain(found.todo.get(unit, ""))
        match found.states.get(unit):
            case "stale":
                yield f"{stage.name} is stale ({why}): the next `seedbank seed` makes it again."
            case "missing":
                yield f"{stage.name} is not computed yet{f' ({why})' if why else ''}. Run `seedbank seed`."
            case "waiting":
                yield f"{stage.name} waits for a batch of the provider; `seedbank batch list` shows since when."
            case "failed" if stage.name in failed:
                error = failed[stage.name]
                yield f"{stage.name} failed: {plain(error.reason)}{f' {plain(error.remedy)}' if error.remedy else ''}"
            case "failed" | "blocked":
                yield f"{stage.name} is missing, since a stage before it failed."
            case _:
                continue
