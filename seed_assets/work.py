"""Which documents a run visits in which stages, given a plan: what can be done now, and what stands in its way.

What belongs here: arithmetic on a plan, the same for `seedbank seed` and for the automation. What does not: Dagster, and
the order in which partitions stand (ranges).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase

from resources.errors import ConfigurationError
from seed_assets.pipeline import Pipeline
from seed_assets.planner import Plan

Blocked = Mapping[str, frozenset[str]]
"""Document -> the stages that nothing can be done about: those that failed, and what needs them."""


def selected_stages(pipeline: Pipeline, asked: Collection[str]) -> list[str]:
    """The stages that were asked for, all if none was, and all that they need, in order; upkeep is no part of it.

    Raises ConfigurationError for a stage that does not exist.
    """
    unknown = [name for name in asked if name not in pipeline.stages]
    if unknown:
        raise ConfigurationError(
            f"There is no stage {', '.join(unknown)}. The stages are {', '.join(pipeline.stages)}."
        )
    wanted = set(asked or pipeline.stages)
    for stage in reversed(list(pipeline.stages.values())):
        if stage.name in wanted:
            wanted.update(name for name in (*stage.inputs, *stage.over) if name in pipeline.stages)
    return [stage.name for stage in pipeline.stages.values() if stage.name in wanted and stage.kind != "upkeep"]


def selected_documents(plan: Plan, pattern: str) -> list[str]:
    """The documents whose id matches a glob, all if it is empty. Raises ConfigurationError where none does."""
    found = [document for document in plan.documents if not pattern or fnmatchcase(document, pattern)]
    if pattern and not found:
        raise ConfigurationError(f"No document matches {pattern!r}.")
    return found


@dataclass(frozen=True, slots=True)
class Visit:
    """Documents that can go through one run together.

    stages: document -> those it is visited in. avoid: documents that a run of these stages must not meet.
    """

    stages: Mapping[str, Sequence[str]]
    avoid: frozenset[str]

    def needed(self, documents: Collection[str], order: Sequence[str]) -> list[str]:
        """The stages, in order, in which any of these documents is visited."""
        names = {name for document in documents for name in self.stages.get(document, ())}
        return [name for name in order if name in names]


def blocked(pipeline: Pipeline, failed: Mapping[str, AbstractSet[str]]) -> dict[str, frozenset[str]]:
    """failed: document -> the stages that failed for it."""
    groups = {frozenset(names) for names in failed.values()}
    after = {names: frozenset(pipeline.downstream(names, of_unit=True)) for names in groups}
    return {document: after[frozenset(names)] for document, names in failed.items()}


def remembered(pipeline: Pipeline, plan: Plan, stages: Collection[str]) -> dict[str, set[str]]:
    """Document -> the stages that failed for it in a way that asking again cannot help."""
    failed: dict[str, set[str]] = {}
    first = pipeline.document_stages[0].name
    for document in plan.scan.problems:
        failed.setdefault(document, set()).add(first)
    for name in stages:
        stage = plan.stages[name]
        for document in stage.failures:
            if document not in stage.todo:
                failed.setdefault(document, set()).add(name)
        # What has no place in the corpus, since it failed before it was looked at as a whole.
        for document, state in stage.states.items() if stage.stage.over else ():
            if state == "blocked" and document not in stage.todo:
                failed.setdefault(document, set()).add(name)
    return failed


def visits(todo: Mapping[str, Sequence[str]], blocked: Blocked) -> Iterator[Visit]:
    """The documents of `todo`, those together that are blocked in the same way."""
    groups: dict[frozenset[str], dict[str, Sequence[str]]] = {}
    for document, names in todo.items():
        groups.setdefault(blocked.get(document, frozenset()), {})[document] = names
    for group in groups.values():
        needed = {name for names in group.values() for name in names}
        yield Visit(group, frozenset(document for document, stages in blocked.items() if stages & needed))


def with_untold(
    todo: Mapping[str, Sequence[str]],
    untold: Mapping[str, Sequence[str]],
    blocked: Blocked,
    order: Sequence[str],
) -> tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]:
    """What is to be visited, with what is done and only not shown; and what failed and is not shown.

    The latter are in runs of their own: whatever is in a run with them is shown as failed too.
    """
    failed = {d: names for d, names in untold.items() if set(names) & blocked.get(d, frozenset())}
    merged = dict(todo)
    for document in untold.keys() - failed.keys():
        merged[document] = sorted({*merged.get(document, ()), *untold[document]}, key=order.index)
    return merged, failed
