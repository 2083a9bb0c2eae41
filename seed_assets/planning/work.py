"""Which documents a run visits in which stages, given a plan: what can be done now, and what blocks it.

This module computes with a plan, in the same way for `seedbank seed` and for the automation. It knows neither Dagster nor the
order of partitions (partition_ranges).
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase

from resources.errors import ConfigurationError
from seed_assets.graph.pipeline import Pipeline
from seed_assets.planning.plan import Plan

Blocked = Mapping[str, frozenset[str]]
"""Document -> the stages in which nothing can be done for it: those that failed, and those that need their results."""


def selected_stages(pipeline: Pipeline, asked: Collection[str]) -> list[str]:
    """The stages that were asked for, all if none was, and all that they need, in order; maintenance is no part of it.

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
            wanted.update((*stage.upstream, *stage.over))
    return [stage.name for stage in pipeline.stages.values() if stage.name in wanted and stage.kind != "maintenance"]


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
    """Document -> the stages in which it has a permanent failure, or waits for a batch."""
    failed: dict[str, set[str]] = {}
    first = pipeline.document_stages[0].name
    for document in plan.scan.problems:
        failed.setdefault(document, set()).add(first)
    for name in stages:
        stage = plan.stages[name]
        for document in stage.failures:
            if document not in stage.todo:
                failed.setdefault(document, set()).add(name)
        for document, state in stage.states.items() if "waiting" in stage.states.values() else ():
            if state == "waiting":
                failed.setdefault(document, set()).add(name)
        # A document that failed before the corpus was looked at as a whole has no place in it.
        for document, state in stage.states.items() if stage.stage.over else ():
            if state == "blocked" and document not in stage.todo:
                failed.setdefault(document, set()).add(name)
    return failed


def visits(todo: Mapping[str, Sequence[str]], blocked: Blocked) -> Iterator[Visit]:
    """The documents of `todo`, in groups that are blocked in the same way."""
    groups: dict[frozenset[str], dict[str, Sequence[str]]] = {}
    for document, names in todo.items():
        groups.setdefault(blocked.get(document, frozenset()), {})[document] = names
    for group in groups.values():
        needed = {name for names in group.values() for name in names}
        yield Visit(group, frozenset(document for document, stages in blocked.items() if stages & needed))


def of_stages(todo: Mapping[str, Sequence[str]], stages: Collection[str]) -> dict[str, list[str]]:
    """The part of the work that is in these stages."""
    left = {document: [name for name in names if name in stages] for document, names in todo.items()}
    return {document: names for document, names in left.items() if names}


def with_out_of_sync(
    todo: Mapping[str, Sequence[str]],
    out_of_sync: Mapping[str, Sequence[str]],
    blocked: Blocked,
    order: Sequence[str],
) -> tuple[dict[str, Sequence[str]], dict[str, Sequence[str]]]:
    """What is to be visited, and what failed without Dagster showing that.

    What is done but not shown is added to the first. What failed gets runs of its own, since Dagster shows everything in a
    run with it as failed too.
    """
    failed = {d: names for d, names in out_of_sync.items() if set(names) & blocked.get(d, frozenset())}
    merged = dict(todo)
    for document in out_of_sync.keys() - failed.keys():
        merged[document] = sorted({*merged.get(document, ()), *out_of_sync[document]}, key=order.index)
    return merged, failed
