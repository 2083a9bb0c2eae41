"""What a run would cost, and what reuse saves, before anything is paid.

This module counts requests, tokens and dollars of a plan. Whatever sends a request says what it costs, and what was paid in
the end is in memo.accounts.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from io_managers.store.store import Store
from resources.endpoints.llm import Tokens, Usage
from resources.settings.model_settings import BatchMode
from seed_assets.engine.runner import Asking
from seed_assets.graph.pipeline import Pipeline
from seed_assets.graph.stage import SOURCE, Units
from seed_assets.memo.accounts import worth_of
from seed_assets.planning.experience import Experience
from seed_assets.planning.plan import UPSTREAM, Plan, StagePlan

if TYPE_CHECKING:
    from resources.endpoints.endpoint import Endpoint


@runtime_checkable
class Priced(Protocol):
    """A resource that asks a paid service. A resource without this costs nothing."""

    def estimate(self, characters: int) -> Usage:
        """The most that it will cost for a document with this number of characters, or for all of them; sends no request."""
        ...


@runtime_checkable
class PricedByMembers(Protocol):
    """A resource that asks a paid service about clusters."""

    def estimate_cluster(self, members: int) -> Usage:
        """The most that it will cost for a cluster with this number of members; sends no request."""
        ...


@dataclass(frozen=True, slots=True)
class StageEstimate:
    """One stage of a plan, for the documents that were asked about, or for all clusters (`documents` says how many).

    reused: results in the store, for which a run computes nothing; publish: those of them that a run makes current.
    compute: the most that it computes. left_out: permanent failures, and what they block. reasons: why documents are
    visited. cost: the most that `compute` costs. expected: what it will cost if its results cost as much as those of this home
    did so far; None if none were paid for yet. without_price: the models that it asks whose price is unknown. saved: what the
    reused results had cost. upper_bound: whether `compute` counts documents
    whose inputs are computed first and may turn out unchanged. again: those of `compute` that are published and whose inputs are
    the same, so that only the way in which they are computed has changed. kept: why reused results would be others if the
    settings did not keep them. batched: whether its requests go into batches of the provider. in_batches: the most that `compute`
    costs there, if they all do. rounds: how many batches, one after another, its results need, those of the stages before it
    included.
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
    again: int
    kept: Mapping[str, int]
    expected: Usage | None
    without_price: tuple[str, ...]
    batched: BatchMode = "off"
    in_batches: Usage = field(default_factory=Usage)
    rounds: int = 0


# So many results are looked up at a time.
_AT_ONCE = 10_000
# Assumptions for clusters: the members of one that is not found yet, and the characters that are read of each member, about those
# of a summary.
_USUAL_MEMBERS, _MEMBER_CHARACTERS = 8, 1_000


def estimate(
    pipeline: Pipeline, store: Store, plan: Plan, stages: Collection[str], documents: Collection[str]
) -> dict[str, StageEstimate]:
    """Return the estimate of each stage, in order.

    Tokens are estimated from the bytes of texts, and from those of files where a text is not known before it is read. A text that
    is read again may get longer, so the larger of the two counts then.
    """
    asked = set(documents)
    texts, experience = _Texts(pipeline, store, plan), Experience(store)
    found = {
        name: _estimate(pipeline, store, texts, experience, plan.stages[name], asked)
        for name in plan.stages
        if name in stages
    }
    return _with_rounds(pipeline, found) if pipeline.batched else found


def _with_rounds(pipeline: Pipeline, estimates: Mapping[str, StageEstimate]) -> dict[str, StageEstimate]:
    """The same with the number of rounds: requests of a stage, and of one unit, may need the answers to others."""
    found: dict[str, StageEstimate] = {}
    for name, one in estimates.items():
        stage = pipeline.stages[name]
        before = max((found[other].rounds for other in (*stage.upstream, *stage.over) if other in found), default=0)
        own = 0 if one.batched == "off" or not one.cost.requests else 1 + (one.cost.requests > one.compute)
        found[name] = replace(one, rounds=before + own)
    return found


class _Texts:
    """The sizes of what is read from the documents' files: of the values of the first stage that takes a file."""

    def __init__(self, pipeline: Pipeline, store: Store, plan: Plan) -> None:
        reading = next((s.name for s in pipeline.document_stages if s.kind == "value" and s.inputs == (SOURCE,)), "")
        self._store = store
        self._plan = plan.stages.get(reading)

    def sizes(self, units: Collection[str], files: Mapping[str, int]) -> list[int]:
        """Return how many bytes there are to send of each unit, which may be a document. files: unit -> bytes of its file."""
        if self._plan is None:
            return [files[unit] for unit in units]
        refs = self._store.refs.get(self._plan.stage.name, units)
        bytes_of = self._store.content.sizes({ref.content_digest for ref in refs.values()})
        found: list[int] = []
        for unit in units:
            text = bytes_of.get(refs[unit].content_digest, 0) if unit in refs else 0
            current = text and self._plan.states.get(unit) == "current"
            found.append(text if current else max(text, files[unit]))
        return found


