"""What a run would cost, and what reuse saves, before anything is paid.

What belongs here: requests, tokens and dollars of a plan. What does not: what one request costs (whatever asks for it
says so) and what was paid in the end (reuse).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from io_managers.store.store import Store
from seed_assets.pipeline import Pipeline
from seed_assets.planner import UPSTREAM, Plan, StagePlan
from seed_assets.reuse import Usage, paid_for


@runtime_checkable
class Priced(Protocol):
    """A resource that asks a paid service; one without this costs nothing."""

    def estimate(self, characters: int) -> Usage:
        """What it will be charged for a document of so many characters, at most; asks nobody."""
        ...


@runtime_checkable
class PricedByMembers(Protocol):
    """A resource that asks a paid service about clusters."""

    def estimate_cluster(self, members: int) -> Usage:
        """What it will be charged for a cluster of so many members, at most; asks nobody."""
        ...


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """One stage of a plan, for the documents that were asked about, or for all clusters (`documents` says how many).

    reused: in the store, so that a run computes nothing for them; publish: those of them that a run makes current.
    compute: what it computes, at most. left_out: what failed for good, and what that blocks. reasons: why documents are
    visited. cost: of `compute`. saved: what the reused ones have cost. upper_bound: whether `compute` counts documents
    whose inputs are computed first, and may turn out as they were.
    """

    documents: int
    reused: int
    publish: int
    compute: int
    left_out: int
    reasons: Mapping[str, int]
    cost: Usage
    saved: Usage
    upper_bound: bool


# Of clusters that are not found yet, and what is read of each member.
_USUAL_MEMBERS, _MEMBER_CHARACTERS = 8, 1_000


def estimate(
    pipeline: Pipeline, store: Store, plan: Plan, stages: Collection[str], documents: Collection[str]
) -> dict[str, StageEstimate]:
    """By stage, in order. Tokens are estimated from the bytes of files, since texts are not known before they are read."""
    asked = set(documents)
    return {name: _estimate(pipeline, store, plan, plan.stages[name], asked) for name in plan.stages if name in stages}


def total(usages: Iterable[Usage]) -> Usage:
    """All of them together."""
    usage = Usage()
    for one in usages:
        usage.add(one)
    return usage


def _estimate(pipeline: Pipeline, store: Store, plan: Plan, stage: StagePlan, asked: set[str]) -> StageEstimate:
    if stage.stage.units != "documents":
        asked = set(stage.states)
    computing = stage.computing & asked
    todo = stage.todo.keys() & asked
    reasons = stage.reasons(asked)
    left_out = sum(
        stage.states[document] in ("failed", "blocked")
        for document in asked.difference(stage.todo) & stage.states.keys()
    )
    cost = Usage()
    sizes = [stage.sizes[unit] for unit in computing & stage.sizes.keys()] + [_USUAL_MEMBERS] * stage.unnamed
    for resource in pipeline.used_by(stage.stage).values():
        for size in sizes:
            if stage.stage.units == "clusters" and isinstance(resource, PricedByMembers):
                cost.add(resource.estimate_cluster(size))
            elif isinstance(resource, Priced):
                cost.add(resource.estimate(size * _MEMBER_CHARACTERS if stage.stage.units == "clusters" else size))
    paid = store.actions.paid(key for document, key in stage.finished.items() if document in asked)
    return StageEstimate(
        documents=len(asked) + stage.unnamed,
        reused=len(asked) - len(computing) - left_out,
        publish=len(todo - computing),
        compute=len(computing) + stage.unnamed,
        left_out=left_out,
        reasons=reasons,
        cost=cost,
        saved=paid_for(paid),
        upper_bound=UPSTREAM in reasons or stage.unnamed > 0,
    )