def total(usages: Iterable[Usage]) -> Usage:
    """Return the sum of these."""
    usage = Usage()
    for one in usages:
        usage.add(one)
    return usage


def _estimate(
    pipeline: Pipeline, store: Store, texts: _Texts, experience: Experience, stage: StagePlan, asked: set[str]
) -> StageEstimate:
    if stage.stage.units is not Units.DOCUMENTS:
        asked = set(stage.states)
    computing = stage.computing & asked
    todo = stage.todo.keys() & asked
    reasons = stage.reasons(asked)
    left_out = sum(
        stage.states[document] in ("failed", "blocked", "waiting")
        for document in asked.difference(stage.todo) & stage.states.keys()
    )
    cost = _cost(pipeline, texts, stage, computing)
    batched = pipeline.batched.get(stage.stage.name, "off")
    compute = len(computing) + stage.unnamed
    used = pipeline.used_by(stage.stage).values()
    endpoints = {resource.endpoint.model: resource.endpoint for resource in used if isinstance(resource, Asking)}
    return StageEstimate(
        documents=len(asked) + stage.unnamed,
        reused=len(asked) - len(computing) - left_out,
        publish=len(todo - computing),
        compute=compute,
        left_out=left_out,
        reasons=reasons,
        cost=cost,
        saved=total(_worth(store, (key for unit, key in stage.finished.items() if unit in asked))),
        upper_bound=UPSTREAM in reasons or stage.unnamed > 0,
        again=sum(_same_inputs(stage, unit) for unit in computing),
        kept=stage.kept_although(asked),
        expected=experience.expected(stage.stage.name, compute, endpoints.values()) if cost.requests else Usage(),
        without_price=tuple(
            name for name, one in endpoints.items() if cost.requests and one.price.usd(Tokens(1)) is None
        ),
        batched=batched,
        in_batches=Usage() if batched == "off" else _in_batches(cost, endpoints.values()),
    )


def _worth(store: Store, keys: Iterable[str]) -> Iterator[Usage]:
    """What each of these results has cost, if it has cost anything."""
    left = iter(keys)
    while part := list(islice(left, _AT_ONCE)):
        paid = store.actions.with_cost(set(part))
        yield from (worth_of(paid[key]) for key in part if key in paid)


def _in_batches(cost: Usage, endpoints: "Iterable[Endpoint]") -> Usage:
    """What requests cost if they are all in batches; those of a model without a known price of batches are unpriced.

    The estimate does not say which of several models has how many of the tokens, so the dearest one counts.
    """
    tokens = Tokens(cost.input_tokens, cost.output_tokens)
    prices = [one.batch.price.usd(tokens) if one.batch else one.price.usd(tokens) for one in endpoints]
    known = [usd for usd in prices if usd is not None]
    unpriced = cost.requests if len(known) < len(prices) else 0
    return replace(cost, usd=0.0 if unpriced else max(known, default=0.0), unpriced=unpriced)


def _cost(pipeline: Pipeline, texts: _Texts, stage: StagePlan, computing: set[str]) -> Usage:
    """Return what it costs at most to compute these units, and the clusters that have no names yet."""
    cost = Usage()
    resources = pipeline.used_by(stage.stage).values()
    if not any(isinstance(resource, Priced | PricedByMembers) for resource in resources):
        return cost
    known = computing & stage.sizes.keys()
    of_clusters = stage.stage.units is Units.CLUSTERS
    if stage.stage.units is Units.CORPUS:
        # What is made of the corpus as a whole costs what all of its documents make it cost.
        sizes = [sum(texts.sizes(stage.sizes, stage.sizes))] if computing else []
    else:
        sizes = [stage.sizes[unit] for unit in known] if of_clusters else texts.sizes(known, stage.sizes)
    for resource in resources:
        for size in [*sizes, *[_USUAL_MEMBERS] * stage.unnamed]:
            if of_clusters and isinstance(resource, PricedByMembers):
                cost.add(resource.estimate_cluster(size))
            elif isinstance(resource, Priced):
                cost.add(resource.estimate(size * _MEMBER_CHARACTERS if of_clusters else size))
    return cost


def _same_inputs(stage: StagePlan, unit: str) -> bool:
    """Whether a result is published, and something else than an input is the reason to compute it."""
    reason = stage.todo.get(unit, UPSTREAM)
    changed = reason == UPSTREAM or reason.partition(":")[0] in stage.stage.inputs
    return stage.states.get(unit) == "stale" and not changed
